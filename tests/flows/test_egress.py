"""Static addresses from the switch to the report, and after: whatever connects leaves from them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from checks.codes import Code, Verdict
from checks.model import Endpoint, Invalid, Outcome, Protocol, Security
from checks.network.static_addresses import parse_ranges
from checks.settings import ImapSettings
from settings_store.changes.lifecycle import Refused
from tests.cli.reports.test_json_documents import validator
from tests.flows.harness import Box, System, account_of, is_ready, outcome, wait_for, write_csv
from tests.servers.certificates import CertificateLab
from tests.servers.gate import Gate, Rule
from tests.servers.guarded import GuardedServer
from worker.changes.wording import report_document
from worker.health.endpoint_lane import EndpointLane, tick

DOMAIN = "egress.example"
STATIC = ("127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7")
CONFIG = {
    "static_addresses": parse_ranges("127.0.0.4/30"),
    "source_address": ("127.0.0.2",),
    "shared_addresses": (),
    "like_failures": 1000,
}
USERS = {f"user{number:02}": f"Open-{number:02}" for number in range(12)}
BOXES = [Box(f"{user}@{DOMAIN}", password, user) for user, password in USERS.items()]


@pytest.fixture(scope="module")
def server(certificates: CertificateLab) -> Iterator[GuardedServer]:
    with GuardedServer(certificates.issue(), USERS) as found:
        yield found


@pytest.fixture
def gates(server: GuardedServer) -> Iterator[tuple[Gate, Gate]]:
    with Gate(server.imap_port, {}) as imap, Gate(server.smtp_port, {}) as smtp:
        yield imap, smtp


@pytest.fixture
def settings(gates: tuple[Gate, Gate], certificates: CertificateLab) -> ImapSettings:
    imap, smtp = (gate.port for gate in gates)
    return ImapSettings(
        Endpoint(Protocol.IMAP, "localhost", imap, Security.TLS),
        Endpoint(Protocol.SMTP, "localhost", smtp, Security.TLS),
        ca_pem=certificates.ca_pem,
    )


def test_the_switch_is_a_change_like_any_other(
    embedded_system: System, gates: tuple[Gate, Gate], settings: ImapSettings
) -> None:
    system, (imap, smtp) = embedded_system, gates
    system.load(DOMAIN, BOXES)
    static = replace(settings, static_addresses=True)
    with system.open(**CONFIG) as preflight, preflight.processes.working():
        account = account_of(preflight)
        before = outcome(preflight, account.changes.save(DOMAIN, settings))
        account.changes.apply(before.saved.change_id, None)
        assert before.counts == {"keeps_working": 12}
        assert imap.came.keys() == smtp.came.keys() == {"127.0.0.2"}
        assert account.egress.connection_ips().static == ()

        # One of four is kept out of SMTP: whoever comes from there would be disconnected.
        for gate in gates:
            gate.came.clear()
        smtp.rules["127.0.0.7"] = Rule("close")
        kept_out = outcome(preflight, account.changes.save(DOMAIN, static))
        assert kept_out.counts == {"will_disconnect": 12}
        assert set(kept_out.codes.values()) == {Code.CONNECT_NOT_ADMITTED}
        with pytest.raises(Refused):
            account.changes.apply(kept_out.saved.change_id, None)
        document = report_document(kept_out.report)
        smtp_said = next(each for each in document.endpoints if each.endpoint.protocol is Protocol.SMTP)
        assert "does not admit connections" in smtp_said.sentence
        assert "from 127.0.0.7; from 127.0.0.4, 127.0.0.5, 127.0.0.6" in smtp_said.sentence
        assert [(each.source, each.outcome) for each in smtp_said.admissions if each.outcome != "admitted"] == [
            ("127.0.0.7", Outcome.CLOSED)
        ]
        validator("verify.schema.json").validate({**document.head(), "mailboxes": [], "checksum": document.checksum})
        assert account.egress.connection_ips().static == ("127.0.0.4/30",), "a change wants them"
        request = account.egress.request(DOMAIN)
        assert (request.static, request.addresses, request.blocked) == (True, ("127.0.0.4/30",), ("127.0.0.7",))

        # The firewall is opened: logins leave from all of them, and the settings in force do so from then on.
        smtp.rules.clear()
        for gate in gates:
            gate.came.clear()
        again = outcome(preflight, account.changes.verify_again(kept_out.saved.change_id))
        assert again.counts == {"keeps_working": 12}
        assert smtp.came.keys() == {*STATIC, "127.0.0.2"}
        assert smtp.came["127.0.0.2"] == 1, "the shared address knocks to be compared with, and no more"
        assert all(smtp.came[each] >= 3 for each in STATIC), "twelve logins in turn, and a knock before and after"
        account.changes.apply(again.saved.change_id, None)
        assert account.egress.connection_ips().domains == (DOMAIN,)


def test_who_is_banned_in_the_middle_is_named(
    embedded_system: System, gates: tuple[Gate, Gate], settings: ImapSettings
) -> None:
    """Admitted for a knock and a few logins, and then no more."""
    system, (imap, _) = embedded_system, gates
    system.load(DOMAIN, BOXES)
    imap.rules["127.0.0.6"] = Rule("close", admitted=3)
    with system.open(**CONFIG) as preflight, preflight.processes.working():
        found = outcome(preflight, account_of(preflight).changes.save(DOMAIN, replace(settings, static_addresses=True)))
    result = next(each for each in found.report.endpoints if each.endpoint.protocol is Protocol.IMAP)
    outcomes = {each.source: each.outcome for each in result.admissions if not each.shared}
    assert outcomes == dict.fromkeys(STATIC, Outcome.ADMITTED) | {"127.0.0.6": Outcome.BANNED}
    assert (result.verdict, result.code, result.facts["addresses"]) == (
        Verdict.FAIL,
        Code.CONNECT_NOT_ADMITTED,
        "127.0.0.6",
    )
    assert found.report.verdict == "unsafe"


def test_health_leaves_from_them_too(embedded_system: System, gates: tuple[Gate, Gate], settings: ImapSettings) -> None:
    system, (imap, smtp) = embedded_system, gates
    system.apply(DOMAIN, replace(settings, static_addresses=True), **CONFIG)
    for gate in gates:
        gate.came.clear()
    imap.rules["127.0.0.5"] = Rule("reset")
    with system.open(**CONFIG) as preflight:
        resources = preflight.flow.resources
        tick(resources)
        later = replace(resources, now=lambda: preflight.database.now() + 3600)
        assert EndpointLane(later).run() == 1
        health = account_of(preflight).health.of_domain(DOMAIN)
    assert {each.endpoint.protocol: each.known and each.known.code for each in health.endpoints} == {
        Protocol.IMAP: Code.CONNECT_NOT_ADMITTED,
        Protocol.SMTP: Code.OK,
    }
    assert imap.came.keys() == smtp.came.keys() == {*STATIC, "127.0.0.2"}
    assert imap.came["127.0.0.2"] == 1


def test_without_static_addresses_there_is_nothing_to_switch_on(
    embedded_system: System, settings: ImapSettings
) -> None:
    with embedded_system.open() as preflight, pytest.raises(Invalid, match="has no static addresses"):
        account_of(preflight).changes.save(DOMAIN, replace(settings, static_addresses=True))


def test_the_commands(embedded_system: System, gates: tuple[Gate, Gate], settings: ImapSettings) -> None:
    """The list, the switch and the request, as a user has them."""
    system, (_, smtp) = embedded_system, gates
    environment = {"STATIC_ADDRESSES": "127.0.0.4/30", "SOURCE_ADDRESS": "127.0.0.2"}
    write_csv(system.folder / "boxes.csv", BOXES[:2])
    ca_file = system.folder / "ca.pem"
    ca_file.write_text(settings.ca_pem)
    system.load(DOMAIN, BOXES[:2])
    system.apply(DOMAIN, settings, **CONFIG)
    smtp.rules["127.0.0.5"] = Rule("say")

    listed = system.command("connection-ips", **environment)
    assert listed.status == 0
    assert "127.0.0.2  shared" in listed.out
    assert "127.0.0.4" not in listed.out
    used = system.command("connection-ips", "use", DOMAIN, "on", **environment)
    assert used.status == 1
    assert "127.0.0.5  blocked: the server says so" in used.out
    assert "127.0.0.4/30  static" in system.command("connection-ips", **environment).out
    asked = system.command("--language", "ja", "connection-ips", "request", DOMAIN, **environment)
    assert asked.status == 0
    assert "127.0.0.4/30" in asked.out
    assert f"localhost ポート {smtp.port} (SMTP)" in asked.out
    assert "許可されていませんでした: 127.0.0.5" in asked.out
    wrong = system.command("connection-ips", STATIC_ADDRESSES="203.0.113.0/33")
    assert (wrong.status, wrong.out) == (2, "")


def test_the_workers_of_an_egress_have_its_domains(
    own_system: System, gates: tuple[Gate, Gate], settings: ImapSettings
) -> None:
    """An ordinary worker, which does not have the addresses, passes the run on; without one of Tokyo it waits."""
    imap, smtp = gates
    tokyo = {"STATIC_ADDRESSES": "tokyo=127.0.0.4/30", "LIKE_FAILURES": "1000"}
    own_system.load(DOMAIN, BOXES)
    config = CONFIG | {"static_addresses": parse_ranges("tokyo=127.0.0.4/30")}
    with own_system.working(1, **tokyo, SOURCE_ADDRESS="127.0.0.2") as ordinary, own_system.open(**config) as preflight:
        account = account_of(preflight)
        plain = outcome(preflight, account.changes.save(DOMAIN, settings))
        account.changes.apply(plain.saved.change_id, None)
        for gate in gates:
            gate.came.clear()
        saved = account.changes.save(DOMAIN, replace(settings, static_addresses=True))
        worker = own_system.start("worker", "--queue", "preflight", "--egress", "tokyo", **tokyo)
        with worker:
            wait_for(lambda: is_ready(worker), "the worker of Tokyo starts")
            found = outcome(preflight, saved)
    assert ordinary
    assert found.counts == {"keeps_working": 12}
    assert imap.came.keys() - {"127.0.0.1"} == smtp.came.keys() - {"127.0.0.1"} == set(STATIC)
    assert own_system.command("worker", "--queue", "preflight", "--egress", "osaka", **tokyo).status == 2
