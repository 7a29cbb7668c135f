"""A report as its document: read once, little of it held, and the same words for whoever shows it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from rich.console import Console

from checks.codes import Code
from checks.language import Language
from cli.reports.change_report import render_report
from tests.cli.fakes import EXPIRED_SMTP, UNKNOWN_IMAP, FakeCause, FakeLine, FakeReport, lines
from worker.changes.impact import Impact
from worker.changes.wording import LISTED


@dataclass
class Counted(FakeReport):
    """Counts how often its mailboxes are read."""

    reads: list[int] = field(default_factory=list)

    def mailboxes(self) -> Iterator[FakeLine]:
        self.reads.append(len(self.lines))
        return super().mailboxes()


def stopped() -> FakeReport:
    """Most were rejected, so the rest was not tried."""
    return FakeReport(
        lines("will_disconnect", 5, Code.AUTH_REJECTED) + lines("cannot_tell", 4, Code.RUN_NOT_TRIED),
        endpoints=(EXPIRED_SMTP,),
        stop_code=Code.AUTH_REJECTED,
        stop_detail="4",
        found=[
            FakeCause(Code.AUTH_REJECTED, "imap", "will_disconnect", 5),
            FakeCause(Code.RUN_NOT_TRIED, None, "cannot_tell", 4),
        ],
    )


def words(value: object) -> Iterator[str]:
    """Every text for people in a document, wherever it stands."""
    if isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and name in ("headline", "message", "label", "hint"):
                yield item
            yield from words(item)


class TestMailboxes:
    def test_are_read_once_and_only_the_first_are_held(self) -> None:
        report = Counted(lines("will_disconnect", 3 * LISTED) + lines("cannot_tell", 2))

        document = report.document()
        render_report(document, Console(file=io.StringIO()))

        assert len(report.reads) == 1
        assert [len(group.first) for group in document.groups] == [0, LISTED, 0, 0, 2]
        assert document.group(Impact.WILL_DISCONNECT).count == 3 * LISTED

    def test_the_rest_is_read_when_it_is_asked_for(self) -> None:
        report = Counted(lines("will_disconnect", 3 * LISTED) + lines("cannot_tell", 2))

        document = report.document()

        assert len(list(document.mailboxes())) == 3 * LISTED + 2
        assert [box.address for box in document.mailboxes(Impact.CANNOT_TELL)] == [
            "cannot_tell0@demo.example",
            "cannot_tell1@demo.example",
        ]
        assert len(report.reads) == 3

    @pytest.mark.parametrize(
        ("calendar", "apart"),
        [("ok", ""), ("exchange.calendar_denied", "mail: ok, calendar: exchange.calendar_denied")],
    )
    def test_mail_and_calendar_are_told_apart_where_they_differ(self, calendar: str, apart: str) -> None:
        services = {"mail": "ok", "calendar": calendar}
        line = FakeLine("a@demo.example", "keeps_working", Code.OK, "https", services=services)

        (box,) = FakeReport([line]).document().mailboxes()

        assert (box.where, box.apart) == ("Exchange", apart)


class TestWords:
    @pytest.mark.parametrize("language", Language)
    def test_what_json_says_is_what_is_printed(self, language: Language) -> None:
        document = stopped().document(language)
        console = Console(file=io.StringIO(), color_system=None)
        render_report(document, console)
        assert isinstance(console.file, io.StringIO)
        printed = console.file.getvalue()

        said = list(words(document.head()))

        assert len(said) > 15
        assert [text for text in said if text not in printed] == []

    def test_a_cause_says_who_acts_and_what_to_do(self) -> None:
        head: Any = stopped().document().head()
        cause, untried = head["causes"]

        assert (cause["blame"], cause["who_acts"]) == ("mailbox", "the mailbox's owner")
        assert cause["headline"] == "5 would disconnect"
        assert cause["advice"]
        assert (untried["blame"], untried["who_acts"]) == ("us", "the operator of this service")

    def test_causes_are_the_most_frequent_first_and_in_another_order_for_people(self) -> None:
        found = [
            FakeCause(Code.AUTH_REJECTED, "imap", "already_disconnected", 9),
            FakeCause(Code.AUTH_LOCKED, "smtp", "will_disconnect", 1),
        ]

        document = FakeReport(lines("will_disconnect", 1), found=found).document()

        assert [cause.count for cause in document.causes] == [9, 1]
        assert [cause.count for cause in document.urgent_causes] == [1, 9]

    def test_what_to_look_at_is_a_field_or_the_user_names(self) -> None:
        host = [FakeCause(Code.DNS_NOT_FOUND, "imap", "will_disconnect", 9)]
        users = [FakeCause(Code.AUTH_REJECTED, "imap", "will_disconnect", 9)]

        common = [
            FakeReport(lines("will_disconnect", 9), endpoints=(UNKNOWN_IMAP,), found=found).document().common_cause
            for found in (host, users)
        ]

        assert [(cause.field, bool(cause.hint)) for cause in common if cause] == [("imap.host", False), (None, True)]

    def test_what_next(self) -> None:
        head = stopped().document().head()

        assert head["untried"] == {
            "action": "resume",
            "message": "4 mailboxes were not tried. To go on with them, when what stopped it is mended:",
            "count": 4,
        }
        assert head["next"] == {
            "action": "resume",
            "message": "They can be put in force when no mailbox is left untried: go on with those, or verify again.",
            "accept_disconnects": 5,
            "command": "mail-preflight resume chg_1",
        }

    def test_nothing_is_said_of_what_is_not_there(self) -> None:
        head = FakeReport(lines("keeps_working", 2)).document().head()

        assert [head[name] for name in ("stop", "common_cause", "causes", "untried", "services")] == [
            None,
            None,
            [],
            None,
            [],
        ]
