"""`mail-preflight alerts`: channels come and go, their secrets stay where they are, and `test` really sends."""

import getpass
import io
import json
from pathlib import Path

import pytest

from checks.model import Endpoint, Protocol
from checks.settings import ExchangeSettings, ImapSettings
from cli.commands.alerts import Least
from settings_store import schema
from settings_store.incidents.incidents import Severity
from settings_store.secrets import Vault, new_key
from tests.cli.planted import Planted
from tests.servers.receivers import hook, mailbox

SECRET = "planted-t0ken"
HOOK = f"json://user:{SECRET}@hooks.example/{SECRET}?-token={SECRET}"


@pytest.fixture
def url_file(tmp_path: Path) -> Path:
    """A file with an URL that is full of secrets."""
    file = tmp_path / "url.txt"
    file.write_text(f"\n  {HOOK}\n")
    return file


def everything_stored(planted: Planted) -> str:
    with planted.database.read() as conn:
        return repr(conn.execute(schema.alert_channels.select()).all())


class TestAdd:
    def test_from_a_file(self, planted: Planted, url_file: Path) -> None:
        said = planted.run("alerts", "add", "admins", "--url-file", str(url_file))

        assert said.status == 0
        assert said.out == (
            "admins is told from now on: json://hooks.example/...\n"
            "To send a test message: mail-preflight alerts test admins\n"
        )
        assert said.err == ""
        listed = planted.run("alerts", "list").out
        assert listed == "admins: json://hooks.example/..., from warning on, all domains, en\n"
        assert SECRET not in said.out + listed + everything_stored(planted)

    def test_from_standard_input(self, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(HOOK + "\n"))

        assert planted.run("alerts", "add", "admins", "--url-file", "-").status == 0

    def test_asked_for_on_a_terminal_and_not_shown(self, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        terminal = io.StringIO()
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr(getpass, "getpass", lambda _prompt: HOOK)

        said = planted.run("alerts", "add", "admins")

        assert said.status == 0
        assert SECRET not in said.out + said.err

    def test_with_all_wishes(self, planted: Planted, url_file: Path) -> None:
        planted.domain()
        subscription = [
            "--severity",
            "critical",
            "--domain",
            "Demo.Example",
            "--language",
            "ja",
            "--quiet",
            "22:00-07:00",
        ]

        said = planted.run(
            *("alerts", "add", "nights", "--url-file", str(url_file), "--operator"),
            *(*subscription, "--time-zone", "Europe/Berlin"),
        )

        assert said.status == 0
        assert planted.run("alerts", "list", "--json").document == [
            {
                "name": "nights",
                "url": "json://hooks.example/...",
                "severity": "critical",
                "domain": "demo.example",
                "language": "ja",
                "time_zone": "Europe/Berlin",
                "quiet": "22:00-07:00 Europe/Berlin",
                "operator": True,
            }
        ]
        assert planted.run("alerts", "list").out == (
            "nights: json://hooks.example/..., from critical on, demo.example, ja, quiet 22:00-07:00 Europe/Berlin, "
            "the service itself, too\n"
        )

    def test_the_language_of_the_command_is_that_of_the_messages(self, planted: Planted, url_file: Path) -> None:
        planted.run("--language", "ja", "alerts", "add", "admins", "--url-file", str(url_file))

        assert planted.run("alerts", "list", "--json").document[0]["language"] == "ja"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--severity", "loud"], "'loud' is not one of 'critical', 'warning', 'info'"),
            (["--domain", "strange.example"], "domain strange.example is not known"),
            (["--quiet", "at night"], "write them like 22:00-07:00"),
            (["--quiet", "22:00-22:00"], "two different times"),
            (["--time-zone", "Mars/Base"], "time zone 'Mars/Base' is not known"),
            (["--language", "fr"], "'fr' is not one of 'en', 'ja'"),
        ],
    )
    def test_bad_wishes_are_one_line(self, planted: Planted, url_file: Path, arguments: list[str], words: str) -> None:
        said = planted.run("alerts", "add", "admins", "--url-file", str(url_file), *arguments)

        assert (said.status, said.out) == (2, "")
        assert said.err.count("\n") == 1
        assert words in said.err
        assert planted.run("alerts", "list", "--json").document == []

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "must be one line"),
            (f"{HOOK}\n{HOOK}\n".encode(), "must be one line"),
            (f"nothing://{SECRET}".encode(), "no alert service is called nothing://"),
            (SECRET.encode(), "an alert channel needs a URL"),
            (b"\xff\xfe" + SECRET.encode(), "not a text file"),
            (f"mailto://{SECRET}".encode(), "for mailto://"),
        ],
        ids=["empty", "two", "service", "none", "binary", "incomplete"],
    )
    def test_an_unusable_url_is_never_quoted(
        self, planted: Planted, url_file: Path, content: bytes, words: str
    ) -> None:
        url_file.write_bytes(content)

        said = planted.run("alerts", "add", "admins", "--url-file", str(url_file))

        assert (said.status, said.out) == (2, "")
        assert said.err.count("\n") == 1
        assert words in said.err
        assert SECRET not in said.err

    def test_without_a_file_or_a_terminal(self, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))

        assert "give --url-file FILE" in planted.run("alerts", "add", "admins").err
        assert "cannot be read (No such file" in planted.run("alerts", "add", "a", "--url-file", "gone").err

    def test_never_on_the_command_line(self, planted: Planted) -> None:
        said = planted.run("alerts", "add", "admins", HOOK)

        assert said.status == 2
        assert planted.run("alerts", "list", "--json").document == []

    def test_a_name_is_taken_once(self, planted: Planted, url_file: Path) -> None:
        planted.run("alerts", "add", "admins", "--url-file", str(url_file))

        assert (
            "there is a channel admins already"
            in planted.run("alerts", "add", "admins", "--url-file", str(url_file)).err
        )


class TestOwnServer:
    @pytest.mark.parametrize("place", ["imap", "smtp", "exchange"])
    def test_mail_that_goes_through_a_watched_server_is_warned_of(
        self, planted: Planted, url_file: Path, place: str
    ) -> None:
        hosts = {"imap": "imap.other.example", "smtp": "smtp.other.example"} | {place: "mail.demo.example"}
        imap, smtp = (Endpoint(Protocol(name), hosts[name], 1) for name in ("imap", "smtp"))
        exchange = ExchangeSettings("https://mail.demo.example/EWS/Exchange.asmx")
        planted.domain("mine.example", exchange if place == "exchange" else ImapSettings(imap, smtp))
        planted.domain("strange.example", exchange, account="stranger")
        url_file.write_text(f"mailtos://user:{SECRET}@example.com?smtp=MAIL.demo.example&to=admin@example.org")

        said = planted.run("alerts", "add", "admins", "--url-file", str(url_file))

        assert said.status == 0
        assert "note: mail.demo.example is a mail server of mine.example as well." in said.err
        assert "strange.example" not in said.err
        assert SECRET not in said.out + said.err

    def test_another_server_is_not(self, planted: Planted, url_file: Path) -> None:
        planted.domain()
        url_file.write_text(f"mailtos://user:{SECRET}@example.com?smtp=mail.elsewhere.example&to=admin@example.org")

        assert planted.run("alerts", "add", "admins", "--url-file", str(url_file)).err == ""


class TestRemove:
    def test_a_removed_channel_is_gone_with_what_was_to_be_sent(self, planted: Planted) -> None:
        planted.channel("admins")
        planted.insert(
            schema.deliveries, id="d1", channel_id=1, state="pending", next_at=planted.now, created_at=planted.now
        )

        said = planted.run("alerts", "remove", "admins")

        assert (said.status, said.out) == (0, "admins is not told any more.\n")
        assert planted.run("alerts", "list").out.startswith("Nobody is told when something fails.")
        with planted.database.read() as conn:
            assert conn.execute(schema.deliveries.select()).all() == []

    @pytest.mark.parametrize("command", ["remove", "test"])
    def test_an_unknown_one_is_said_to_be(self, planted: Planted, command: str) -> None:
        said = planted.run("alerts", command, "nobody")

        assert (said.status, said.out) == (2, "")
        assert "there is no channel nobody" in said.err


class TestTest:
    def add(self, planted: Planted, folder: Path, name: str, url: str, *more: str) -> None:
        file = folder / f"{name}.url"
        file.write_text(url)
        assert planted.run("alerts", "add", name, "--url-file", str(file), *more).status == 0

    def test_a_webhook_gets_it(self, planted: Planted, tmp_path: Path) -> None:
        with hook() as receiver:
            self.add(planted, tmp_path, "hooks", f"json://127.0.0.1:{receiver.port}/?-token={SECRET}")
            said = planted.run("alerts", "test", "hooks")

        assert (said.status, said.out, said.err) == (0, "hooks: sent\n", "")
        (call,) = receiver.calls
        assert "Nothing is broken" in json.loads(call.body)["message"]
        assert call.headers["webhook-id"]

    def test_a_mail_server_gets_it_in_the_channels_language(self, planted: Planted, tmp_path: Path) -> None:
        with mailbox() as receiver:
            url = f"mailto://127.0.0.1:{receiver.port}?mode=insecure&from=a@b.example&to=admin@c.example"
            self.add(planted, tmp_path, "mails", url, "--language", "ja")
            said = planted.run("alerts", "test", "mails")

        assert (said.status, said.out) == (0, "mails: sent\n")
        assert "テスト" in receiver.text()

    def test_what_was_not_sent_has_a_reason_and_a_status(self, planted: Planted, tmp_path: Path) -> None:
        with hook() as good, hook() as bad:
            bad.status = 503
            self.add(planted, tmp_path, "good", f"json://127.0.0.1:{good.port}/")
            self.add(planted, tmp_path, "bad", f"json://user:{SECRET}@127.0.0.1:{bad.port}/{SECRET}")
            said = planted.run("alerts", "test")

        assert said.status == 1
        assert said.out == "bad: not sent: the message was not accepted: HTTP status 503\ngood: sent\n"
        assert len(good.calls) == 1

    def test_another_key_than_it_was_added_with(self, planted: Planted) -> None:
        planted.channel("admins")

        said = planted.run("alerts", "test")

        assert said.status == 1
        assert "cannot be read with this service's keys" in said.out

    def test_no_channel_at_all(self, planted: Planted) -> None:
        said = planted.run("alerts", "test")

        assert said.status == 2
        assert "there is no alert channel yet" in said.err


class TestKeys:
    def test_a_channel_works_on_after_the_keys_were_rotated(
        self, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fresh = new_key()
        with hook() as receiver:
            TestTest().add(planted, tmp_path, "hooks", f"json://127.0.0.1:{receiver.port}/")
            monkeypatch.setenv("MAIL_PREFLIGHT_SECRET_KEY", f"{fresh},{planted.key}")
            said = planted.run("keys", "rotate")
            again = planted.run("keys", "rotate")
            monkeypatch.setenv("MAIL_PREFLIGHT_SECRET_KEY", fresh)
            sent = planted.run("alerts", "test")

        assert said.out == "1 credentials encrypted with the first key.\n"
        assert again.out == "0 credentials encrypted with the first key.\n"
        assert sent.out == "hooks: sent\n"

    def test_one_that_no_key_fits_is_named_and_the_others_are_done(
        self, planted: Planted, url_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        planted.channel("broken")
        planted.run("alerts", "add", "good", "--url-file", str(url_file))
        fresh = new_key()
        monkeypatch.setenv("MAIL_PREFLIGHT_SECRET_KEY", f"{fresh},{planted.key}")

        said = planted.run("keys", "rotate")

        assert said.status == 2
        assert "cannot be read with any of the keys: broken;" in said.err
        with planted.database.read() as conn:
            good = conn.execute(schema.alert_channels.select().where(schema.alert_channels.c.name == "good")).one()
        assert Vault([fresh]).open(good.url) == HOOK


def test_the_least_severities_are_those_of_incidents() -> None:
    assert [least.value for least in Least] == [severity.value for severity in Severity]
