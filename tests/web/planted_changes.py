"""Changes in every state that there is, written to the store without a mail server."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import Endpoint, EndpointResult, Protocol
from checks.serialize import dump_endpoint_result
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.changes import applying, approval, changes
from settings_store.changes.lifecycle import ChangeState
from settings_store.runs import endpoints, outcomes, runs
from tests.web.api import ANNA, Api
from worker.changes.report import summarise

S = ChangeState
SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.example.com", 993), Endpoint(Protocol.SMTP, "smtp.example.com", 465)
)
MAX_AGE = 900.0
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Box:
    """What a mailbox of a report met. `before` is its state under the settings in force."""

    address: str
    verdict: Verdict = Verdict.OK
    code: Code = Code.OK
    protocol: str | None = None
    seen: str = ""
    before: str = "connected"


@dataclass
class Planted:
    """A change. Every step of the store is taken at `now`."""

    api: Api
    domain: str
    id: str
    now: float

    @property
    def path(self) -> str:
        return f"/v1/changes/chg_{self.id}"


def plant(api: Api, state: str, boxes: tuple[Box, ...] = (), fails: Code | None = None) -> Planted:
    """A change of a domain of its own, in one of `STATES`. `fails`: what its IMAP server does not do."""
    name = f"d{next(_NUMBERS)}.example"
    now = api.preflight.database.now()
    with api.preflight.database.begin() as conn:
        domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), name)
        change_id = changes.save(conn, domain_id, SETTINGS, now, ANNA).change_id
        STATES[state](conn, change_id, now, boxes, fails)
    return Planted(api, name, change_id, now)


def _verified(
    conn: sa.Connection, change_id: str, now: float, boxes: tuple[Box, ...] = (), fails: Code | None = None
) -> None:
    run, change = runs.of_change(conn, change_id), changes.load(conn, change_id)
    assert run is not None
    results = []
    for endpoint in SETTINGS.endpoints:
        code = fails if fails and endpoint.protocol is Protocol.IMAP else Code.OK
        results.append(EndpointResult(endpoint, Verdict.OK if code is Code.OK else Verdict.FAIL, code))
        endpoints.save(conn, run.id, runs.CANDIDATE, endpoint.protocol, dump_endpoint_result(results[-1]))
    add_boxes(conn, change.domain_id, run.id, boxes)
    counts, checksum = summarise(outcomes.rows(conn, run.id), results)
    runs.finish(conn, run.id, counts, checksum, now)
    changes.mark_verified(conn, change_id, now)


def add_boxes(conn: sa.Connection, domain_id: int, run_id: str, boxes: tuple[Box, ...]) -> None:
    """Mailboxes of a domain, with what a run found out."""
    for box in boxes:
        values = {"domain_id": domain_id, "address": box.address, "username": "u", "credential": b"sealed"}
        key = conn.execute(schema.mailboxes.insert().values(values)).inserted_primary_key
        assert key is not None
        row = {"run_id": run_id, "mailbox_id": key[0], "page": 1, "before": box.before, "verdict": box.verdict.value}
        row |= {"code": box.code.value, "protocol": box.protocol, "seen": box.seen}
        conn.execute(schema.run_mailboxes.insert().values(row))


def _untried(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _verified(conn, change_id, now, (Box("left@x", Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED), Box("works@x")))


def _rejected_with_another_password_since(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _verified(conn, change_id, now, (Box("ada@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap"),))
    domain_id = changes.load(conn, change_id).domain_id
    values = {"changed_at": now, "revision": 1}
    conn.execute(schema.mailboxes.update().where(schema.mailboxes.c.domain_id == domain_id).values(values))


def _added_since(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _verified(conn, change_id, now)
    values = {"domain_id": changes.load(conn, change_id).domain_id, "address": "new@x", "username": "u"}
    conn.execute(schema.mailboxes.insert().values(values))


def _moved(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _verified(conn, change_id, now)
    domain_id = changes.load(conn, change_id).domain_id
    settings_id = domains.save_settings(conn, domain_id, SETTINGS, now)
    conn.execute(schema.domains.update().where(schema.domains.c.id == domain_id).values(settings_id=settings_id))


def _awaiting(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _verified(conn, change_id, now)
    approval.set_needed(conn, changes.load(conn, change_id).domain_id, needed=True, now=now, actor=ANNA)


def _applied(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _verified(conn, change_id, now)
    applying.apply(conn, changes.load(conn, change_id), None, now, MAX_AGE, actor=ANNA)


def _followed(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _applied(conn, change_id, now)
    later = changes.save(conn, changes.load(conn, change_id).domain_id, SETTINGS, now, ANNA)
    _applied(conn, later.change_id, now)


def _rolled_back(conn: sa.Connection, change_id: str, now: float, *_: object) -> None:
    _applied(conn, change_id, now)
    applying.roll_back(conn, changes.load(conn, change_id), now, ANNA)


STATES: Mapping[str, Callable[..., None]] = {
    S.DRAFT: lambda conn, change_id, now, *_: _do(changes.cancel, conn, change_id, now),
    S.VERIFYING: lambda *_: None,
    S.VERIFIED: _verified,
    "stale": lambda conn, change_id, now, *_: _verified(conn, change_id, now - 2 * MAX_AGE),
    "ahead": lambda conn, change_id, now, *_: _verified(conn, change_id, now + 2 * MAX_AGE),
    "untried": _untried,
    "rejected": _rejected_with_another_password_since,
    "added": _added_since,
    "moved": _moved,
    "awaiting": _awaiting,
    S.APPLIED: _applied,
    "followed": _followed,
    S.DISCARDED: lambda conn, change_id, now, *_: _do(changes.discard, conn, change_id, now),
    S.SUPERSEDED: lambda conn, change_id, now, *_: _supersede(conn, change_id, now),
    S.ROLLED_BACK: _rolled_back,
}


def _do(step: Callable[..., object], conn: sa.Connection, change_id: str, now: float) -> None:
    step(conn, changes.load(conn, change_id), now, ANNA)


def _supersede(conn: sa.Connection, change_id: str, now: float) -> None:
    changes.save(conn, changes.load(conn, change_id).domain_id, SETTINGS, now, ANNA)
