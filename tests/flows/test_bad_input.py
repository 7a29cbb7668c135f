"""What cannot be done is said in one line, with the right exit status, and nothing is half-written."""

import fcntl
import socket
from pathlib import Path

import pytest
import redis

from checks.model import Invalid, Unavailable
from settings_store.secrets import new_key
from tests.flows.harness import Result, System, account_of, boxes_of, outcome, settings_of, wait_for, write_csv
from tests.servers.lab import MailLab
from tests.servers.process import free_port
from worker.config import load_config

DOMAIN = "input.example"


def assert_refused(done: Result, *words: str, status: int = 2) -> None:
    assert done.status == status, done
    assert done.out == ""
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("mail-preflight: ")
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err


def arguments(lab: MailLab, csv: Path) -> list[str]:
    return [
        *("verify", DOMAIN, "--mailboxes", str(csv), "--ca-file", str(lab.ca_file), "--json"),
        *("--imap", f"localhost:{lab.dovecot.imaps_port}", "--imap-security", "tls"),
        *("--smtp", f"localhost:{lab.postfix.smtps_port}", "--smtp-security", "tls"),
    ]


def test_an_unknown_change(system: System) -> None:
    assert_refused(system.command("apply", "no-such-change"), "no-such-change", "mail-preflight changes DOMAIN")
    assert_refused(system.command("report", "no-such-change"), "no-such-change")


@pytest.mark.both_modes
def test_a_database_of_a_newer_schema(database_system: System) -> None:
    with database_system.open() as preflight, preflight.database.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    assert_refused(database_system.command("domains"), "newer version of this program")


def test_a_file_that_is_no_database(embedded_system: System) -> None:
    path = embedded_system.folder / "preflight.db"
    path.write_bytes(b"This is a text. " * 500)

    assert_refused(embedded_system.command("domains"), str(path))
    assert path.read_bytes() == b"This is a text. " * 500


def test_a_database_server_that_is_down(own_system: System) -> None:
    own_system.database_url = f"postgresql://someone:sesame@127.0.0.1:{free_port()}/nothing"

    done = own_system.command("domains")

    assert_refused(done, "cannot be used", "start PostgreSQL", status=5)
    assert "sesame" not in done.err


@pytest.mark.parametrize("key", ["", "not-a-key"])
def test_a_key_that_is_none(own_system: System, key: str) -> None:
    done = own_system.command("domains", SECRET_KEY=key)

    assert_refused(done)
    assert not key or key not in done.err


def test_a_row_in_the_middle_of_the_file(system: System, lab: MailLab) -> None:
    """Nothing of the file is kept, and no change is saved."""
    csv = write_csv(system.folder / "boxes.csv", boxes_of(lab, DOMAIN, 30))
    lines = csv.read_text().splitlines(keepends=True)
    csv.write_text("".join([*lines[:20], "someone@elsewhere.example,secret,someone\n", *lines[20:]]))

    assert_refused(system.command(*arguments(lab, csv)), "21", "address")

    with system.open() as preflight:
        assert not any(sum(domain.mailboxes.values()) for domain in account_of(preflight).domains.summaries())
        with preflight.database.read() as conn:
            assert conn.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 0


def test_an_unreadable_ca_file(embedded_system: System, lab: MailLab) -> None:
    csv = write_csv(embedded_system.folder / "boxes.csv", boxes_of(lab, DOMAIN, 3))
    bad = embedded_system.folder / "bad.pem"
    bad.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")

    assert_refused(embedded_system.command(*arguments(lab, csv), "--ca-file", str(bad)))


class TestBroker:
    def test_down_is_said_before_anything_is_written(self, own_system: System, lab: MailLab) -> None:
        own_system.broker_url = f"redis://127.0.0.1:{free_port()}/0"
        csv = write_csv(own_system.folder / "boxes.csv", boxes_of(lab, DOMAIN, 3))

        for command in (arguments(lab, csv), ["serve"]):
            assert_refused(own_system.command(*command), "MAIL_PREFLIGHT_BROKER_URL", "start Redis", status=5)
        with own_system.open() as preflight:
            assert account_of(preflight).domains.summaries() == []

    def test_down_does_not_keep_a_change_from_being_saved(self, own_system: System, lab: MailLab) -> None:
        """Given no broker, when a change is saved, then it is kept, and its run is done once there are workers."""
        own_system.load(DOMAIN, boxes_of(lab, DOMAIN, 6, wrong=[2]))
        broker, own_system.broker_url = own_system.broker_url, f"redis://127.0.0.1:{free_port()}/0"
        with own_system.open() as preflight:
            saved = account_of(preflight).changes.save(DOMAIN, settings_of(lab))
            with pytest.raises(Unavailable, match="does not answer"), preflight.processes.working():
                raise AssertionError("there is no broker")
        own_system.broker_url = broker

        with own_system.working(1), own_system.start("beat"), own_system.open() as preflight:
            wait_for(
                lambda: account_of(preflight).runs.progress(saved.run_id).stage == "finished",
                "beat's sweep finds the run",
            )
            found = outcome(preflight, saved)

        assert found.counts == {"keeps_working": 5, "will_disconnect": 1}

    def test_a_wrong_password_is_told_at_the_start(self, own_system: System, redis_url: str) -> None:
        with redis.Redis.from_url(redis_url) as admin:
            admin.config_set("requirepass", "the-right-one")
            try:
                for given in ("", ":planted-wrong-one@"):
                    own_system.broker_url = redis_url.replace("redis://", f"redis://{given}")
                    said = own_system.command("worker", "--queue", "preflight")
                    assert_refused(said, "MAIL_PREFLIGHT_BROKER_URL", "password")
                    assert "planted" not in said.err
            finally:
                admin.config_set("requirepass", "")

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "localhost:6379",
            "redis://",
            "redis://h:no/0",
            "redis://h:99999/0",
            "redis://h/name",
            "amqp://h/",
            "http://h/",
        ],
    )
    def test_a_url_that_makes_no_sense(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("MAIL_PREFLIGHT_BROKER_URL", url)

        with pytest.raises(Invalid, match=r"MAIL_PREFLIGHT_BROKER_URL is not usable: .*give memory:// or redis://"):
            load_config()

    def test_a_url_that_makes_no_sense_is_status_2(self, own_system: System) -> None:
        own_system.broker_url = "redis://:planted-secret@h:no/0"

        said = own_system.command("worker", "--queue", "preflight")

        assert_refused(said, "MAIL_PREFLIGHT_BROKER_URL")
        assert "planted" not in said.err

    def test_accepts_but_never_answers(self, own_system: System) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            own_system.broker_url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"

            said = own_system.command("worker", "--queue", "preflight")
            assert_refused(said, "MAIL_PREFLIGHT_BROKER_URL", status=5)


class TestServe:
    def test_runs_what_was_saved_while_nobody_worked(self, embedded_system: System, lab: MailLab) -> None:
        embedded_system.load(DOMAIN, boxes_of(lab, DOMAIN, 6, wrong=[2]))
        with embedded_system.open() as preflight:
            saved = account_of(preflight).changes.save(DOMAIN, settings_of(lab))
            with embedded_system.start("serve") as serve:
                wait_for(
                    lambda: account_of(preflight).runs.progress(saved.run_id).stage == "finished",
                    "serve's sweep finds the run",
                )
                assert serve.terminate() < 10
            found = outcome(preflight, saved)

        assert found.counts == {"keeps_working": 5, "will_disconnect": 1}

    def test_a_second_one_on_the_same_file(self, embedded_system: System) -> None:
        lock = embedded_system.folder / "preflight.db.serve"
        with embedded_system.start("serve") as first:
            wait_for(lambda: _is_locked(lock), "serve holds its lock")

            assert_refused(embedded_system.command("serve"), "another `mail-preflight serve`")
            assert first.process.poll() is None
        assert lock.exists()  # the first was killed, and what it left behind is in nobody's way
        with embedded_system.start("serve"):
            wait_for(lambda: _is_locked(lock), "the next one has the lock")

    def test_the_command_works_beside_it(self, embedded_system: System, lab: MailLab) -> None:
        """Two processes that work on one file: every mailbox still logs in once."""
        csv = write_csv(embedded_system.folder / "boxes.csv", boxes_of(lab, DOMAIN, 40, wrong=[2]))
        with embedded_system.start("serve") as serve:
            done = embedded_system.command(*arguments(lab, csv))
            serve.terminate()

        assert done.status == 1, done.err
        assert done.document["counts"]["keeps_working"] == 39
        assert set(lab.dovecot.logins("smtp").values()) == {1}


def test_the_key_file_of_the_embedded_mode(embedded_system: System, lab: MailLab) -> None:
    """Without any variable but the database: a key is made once, for its owner only, and used again."""
    csv = write_csv(embedded_system.folder / "boxes.csv", boxes_of(lab, DOMAIN, 5))
    first = embedded_system.command("mailboxes", "import", DOMAIN, str(csv), SECRET_KEY=None)
    again = embedded_system.command(*arguments(lab, csv), SECRET_KEY=None)

    (key_file,) = embedded_system.folder.glob("data/**/secret.key")
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert first.status == 0, first.err
    assert again.status == 0, again.err
    assert again.document["counts"]["keeps_working"] == 5


def test_rotated_keys_open_what_was_sealed_before(system: System, lab: MailLab) -> None:
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 5))
    old, new = system.key, new_key()

    rotated = system.command("keys", "rotate", SECRET_KEY=f"{new},{old}")

    assert rotated.status == 0, rotated.err
    assert rotated.out.startswith("5 credentials")
    assert system.command("keys", "rotate", SECRET_KEY=new).out.startswith("0 credentials")


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
