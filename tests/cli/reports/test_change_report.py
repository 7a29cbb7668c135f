"""What people read: the words, in order, whatever the servers said."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from checks.codes import Code
from checks.language import Language
from checks.messages import wording
from checks.messages.endpoints import endpoint_document
from checks.model import EndpointResult, Option
from cli.cleaning import clean
from cli.reports.change_report import render_report
from cli.reports.endpoint_report import render_endpoint
from tests.cli.fakes import EXPIRED_SMTP, GOOD_IMAP, IMPACTS, UNKNOWN_IMAP, FakeCause, FakeReport, lines


def rendered(report: FakeReport, language: Language = Language.EN, *, terminal: bool = False, width: int = 80) -> str:
    console = Console(
        file=io.StringIO(), force_terminal=terminal, force_interactive=terminal, width=width, color_system=None
    )
    render_report(report.document(language), console)
    return text_of(console)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rendered_endpoint(result: EndpointResult, *, chain: bool = True) -> str:
    console = Console(file=io.StringIO(), color_system=None)
    render_endpoint(endpoint_document(result), console, chain=chain)
    return text_of(console)


class TestVerdict:
    def test_names_how_many_of_how_many(self) -> None:
        text = rendered(FakeReport(lines("will_disconnect", 7, Code.AUTH_REJECTED) + lines("keeps_working", 53)))

        assert text.splitlines()[0].endswith("7 of 60 mailboxes of demo.example would disconnect.")

    def test_names_the_client_that_judged(self) -> None:
        judged = FakeReport(lines("keeps_working", 2), endpoints=(replace(GOOD_IMAP, client="our app"),))

        assert "mail client of the profile “our app”" in rendered(judged)
        assert "profile" not in rendered(FakeReport(lines("keeps_working", 2)))

    def test_nobody(self) -> None:
        text = rendered(FakeReport(lines("keeps_working", 2)))

        assert "Nobody would disconnect." in text.splitlines()[0]
        assert "mail-preflight apply chg_1 --checksum c0ffee\n" in text
        assert "--accept-disconnects" not in text

    def test_could_not_tell(self) -> None:
        text = rendered(FakeReport(lines("cannot_tell", 3, Code.SERVER_THROTTLED)))

        assert "Could not tell for 3 of 3 mailboxes of demo.example." in text.splitlines()[0]
        assert "cannot_tell2@demo.example" in text

    def test_disconnects_do_not_hide_what_is_unclear(self) -> None:
        report = FakeReport(lines("will_disconnect", 1, Code.AUTH_REJECTED) + lines("cannot_tell", 2))

        assert "For 2 more we could not tell." in rendered(report).splitlines()[0]

    @pytest.mark.parametrize(
        ("endpoints", "words"),
        [
            ((GOOD_IMAP,), "? No mailbox of demo.example is known, so none was tried. The servers work;"),
            ((GOOD_IMAP, EXPIRED_SMTP), "✗ The servers do not work. No mailbox of demo.example is known"),
        ],
    )
    def test_a_domain_without_mailboxes_is_told_by_its_servers(
        self, endpoints: tuple[EndpointResult, ...], words: str
    ) -> None:
        headline = rendered(FakeReport([], endpoints=endpoints)).splitlines()[0]

        assert headline.startswith(words)
        assert "disconnect." not in headline

    def test_a_failing_server_must_be_accepted_where_nobody_is_left_to_disconnect(self) -> None:
        text = rendered(FakeReport(lines("already_disconnected", 7, Code.AUTH_REJECTED), endpoints=(EXPIRED_SMTP,)))

        assert text.rstrip().endswith("--accept-disconnects 0")

    def test_disconnects_must_be_accepted_by_their_number(self) -> None:
        text = rendered(FakeReport(lines("will_disconnect", 7, Code.AUTH_REJECTED)))

        assert text.rstrip().endswith("mail-preflight apply chg_1 --checksum c0ffee --accept-disconnects 7")

    def test_why_a_run_stopped_early(self) -> None:
        report = FakeReport(
            lines("cannot_tell", 4, Code.RUN_NOT_TRIED),
            stop_code=Code.AUTH_REJECTED,
            stop_detail="4",
            found=[FakeCause(Code.RUN_NOT_TRIED, None, "cannot_tell", 4)],
        )

        text = rendered(report)

        reason = wording(Code.AUTH_REJECTED, {"host": "imap.demo.example"}).sentence.rstrip(".")
        assert "Stopped early:" in text.splitlines()[1]
        assert text.count(reason) == 2  # under the verdict, and among the causes


class TestMailboxes:
    def test_lists_fifty_and_says_where_the_rest_is(self) -> None:
        text = rendered(FakeReport(lines("will_disconnect", 200, Code.AUTH_REJECTED, "NO [AUTHENTICATIONFAILED]")))

        assert text.count("@demo.example") == 50
        assert "and 150 more; all of them:\n    mail-preflight report chg_1 --json\n" in text
        assert "auth.rejected" in text
        assert "NO [AUTHENTICATIONFAILED]" in text

    def test_those_that_keep_working_are_counted_not_listed(self) -> None:
        text = rendered(FakeReport(lines("keeps_working", 5)))

        assert "keeps_working0@" not in text
        assert "5 keep working, 0 would disconnect" in text

    def test_every_group_but_those_that_keep_working_is_listed(self) -> None:
        report = FakeReport([line for impact in IMPACTS for line in lines(impact, 1, Code.AUTH_REJECTED)])

        text = rendered(report)

        headings = ["Would disconnect", "Cannot tell", "Disconnected already", "Would connect again"]
        assert [line for line in text.splitlines() if line in headings] == headings
        assert [f"{impact}0@" in text for impact in IMPACTS] == [impact != "keeps_working" for impact in IMPACTS]

    @pytest.mark.parametrize("width", [20, 50, 80])
    def test_a_command_is_one_line_at_any_width(self, width: int) -> None:
        found = rendered(FakeReport(lines("will_disconnect", 60, Code.AUTH_REJECTED)), terminal=True, width=width)

        assert "    mail-preflight apply chg_1 --checksum c0ffee --accept-disconnects 60" in found.splitlines()
        assert "    mail-preflight report chg_1 --json" in found.splitlines()

    @pytest.mark.parametrize("terminal", [True, False])
    def test_no_address_is_cut(self, terminal: bool) -> None:
        address = "a" * 64 + "@" + "b" * 60 + ".example"
        report = FakeReport([replace(lines("will_disconnect", 1, Code.AUTH_REJECTED)[0], address=address)])

        text = rendered(report, terminal=terminal, width=40)

        assert address in (text.replace("\n  ", "") if terminal else text)

    def test_a_pipe_gets_one_line_a_mailbox(self) -> None:
        report = FakeReport(lines("will_disconnect", 1, Code.AUTH_REJECTED, "words " * 40))

        assert f"auth.rejected (IMAP)  {'words ' * 40}".rstrip() in rendered(report)


class TestCauses:
    def test_are_counted_and_say_who_acts(self) -> None:
        report = FakeReport(
            lines("will_disconnect", 5, Code.AUTH_REJECTED),
            found=[FakeCause(Code.AUTH_REJECTED, "imap", "will_disconnect", 5)],
        )

        text = rendered(report)

        assert "5 would disconnect: auth.rejected (IMAP)" in text
        assert "Who acts: the mailbox's owner" in text

    def test_disconnects_come_first(self) -> None:
        """Given more mailboxes that are broken anyway than mailboxes that would break, the latter still lead."""
        report = FakeReport(
            lines("will_disconnect", 1, Code.AUTH_LOCKED) + lines("already_disconnected", 9, Code.AUTH_REJECTED),
            found=[
                FakeCause(Code.AUTH_REJECTED, "imap", "already_disconnected", 9),
                FakeCause(Code.AUTH_LOCKED, "smtp", "will_disconnect", 1),
            ],
        )

        text = rendered(report)

        assert text.index("1 would disconnect: auth.locked (SMTP)") < text.index("9 are disconnected already: auth.")

    def test_a_common_cause_comes_first_with_the_field_to_look_at(self) -> None:
        report = FakeReport(
            lines("will_disconnect", 9, Code.DNS_NOT_FOUND) + lines("cannot_tell", 2, Code.SERVER_THROTTLED),
            endpoints=(UNKNOWN_IMAP,),
            found=[
                FakeCause(Code.DNS_NOT_FOUND, "imap", "will_disconnect", 9),
                FakeCause(Code.SERVER_THROTTLED, "imap", "cannot_tell", 2),
            ],
        )

        text = rendered(report)

        assert "9 mailboxes fail alike, so one common cause is likely:" in text
        assert "Form field to look at: imap.host" in text
        assert text.index("fail alike") < text.index("9 would disconnect: dns.")

    @pytest.mark.parametrize(("good", "common"), [(300, False), (2, True)])
    def test_a_few_wrong_passwords_are_no_common_cause(self, good: int, common: bool) -> None:
        report = FakeReport(
            lines("will_disconnect", 3, Code.AUTH_REJECTED),
            found=[
                FakeCause(Code.OK, None, "keeps_working", good),
                FakeCause(Code.AUTH_REJECTED, "imap", "will_disconnect", 3),
            ],
        )

        assert ("fail alike" in rendered(report)) is common

    def test_how_to_go_on_with_what_was_not_tried(self) -> None:
        report = FakeReport(
            lines("cannot_tell", 4, Code.RUN_NOT_TRIED),
            stop_code=Code.AUTH_REJECTED,
            stop_detail="4",
            found=[FakeCause(Code.RUN_NOT_TRIED, None, "cannot_tell", 4)],
        )

        assert "4 mailboxes were not tried." in rendered(report)
        assert rendered(report).count("mail-preflight resume chg_1") == 1
        assert "mail-preflight apply" not in rendered(report)

    def test_success_is_no_cause(self) -> None:
        report = FakeReport(lines("keeps_working", 5), found=[FakeCause(Code.OK, "imap", "keeps_working", 5)])

        assert "Why" not in rendered(report)


class TestEndpoint:
    def test_steps_come_in_order_up_to_the_red_one(self) -> None:
        text = rendered_endpoint(EXPIRED_SMTP)

        marks = [line.split()[0] for line in text.splitlines()[1:4]]
        assert marks == ["✓", "✓", "✗"]
        assert "SMTP smtp.demo.example:465 (tls): does not work" in text

    def test_says_cause_words_advice_option_and_repair(self) -> None:
        text = rendered_endpoint(EXPIRED_SMTP)

        assert "tls.expired: " in text
        assert "Seen: certificate has expired" in text
        assert "What to do: " in text
        assert "! Warning: connect.some_addresses: " in text
        assert "! Certificate warning: the option “allow insecure certificate” is needed" in text
        assert "What would repair it: Renew the certificate" in text

    def test_an_option_that_is_neither_on_nor_needed_is_not_spoken_of(self) -> None:
        assert "insecure" not in rendered_endpoint(GOOD_IMAP)
        assert "untick" not in rendered(FakeReport(lines("keeps_working", 1)))
        assert "is not needed for this server; untick it" in rendered(
            FakeReport(lines("keeps_working", 1), ticked=True)
        )

    def test_nobody_is_told_to_untick_what_another_server_needs(self) -> None:
        needed = replace(EXPIRED_SMTP, option=Option.NEEDED)
        report = FakeReport(lines("keeps_working", 1), ticked=True)
        text = rendered(replace(report, endpoints=(*report.endpoints, needed)))

        assert "untick" not in text
        assert "is not needed for this server, only for another one of these settings" in text

    def test_certificates_are_shown_for_a_single_check_only(self) -> None:
        assert "issued by CN=Demo CA" in rendered_endpoint(GOOD_IMAP)
        assert "issued by" not in rendered_endpoint(GOOD_IMAP, chain=False)


class TestHostileWords:
    @pytest.mark.parametrize("terminal", [True, False])
    def test_no_control_character_reaches_the_terminal(self, terminal: bool) -> None:
        words = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\r\n* OK fake line"
        result = replace(EXPIRED_SMTP, seen=words)
        report = FakeReport(lines("will_disconnect", 1, Code.AUTH_REJECTED, words), endpoints=(result,))

        text = rendered(report, terminal=terminal)

        assert not set(text) & set("\x1b\x07\x9b\u202e\r")
        assert not any(line.startswith("* OK fake") for line in text.splitlines())

    def test_markup_is_words(self) -> None:
        report = FakeReport(lines("will_disconnect", 1, Code.AUTH_REJECTED, "[red]NO[/red] [AUTH] :smile:"))

        assert "[red]NO[/red] [AUTH] :smile:" in rendered(report)

    @pytest.mark.parametrize(
        ("words", "harmless"),
        [
            ("plain", "plain"),
            ("a\r\nb\n", "a / b"),
            ("a\tb", "a b"),
            ("\x1b[1m", "\\x1b[1m"),
            ("\u2028x", "x"),
            ("\u200fx", "\\u200fx"),
            ("パスワード", "パスワード"),
            ("\ud800", "\\ud800"),
        ],
    )
    def test_clean(self, words: str, harmless: str) -> None:
        assert clean(words) == harmless


def test_japanese_report() -> None:
    text = rendered(FakeReport(lines("will_disconnect", 2, Code.AUTH_REJECTED)), Language.JA)

    assert "demo.example のメールボックス 2 件のうち 2 件が切断されます。" in text.splitlines()[0]
    assert "Would disconnect" not in text


def test_colour_only_repeats() -> None:
    """Given a terminal with colours, the words are the very words of one without."""
    coloured = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=200)
    plain = Console(file=io.StringIO(), width=200)
    for console in (coloured, plain):
        render_endpoint(endpoint_document(EXPIRED_SMTP), console)

    assert "\x1b[1;31m✗\x1b[0m" in text_of(coloured)
    assert re.sub(r"\x1b\[[0-9;]*m", "", text_of(coloured)) == text_of(plain)
