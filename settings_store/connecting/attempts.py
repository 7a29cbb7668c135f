"""Attempts to connect a mailbox: who, when, what was typed, and what came of it. Of few a secret is kept (`waiting`).

An attempt is begun before its login and concluded after it, in two transactions, for no transaction waits for a server.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import CredentialKind, Invalid, LoginResult, Unknown
from checks.settings import Settings
from settings_store import domains, schema
from settings_store.actors import Actor
from settings_store.db import insert_into
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs.outcomes import REJECTED

LEASE_SECONDS = 330.0  # a check, the wait for a slot and two logins take less, with the longest deadlines there are
WINDOW_SECONDS = 3600.0
MOST_REJECTED = 3
"""So many rejections of an address in an hour: servers lock an account after five or ten."""
MOST_REJECTED_OF_PERSON = 10
"""So many of one person, whatever the address: nobody guesses the passwords of others here."""
_KEPT_SECONDS = 86_400.0

_attempts, _domains = schema.attempts, schema.domains


class AttemptState(StrEnum):
    """What became of an attempt."""

    TRYING = "trying"
    """Its login is under way."""
    CONNECTED = "connected"
    """The login works, and the mailbox is one of the domain."""
    STORED = "stored"
    """The mailbox is one of the domain, and nobody could tell whether its login works."""
    FAILED = "failed"
    """The login was rejected; nothing is stored."""
    CANNOT_TELL = "cannot_tell"
    """Nobody could tell whether the login works; nothing is stored."""
    PENDING = "pending"
    """The domain has no settings: it waits for an admin."""
    LOGIN_NEEDED = "login_needed"
    """It waited, and no login of it is kept: it has to be connected once more."""


class NotNow(Invalid):
    """A mailbox cannot be connected now; `seconds`: when to try again."""

    def __init__(self, message: str, seconds: float = 1.0, field: str = "") -> None:
        super().__init__(message, field)
        self.seconds = seconds


class UnderWay(NotNow):
    """The mailbox is being connected already, or its domain has other settings since that began."""


class TooOften(NotNow):
    """So many logins were rejected that the mail server might lock the account."""


class ServersBusy(NotNow):
    """The mail server has as many logins of ours as it may have."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt as it is stored, without a secret; `kept` says whether there is one.

    `settings` is what was typed, None where nothing was. `verdict`, `code`, `protocol` and `seen` are the login's, None
    and '' where nothing was tried. `at` is UTC seconds since 1970.
    """

    id: str
    domain: str
    address: str
    username: str
    kind: CredentialKind
    state: AttemptState
    settings: Settings | None
    verdict: Verdict | None
    code: Code | None
    protocol: str | None
    seen: str
    person: str | None
    actor: str
    at: float
    kept: bool


def begin(conn: Connection, domain_id: int, row: MailboxRow, typed: int | None, now: float, actor: Actor) -> str:
    """A new attempt, whose login may begin now; `typed` are the settings that it is tried with, where they were typed.

    Returns its id. Raises `UnderWay`, and `TooOften`.
    """
    _forget_old(conn, domain_id, row.address, now)
    _refuse_too_often(conn, domain_id, row.address, now, actor)
    attempt_id = uuid.uuid4().hex
    values = {
        "id": attempt_id,
        "domain_id": domain_id,
        "address": row.address,
        "username": row.username,
        "credential_kind": row.kind.value,
        "settings_id": typed,
        "state": AttemptState.TRYING.value,
        "person": actor.person or None,
        "actor": actor.name,
        "source": actor.source,
        "at": now,
        "lease_until": now + LEASE_SECONDS,
    }
    insert = insert_into(conn, _attempts).values(**values).on_conflict_do_nothing().returning(_attempts.c.id)
    if conn.execute(insert).first() is None:
        raise UnderWay("this mailbox is being connected already; look again in a moment")
    return attempt_id


def _forget_old(conn: Connection, domain_id: int, address: str, now: float) -> None:
    """Attempts that somebody died over, and those that are of no use to anybody any more."""
    of = _attempts.c.domain_id == domain_id, _attempts.c.address == address
    lapsed = sa.and_(_attempts.c.state == AttemptState.TRYING.value, _attempts.c.lease_until < now)
    ended = _attempts.c.state.in_([AttemptState.FAILED.value, AttemptState.CANNOT_TELL.value])
    old = sa.and_(ended, _attempts.c.at < now - _KEPT_SECONDS)
    remove(conn, conn.execute(sa.select(_attempts.c.id).where(*of, sa.or_(lapsed, old))).scalars().all())


def _refuse_too_often(conn: Connection, domain_id: int, address: str, now: float, actor: Actor) -> None:
    table = _attempts
    rejected = table.c.verdict == Verdict.FAIL.value, table.c.code.in_([code.value for code in REJECTED])
    within = table.c.at > now - WINDOW_SECONDS
    mine = table.c.domain_id == domain_id, table.c.address == address
    groups = [(mine, MOST_REJECTED)]
    if actor.person:
        groups.append(((table.c.domain_id == domain_id, table.c.person == actor.person), MOST_REJECTED_OF_PERSON))
    for conditions, most in groups:
        found = sa.select(sa.func.count(), sa.func.min(table.c.at)).where(*conditions, *rejected, within)
        count, first = conn.execute(found).one()
        if count >= most:
            seconds = max(1.0, first + WINDOW_SECONDS - now)
            raise TooOften(
                f"{count} logins were rejected within an hour, and mail servers lock accounts for that; "
                f"try again in {seconds / 60:.0f} minutes",
                seconds,
                "password",
            )


def conclude(conn: Connection, attempt_id: str, state: AttemptState, result: LoginResult | None) -> None:
    """What became of an attempt."""
    values: dict[str, object] = {"state": state.value, "lease_until": 0.0}
    if result is not None:
        values |= {"verdict": result.verdict.value, "code": result.code.value}
        values |= {"protocol": result.protocol.value, "seen": result.seen}
    conn.execute(_attempts.update().where(_attempts.c.id == attempt_id).values(values))


def remove(conn: Connection, attempt_ids: Collection[str]) -> None:
    """Forgets attempts, with what was typed."""
    typed = _attempts.delete().where(_attempts.c.id.in_(attempt_ids)).returning(_attempts.c.settings_id)
    settings_ids = [key for key in conn.execute(typed).scalars() if key is not None]
    if settings_ids:
        conn.execute(schema.settings.delete().where(schema.settings.c.id.in_(settings_ids)))


def remove_others(conn: Connection, domain_id: int, address: str, keep: str) -> None:
    """Forgets what became of the address before the attempt with that id, but not that it was rejected."""
    of = _attempts.c.domain_id == domain_id, _attempts.c.address == address, _attempts.c.id != keep
    rejected = _attempts.c.verdict == Verdict.FAIL.value
    done = _attempts.c.state != AttemptState.TRYING.value
    conn.execute(_attempts.update().where(*of, done, rejected).values(state=AttemptState.FAILED.value, credential=None))
    remove(conn, conn.execute(sa.select(_attempts.c.id).where(*of, done, sa.not_(rejected))).scalars().all())


def tidy(conn: Connection, before: float, most: int) -> int:
    """Forgets what was ended before a time and has left nothing to be done, `most` at most. Returns how much."""
    ended = [state.value for state in (AttemptState.FAILED, AttemptState.CANNOT_TELL, AttemptState.LOGIN_NEEDED)]
    old = sa.select(_attempts.c.id).where(_attempts.c.state.in_(ended), _attempts.c.at < before).limit(most)
    found = conn.execute(old).scalars().all()
    remove(conn, found)
    return len(found)


def find(conn: Connection, account_id: int, attempt_id: str) -> Attempt:
    """An attempt in a domain of the account. Raises `Unknown`."""
    row = conn.execute(_select(account_id).where(_attempts.c.id == attempt_id)).one_or_none()
    if row is None:
        raise Unknown("there is no such connection", "connection_id")
    return _attempt(conn, row)


def domain_of(conn: Connection, attempt_id: str) -> int:
    """The id of the domain that an attempt is of. Raises `Unknown`."""
    found = conn.execute(sa.select(_attempts.c.domain_id).where(_attempts.c.id == attempt_id)).scalar()
    if found is None:
        raise Unknown("there is no such connection", "connection_id")
    return int(found)


def pending(
    conn: Connection,
    account_id: int,
    domain_id: int | None,
    before: tuple[float, str] | None,
    limit: int | None,
) -> list[Attempt]:
    """Those who wait for an admin, the newest first; of one domain, or of all; those older than (time, id)."""
    query = _select(account_id).where(_attempts.c.state == AttemptState.PENDING.value)
    if domain_id is not None:
        query = query.where(_attempts.c.domain_id == domain_id)
    if before is not None:
        query = query.where(sa.tuple_(_attempts.c.at, _attempts.c.id) < sa.tuple_(*map(sa.literal, before)))
    rows = conn.execute(query.order_by(_attempts.c.at.desc(), _attempts.c.id.desc()).limit(limit)).all()
    versions = domains.load_versions(conn, {row.settings_id for row in rows if row.settings_id is not None})
    return [_made(row, versions.get(row.settings_id)) for row in rows]


def _select(account_id: int) -> "sa.Select[tuple[Any, ...]]":
    # That a secret is kept is asked of the database: nobody has to read it.
    columns = [column for column in _attempts.c if column.name != "credential"]
    kept = _attempts.c.credential.is_not(None).label("kept")
    joined = sa.select(*columns, kept, _domains.c.name.label("domain"))
    return joined.join(_domains, _domains.c.id == _attempts.c.domain_id).where(_domains.c.account_id == account_id)


def _attempt(conn: Connection, row: Any) -> Attempt:
    return _made(row, domains.load_settings(conn, row.settings_id) if row.settings_id is not None else None)


def _made(row: Any, typed: Settings | None) -> Attempt:
    return Attempt(
        id=row.id,
        domain=row.domain,
        address=row.address,
        username=row.username,
        kind=CredentialKind(row.credential_kind),
        state=AttemptState(row.state),
        settings=typed,
        verdict=Verdict(row.verdict) if row.verdict else None,
        code=Code(row.code) if row.code else None,
        protocol=row.protocol,
        seen=row.seen,
        person=row.person,
        actor=row.actor,
        at=row.at,
        kept=row.kept,
    )
