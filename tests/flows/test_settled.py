"""Facts that settle everybody without a login: endpoints that fail, and canaries that are all rejected."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from checks.model import Endpoint, Protocol, Security
from checks.settings import ImapSettings
from tests.flows.harness import System, boxes_of, seen, settings_of, write_csv
from tests.servers.certificates import CertificateLab
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab
from tests.servers.process import free_port

DOMAIN = "settled.example"
COUNT = 12


@pytest.fixture
def loaded(system: System, lab: MailLab) -> System:
    """A system with some mailboxes, all of them with the right password."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))
    return system


def nobody_logged_in(lab: MailLab) -> bool:
    log = seen(lab)
    return not (log.attempts or log.smtp or log.smtp_rejected)


def test_a_host_that_does_not_exist(loaded: System, lab: MailLab) -> None:
    found = loaded.verify(DOMAIN, settings_of(lab, host="x.invalid"))

    assert set(found.codes.values()) == {"dns.not_found"}
    assert found.counts["will_disconnect"] == COUNT
    assert found.report.verdict == "unsafe"
    assert nobody_logged_in(lab)


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_port_that_refuses(loaded: System, lab: MailLab, protocol: str) -> None:
    found = loaded.verify(DOMAIN, settings_of(lab, **{protocol: free_port()}))  # type: ignore[arg-type]

    assert set(found.codes.values()) == {"connect.refused"}
    assert {line.endpoint for line in found.lines.values()} == {protocol}
    assert found.counts["will_disconnect"] == COUNT
    assert nobody_logged_in(lab)


def test_a_certificate_of_an_unknown_authority(loaded: System, lab: MailLab) -> None:
    found = loaded.verify(DOMAIN, settings_of(lab, ca=False))

    assert set(found.codes.values()) == {"tls.untrusted_root"}
    assert found.counts["will_disconnect"] == COUNT
    assert [result.option for result in found.report.endpoints] == ["needed", "needed"]
    assert nobody_logged_in(lab)


def test_the_same_certificate_with_the_option_on(loaded: System, lab: MailLab) -> None:
    found = loaded.verify(DOMAIN, settings_of(lab, ca=False, allow_insecure=True))

    assert found.counts["keeps_working"] == COUNT
    assert [result.option for result in found.report.endpoints] == ["needed", "needed"]
    assert set(lab.dovecot.logins("smtp").values()) == {1}


def test_the_option_does_not_help_against_another_fault(loaded: System, lab: MailLab) -> None:
    found = loaded.verify(DOMAIN, settings_of(lab, imap=lab.dovecot.imap_port, ca=False, allow_insecure=True))

    assert set(found.codes.values()) == {"tls.plaintext_port"}
    assert nobody_logged_in(lab)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue of connections is full, so that no further one is ever answered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield port


def test_a_port_that_never_answers_is_no_disconnect(system: System, lab: MailLab) -> None:
    csv = write_csv(system.folder / "boxes.csv", boxes_of(lab, DOMAIN, COUNT))
    with black_hole() as port:
        done = system.command(
            *("verify", DOMAIN, "--json", "--mailboxes", str(csv), "--ca-file", str(lab.ca_file)),
            *("--imap", f"127.0.0.1:{port}", "--imap-security", "tls"),
            *("--smtp", f"localhost:{lab.postfix.smtps_port}", "--smtp-security", "tls"),
        )

    assert done.status == 3, done.err
    assert done.document["verdict"] == "cannot_tell"
    assert {line["code"] for line in done.document["mailboxes"]} == {"connect.timeout"}
    assert {line["impact"] for line in done.document["mailboxes"]} == {"cannot_tell"}
    assert nobody_logged_in(lab)


def test_a_failure_outweighs_a_silence(loaded: System) -> None:
    with black_hole() as port:
        settings = ImapSettings(
            imap=Endpoint(Protocol.IMAP, "127.0.0.1", port, Security.TLS),
            smtp=Endpoint(Protocol.SMTP, "x.invalid", 465, Security.TLS),
        )
        found = loaded.verify(DOMAIN, settings)

    assert set(found.codes.values()) == {"dns.not_found"}
    assert found.report.verdict == "unsafe"


def test_a_server_that_is_none(loaded: System, lab: MailLab, certificates: CertificateLab) -> None:
    with HostileServer("ssh", certificates.issue()) as server:
        found = loaded.verify(DOMAIN, settings_of(lab, imap=server.port))

        assert b"LOGIN" not in server.received
    assert found.counts["will_disconnect"] == COUNT
    assert nobody_logged_in(lab)


class TestCanaries:
    @pytest.mark.both_modes
    def test_all_passwords_wrong_stops_after_the_canaries(self, system: System, lab: MailLab) -> None:
        system.load(DOMAIN, boxes_of(lab, DOMAIN, 60, wrong=range(60)))

        found = system.verify(DOMAIN, settings_of(lab))

        codes = list(found.codes.values())
        assert sum(lab.dovecot.rejections("imap").values()) == 5
        assert not lab.dovecot.rejections("smtp")
        assert codes.count("auth.all_rejected") == 5
        assert codes.count("run.not_tried") == 55
        assert found.counts == {"cannot_tell": 60}
        assert (found.report.stop_code, found.report.stop_detail) == ("auth.all_rejected", "55")
        assert found.report.verdict == "cannot_tell"

    def test_the_report_of_a_stopped_run_is_told_by_the_command(self, embedded_system: System, lab: MailLab) -> None:
        csv = write_csv(embedded_system.folder / "boxes.csv", boxes_of(lab, DOMAIN, 30, wrong=range(30)))

        done = embedded_system.command(
            *("verify", DOMAIN, "--mailboxes", str(csv), "--ca-file", str(lab.ca_file)),
            *("--imap", f"localhost:{lab.dovecot.imaps_port}", "--imap-security", "tls"),
            *("--smtp", f"localhost:{lab.postfix.smtps_port}", "--smtp-security", "tls"),
        )

        assert done.status == 3
        assert "run.not_tried" in done.out
        assert "25" in done.out

    def test_known_to_work_are_tried_first(self, embedded_system: System, lab: MailLab) -> None:
        """Given five that are known to work among many that do not, then they are the canaries: nothing stops."""
        embedded_system.load(DOMAIN, boxes_of(lab, DOMAIN, 40, wrong=range(5, 40)))
        with embedded_system.open() as preflight, preflight.database.begin() as conn:
            conn.exec_driver_sql("UPDATE mailboxes SET state = 'connected' WHERE address < 'box005'")

        found = embedded_system.verify(DOMAIN, settings_of(lab))

        assert found.report.stop_code is None
        assert found.counts == {"keeps_working": 5, "will_disconnect": 35}

    def test_half_of_them_wrong_goes_on(self, system: System, lab: MailLab) -> None:
        system.load(DOMAIN, boxes_of(lab, DOMAIN, 40, wrong=range(0, 40, 2)))
        with system.open() as preflight, preflight.database.begin() as conn:
            # one of each kind among the canaries for sure
            conn.exec_driver_sql("UPDATE mailboxes SET state = 'connected' WHERE address < 'box002'")

        found = system.verify(DOMAIN, settings_of(lab))

        assert found.counts == {"keeps_working": 20, "will_disconnect": 20}
        assert set(lab.dovecot.logins("smtp").values()) == {1}
        assert set(lab.dovecot.rejections("imap").values()) == {1}

    def test_wrong_settings_are_found_where_smtp_rejects_all(
        self, system: System, lab: MailLab, other_lab: MailLab
    ) -> None:
        """Given an SMTP server of somebody else, when IMAP is right, then the canaries stop the run all the same."""
        system.load(DOMAIN, boxes_of(lab, DOMAIN, 130)[100:])  # whom the other lab does not know
        settings = ImapSettings(
            imap=settings_of(lab).imap,
            smtp=Endpoint(Protocol.SMTP, "localhost", other_lab.postfix.smtps_port, Security.TLS),
            ca_pem=lab.certificates.ca_pem + other_lab.certificates.ca_pem,
        )

        found = system.verify(DOMAIN, settings)

        assert found.report.stop_code == "auth.all_rejected"
        # One of the canaries tries another mechanism, as the client would: the server may reject by the first alone.
        assert sorted(other_lab.dovecot.rejections("smtp").values()) == [1, 1, 1, 1, 2]
        assert sum(lab.dovecot.logins().values()) == 5
