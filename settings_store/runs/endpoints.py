"""What the endpoints of a run came to, once for the proposed settings and once for those in force."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from settings_store import schema
from settings_store.runs import runs
from settings_store.runs.runs import CANDIDATE, Phase

_runs = schema.runs


def save(conn: Connection, run_id: str, phase: Phase, protocol: str, document: Mapping[str, Any]) -> None:
    """Keeps an endpoint's result; a second one is dropped."""
    table = schema.endpoint_results
    known = sa.select(table.c.run_id).where(
        table.c.run_id == run_id, table.c.phase == phase, table.c.protocol == protocol
    )
    if conn.execute(known).first() is None:
        conn.execute(table.insert().values(run_id=run_id, phase=phase, protocol=protocol, document=dict(document)))


def save_again(conn: Connection, run_id: str, phase: Phase, protocol: str, document: Mapping[str, Any]) -> None:
    """Keeps what a second look at an endpoint has found, in place of the first."""
    runs.lock(conn, run_id)
    table = schema.endpoint_results
    mine = table.c.run_id == run_id, table.c.phase == phase, table.c.protocol == protocol
    conn.execute(table.update().where(*mine).values(document=dict(document)))


def learn(conn: Connection, run_id: str, phase: Phase, protocol: str, learned: Mapping[str, str]) -> None:
    """Adds what logins have learned of an endpoint to its result, which must be there."""
    table = schema.endpoint_results
    mine = table.c.run_id == run_id, table.c.phase == phase, table.c.protocol == protocol
    document = conn.execute(sa.select(table.c.document).where(*mine)).scalar_one()
    conn.execute(table.update().where(*mine).values(document={**document, "learned": dict(learned)}))


def add_patience(conn: Connection, run_id: str, phase: Phase, protocol: str, count: int, seconds: float) -> None:
    """Adds to an endpoint's result that so many mailboxes were put off, as its server asked, for so long at most."""
    runs.lock(conn, run_id)
    table = schema.endpoint_results
    mine = table.c.run_id == run_id, table.c.phase == phase, table.c.protocol == protocol
    document = conn.execute(sa.select(table.c.document).where(*mine)).scalar_one()
    others = [warn for warn in document["warnings"] if warn["code"] != Code.SERVER_PATIENCE.value]
    for known in document["warnings"]:
        if known["code"] == Code.SERVER_PATIENCE.value:
            count += int(known["facts"]["count"])
            seconds = max(seconds, float(known["facts"]["seconds"]))
    told = {"code": Code.SERVER_PATIENCE.value, "facts": {"count": str(count), "seconds": f"{seconds:.0f}"}}
    conn.execute(table.update().where(*mine).values(document={**document, "warnings": [*others, told]}))


def documents(conn: Connection, run_id: str, phase: Phase) -> dict[str, dict[str, Any]]:
    """Protocol -> the endpoint's result, as it was saved."""
    table = schema.endpoint_results
    query = sa.select(table.c.protocol, table.c.document).where(table.c.run_id == run_id, table.c.phase == phase)
    return {row.protocol: row.document for row in conn.execute(query.order_by(table.c.protocol))}


def verified(conn: Connection, settings_id: int) -> dict[str, dict[str, Any]]:
    """Protocol -> the endpoint's result in the newest finished preflight run of a version of the settings."""
    finished = _runs.c.settings_id == settings_id, _runs.c.kind == "preflight", _runs.c.stage == "finished"
    newest = conn.execute(sa.select(_runs.c.id).where(*finished).order_by(_runs.c.created_at.desc()).limit(1)).scalar()
    return documents(conn, newest, CANDIDATE) if newest else {}


def any_failed(conn: Connection, run_id: str) -> bool:
    """Whether an endpoint of the run's settings fails for good."""
    found = documents(conn, run_id, CANDIDATE).values()
    return any(document["verdict"] == Verdict.FAIL.value for document in found)
