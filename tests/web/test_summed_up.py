"""What a report says of all mailboxes: summed up by either database, and counted one by one, it is the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.codes import Code, Verdict
from settings_store import schema
from settings_store.changes import changes
from tests.servers.postgres import PostgresServer
from tests.web.api import ANNA, Api, running
from tests.web.planted_changes import SETTINGS, Box, plant
from worker.changes.report import findings_of

BOXES = (
    Box("a@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", "NO first"),
    Box("b@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", "NO second"),
    Box("c@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", before="disconnected"),
    Box("d@x", Verdict.FAIL, Code.EXCHANGE_CALENDAR_DENIED, "https"),
    Box("e@x", Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED),
    *(Box(f"works{number}@x") for number in range(5)),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_store()
    with running(tmp_path, database_url=url) as found:
        yield found


def test_summed_up_by_the_database_and_credentials_carried_over(api: Api) -> None:
    change = plant(api, "verified", BOXES)
    account = api.preflight.account(actor=ANNA)
    with api.preflight.database.begin() as conn:
        run = schema.run_mailboxes
        exchange = conn.execute(run.select().where(run.c.protocol == "https")).one()
        services = {"mail": "ok", "calendar": "exchange.calendar_denied"}
        conn.execute(run.update().where(run.c.mailbox_id == exchange.mailbox_id).values(services=services))
    report = account.changes.report(change.id)
    counted = findings_of(report.mailboxes())
    summed = report.findings()
    assert (summed.causes, summed.services) == (counted.causes, counted.services)
    assert summed.causes[1].seen == "NO second"

    boxes = [{"address": f"new@{change.domain}", "password": "x"}]
    saved = account.changes.save(change.domain, SETTINGS, boxes)
    corrected = account.changes.save(change.domain, SETTINGS, corrects=saved.change_id)
    with api.preflight.database.read() as conn:
        mine = schema.mailboxes.c.change_id == corrected.change_id
        assert [row.address for row in conn.execute(schema.mailboxes.select().where(mine))] == [f"new@{change.domain}"]
        assert changes.load(conn, saved.change_id).state == "superseded"
