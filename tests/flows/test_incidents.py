"""From a mail server that breaks to the admin who is told, with everything real and in both modes.

One installation of each mode lives through all tests of it: each finds all well, and leaves all well.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.harness import System, wait_for, write_csv
from tests.flows.incident_site import (
    COUNT,
    DOMAIN,
    HOOK_SECRET,
    HOST,
    MAIL_SECRET,
    TELLER,
    TELLER_SECRET,
    Installation,
    MailSite,
    installation,
    mail_site,
)
from tests.flows.traces import assert_none, bodies_in, database_files, dump, outputs
from tests.servers.postgres import PostgresServer
from tests.servers.redis import Monitor, RedisServer

IMAP = f"IMAP of {DOMAIN} ({HOST})"


@pytest.fixture(scope="module")
def site(server_folder: Any) -> Iterator[MailSite]:
    with mail_site(server_folder / "incidents") as servers:
        yield servers


@pytest.fixture(scope="module")
def monitor(redis_server: RedisServer) -> Iterator[Monitor]:
    redis_server.flush()
    with redis_server.monitor() as monitor:
        yield monitor


@pytest.fixture(scope="module")
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, site: MailSite
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp(request.param)
    database, broker = f"sqlite:///{folder}/preflight.db", "memory://"
    if request.param == "distributed":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        request.getfixturevalue("monitor")
        database, broker = postgres.new_database(), request.getfixturevalue("redis_server").url
    with installation(System(request.param, folder, database, broker, log_level="DEBUG"), site) as running:
        yield running


@pytest.fixture
def well(installed: Installation) -> Installation:
    """The installation while all is well, and nobody was told anything yet."""
    installed.wait_until_connected()
    installed.forget()
    return installed


def health_of(installed: Installation) -> tuple[int, Any]:
    said = installed.system.command("health", DOMAIN, "--json")
    return said.status, said.document


@pytest.fixture
def own_channel(well: Installation) -> Iterator[str]:
    """The name of a mail channel by way of the very server that is looked after."""
    ending = "mode=ssl&verify=no&from=alerts@lab.example&to=admin@lab.example"
    login = f"{TELLER.replace('@', '%40')}:{TELLER_SECRET}"
    well.add_channel("own", f"mailtos://{login}@{HOST}:{well.site.postfix.smtps_port}?{ending}")
    yield "own"
    assert well.system.command("alerts", "remove", "own").status == 0


@pytest.mark.both_modes
def test_an_outage_is_told_once_and_so_is_its_end(well: Installation, own_channel: str) -> None:
    """Given a channel by way of the broken server, too, it is silent until that works again."""
    site = well.site
    site.behind_smtp.forget()

    with site.outage():
        well.wait_for_subjects(f"Broken: {IMAP}")
        texts, (status, document) = well.texts(), health_of(well)
        logins = site.behind_smtp.logins("smtp")

    for text in texts:
        assert f"{HOST} refused the connection on port {site.imap.imaps_port}." in text
        assert f"Domains: {DOMAIN}" in text and f"Mailboxes affected: {COUNT}" in text
    assert (status, document["state"]) == (1, "failing")
    (incident,) = document["incidents"]
    assert (incident["code"], incident["scope"], incident["severity"]) == ("connect.refused", "endpoint", "critical")
    assert [row["state"] for row in document["endpoints"]] == ["fail", "ok"]
    assert document["mailboxes"]["disconnected"] == COUNT
    assert {row["code"] for row in document["mailboxes"]["list"]} == {"connect.refused"}
    assert document["alert_channels"] == ["admins", "hook", own_channel]
    assert TELLER not in logins, "it was sent by way of the broken server"

    well.wait_for_subjects(f"Broken: {IMAP}", f"Works again: {IMAP}")
    well.wait_until_connected()
    status, document = health_of(well)

    assert (status, document["state"]) == (0, "healthy")
    assert [row["id"] for row in document["incidents"] if row["closed"]] == [incident["id"]]
    wait_for(lambda: site.behind_smtp.logins("smtp")[TELLER] == 1, "the end is told by way of the server that works")
    well.wait_for_subjects(f"Broken: {IMAP}", f"Works again: {IMAP}")


def test_a_certificate_that_has_expired(well: Installation) -> None:
    with well.site.expiry():
        well.wait_for_subjects(f"Broken: {IMAP}")
        texts, (status, document) = well.texts(), health_of(well)

    for text in texts:
        assert f"The certificate for {HOST} expired on " in text
    assert status == 1
    assert [row["code"] for row in document["incidents"] if row["closed"] is None] == ["tls.expired"]

    well.wait_for_subjects(f"Broken: {IMAP}", f"Works again: {IMAP}")
    well.wait_until_connected()


def test_a_password_that_was_changed_is_rejected_once(well: Installation) -> None:
    site, system = well.site, well.system
    box = site.boxes[2]
    site.imap.forget()

    site.set_password(box.username, f"An0ther-passw0rd-{system.mode}")
    well.wait_for_subjects(f"Broken: mailbox {box.address}")
    slices = well.slices()
    status, document = health_of(well)
    wait_for(lambda: well.slices() >= slices + 3, "every mailbox came up once more")

    for text in well.texts():
        assert "rejected the user name or the password" in text
        assert f"Mailbox: {box.address}" in text
        assert "What was seen: NO [AUTHENTICATIONFAILED]" in text
    assert status == 1
    (row,) = document["mailboxes"]["list"]
    assert (row["address"], row["code"]) == (box.address, "auth.rejected")
    assert site.imap.rejections() == Counter({box.username: 1})

    csv = write_csv(system.folder / "again.csv", [next(item for item in site.boxes if item.address == box.address)])
    imported = system.command("mailboxes", "import", DOMAIN, str(csv))
    assert imported.out.splitlines() == [
        "0 added, 1 updated, 0 unchanged.",
        f"Stored credentials replaced, and gone: {box.address}.",
    ]
    well.wait_for_subjects(f"Broken: mailbox {box.address}", f"Works again: mailbox {box.address}")
    assert site.imap.rejections() == Counter({box.username: 1})
    assert health_of(well)[0] == 0


@pytest.mark.both_modes
def test_no_secret_leaves_a_trace(well: Installation, request: pytest.FixtureRequest) -> None:
    """All were really used: receivers and mail servers have seen them."""
    system = well.system
    assert system.command("alerts", "test").out == "admins: sent\nhook: sent\n"
    assert well.mail.logins[-1] == (b"teller", MAIL_SECRET.encode())
    assert well.web.calls[-1].path == f"/{HOOK_SECRET}"
    assert well.site.imap.logins()

    secrets = well.traces()
    if system.mode == "embedded":
        assert_none(secrets, database_files(system), "the database")
    else:
        monitor: Monitor = request.getfixturevalue("monitor")
        told = monitor.text().encode()
        assert b"mail_preflight.alerts" in told
        assert_none(secrets, told, "Redis")
        assert_none(secrets, b"".join(bodies_in(told)), "the bodies of the messages")
        assert_none(secrets, dump(system.database_url), "PostgreSQL")
    assert_none(secrets, outputs(system), "what commands and workers said")
