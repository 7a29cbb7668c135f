"""Those who wait for their domain's settings: they come with the change that an admin saves, and are told when it is in
force.

Of whoever waits a secret is kept only where it has worked with what was typed, encrypted as all others are.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import LoginResult, MailboxState
from checks.settings import Settings
from settings_store import domains, schema
from settings_store.actors import Actor
from settings_store.connecting import attempts
from settings_store.connecting.attempts import AttemptState
from settings_store.events import events
from settings_store.events.kinds import (
    AttemptEvent,
    ConnectionDismissed,
    ConnectionFailed,
    ConnectionLoginNeeded,
    ConnectionPending,
    MailboxConnected,
    MailboxStored,
)
from settings_store.mailboxes import connecting
from settings_store.runs.candidates import PROPOSED

_attempts, _boxes, _held = schema.attempts, schema.mailboxes, schema.change_credentials
_CHUNK = 500
_LOGIN = ("username", "credential", "credential_kind")
_KINDS: dict[AttemptState, type[AttemptEvent]] = {
    AttemptState.CONNECTED: MailboxConnected,
    AttemptState.STORED: MailboxStored,
    AttemptState.FAILED: ConnectionFailed,
    AttemptState.CANNOT_TELL: ConnectionFailed,
    AttemptState.LOGIN_NEEDED: ConnectionLoginNeeded,
}


def tell(
    conn: Connection,
    domain_id: int,
    attempt_id: str,
    state: AttemptState,
    result: LoginResult | None,
    actor: Actor,
    now: float,
) -> None:
    """Writes down what became of an attempt."""
    verdict, code = (result.verdict.value, result.code.value) if result else ("", "")
    kind = _KINDS[state]
    told = kind(subject=attempt_id, at=now, domain_id=domain_id, actor=actor, verdict=verdict, code=code)
    events.record(conn, told)


def wait(
    conn: Connection,
    domain_id: int,
    attempt_id: str,
    result: LoginResult | None,
    sealed: bytes | None,
    actor: Actor,
    now: float,
) -> bool:
    """The attempt waits for an admin. `sealed` is its secret, where that has worked.

    False, and it ends, where the address waits already with a secret that works, and this one does not.
    """
    address = conn.execute(sa.select(_attempts.c.address).where(_attempts.c.id == attempt_id)).scalar_one()
    of = _attempts.c.domain_id == domain_id, _attempts.c.address == address, _attempts.c.credential.is_not(None)
    if sealed is None and conn.execute(sa.select(_attempts.c.id).where(*of)).first() is not None:
        return False
    attempts.conclude(conn, attempt_id, AttemptState.PENDING, result)
    conn.execute(_attempts.update().where(_attempts.c.id == attempt_id).values(credential=sealed))
    attempts.remove_others(conn, domain_id, address, attempt_id)
    verdict, code = (result.verdict.value, result.code.value) if result else ("", "")
    told = ConnectionPending(
        subject=attempt_id, at=now, domain_id=domain_id, actor=actor, verdict=verdict, code=code, kept=bool(sealed)
    )
    events.record(conn, told)
    return True


def dismiss(conn: Connection, attempt_id: str, actor: Actor, now: float) -> bytes | None:
    """Forgets somebody who waits. Returns the secret that was kept, encrypted: changes of the domain may bring it."""
    domain_id = attempts.domain_of(conn, attempt_id)
    kept = conn.execute(sa.select(_attempts.c.credential).where(_attempts.c.id == attempt_id)).scalar()
    attempts.remove(conn, [attempt_id])
    events.record(conn, ConnectionDismissed(subject=attempt_id, at=now, domain_id=domain_id, actor=actor))
    return kept


def accompany(conn: Connection, change_id: str, domain_id: int, now: float) -> int:
    """Those who wait come with a change: their logins are tried with it, and in force when it is. Returns how many.

    Whoever comes with it already is left as they are: what an admin gave with the change goes first.
    """
    count = 0
    for rows in _chunks(_kept(conn, domain_id)):
        addresses = [row.address for row in rows]
        here, coming = _known(conn, domain_id, change_id, addresses)
        new = [row for row in rows if row.address not in here and row.address not in coming]
        proposed = _proposed(conn, change_id, here.values())
        held = [row for row in rows if row.address in here and here[row.address] not in proposed]
        if new:
            conn.execute(_boxes.insert(), [_coming(row, change_id, now) for row in new])
        if held:
            conn.execute(_held.insert(), [_proposal(row, change_id, here[row.address]) for row in held])
        count += len(new) + len(held)
    return count


def settle(conn: Connection, domain_id: int, in_force: Settings, now: float, actor: Actor) -> None:
    """A change of the domain was applied: whoever waited is connected or has to log in once more, and is told."""
    query = sa.select(_attempts).where(_attempts.c.domain_id == domain_id, *_waiting())
    rows = conn.execute(query.order_by(_attempts.c.address)).all()
    typed = domains.load_versions(conn, {row.settings_id for row in rows if row.settings_id is not None})
    states: dict[str, tuple[AttemptState, str]] = {}
    for some in _chunks(rows):
        boxes = _logins(conn, domain_id, [row.address for row in some])
        for row in some:
            same = row.settings_id is not None and typed[row.settings_id].endpoints == in_force.endpoints
            states[row.id] = _joined(conn, domain_id, row, boxes.get(row.address), now, same=same)
    _move(conn, domain_id, states, now, actor)


def fall_back(conn: Connection, domain_id: int, now: float, actor: Actor) -> None:
    """A change was rolled back: who came with it is no mailbox of the domain any more, and has to log in once more."""
    boxes = sa.select(_boxes.c.address).where(_boxes.c.domain_id == domain_id)
    came = _attempts.c.state.in_([AttemptState.CONNECTED.value, AttemptState.STORED.value])
    gone = sa.select(_attempts.c.id).where(_attempts.c.domain_id == domain_id, came, _attempts.c.address.not_in(boxes))
    states = dict.fromkeys(conn.execute(gone).scalars(), (AttemptState.LOGIN_NEEDED, ""))
    _move(conn, domain_id, states, now, actor)


def _waiting() -> tuple[sa.ColumnElement[bool], ...]:
    return (_attempts.c.state == AttemptState.PENDING.value,)


def _kept(conn: Connection, domain_id: int) -> Sequence[Any]:
    mine = _attempts.c.domain_id == domain_id, *_waiting(), _attempts.c.credential.is_not(None)
    return conn.execute(sa.select(_attempts).where(*mine).order_by(_attempts.c.address)).all()


def _chunks(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[first : first + _CHUNK] for first in range(0, len(rows), _CHUNK))


def _known(
    conn: Connection, domain_id: int, change_id: str, addresses: Collection[str]
) -> tuple[dict[str, int], set[str]]:
    """The ids of the domain's own mailboxes, and the addresses of those that come with the change."""
    columns, some = (_boxes.c.address, _boxes.c.id), _boxes.c.address.in_(addresses)
    mine = conn.execute(sa.select(*columns).where(_boxes.c.domain_id == domain_id, some))
    here = {row.address: row.id for row in mine}
    coming = _boxes.c.domain_id.is_(None), _boxes.c.change_id == change_id, some
    return here, set(conn.execute(sa.select(_boxes.c.address).where(*coming)).scalars())


def _proposed(conn: Connection, change_id: str, mailbox_ids: Collection[int]) -> set[int]:
    mine = _held.c.change_id == change_id, _held.c.mailbox_id.in_(mailbox_ids)
    return set(conn.execute(sa.select(_held.c.mailbox_id).where(*mine)).scalars())


def _coming(row: Any, change_id: str, now: float) -> dict[str, object]:
    login = {name: getattr(row, name) for name in _LOGIN}
    unknown = {"state": MailboxState.UNKNOWN.value, "changed_at": now, "change_id": change_id}
    return {"address": row.address, **login, **unknown}


def _proposal(row: Any, change_id: str, mailbox_id: int) -> dict[str, object]:
    login = {name: getattr(row, name) for name in _LOGIN}
    return {"change_id": change_id, "mailbox_id": mailbox_id, "holds": PROPOSED, **login}


def _logins(conn: Connection, domain_id: int, addresses: Collection[str]) -> dict[str, Any]:
    columns = (_boxes.c[name] for name in ("address", "credential", "state", "state_code"))
    mine = _boxes.c.domain_id == domain_id, _boxes.c.address.in_(addresses)
    return {row.address: row for row in conn.execute(sa.select(*columns).where(*mine))}


def _joined(
    conn: Connection, domain_id: int, row: Any, box: Any, now: float, *, same: bool
) -> tuple[AttemptState, str]:
    """What becomes of one who waited, and the code of that.

    Who came while the change was verified is not in it. Their login is known to work where they had typed the same
    servers; else it becomes known when health is looked at next. A login that the mailbox has from elsewhere stays:
    it is what the report was about.
    """
    if row.credential is None or (box is not None and box.credential not in (None, row.credential)):
        return AttemptState.LOGIN_NEEDED, ""
    if box is None or box.credential is None:
        found = (MailboxState.CONNECTED, Code.OK.value) if same else (MailboxState.UNKNOWN, None)
        connecting.put(conn, domain_id, row.address, {name: getattr(row, name) for name in _LOGIN}, found, now)
        return (AttemptState.CONNECTED, Code.OK.value) if same else (AttemptState.STORED, "")
    if box.state == MailboxState.DISCONNECTED.value:
        return AttemptState.LOGIN_NEEDED, box.state_code or ""
    state = AttemptState.CONNECTED if box.state == MailboxState.CONNECTED.value else AttemptState.STORED
    return state, box.state_code or ""


def _move(
    conn: Connection, domain_id: int, states: dict[str, tuple[AttemptState, str]], now: float, actor: Actor
) -> None:
    if not states:
        return
    conn.execute(
        _attempts.update()
        .where(_attempts.c.id == sa.bindparam("attempt_id"))
        .values(state=sa.bindparam("new_state"), credential=None),
        [{"attempt_id": key, "new_state": state.value} for key, (state, _) in states.items()],
    )
    told = (
        _KINDS[state](subject=key, at=now, domain_id=domain_id, actor=actor, code=code)
        for key, (state, code) in states.items()
    )
    events.record(conn, *told)
