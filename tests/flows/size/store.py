"""A store of many domains with a long history."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from checks.model import Endpoint, Protocol, Security
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.db import Database
from settings_store.secrets import new_key
from worker.config import Config
from worker.service.preflight import Preflight

MAILBOXES = 10  # in each domain
SLICES = 20  # finished health checks of each domain, as two days have some two hundred
_BULK = 5_000
_ENDED_AT = 1_700_000_000.0


def settings_number(number: int) -> ImapSettings:
    """Settings that nobody will ever connect to."""
    host = f"mail{number}.example"
    return ImapSettings(
        Endpoint(Protocol.IMAP, host, 993, Security.TLS), Endpoint(Protocol.SMTP, host, 465, Security.TLS)
    )


@contextmanager
def open_store(url: str, folder: Path) -> Iterator[Preflight]:
    """The service on a database, with a broker that nobody listens to."""
    folder.mkdir(exist_ok=True)
    config = Config(
        database_url=SecretStr(url), broker_url=SecretStr("memory://size/"), secret_key=SecretStr(new_key())
    )
    with Preflight.open(config) as preflight:
        yield preflight


def fill(preflight: Preflight, size: int) -> None:
    """So many domains with settings in force and `MAILBOXES` mailboxes each, and no history but the change applied."""
    with preflight.database.begin() as conn:
        numbers, account_id = range(1, size + 1), domains.ensure_account(conn)
        _insert(conn, schema.domains, ({"id": n, "account_id": account_id, "name": name_of(n)} for n in numbers))
        for number in numbers:
            domains.save_settings(conn, number, settings_number(number), _ENDED_AT)
        latest = sa.select(schema.settings.c.id).where(schema.settings.c.domain_id == schema.domains.c.id)
        conn.execute(schema.domains.update().values(settings_id=latest.scalar_subquery()))
        boxes = ((number, f"box{place}@{name_of(number)}") for number in numbers for place in range(MAILBOXES))
        rows = ({"domain_id": number, "address": address, "username": address} for number, address in boxes)
        _insert(conn, schema.mailboxes, ({**row, "credential": b"sealed", "state": "connected"} for row in rows))
        _number_anew(conn)
    _look_at_statistics(preflight.database)


def name_of(number: int) -> str:
    return f"domain{number:05}.example"


def _insert(conn: sa.Connection, table: sa.Table, rows: Iterator[dict[str, object]]) -> None:
    portion: list[dict[str, object]] = []
    for row in rows:
        portion.append(row)
        if len(portion) == _BULK:
            conn.execute(table.insert(), portion)
            portion = []
    if portion:
        conn.execute(table.insert(), portion)


def _number_anew(conn: sa.Connection) -> None:
    """PostgreSQL does not notice ids that were given by hand."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SELECT setval('domains_id_seq', (SELECT max(id) FROM domains))")


def _look_at_statistics(database: Database) -> None:
    """What autovacuum does within a minute."""
    with database.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("ANALYZE")


def add_history(preflight: Preflight, busy: int, each: int) -> None:
    """`each` finished changes with their runs for the first `busy` domains, and finished health checks of all."""
    with preflight.database.begin() as conn:
        everybody = conn.execute(sa.select(schema.domains.c.id, schema.domains.c.settings_id)).all()
        first = {row.id: row.settings_id for row in everybody if row.id <= busy}
        of_changes = [(f"{owner:05}-{place:03}", owner) for owner in first for place in range(each)]
        _insert(conn, schema.changes, (_change(key, owner, first[owner]) for key, owner in of_changes))
        _insert(conn, schema.runs, (_run(key, owner, first[owner], key, "preflight") for key, owner in of_changes))
        slices = ((f"h{row.id:05}-{place:03}", row) for row in everybody for place in range(SLICES))
        _insert(conn, schema.runs, (_run(key, row.id, row.settings_id, None, "health") for key, row in slices))
        keys = [key for key, _ in of_changes]
        owner_of_all = domains.ensure_account(conn)
        told = {"kind": "change.saved", "account_id": owner_of_all, "at": _ENDED_AT, "actor": "ann"}
        lines = ({**told, "subject": key, "domain_id": owner, "source": "", "payload": {}} for key, owner in of_changes)
        _insert(conn, schema.events, (line for line in lines for _ in range(4)))
        phase = {"phase": "candidate"}
        documents = ({"run_id": key, **phase, "protocol": name} for key in keys for name in ("imap", "smtp"))
        _insert(conn, schema.endpoint_results, ({**row, "document": {"verdict": "ok"}} for row in documents))
        _insert(
            conn, schema.pages, ({"run_id": key, **phase, "number": n, "done": True} for key in keys for n in (0, 1))
        )
        owners = dict(of_changes)
        boxes: dict[int, list[int]] = {}
        mine = sa.select(schema.mailboxes.c.id, schema.mailboxes.c.domain_id).where(
            schema.mailboxes.c.domain_id <= busy
        )
        for row in conn.execute(mine):
            boxes.setdefault(row.domain_id, []).append(row.id)
        found = {"page": 1, "before": "connected", "verdict": "ok", "code": "ok"}
        rows = ({"run_id": key, "mailbox_id": box, **found} for key in keys for box in boxes[owners[key]])
        _insert(conn, schema.run_mailboxes, rows)
    _look_at_statistics(preflight.database)


def _change(key: str, owner: int, settings_id: int) -> dict[str, object]:
    row = {"id": key, "domain_id": owner, "settings_id": settings_id, "base_settings_id": settings_id}
    return {**row, "state": "applied", "created_at": _ENDED_AT, "applied_at": _ENDED_AT}


def _run(key: str, owner: int, settings_id: int, change_id: str | None, kind: str) -> dict[str, object]:
    row = {"id": key, "domain_id": owner, "settings_id": settings_id, "change_id": change_id, "kind": kind}
    times = dict.fromkeys(("touched_at", "created_at", "finished_at"), _ENDED_AT)
    return {**row, **times, "stage": "finished", "counts": {"will_disconnect": 0}, "checksum": "c"}
