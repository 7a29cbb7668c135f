"""What the commands ask of the service, in which order, and what they make of its answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checks.codes import Code
from checks.model import Authentication, Endpoint, Invalid, MailboxState, Protocol, Security
from checks.settings import ImapSettings
from cli import account, main
from cli.commands import operation
from cli.failures import Status
from settings_store.audit import Actor, Entry
from settings_store.changes.watches import Watch
from settings_store.domains import DomainSummary
from settings_store.mailboxes.mailboxes import ImportCounts
from tests.cli.fakes import FakeProgress, FakeReport, lines
from worker.service.changes.watches import Round, Watched

ME = account.actor()
VERIFY = ["verify", "Demo.Example", "--imap", "imap.demo.example:993", "--smtp", "smtp.demo.example:465"]


@dataclass
class FakeWatches:
    """What the service says of a watch: what `seen` has, then that it is interrupted where `broken` says so."""

    preflight: "FakePreflight"

    def anybody(self) -> bool:
        return self.preflight.served

    def watching(self) -> nullcontext[None]:
        self.preflight.asked.append("watching")
        return nullcontext()

    def follow(self, change_id: str) -> Iterator[Watched]:
        assert change_id == "chg_1"
        yield from self.preflight.seen
        if self.preflight.broken:
            raise self.preflight.broken


@dataclass
class FakePreflight:
    """Writes down what it is asked, as the service and as each part of an account; `broken` is raised by `follow`."""

    answer: FakeReport
    broken: BaseException | None = None
    older: str | None = None
    watch_minutes: float = 30
    served: bool = True
    seen: tuple[Watched, ...] = ()
    asked: list[Any] = field(default_factory=list)

    def __enter__(self) -> "FakePreflight":  # noqa: PYI034 -- nothing inherits from a stand-in
        return self

    def __exit__(self, *_: object) -> None:
        self.asked.append("closed")

    def account(self, name: str, *, actor: Actor) -> SimpleNamespace:
        assert (name, actor) == ("default", ME)
        domains = SimpleNamespace(page=self.page)
        return SimpleNamespace(changes=self, runs=self, mailboxes=self, domains=domains, watches=FakeWatches(self))

    @contextmanager
    def working(self) -> Iterator[None]:
        self.asked.append("working")
        yield

    def import_file(self, domain: str, path: Path) -> ImportCounts:
        self.asked.append(("import", domain, path))
        return ImportCounts(2, 12, 0, tuple(f"box{number}@demo.example" for number in range(10)))

    def save(self, domain: str, settings: ImapSettings, mailboxes: Path | None = None) -> SimpleNamespace:
        self.asked.append(("save", domain, settings, mailboxes))
        older = {"superseded": self.older, "superseded_by": Actor("ada")}
        proposed = ImportCounts(2, 1, 0) if mailboxes else None
        return SimpleNamespace(change_id="chg_1", run_id="run_1", proposed=proposed, concerned=0, **older)

    def follow(self, run_id: str, timeout: float | None = None, **_: float) -> Iterator[FakeProgress]:
        self.asked.append(("follow", run_id, timeout))
        yield FakeProgress(ok=1)
        if self.broken:
            raise self.broken

    def report(self, change_id: str, language: str) -> FakeReport:
        self.asked.append(("report", change_id, language))
        return self.answer

    def apply(self, change_id: str, accept: int | None, *, checksum: str | None, watch: Watch) -> SimpleNamespace:
        self.asked.append(("apply", change_id, accept, checksum, watch))
        return SimpleNamespace(domain="demo.example", will_disconnect=accept or 0)

    def roll_back(self, change_id: str) -> SimpleNamespace:
        self.asked.append(("roll_back", change_id))
        return SimpleNamespace(domain="demo.example")

    discard = cancel = reopen = roll_back

    def verify_again(self, change_id: str) -> SimpleNamespace:
        self.asked.append(("verify_again", change_id))
        return SimpleNamespace(change_id=change_id, run_id="run_2")

    resume = verify_again

    def history(self, change_id: str) -> tuple[SimpleNamespace, list[Entry]]:
        entry = Entry(0.0, Actor("ada", "192.0.2.1"), "roll_back", "applied", "rolled_back", "said \x1b[2J")
        return SimpleNamespace(id=change_id, domain="demo.example", state="rolled_back"), [entry]

    def forget_rejections(self, domain: str) -> int:
        assert domain == "demo.example"
        return 3

    def rotate_keys(self, _actor: Actor) -> int:
        return 12

    def page(self, after: str, limit: int) -> list[DomainSummary]:
        assert (after, limit) == ("", 1001)
        imap = Endpoint(Protocol.IMAP, "imap.demo.example", 993)
        smtp = Endpoint(Protocol.SMTP, "smtp.demo.example", 465)
        known = {MailboxState.CONNECTED: 57, MailboxState.DISCONNECTED: 3}
        return [
            DomainSummary("demo.example", ImapSettings(imap, smtp), known),
            DomainSummary("new.example", None, {}, waiting=2),
        ]


@pytest.fixture
def preflight(monkeypatch: pytest.MonkeyPatch) -> FakePreflight:
    fake = FakePreflight(FakeReport(lines("keeps_working", 2)))
    monkeypatch.setattr(account, "open_preflight", lambda: fake)
    monkeypatch.setattr(operation, "open_preflight", lambda: fake)
    return fake


class TestVerify:
    def test_asks_for_the_broker_before_anything_is_written(self, preflight: FakePreflight, tmp_path: Path) -> None:
        file = tmp_path / "mailboxes.csv"

        status = main.run([*VERIFY, "--mailboxes", str(file)])

        steps = [asked if isinstance(asked, str) else asked[0] for asked in preflight.asked]
        assert status == Status.SAFE
        assert steps == ["working", "save", "follow", "report", "closed"]
        assert preflight.asked[1][-1] == file
        assert preflight.asked[2] == ("follow", "run_1", None)

    @pytest.mark.usefixtures("preflight")
    def test_whoever_gives_credentials_is_told_that_they_are_not_in_force(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main.run([*VERIFY, "--mailboxes", "f.csv"])

        assert capsys.readouterr().err == (
            "mail-preflight: from the file: 2 new mailboxes, 1 with other credentials, 0 as stored; they belong to "
            "this change, and nothing of it is in force before `apply`\n"
        )

    def test_options_become_settings(self, preflight: FakePreflight) -> None:
        main.run([*VERIFY, "--imap-security", "starttls", "--allow-insecure-certificate"])

        assert preflight.asked[1] == (
            "save",
            "demo.example",
            ImapSettings(
                Endpoint(Protocol.IMAP, "imap.demo.example", 993, Security.STARTTLS),
                Endpoint(Protocol.SMTP, "smtp.demo.example", 465, Security.AUTO),
                allow_insecure_certificate=True,
            ),
            None,
        )

    def test_smtp_may_go_without_a_login(self, preflight: FakePreflight, capsys: pytest.CaptureFixture[str]) -> None:
        main.run([*VERIFY, "--smtp-authentication", "none"])

        settings = preflight.asked[1][2]
        assert settings.smtp.authentication is Authentication.NONE
        assert settings.imap.authentication is Authentication.LOGIN
        assert main.run(["verify", "demo.example", "--exchange", "x.example", "--smtp-authentication", "none"]) == 2
        assert "--smtp-authentication" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("impact", "status"),
        [("keeps_working", 0), ("already_disconnected", 0), ("will_disconnect", 1), ("cannot_tell", 3)],
    )
    def test_exit_status_is_the_verdict(self, preflight: FakePreflight, impact: str, status: int) -> None:
        preflight.answer = FakeReport(lines(impact, 1, Code.AUTH_REJECTED))

        assert main.run(VERIFY) == status
        assert main.run(["report", "chg_1", "--json"]) == status

    def test_json_is_all_there_is_on_standard_output(
        self, preflight: FakePreflight, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main.run(["--language", "ja", *VERIFY, "--json"])

        said = capsys.readouterr()
        assert json.loads(said.out)["change_id"] == "chg_1"
        assert said.err == ""
        assert ("report", "chg_1", "ja") in preflight.asked

    @pytest.mark.parametrize(
        ("broker", "words"),
        [
            ("memory://", "`mail-preflight resume chg_1` goes on with it, `mail-preflight discard chg_1` gives it up"),
            ("redis://localhost", "the workers go on"),
        ],
    )
    def test_an_interrupt_says_what_becomes_of_the_run(
        self,
        preflight: FakePreflight,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        broker: str,
        words: str,
    ) -> None:
        monkeypatch.setenv("MAIL_PREFLIGHT_BROKER_URL", broker)
        preflight.broken = KeyboardInterrupt()

        status = main.run(VERIFY)

        said = capsys.readouterr()
        assert status == Status.INTERRUPTED
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert words in said.err
        assert "`mail-preflight resume chg_1`" in said.err
        assert preflight.asked[-1] == "closed"

    def test_bad_input_of_the_service_is_one_line(
        self, preflight: FakePreflight, capsys: pytest.CaptureFixture[str]
    ) -> None:
        preflight.broken = Invalid("row 3: password is empty", "password")

        assert main.run(VERIFY) == Status.USAGE
        assert capsys.readouterr().err == "mail-preflight: row 3: password is empty\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["apply", "chg_1"],
            "Applied to demo.example; 0 mailboxes will disconnect.\n"
            "Watched for 30 minutes; if more fail than the report said, that is noted in its history, "
            "and the admins are alerted.\n"
            "To undo it: mail-preflight rollback chg_1\n",
        ),
        (
            ["apply", "chg_1", "--accept-disconnects", "7", "--watch-minutes", "0"],
            "Applied to demo.example; 7 mailboxes will disconnect.\nTo undo it: mail-preflight rollback chg_1\n",
        ),
        (
            ["rollback", "chg_1"],
            "Rolled back: demo.example has the settings and credentials again that it had before.\n",
        ),
        (
            ["discard", "chg_1"],
            "Discarded, and the credentials it came with. To take it up again: mail-preflight reopen chg_1\n",
        ),
        (["cancel", "chg_1"], "Cancelled. To verify it: mail-preflight again chg_1\n"),
        (["reopen", "chg_1"], "A draft again. To verify it: mail-preflight again chg_1\n"),
        (
            ["history", "chg_1"],
            "chg_1 of demo.example: rolled_back\n"
            "1970-01-01T00:00:00+00:00  ada (192.0.2.1): roll_back (applied -> rolled_back); said \\x1b[2J\n",
        ),
        (
            ["mailboxes", "retry", "Demo.Example"],
            "3 rejections forgotten; the next verification tries these mailboxes again.\n",
        ),
        (["keys", "rotate"], "12 credentials encrypted with the first key.\n"),
        (
            ["mailboxes", "import", "demo.example", "f.csv"],
            "2 added, 12 updated, 0 unchanged.\nStored credentials replaced, and gone: "
            + "".join(f"box{number}@demo.example, " for number in range(9))
            + "box9@demo.example and 2 more.\n",
        ),
        (
            ["domains"],
            "demo.example: imap://imap.demo.example:993, smtp://smtp.demo.example:465; "
            "mailboxes: 57 connected, 3 disconnected\n"
            "new.example: no settings in force; mailboxes: none; waiting for settings: 2\n",
        ),
    ],
)
@pytest.mark.usefixtures("preflight")
def test_what_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert main.run(arguments) == 0
    assert capsys.readouterr().out == words


@pytest.mark.parametrize(
    ("options", "what"),
    [([], "noted in its history, and the admins are alerted"), (["--roll-back-by-itself"], "undone by itself")],
)
def test_apply_promises_nothing_where_nobody_watches(
    preflight: FakePreflight, capsys: pytest.CaptureFixture[str], options: list[str], what: str
) -> None:
    preflight.served = False

    assert main.run(["apply", "chg_1", *options]) == 0

    assert capsys.readouterr().out == (
        "Applied to demo.example; 0 mailboxes will disconnect.\n"
        "Nobody watches it: neither `mail-preflight serve` nor beat with workers is at work. Where somebody does, "
        f"and more fail than the report said, that is {what}. To watch it here: mail-preflight watch chg_1\n"
        "To undo it: mail-preflight rollback chg_1\n"
    )


ROUND = Round(0.0, 58, 0, 2)
GOING = Watched(1800.0, [ROUND], rolled_back=False, trouble="")


@pytest.mark.parametrize(
    ("last", "status", "words"),
    [
        (replace(GOING, until=None), Status.SAFE, "The watch is over; no more failed than the report said."),
        (replace(GOING, until=None, trouble="7 of 60"), Status.UNSAFE, "something is wrong: 7 of 60"),
        (replace(GOING, rolled_back=True, trouble="7 of 60"), Status.UNSAFE, "The change was rolled back"),
        (replace(GOING, until=None, rounds=[]), Status.CANNOT_TELL, "This change is not watched"),
    ],
)
@pytest.mark.usefixtures("tokyo")
def test_how_a_watch_ends(
    preflight: FakePreflight, capsys: pytest.CaptureFixture[str], last: Watched, status: int, words: str
) -> None:
    preflight.seen = (GOING, last) if last.rounds else (last,)
    preflight.served = False

    assert main.run(["watch", "chg_1"]) == status

    said = capsys.readouterr().out
    assert words in said.splitlines()[-1]
    assert said.count("1970-01-01 09:00+09:00: 58 ok, 0 fail, 2 inconclusive") == (1 if last.rounds else 0)


def test_whoever_stops_looking_on_is_told_what_goes_on(
    preflight: FakePreflight, capsys: pytest.CaptureFixture[str]
) -> None:
    preflight.seen, preflight.broken, preflight.served = (GOING,), KeyboardInterrupt(), False

    assert main.run(["apply", "chg_1", "--watch"]) == Status.INTERRUPTED

    said = capsys.readouterr()
    assert "Watched for 30 minutes" in said.out
    assert "Nobody watches it" not in said.out
    assert "`mail-preflight watch chg_1`" in said.err
    assert "watching" in preflight.asked


@pytest.mark.usefixtures("preflight")
def test_watching_takes_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["apply", "chg_1", "--watch", "--watch-minutes", "0"]) == Status.USAGE
    assert "--watch needs a watch" in capsys.readouterr().err


@pytest.mark.usefixtures("preflight")
def test_domains_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["domains", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "domain": "demo.example",
        "kind": "imap",
        "endpoints": ["imap://imap.demo.example:993 (auto)", "smtp://smtp.demo.example:465 (auto)"],
        "mailboxes": {"connected": 57, "disconnected": 3},
        "pending_entries": 0,
        "needs_approval": False,
    }


def test_apply_passes_on_what_was_reviewed_and_chosen(preflight: FakePreflight) -> None:
    options = ["--checksum", "c0ffee", "--watch-minutes", "5", "--roll-back-by-itself"]

    assert main.run(["apply", "chg_1", *options]) == 0

    assert preflight.asked[0] == ("apply", "chg_1", None, "c0ffee", Watch(300.0, roll_back_by_itself=True))


@pytest.mark.usefixtures("preflight")
def test_nothing_rolls_back_by_itself_without_a_watch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["apply", "chg_1", "--watch-minutes", "0", "--roll-back-by-itself"]) == Status.USAGE
    assert "--roll-back-by-itself needs a watch" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["again", "resume"])
def test_a_run_that_is_gone_on_with_is_followed_and_reported(
    preflight: FakePreflight, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main.run([command, "chg_1", "--json"]) == 0

    steps = [asked if isinstance(asked, str) else asked[:2] for asked in preflight.asked]
    assert steps == ["working", ("verify_again", "chg_1"), ("follow", "run_2"), ("report", "chg_1"), "closed"]
    assert json.loads(capsys.readouterr().out)["change_id"] == "chg_1"


@pytest.mark.usefixtures("preflight")
def test_history_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["history", "chg_1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["state"], document["history"][0]["actor"]) == ("rolled_back", "ada")
    assert document["history"][0]["at"] == "1970-01-01T00:00:00+00:00"


def test_the_second_admin_is_told_whose_change_this_replaces(
    preflight: FakePreflight, capsys: pytest.CaptureFixture[str]
) -> None:
    preflight.older = "chg_0"

    main.run(VERIFY)

    said = capsys.readouterr().err
    assert "this replaces change chg_0, saved by ada" in said
    assert "`mail-preflight reopen chg_0`" in said
