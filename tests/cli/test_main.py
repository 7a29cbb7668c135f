"""The command as a user runs it: standard output, standard error, exit status."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.model import Invalid
from cli import main
from cli.commands.changes import changes
from cli.failures import LOG_NAME, Status

SECRET = "hunter2-planted"


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "100", **environment},
    )


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ("nonsense", "No such command 'nonsense'"),
            ("check", "give HOST:PORT and --protocol"),
            ("check mail.example.com:993", "give HOST:PORT and --protocol"),
            ("check mail.example.com --protocol imap", "must be HOST:PORT"),
            ("check mail.example.com:99999 --protocol imap", "port '99999' must be a number from 1 to 65535"),
            ("check -- -x.example:1 --protocol", "unexpected extra argument"),
            ("check a.example:993 --protocol pop3", "'pop3' is not one of 'imap', 'smtp', 'https'"),
            ("check --protocol https", "or --exchange URL"),
            ("check --exchange ftp://a.example", "starts with https://, not with ftp://"),
            ("check --exchange ada@a.example", "that is an e-mail address"),
            ("check --exchange a.example --protocol imap", "--exchange URL goes without --protocol"),
            ("check --exchange a.example --security starttls", "Exchange has no STARTTLS"),
            ("check a.example:993 --exchange https://a.example", "either HOST:PORT or --exchange URL"),
            ("check a.example:993 --protocol imap --ca-file /nowhere.pem", "--ca-file /nowhere.pem: cannot be read"),
            ("verify demo.example", "give --imap HOST:PORT"),
            ("verify demo.example --imap a.example:993", "give --smtp HOST:PORT"),
            ("verify demo.example --imap a.example --smtp a.example:465", "--imap: 'a.example' must be HOST:PORT"),
            ("verify demo --imap a.example:993 --smtp a.example:465", "domain 'demo' is not a valid name"),
            ("verify demo.example --exchange https:// --mailboxes f.csv", "Exchange address"),
            ("verify demo.example --exchange a.example --imap a.example:993", "either --exchange URL or --imap"),
            ("apply chg --accept-disconnects many", "--accept-disconnects"),
            ("apply chg --accept-disconnects -1", "--accept-disconnects"),
            ("worker", "--queue"),
            ("worker --queue fast", "'fast' is not one of 'preflight', 'health'"),
            ("keys", "Missing command"),
            ("--language fr domains", "'fr' is not one of 'en', 'ja'"),
        ],
    )
    def test_is_one_line_and_status_2(self, capsys: pytest.CaptureFixture[str], arguments: str, words: str) -> None:
        status = main.run(arguments.split())

        said = capsys.readouterr()
        assert status == Status.USAGE
        assert said.out == ""
        assert said.err.startswith("mail-preflight: ")
        assert said.err.count("\n") == 1
        assert words in said.err

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"\n", "empty"),
            (b"\xff\xfe0", "not a PEM file"),
            (b"no certificate here", "no certificate in PEM form"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate in PEM form"),
            (b"x" * (5 * 1024 * 1024), "larger than 4 MB"),
        ],
        ids=["empty", "blank", "binary", "text", "broken", "huge"],
    )
    def test_unusable_ca_file(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
    ) -> None:
        file = tmp_path / "ca.pem"
        file.write_bytes(content)

        status = main.run(["check", "127.0.0.1:9", "--protocol", "imap", "--ca-file", str(file)])

        assert status == Status.USAGE
        assert words in capsys.readouterr().err

    def test_a_folder_is_no_ca_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        assert main.run(["check", "a.example:1", "--protocol", "imap", "--ca-file", str(tmp_path)]) == Status.USAGE
        assert "cannot be read (Is a directory)" in capsys.readouterr().err

    def test_no_command_shows_the_help_where_no_script_reads(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.run([]) == Status.USAGE
        said = capsys.readouterr()
        assert said.out == ""
        assert "verify" in said.err

    def test_an_unusable_language_in_the_environment(self) -> None:
        done = command("domains", MAIL_PREFLIGHT_LANGUAGE="xx")

        assert done.returncode == Status.USAGE
        assert "MAIL_PREFLIGHT_LANGUAGE" in done.stderr


class TestFailures:
    """Whatever a command raises becomes one line and a status; `apply` stands for any command."""

    def fail_with(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
        def broken() -> object:
            password = SECRET  # a local that a traceback with locals would show
            assert password
            raise error

        monkeypatch.setattr(changes, "open_account", broken)
        return main.run(["apply", "chg_1"])

    def test_invalid_names_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.fail_with(monkeypatch, Invalid("change chg_1\nis \x1b[2Jnot known")) == Status.USAGE
        assert capsys.readouterr().err == "mail-preflight: change chg_1 is \\x1b[2Jnot known\n"

    def test_our_own_failure_tells_no_secret(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        status = self.fail_with(monkeypatch, KeyError(SECRET))

        said = capsys.readouterr()
        (log,) = tmp_path.rglob(LOG_NAME)
        written = log.read_text()
        assert status == Status.INTERNAL
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert "KeyError" in said.err
        assert SECRET not in said.err + written
        assert "builtins.KeyError" in written
        assert "in broken" in written
        assert log.stat().st_mode & 0o777 == 0o600

    def test_our_own_failure_without_a_log_folder(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("HOME", "/dev/null")

        assert self.fail_with(monkeypatch, ValueError(SECRET)) == Status.INTERNAL
        assert "details" not in capsys.readouterr().err

    def test_interrupt(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.fail_with(monkeypatch, KeyboardInterrupt()) == Status.INTERRUPTED
        assert capsys.readouterr().err == "mail-preflight: interrupted\n"


class TestProcess:
    def test_version(self) -> None:
        done = command("--version")

        assert done.returncode == 0
        assert done.stdout.startswith("mail-preflight 0.")

    def test_a_new_key_is_all_that_is_printed(self) -> None:
        done = command("keys", "new")

        assert done.returncode == 0
        assert len(done.stdout.strip()) == 44
        assert done.stderr == ""

    def test_check_of_a_closed_port(self) -> None:
        done = command("check", "127.0.0.1:9", "--protocol", "imap", "--json")

        document = json.loads(done.stdout)
        assert done.returncode == Status.UNSAFE
        assert (document["verdict"], document["code"]) == ("fail", "connect.refused")
        assert done.stderr == ""

    def test_check_for_people(self) -> None:
        done = command("--language", "ja", "check", "127.0.0.1:9", "--protocol", "imap")

        assert done.returncode == Status.UNSAFE
        assert done.stdout.startswith("✗ IMAP 127.0.0.1:9 (")
        assert "接続できません" in done.stdout
        assert "\x1b" not in done.stdout

    def test_another_encoding_does_not_end_the_report(self) -> None:
        done = command("--language", "ja", "check", "127.0.0.1:9", "--protocol", "imap", PYTHONIOENCODING="ascii")

        assert done.returncode == Status.UNSAFE
        assert "connect.refused" in done.stdout

    def test_forced_colours_in_a_log_do_not_animate(self) -> None:
        done = command("check", "127.0.0.1:9", "--protocol", "imap", FORCE_COLOR="1")

        assert "\x1b[?25" not in done.stdout + done.stderr

    @pytest.mark.parametrize("where", [{"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}])
    def test_no_colour_where_none_is_wanted(self, where: dict[str, str]) -> None:
        done = command("check", "127.0.0.1:9", "--protocol", "imap", **where)

        assert "\x1b[3" not in done.stdout

    def test_a_closed_pipe_is_no_verdict(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as closed:
            done = subprocess.run(
                [sys.executable, "-c", "from cli.main import main; main()", "keys", "new"],
                stdout=closed,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                check=False,
            )

        assert done.returncode == Status.PIPE_CLOSED
        assert done.stderr == ""

    @pytest.mark.usefixtures("heeds_interrupts")
    def test_ctrl_c_ends_a_hanging_check(self, silent: socket.socket) -> None:
        port = silent.getsockname()[1]
        arguments = ["check", f"127.0.0.1:{port}", "--protocol", "imap", "--security", "starttls"]
        process = subprocess.Popen(
            [sys.executable, "-c", "from cli.main import main; main()", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()  # it is at work now
        with connection:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)

        assert process.returncode == Status.INTERRUPTED
        assert said == "mail-preflight: interrupted\n"

    def test_an_interrupt_does_not_wait_for_threads(self) -> None:
        """Given a login that hangs in a thread, Ctrl-C still ends the process at once."""
        code = """
import time
from concurrent.futures import ThreadPoolExecutor
from cli import main
from cli.commands.changes import changes

def interrupted():
    ThreadPoolExecutor().submit(time.sleep, 30)
    raise KeyboardInterrupt

changes.open_account = interrupted
main.main()
"""
        done = subprocess.run(
            [sys.executable, "-c", code, "apply", "chg"], timeout=15, capture_output=True, check=False
        )

        assert done.returncode == Status.INTERRUPTED

    def test_completion_knows_the_commands(self) -> None:
        done = command(_MAIL_PREFLIGHT_COMPLETE="complete_bash", COMP_WORDS="mail-preflight ve", COMP_CWORD="1")

        assert done.stdout.split() == ["verify"]

    @pytest.mark.parametrize(
        "arguments", [["--help"], ["check", "127.0.0.1:9", "--protocol", "imap"]], ids=["help", "check"]
    )
    def test_starts_without_what_it_does_not_need(self, arguments: list[str]) -> None:
        """The measure that does not depend on the machine: the heavy packages are not even imported."""
        code = (
            "import sys; from cli.main import run; status = run(sys.argv[1:]); "
            "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

        loaded = set(done.stdout.splitlines()[-1].split())
        assert "typer" in loaded
        assert not loaded & {"sqlalchemy", "celery", "alembic", "exchangelib", "pydantic_settings", "redis", "kombu"}


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts and never speaks."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server
