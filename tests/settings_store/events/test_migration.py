"""A database of revision 0004 keeps its history and tells its alerts when what happened becomes events."""

from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from alembic import command

from settings_store import audit, migrations
from settings_store.alerts import deliveries, outbox
from settings_store.db import Database
from settings_store.events import events
from settings_store.incidents import incidents

Rows = list[Mapping[str, object]]

ACCOUNT = 7
LINES: Rows = [
    {"at": 10.0, "actor": "ada", "source": "192.0.2.7", "event": "save", "before": None, "after": "draft"},
    {"at": 10.0, "actor": "ada", "source": "192.0.2.7", "event": "verify", "before": "draft", "after": "verifying"},
    {"at": 12.0, "actor": "mail-preflight", "event": "finish", "before": "verifying", "after": "verified"},
    # The clock was put back.
    {"at": 5.0, "actor": "ann", "event": "verify", "before": "verified", "after": "verifying", "detail": "resumed"},
    {"at": 6.0, "actor": "mail-preflight", "event": "finish", "before": "verifying", "after": "verified"},
    {"at": 7.0, "actor": "ann", "event": "apply", "before": "verified", "after": "applied", "detail": 'it\'s "1" é'},
    {"at": 8.0, "actor": "mail-preflight", "event": "watch_failed", "before": "applied", "after": "applied"},
]
INCIDENTS: Rows = [
    {"id": "open", "open_subject": "s1", "opened_at": 9.0, "reminders": 2},
    {"id": "over", "opened_at": 1.0, "recovered_at": 3.0, "closed_at": 4.0},
    {"id": "merged", "opened_at": 2.0, "closed_at": 3.0},
    {"id": "quiet", "open_subject": "s2", "opened_at": 11.0, "account_id": None},
]
ALERTS: Rows = [
    {"incident_id": "open", "kind": "opened", "number": 0, "created_at": 9.0, "delivery_id": "sent"},
    {"incident_id": "open", "kind": "reminder", "number": 1, "created_at": 11.0, "delivery_id": "sent"},
    {"incident_id": "open", "kind": "reminder", "number": 2, "created_at": 13.0, "delivery_id": None},
    {"incident_id": "over", "kind": "opened", "number": 0, "created_at": 1.0, "dropped": outbox.RESOLVED_MEANWHILE},
    {"incident_id": "over", "kind": "resolved", "number": 0, "created_at": 4.0, "delivery_id": "claimed"},
]


@pytest.fixture
def earlier(database: Database) -> Database:
    """As it was written by the version before."""
    with database.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "0004")
        for statement in _AROUND:
            conn.exec_driver_sql(statement)
        _insert(conn, "audit", LINES, {"change_id": "c1", "source": "", "detail": ""})
        _insert(conn, "audit", LINES[:1], {"change_id": "c2", "source": "", "detail": ""})
        fixed = {"account_id": ACCOUNT, "scope": "endpoint", "subject": "s", "domain_id": 1, "severity": "critical"}
        _insert(
            conn, "incidents", INCIDENTS, {**fixed, "code": "connect.refused", "facts": "{}", "seen": "", "since": 0.0}
        )
        _insert(conn, "alerts", ALERTS, {"channel_id": 1, "due_at": 0.0})
    return database


def _insert(conn: sa.Connection, table: str, rows: Rows, fixed: Mapping[str, object]) -> None:
    for row in [{**fixed, **row} for row in rows]:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        conn.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)  # noqa: S608 - names from here


_AROUND = (
    "INSERT INTO accounts (id, name) VALUES (7, 'default')",
    "INSERT INTO domains (id, account_id, name) VALUES (1, 7, 'lab.example')",
    "INSERT INTO settings (id, domain_id, kind, exchange_url, allow_insecure_certificate, created_at) "
    "VALUES (1, 1, 'exchange', 'https://mail.lab.example/EWS/Exchange.asmx', false, 0)",
    "INSERT INTO changes (id, domain_id, settings_id, state, created_at) VALUES ('c1', 1, 1, 'applied', 10)",
    "INSERT INTO changes (id, domain_id, settings_id, state, created_at) VALUES ('c2', 1, 1, 'draft', 10)",
    "INSERT INTO alert_channels (id, account_id, name, url, shown, severity, language, created_at) "
    "VALUES (1, 7, 'admins', 'sealed', 'json://x', 'info', 'en', 0)",
    "INSERT INTO deliveries (id, channel_id, state, next_at, created_at, sent_at) VALUES ('sent', 1, 'sent', 0, 9, 9)",
    "INSERT INTO deliveries (id, channel_id, state, next_at, created_at, attempts) "
    "VALUES ('claimed', 1, 'pending', 0, 4, 1)",
)


def test_the_history_is_unchanged(earlier: Database) -> None:
    earlier.migrate()
    with earlier.read() as conn:
        found = list(audit.of_change(conn, "c1"))
        assert len(list(audit.of_change(conn, "c2"))) == 1
        assert {event.account_id for event in events.of_subject(conn, "c1")} == {ACCOUNT}
        assert {event.domain_id for event in events.of_subject(conn, "c1")} == {1}
    shown: Rows = [
        {
            "at": entry.at,
            "actor": entry.actor.name,
            "source": entry.actor.source,
            "event": entry.event,
            "before": entry.before,
            "after": entry.after,
            "detail": entry.detail,
        }
        for entry in found
    ]
    assert shown == [{"source": "", "detail": "", **line} for line in LINES]


def test_incidents_have_their_events_in_order(earlier: Database) -> None:
    earlier.migrate()
    with earlier.read() as conn:
        of_account = events.of_account(conn, ACCOUNT)
        quiet = [event.kind for event in events.of_subject(conn, "quiet")]
    about = [(event.subject, event.kind) for event in of_account if event.kind.startswith("incident.")]
    assert about == [
        ("over", "incident.opened"),
        ("merged", "incident.opened"),
        ("merged", "incident.dropped"),
        ("over", "incident.resolved"),
        ("open", "incident.opened"),
        ("open", "incident.reminder"),
        ("open", "incident.reminder"),
    ]
    assert quiet == ["incident.opened"]


def test_what_was_not_delivered_is_and_nothing_twice(earlier: Database) -> None:
    """Given an alert in no delivery and one whose worker was killed, then both go out, and what was sent does not."""
    earlier.migrate()
    with earlier.begin() as conn:
        assert deliveries.due_by_channel(conn, 20.0) == {1: 1}
        assert deliveries.bundle(conn, 1, 20.0)
        told = []
        while delivery := deliveries.claim(conn, "me", 20.0, 30.0):
            told += [(key.incident_id, key.kind, key.number) for key in deliveries.keys_of(conn, delivery.id)]
            deliveries.record_sent(conn, delivery.id, 20.0)
        assert not deliveries.due_by_channel(conn, 20.0)
    assert told == [("over", "resolved", 0), ("open", "reminder", 2)]


def test_an_incident_goes_on_after_the_migration(earlier: Database) -> None:
    earlier.migrate()
    with earlier.begin() as conn:
        assert outbox.announce(conn, "open", "opened", 0, 20.0) == 0
        assert incidents.close(conn, "open", 21.0)
        assert outbox.announce(conn, "open", "resolved", 0, 21.0) == 1


def test_it_can_be_taken_back(earlier: Database) -> None:
    with earlier.begin() as conn:
        kept = _all(conn)
    earlier.migrate()
    with earlier.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "0004")
        assert _all(conn) == kept


def _all(conn: sa.Connection) -> list[object]:
    lines = "SELECT change_id, at, actor, source, event, before, after, detail FROM audit ORDER BY change_id, id"
    rows = "SELECT * FROM alerts ORDER BY incident_id, kind, number"
    return [tuple(row) for query in (lines, rows) for row in conn.exec_driver_sql(query)]
