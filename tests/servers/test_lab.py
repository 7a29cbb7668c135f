"""The servers of the tests do what the tests rely on. Asked with the clients of the standard library."""

import contextlib
import imaplib
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from tests.servers.behaviours import BEHAVIOURS, imap_script, smtp_script
from tests.servers.certificates import CertificateLab, Validity
from tests.servers.delay import DelayProxy
from tests.servers.dovecot import DovecotOptions, DovecotServer
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postfix import Logins
from tests.servers.postgres import PostgresServer
from tests.servers.process import scratch_folder
from tests.servers.redis import RedisServer

FIRST, SECOND = "user000@lab.example", "user001@lab.example"


def trusting(certificates: CertificateLab) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves that to the system
    return context


def imap_login(lab: MailLab, user: str, password: str) -> str:
    with imaplib.IMAP4_SSL("localhost", lab.dovecot.imaps_port, ssl_context=trusting(lab.certificates)) as client:
        try:
            client.login(user, password)
        except imaplib.IMAP4.error as error:
            return str(error)
        return client.select("INBOX", readonly=True)[0]


def smtp_login(lab: MailLab, user: str, password: str) -> int:
    with smtplib.SMTP("localhost", lab.postfix.submission_port, "client") as client:
        client.starttls(context=trusting(lab.certificates))
        client.ehlo()
        client.user, client.password = user, password
        try:
            return client.auth("PLAIN", client.auth_plain)[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


class TestMailLab:
    def test_counts_imap_logins_and_rejections_by_user(self, lab: MailLab) -> None:
        assert imap_login(lab, FIRST, lab.users[FIRST]) == "OK"
        assert "AUTHENTICATIONFAILED" in imap_login(lab, SECOND, "wrong")

        assert lab.dovecot.logins() == {FIRST: 1}
        assert lab.dovecot.rejections() == {SECOND: 1}
        assert not lab.dovecot.logins("smtp")
        assert not lab.dovecot.rejections("smtp")

    def test_counts_smtp_logins_apart_from_imap(self, lab: MailLab) -> None:
        assert smtp_login(lab, FIRST, lab.users[FIRST]) == 235
        assert smtp_login(lab, SECOND, "wrong") == 535

        assert lab.dovecot.logins("smtp") == {FIRST: 1}
        assert lab.dovecot.rejections("smtp") == {SECOND: 1}
        assert lab.postfix.logins() == Logins(accepted=1, rejected=1)
        assert not lab.dovecot.logins()

    def test_imap_speaks_starttls(self, lab: MailLab) -> None:
        with imaplib.IMAP4("localhost", lab.dovecot.imap_port) as client:
            client.starttls(trusting(lab.certificates))
            assert client.login(FIRST, lab.users[FIRST])[0] == "OK"

    def test_submission_over_implicit_tls_takes_logins_but_no_mail(self, lab: MailLab) -> None:
        context = trusting(lab.certificates)
        with smtplib.SMTP_SSL("localhost", lab.postfix.smtps_port, "client", context=context) as client:
            assert client.login(FIRST, lab.users[FIRST])[0] == 235
            client.mail("someone@elsewhere.example")
            assert client.rcpt(FIRST)[0] == 554

    def test_submission_offers_no_login_before_tls(self, lab: MailLab) -> None:
        with smtplib.SMTP("localhost", lab.postfix.submission_port, "client") as client:
            client.ehlo()
            assert client.has_extn("starttls")
            assert not client.has_extn("auth")

    def test_submission_resumes_tls_sessions(self, lab: MailLab) -> None:
        context = trusting(lab.certificates)
        session = None
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", lab.postfix.smtps_port)) as plain,
                context.wrap_socket(plain, server_hostname="localhost", session=session) as secured,
            ):
                secured.recv(100)
                session, reused = secured.session, secured.session_reused
        assert reused

    def test_csv_has_the_asked_number_of_wrong_passwords(self, lab: MailLab, tmp_path: Path) -> None:
        broken = lab.write_csv(tmp_path / "mailboxes.csv", wrong=20)

        lines = (tmp_path / "mailboxes.csv").read_text().splitlines()
        wrong = [line.split(",")[0] for line in lines[1:] if lab.users[line.split(",")[0]] != line.split(",")[1]]
        assert len(lines) == 201
        assert len(broken) == 20
        assert wrong == broken

    def test_a_second_lab_runs_beside_and_both_are_quick(self, lab: MailLab) -> None:
        start = time.monotonic()
        with scratch_folder() as folder, mail_lab(folder, users=10_000) as other:
            assert time.monotonic() - start < 3
            last = list(other.users)[-1]
            assert imap_login(other, last, other.users[last]) == "OK"
            assert smtp_login(other, last, other.users[last]) == 235
            assert imap_login(lab, FIRST, lab.users[FIRST]) == "OK"
            assert other.dovecot.logins() == {last: 1}
        assert lab.dovecot.logins() == {FIRST: 1}


class TestDovecot:
    def test_restarts_with_another_certificate(self, certificates: CertificateLab) -> None:
        with (
            scratch_folder() as folder,
            DovecotServer(folder / "dovecot", certificates.issue(), {FIRST: "secret"}) as dovecot,
        ):
            dovecot.restart(certificates.issue(validity=Validity.EXPIRED))
            with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                imaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=trusting(certificates))

    def test_takes_changed_passwords_while_it_runs(self, certificates: CertificateLab) -> None:
        with (
            scratch_folder() as folder,
            DovecotServer(folder / "dovecot", certificates.issue(), {FIRST: "old"}) as dovecot,
        ):
            dovecot.set_users({FIRST: "quite-new"})
            with imaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=trusting(certificates)) as client:
                assert client.login(FIRST, "quite-new")[0] == "OK"

    def test_delays_refusals_when_asked(self, certificates: CertificateLab) -> None:
        options = DovecotOptions(failure_delay=2)
        with (
            scratch_folder() as folder,
            DovecotServer(folder / "dovecot", certificates.issue(), {FIRST: "secret"}, options) as dovecot,
            imaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=trusting(certificates)) as client,
        ):
            start = time.monotonic()
            with pytest.raises(imaplib.IMAP4.error):
                client.login(FIRST, "wrong")
            assert time.monotonic() - start > 1.4


class TestCertificates:
    @pytest.mark.parametrize(
        ("names", "validity", "self_signed", "complaint"),
        [
            ((), Validity.CURRENT, False, ""),
            ((), Validity.EXPIRED, False, "expired"),
            ((), Validity.NOT_YET, False, "not yet valid"),
            ((), Validity.CURRENT, True, "self-signed"),
            (("elsewhere.example",), Validity.CURRENT, False, "Hostname mismatch"),
        ],
    )
    def test_a_client_complains_of_the_planted_fault(
        self,
        certificates: CertificateLab,
        names: tuple[str, ...],
        validity: Validity,
        self_signed: bool,
        complaint: str,
    ) -> None:
        leaf = certificates.issue(*names, validity=validity, self_signed=self_signed)
        with HostileServer("imap", leaf) as server:
            try:
                imaplib.IMAP4_SSL("localhost", server.port, ssl_context=trusting(certificates)).shutdown()
                seen = ""
            except ssl.SSLCertVerificationError as error:
                seen = str(error)
        assert complaint in seen
        assert bool(seen) == bool(complaint)

    def test_satisfies_a_strict_client(self, certificates: CertificateLab) -> None:
        context = trusting(certificates)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with HostileServer("imap", certificates.issue(rsa_key=True)) as server:
            imaplib.IMAP4_SSL("localhost", server.port, ssl_context=context).shutdown()


class TestRedis:
    def test_restarts_empty(self, redis_url: str, redis_server: RedisServer) -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.set("key", "value")
            redis_server.restart(lose_data=False)
            assert client.get("key") == b"value"
            redis_server.restart(lose_data=True)
            assert client.get("key") is None

    def test_monitor_sees_every_command_even_after_a_restart(self, redis_url: str, redis_server: RedisServer) -> None:
        with redis_server.monitor() as monitor, redis.Redis.from_url(redis_url) as client:
            client.set("before", "planted-one")
            assert "planted-one" in monitor.text()
            redis_server.restart()
            monitor.text()
            client.set("after", "planted-two")
            text = monitor.text()
        assert "planted-one" in text
        assert "planted-two" in text


class TestPostgres:
    def test_databases_are_new_and_apart(self, postgres_url: str, postgres_server: PostgresServer) -> None:
        with psycopg.connect(postgres_url) as connection:
            connection.execute("CREATE TABLE mark (id integer)")
        with psycopg.connect(postgres_server.new_database()) as connection:
            found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert found == (0,)

    def test_a_store_that_is_lent_again_is_as_new(self, postgres_server: PostgresServer) -> None:
        add = "INSERT INTO accounts (name) VALUES ('lent') RETURNING id"
        found = []
        for _ in range(2):
            with postgres_server.lent_store() as url, psycopg.connect(url) as connection:
                found.append((url, connection.execute(add).fetchone()))
        assert found[0] == found[1]
        assert found[0][1] == (1,)

    @pytest.mark.parametrize(
        "change",
        [
            "DROP INDEX ix_runs_stage",
            "ALTER TABLE domains ADD COLUMN mark integer",
            "ALTER TABLE settings DISABLE TRIGGER ALL",
            "UPDATE alembic_version SET version_num = 'r9999'",
            "CREATE TABLE mark AS SELECT repeat('x', 100) FROM generate_series(1, 200000)",
        ],
    )
    def test_a_store_that_was_changed_is_lent_to_nobody_else(
        self, postgres_server: PostgresServer, change: str
    ) -> None:
        with postgres_server.lent_store() as url, psycopg.connect(url) as connection:
            connection.execute(change.encode())
        with postgres_server.lent_store() as other:
            assert other != url

    def test_a_store_that_is_in_use_still_is_lent_to_nobody_else(self, postgres_server: PostgresServer) -> None:
        with postgres_server.lent_store() as url:
            connection = psycopg.connect(url)
        with postgres_server.lent_store() as other:
            assert other != url
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


class TestDelayProxy:
    def test_each_way_takes_the_delay_and_throughput_is_not_limited(self, certificates: CertificateLab) -> None:
        with (
            scratch_folder() as folder,
            DovecotServer(folder / "dovecot", certificates.issue(), {FIRST: "secret"}) as dovecot,
            DelayProxy(folder, dovecot.imap_port, 0.05) as proxy,
            socket.create_connection(("127.0.0.1", proxy.port)) as client,
        ):
            start = time.monotonic()
            assert client.recv(1000).startswith(b"* OK")
            assert 0.2 <= time.monotonic() - start < 5  # two round trips: the handshake's and the greeting's
            start = time.monotonic()
            client.sendall(b"a NOOP\r\n")
            assert client.recv(1000).startswith(b"a ")
            assert 0.1 <= time.monotonic() - start < 5

    def test_passes_much_data_in_order(self) -> None:
        data = b"".join(f"{number:08}\n".encode() for number in range(500_000))
        with (
            scratch_folder() as folder,
            HostileServer(lambda conversation: conversation.send(data)) as server,
            DelayProxy(folder, server.port, 0.02) as proxy,
            socket.create_connection(("127.0.0.1", proxy.port)) as client,
        ):
            start = time.monotonic()
            received = bytearray()
            while len(received) < len(data):
                received += client.recv(1 << 20)
            assert received == data
            assert time.monotonic() - start < 5


class TestHostileServer:
    @pytest.mark.parametrize("name", sorted(BEHAVIOURS))
    def test_every_behaviour_hears_its_client_and_ends(self, certificates: CertificateLab, name: str) -> None:
        with HostileServer(name, certificates.issue()) as server, contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # one that resets may do so before we know that we are connected
                client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=0.1))
                client.sendall(b"x LOGIN planted planted\r\n")
                client.recv(100)
            start = time.monotonic()
            server.stop()
            assert time.monotonic() - start < 5
        assert server.connections == 1
        # Those that hang up by themselves may have done so before the client spoke.
        if name not in ("close", "reset", "http", "imap_bye", "smtp_421", "smtp_554"):
            assert b"planted" in server.received

    def test_a_scripted_login_reply_after_real_tls(self, certificates: CertificateLab) -> None:
        odd = "{tag} BAD User is authenticated but not connected."
        with HostileServer(imap_script(login=odd), certificates.issue()) as server:
            client = imaplib.IMAP4_SSL("localhost", server.port, ssl_context=trusting(certificates))
            with client, pytest.raises(imaplib.IMAP4.error, match="not connected"):
                client.login("somebody", "planted")
        assert b"planted" in server.received

    def test_a_scripted_smtp_reply_of_several_lines(self, certificates: CertificateLab) -> None:
        odd = "534-5.7.9 Application-specific password required.\r\n534 5.7.9 Learn more"
        with HostileServer(smtp_script(login=odd), certificates.issue()) as server:
            client = smtplib.SMTP_SSL("localhost", server.port, "client", context=trusting(certificates))
            with client, pytest.raises(smtplib.SMTPAuthenticationError, match="Learn more"):
                client.login("somebody", "planted")

    def test_injected_bytes_come_in_one_segment_with_the_starttls_reply(self, certificates: CertificateLab) -> None:
        with (
            HostileServer("smtp_injection", certificates.issue()) as server,
            socket.create_connection(("127.0.0.1", server.port)) as client,
        ):
            client.recv(1000)
            client.sendall(b"STARTTLS\r\n")
            assert b"Ready to start TLS\r\n250-" in client.recv(1000)

    def test_starttls_works_in_a_script(self, certificates: CertificateLab) -> None:
        with HostileServer("smtp_starttls", certificates.issue()) as server:
            with smtplib.SMTP("localhost", server.port, "client") as client:
                client.starttls(context=trusting(certificates))
                client.login("somebody", "planted")
            assert server.received.lower().count(b"ehlo") == 2

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [("old_tls", "PROTOCOL_VERSION"), ("no_shared_cipher", "HANDSHAKE_FAILURE")],
    )
    def test_tls_that_cannot_come_about(self, certificates: CertificateLab, name: str, complaint: str) -> None:
        with HostileServer(name, certificates.issue()) as server, pytest.raises(ssl.SSLError, match=complaint):
            imaplib.IMAP4_SSL("localhost", server.port, ssl_context=trusting(certificates))

    def test_a_client_certificate_is_missed_at_the_first_read(self, certificates: CertificateLab) -> None:
        with (
            HostileServer("client_certificate", certificates.issue()) as server,
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            trusting(certificates).wrap_socket(plain, server_hostname="localhost") as client,
            pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
        ):
            client.recv(1)


STARTS_ALL = """
import sys, time
from pathlib import Path
from tests.servers.lab import mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
folder = Path(sys.argv[1])
with mail_lab(folder), RedisServer(folder / "redis"), PostgresServer(folder / "postgres"):
    print("ready", flush=True)
    time.sleep(60)
"""


def processes_of(folder: Path) -> set[int]:
    """Processes that have `folder` in their command line or as working directory, the way servers of it do."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            places = [(process / "cmdline").read_text(), str((process / "cwd").readlink())]
            if any(str(folder) in place for place in places):
                found.add(int(process.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_a_killed_test_run(lab: MailLab, number: signal.Signals) -> None:  # noqa: ARG001 - skips where it cannot run
    with scratch_folder() as folder:
        command = [sys.executable, "-c", STARTS_ALL, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as run:
            assert run.stdout is not None
            assert run.stdout.readline() == b"ready\n"
            assert len(processes_of(folder)) > 10
            run.send_signal(number)
        end = time.monotonic() + 10
        while processes_of(folder) and time.monotonic() < end:
            time.sleep(0.05)
        assert not processes_of(folder)
