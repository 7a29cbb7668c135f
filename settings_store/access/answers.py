"""What requests with an Idempotency-Key were answered: kept in the transaction of what they did, for a day."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Fault
from settings_store.db import Database, insert_into
from settings_store.forgetting import forget
from settings_store.schema import idempotency_keys as _kept
from settings_store.secrets import Vault

KEPT_SECONDS = 24 * 3600.0
RESERVED_SECONDS = 120.0
"""How long a request may be under way that does not keep its answer in its own transaction."""
_UNDER_WAY = 0  # in place of a status


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be repeated: the API key's id, the Idempotency-Key, and a digest of what was asked for."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: status, headers and body of HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a key. `answer` None: the request is under way."""

    fingerprint: bytes
    answer: Answer | None


class AnswerLost(Exception):
    """The request was answered, and no encryption key opens the answer any more."""


def claim(conn: Connection, asked: Asked) -> bool:
    """Whether nobody else works on the key; nobody does from here to the end of the transaction.

    SQLite has one writer at a time: whoever has begun to write is alone.
    """
    if conn.dialect.name != "postgresql":
        return True
    number = int.from_bytes(hashlib.sha256(f"{asked.caller} {asked.key}".encode()).digest()[:8], signed=True)
    return bool(conn.execute(sa.select(sa.func.pg_try_advisory_xact_lock(number))).scalar_one())


def find(conn: Connection, vault: Vault, asked: Asked, now: float) -> Kept | None:
    """What was kept for the key, None where nothing was or it is over.

    Raises `AnswerLost` for an answer that no encryption key opens.
    """
    row = conn.execute(sa.select(_kept).where(*_of(asked))).one_or_none()
    if row is None or row.created_at <= now - (RESERVED_SECONDS if row.status == _UNDER_WAY else KEPT_SECONDS):
        return None
    try:
        fingerprint = bytes.fromhex(vault.open(row.fingerprint))
        if row.status == _UNDER_WAY:
            return Kept(fingerprint, None)
        body = vault.open(row.body).encode("latin-1")
    except Fault:
        raise AnswerLost from None
    return Kept(fingerprint, Answer(row.status, dict(row.headers), body))


def keep(conn: Connection, vault: Vault, asked: Asked, answer: Answer, now: float) -> None:
    """Keeps an answer; whatever was there is over. The body is encrypted: it may show a new secret."""
    body = vault.seal(answer.body.decode("latin-1"))
    _write(conn, vault, asked, now, status=answer.status, headers=answer.headers, body=body)


def reserve(conn: Connection, vault: Vault, asked: Asked, now: float) -> None:
    """Says that a request is under way, for as long as one may be."""
    _write(conn, vault, asked, now, status=_UNDER_WAY, headers={}, body=b"")


def release(conn: Connection, asked: Asked) -> None:
    """Takes a reservation back: the request has changed nothing and may be sent again."""
    conn.execute(_kept.delete().where(*_of(asked), _kept.c.status == _UNDER_WAY))


def forget_old(conn: Connection, now: float, most: int = 2000) -> int:
    """Removes what is over, `most` at most. Returns how many answers that were."""
    return forget(conn, _kept, _kept.c.created_at <= now - KEPT_SECONDS, _kept.c.created_at, most)


def rotate_answers(database: Database, vault: Vault) -> int:
    """Encrypts kept answers with the vault's first key. What no key opens is kept: its request is not done again."""
    rotated = 0
    with database.begin() as conn:
        columns = _kept.c.caller, _kept.c.key, _kept.c.fingerprint, _kept.c.body
        for row in conn.execute(sa.select(*columns).where(_kept.c.status != _UNDER_WAY).with_for_update()).all():
            if vault.is_current(row.body):
                continue
            try:
                values = {"fingerprint": vault.rotate(row.fingerprint), "body": vault.rotate(row.body)}
            except Fault:
                continue
            mine = _kept.c.caller == row.caller, _kept.c.key == row.key
            conn.execute(_kept.update().where(*mine).values(values))
            rotated += 1
    return rotated


def _of(asked: Asked) -> tuple[sa.ColumnElement[bool], ...]:
    return _kept.c.caller == asked.caller, _kept.c.key == asked.key


def _write(conn: Connection, vault: Vault, asked: Asked, now: float, **values: object) -> None:
    # encrypted: by a digest of a request all of which is known but a password, that could be guessed
    values |= {"fingerprint": vault.seal(asked.fingerprint.hex()), "created_at": now}
    insert = insert_into(conn, _kept).values(caller=asked.caller, key=asked.key, **values)
    conn.execute(insert.on_conflict_do_update(index_elements=[_kept.c.caller, _kept.c.key], set_=values))
