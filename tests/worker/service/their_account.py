"""An account that has something of everything with an id, in a state in which the use case that takes it would act."""

import contextlib
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from checks.codes import Code, Verdict
from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Role
from settings_store.alerts.channels import Subscription
from settings_store.audit import SERVICE, Actor
from settings_store.changes import changes
from settings_store.changes.changes import Saved
from settings_store.incidents import incidents
from settings_store.incidents.incidents import Opening, Scope, Severity
from settings_store.runs import outcomes, pages, planning, runs
from settings_store.secrets import new_key
from settings_store.webhooks.deliveries import Range
from worker.changes.impact import Impact
from worker.config import Config
from worker.service.account import Account
from worker.service.preflight import Preflight
from worker.service.webhooks import EndpointRequest

THEIRS = "theirs"
Row = tuple[tuple[str, str], ...]
Tables = Mapping[str, Counter[Row]]
SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "mail.theirs.example", 993), Endpoint(Protocol.SMTP, "mail.theirs.example", 465)
)


@dataclass(frozen=True, slots=True)
class Ids:
    """What is passed to use cases: either all of it theirs, or all of it nobody's. Changes are named by their state."""

    domain: str
    paused: str
    domain_id: int
    applied: str
    verifying: str
    verified: str
    discarded: str
    untried: str
    run: str
    window: int
    channel: str
    channel_id: int
    incident: str
    user: str
    user_name: str
    key: str
    webhook: str
    delivery: str
    entry: str
    file: Path

    def stripped(self, text: str) -> str:
        """`text` without these ids. Numbers are told from others by the word before them."""
        names = (str(getattr(self, name)) for name in self.__slots__)
        known = "|".join(re.escape(name) for name in names if not name.isdecimal())
        return re.sub(rf"\b(?:{known})\b|(?<=maintenance )\d+|(?<=domain )\d+", "ID", text)


def ids_of_nobody(folder: Path) -> Ids:
    """Ids of the same forms as theirs."""
    return Ids(
        domain="unknown.example",
        paused="none.example",
        domain_id=987_654,
        applied=uuid.uuid4().hex,
        verifying=uuid.uuid4().hex,
        verified=uuid.uuid4().hex,
        discarded=uuid.uuid4().hex,
        untried=uuid.uuid4().hex,
        run=uuid.uuid4().hex,
        window=987_655,
        channel="unknown-channel",
        channel_id=987_656,
        incident=uuid.uuid4().hex,
        user=uuid.uuid4().hex,
        user_name="unknown-user",
        key="0" * 12,
        webhook="0" * 32,
        delivery="0" * 32,
        entry=uuid.uuid4().hex,
        file=_mailbox_file(folder, "unknown.example"),
    )


def _mailbox_file(folder: Path, domain: str) -> Path:
    file = folder / f"{domain}.csv"
    file.write_text(f"address,password\nada@{domain},secret\n", encoding="utf-8")
    return file


@dataclass(frozen=True, slots=True)
class TheirAccount:
    """`ids` are theirs."""

    preflight: Preflight
    ids: Ids

    @property
    def owner(self) -> Account:
        """Who may do everything there."""
        return self.preflight.account(THEIRS, actor=Actor("owner"))

    def stranger(self) -> Account:
        """A new account that has nothing."""
        name = uuid.uuid4().hex
        with self.preflight.database.begin() as conn:
            domains.ensure_account(conn, name)
        return self.preflight.account(name, actor=Actor("stranger"))

    def rows(self) -> "Rows":
        """All that is stored, but for accounts."""
        with self.preflight.database.read() as conn:
            return Rows({table.name: _rows(conn, table) for table in schema.metadata.sorted_tables})


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything stored at a moment, by table."""

    tables: Tables

    def untouched_in(self, later: "Rows") -> bool:
        """Whether every row is still there as it was, and no new one refers to what these refer to."""
        new = {name: rows - self.tables[name] for name, rows in later.tables.items()}
        gone = any(rows - later.tables[name] for name, rows in self.tables.items())
        return not gone and not _references(self.tables) & _references(new)


def _references(tables: Tables) -> set[tuple[str, str]]:
    """The ids that rows refer to, each with its table."""
    return {
        (key.column.table.name, dict(row)[key.parent.name])
        for table in schema.metadata.sorted_tables
        for row in tables[table.name]
        for key in table.foreign_keys
        if dict(row)[key.parent.name] != "None"
    }


def _rows(conn: sa.Connection, table: sa.Table) -> Counter[Row]:
    rows = conn.execute(sa.select(table)).mappings()
    return Counter(tuple((name, repr(value)) for name, value in row.items()) for row in rows)


@contextlib.contextmanager
def their_account(database_url: str, folder: Path) -> Iterator[TheirAccount]:
    """An installation in which only they have anything."""
    config = Config(
        database_url=SecretStr(database_url),
        broker_url=SecretStr("memory://one-door/"),
        secret_key=SecretStr(new_key()),
    )
    with Preflight.open(config) as preflight:
        with preflight.database.begin() as conn:
            account_id = domains.ensure_account(conn, THEIRS)
        yield TheirAccount(preflight, _fill(preflight, account_id, folder))


def _fill(preflight: Preflight, account_id: int, folder: Path) -> Ids:
    """Each change is of a domain of its own, for of one domain only one is open."""
    theirs = preflight.account(THEIRS, actor=SERVICE)
    now = preflight.database.now()
    applied, verified = theirs.changes.save("theirs.example", SETTINGS), theirs.changes.save("v.example", SETTINGS)
    _finish(preflight, applied)
    theirs.changes.apply(applied.change_id)
    _finish(preflight, verified)
    verifying = theirs.changes.save("theirs.example", SETTINGS)
    discarded = theirs.changes.save("d.example", SETTINGS)
    theirs.changes.discard(discarded.change_id)
    file = _mailbox_file(folder, "theirs.example")
    theirs.mailboxes.import_file("theirs.example", file)
    theirs.maintenance.pause("v.example")
    window = theirs.maintenance.announce("theirs.example", now - 60, now + 3600)
    subscription = Subscription(language="en")
    channel = theirs.alerts.add("their-admins", "json://127.0.0.1:1/", subscription).channel
    user = theirs.access.add_user("their-admin", Role.SUPER_ADMIN)
    webhook = theirs.webhooks.add(EndpointRequest("https://127.0.0.1:1/")).endpoint.id
    theirs.webhooks.redeliver_range(webhook, Range())
    with preflight.database.begin() as conn:
        domain_id = domains.find_domain(conn, account_id, "theirs.example").id
        incident = _reject_and_open(conn, account_id, domain_id, now)
    return Ids(
        domain="theirs.example",
        paused="v.example",
        domain_id=domain_id,
        applied=applied.change_id,
        verifying=verifying.change_id,
        verified=verified.change_id,
        discarded=discarded.change_id,
        untried=_untried(preflight, theirs, folder),
        run=verifying.run_id,
        window=window.id,
        channel=channel.name,
        channel_id=channel.id,
        incident=incident,
        user=user.id,
        user_name=user.name,
        key=theirs.access.create_key(KeyRequest("crm"))[0].id,
        webhook=webhook,
        delivery=theirs.webhooks.deliveries(webhook, 1)[0].id,
        entry=_waiting(preflight, account_id),
        file=file,
    )


def _waiting(preflight: Preflight, account_id: int) -> str:
    """Somebody who waits for settings, and has typed none."""
    connecting = preflight.connecting(account_id, actor=SERVICE, member_of=None)
    return connecting.connect("w.example", {"address": "ada@w.example", "password": "not kept"}).attempt.id


def _finish(preflight: Preflight, saved: Saved) -> None:
    """As the flow does at the end of a run, in which there was no mailbox."""
    counts = dict.fromkeys(map(str, Impact), 0)
    with preflight.database.begin() as conn:
        now = preflight.database.now()
        runs.finish(conn, saved.run_id, counts, "c0ffee", now)
        changes.mark_verified(conn, saved.change_id, now)


def _untried(preflight: Preflight, theirs: Account, folder: Path) -> str:
    """A change whose run has left a mailbox untried."""
    theirs.mailboxes.import_file("u.example", _mailbox_file(folder, "u.example"))
    saved = theirs.changes.save("u.example", SETTINGS)
    with preflight.database.begin() as conn:
        run = runs.load(conn, saved.run_id)
        assert run
        planning.plan(conn, run, 5, 25)
        outcomes.settle(conn, run.id, Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED, None, "")
        pages.close(conn, run.id, runs.CANDIDATE)
    _finish(preflight, saved)
    return saved.change_id


def _reject_and_open(conn: sa.Connection, account_id: int, domain_id: int, now: float) -> str:
    """A rejection that is remembered, and an incident that is open."""
    box = conn.execute(sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.domain_id == domain_id)).scalar_one()
    rejection = {"server": "mail.theirs.example:993", "code": Code.AUTH_REJECTED.value, "seen": "no", "at": now}
    conn.execute(schema.rejections.insert().values(mailbox_id=box, **rejection))
    subject = Opening(
        scope=Scope.MAILBOX,
        subject=f"mailbox:{box}",
        account_id=account_id,
        severity=Severity.WARNING,
        code=Code.AUTH_REJECTED,
        since=now,
        domain_ids=frozenset({domain_id}),
        mailbox_id=box,
    )
    opened = incidents.open_one(conn, subject, now, None)
    assert opened
    return opened
