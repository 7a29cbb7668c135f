"""What alerts say, in both languages: every code, scope and kind, complete and on time."""

import re
from dataclasses import replace
from itertools import product
from string import Formatter
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from checks.codes import Code
from checks.language import Language
from checks.messages import alerts, wording
from checks.messages.alerts import AlertEvent
from checks.messages.en import alerts as alerts_en
from checks.messages.ja import alerts as alerts_ja
from settings_store.alerts.outbox import Kind
from settings_store.incidents.incidents import Scope, Severity

SINCE = 1_800_000_000.0  # 2027-01-15, 08:00 UTC
STORY = AlertEvent(
    kind="opened",
    reference="0a1b2c",
    scope="endpoint",
    severity="critical",
    code=Code.CONNECT_REFUSED,
    since=SINCE,
    facts={"host": "mail.lab.example", "port": "993", "protocol": "IMAP"},
    seen="Connection refused",
    domains=("lab.example",),
    mailboxes=42,
    names=tuple(f"user{number:02}@lab.example" for number in range(10)),
    zone=ZoneInfo("Europe/Berlin"),
    now=SINCE + 3600,
)
KINDS: tuple[Kind, ...] = get_args(Kind)
OPENED = """\
mail.lab.example refused the connection on port 993.
What was seen: Connection refused

Since: 2027-01-15 09:00 (UTC+01:00)
Domains: lab.example
Mailboxes affected: 42 (user00@lab.example, user01@lab.example, user02@lab.example, user03@lab.example, \
user04@lab.example, user05@lab.example, user06@lab.example, user07@lab.example, user08@lab.example, \
user09@lab.example and 32 more)

What to do: {advice}

Reference: 0a1b2c
https://preflight.example/incidents/0a1b2c
"""


def test_both_languages_have_the_same_words() -> None:
    assert list(alerts_en.WORDS) == list(alerts_ja.WORDS)
    for name, english in alerts_en.WORDS.items():
        assert places(english) == places(alerts_ja.WORDS[name]) or name == "day", name


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", Code)
def test_every_code_is_told_in_full(code: Code, language: Language) -> None:
    for kind, scope, severity in product(KINDS, Scope, Severity):
        story = replace(STORY, kind=kind, scope=scope.value, severity=severity.value, code=code, number=1)
        story = replace(story, ended_at=SINCE + 600) if kind == "resolved" else story
        subject, text = alerts.subject(story, language), alerts.text(story, language)
        words = wording(code, story.facts, language)
        assert words.sentence in text
        assert (words.advice in text) is (kind != "resolved" and scope not in (Scope.SOURCE, Scope.SERVICE))
        for part in (subject, text):
            assert "{" not in part and "}" not in part and "None" not in part and "  " not in part
        assert subject and "\n" not in subject and len(subject) <= 120
        assert "0a1b2c" in text and "lab.example" in text and "Connection refused" in text
        assert not re.search(r"\n{3}|[ \t]\n", text)


@pytest.mark.parametrize("language", Language)
def test_a_story_without_any_facts_can_be_told(language: Language) -> None:
    for kind, scope, code in product(KINDS, Scope, (Code.CONNECT_TIMEOUT, Code.TLS_EXPIRES_SOON)):
        bare = AlertEvent(kind, "ref", scope.value, "critical", code, SINCE)
        for part in (alerts.subject(bare, language), alerts.text(bare, language)):
            assert "{" not in part and "()" not in part and "（）" not in part


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("scope", Scope)
def test_subjects_differ(language: Language, scope: Scope) -> None:
    subjects = {alerts.subject(replace(STORY, kind=kind, scope=scope.value, number=2), language) for kind in KINDS}
    assert len({*subjects, alerts.digest([STORY], 5, language)[0]}) == 4


def test_the_whole_text() -> None:
    advice = wording(STORY.code, STORY.facts, Language.EN).advice
    told = replace(STORY, link="https://preflight.example/incidents/0a1b2c")
    assert alerts.text(told, Language.EN) == OPENED.format(advice=advice)
    assert alerts.subject(told, Language.EN) == "Broken: IMAP of lab.example (mail.lab.example)"


def test_no_link_without_an_address_of_ours() -> None:
    assert "http" not in alerts.text(STORY, Language.EN)


def test_what_is_over_says_how_long_it_lasted() -> None:
    text = alerts.text(replace(STORY, kind="resolved", ended_at=SINCE + 8100), Language.EN)
    assert text.startswith("This works again. It had been broken for 2 h 15 min. The cause was:\n")
    assert "Since: 2027-01-15 09:00 (UTC+01:00)\nUntil: 2027-01-15 11:15 (UTC+01:00)\n" in text
    assert "What to do" not in text


def test_what_was_over_before_it_was_told_says_so() -> None:
    story = replace(STORY, ended_at=SINCE + 600)
    text = alerts.text(story, Language.EN)
    assert "Until: 2027-01-15 09:10" in text and "What to do" not in text
    assert text.startswith("This ended before it could be told.")
    assert alerts.subject(story, Language.EN).startswith("Was broken: ")
    assert alerts.subject(story, Language.JA).startswith("障害（終了済み）：")
    assert alerts.subject(replace(story, scope="notice"), Language.EN).startswith("No longer to be expected: ")
    news = replace(story, scope="notice", severity="info")
    assert alerts.subject(news, Language.EN).startswith("For your information: ")


@pytest.mark.parametrize("scope", [Scope.SOURCE, Scope.SERVICE, Scope.MAILBOXES])
def test_what_works_again_is_not_said_to_fail(scope: Scope) -> None:
    over = replace(STORY, kind="resolved", scope=scope.value, ended_at=SINCE + 600)
    assert " fail" not in alerts.text(over, Language.EN)
    assert " fail" in alerts.text(replace(STORY, scope=scope.value), Language.EN)


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (-5, "1 min", "1 分"),
        (59, "1 min", "1 分"),
        (3600, "1 h", "1 時間"),
        (86400, "1 day", "1 日"),
        (2 * 86400 + 3 * 3600 + 240, "2 days 3 h", "2 日 3 時間"),
    ],
)
def test_how_long(seconds: float, english: str, japanese: str) -> None:
    story = replace(STORY, kind="resolved", ended_at=SINCE + seconds)
    assert f"for {english}." in alerts.text(story, Language.EN)
    assert f"障害は {japanese} 続きました。原因：" in alerts.text(story, Language.JA)


@pytest.mark.parametrize(
    ("zone", "written"),
    [("UTC", "08:00 (UTC+00:00)"), ("Asia/Kolkata", "13:30 (UTC+05:30)"), ("America/St_Johns", "04:30 (UTC-03:30)")],
)
def test_times_are_the_channels(zone: str, written: str) -> None:
    assert f"Since: 2027-01-15 {written}" in alerts.text(replace(STORY, zone=ZoneInfo(zone)), Language.EN)


def test_many_domains_are_counted() -> None:
    story = replace(STORY, scope="server", domains=tuple(f"d{number:03}.example" for number in range(200)))
    text = alerts.text(story, Language.EN)
    assert "d009.example and 190 more" in text and "d010.example" not in text
    assert alerts.subject(story, Language.EN) == "Broken: mail.lab.example, 200 domains"


def test_words_of_a_server_stay_on_one_line() -> None:
    story = replace(
        STORY, seen="one\r\nBcc: all@example.com\x1b[31m\u2028two", facts={"host": "a\nb", "protocol": "IMAP"}
    )
    assert "What was seen: one Bcc: all@example.com [31m two\n" in alerts.text(story, Language.EN)
    assert "\n" not in alerts.subject(story, Language.EN)


@pytest.mark.parametrize("language", Language)
def test_names_of_a_certificate_add_no_lines(language: Language) -> None:
    facts = {**STORY.facts, "names": "a\n\nWhat to do: call +1\x1b[31m"}
    for code in (Code.TLS_UNNEEDED_CERTIFICATES, Code.EXCHANGE_AUTH_UNUSABLE):
        plain, planted = (
            alerts.text(replace(STORY, code=code, facts=own), language) for own in ({**facts, "names": "a"}, facts)
        )
        assert len(planted.splitlines()) == len(plain.splitlines()) and "\x1b" not in planted


@pytest.mark.parametrize("language", Language)
def test_a_digest_lists_fifty_and_counts_the_rest(language: Language) -> None:
    stories = [replace(STORY, reference=f"ref{number}", domains=(f"d{number:02}.example",)) for number in range(50)]
    subject, text = alerts.digest(stories, 5000, language)
    assert text.count("\n- ") == 50 and "d49.example" in text and "ref49" in text
    assert "4950" in text and "5000" in subject
    assert len(text.splitlines()) == 2 + 2 * 50 + 2
    few = alerts.digest(stories[:5], 5, language)[1]
    assert len(few.splitlines()) == 2 + 2 * 5


@pytest.mark.parametrize("language", Language)
def test_a_test_message_says_that_it_is_one(language: Language) -> None:
    subject, text = alerts.test_message("admins", language)
    assert "admins" in text and {"en": "Test", "ja": "テスト"}[language] in subject


@pytest.mark.parametrize("language", Language)
def test_servers_that_fail_together_are_all_named(language: Language) -> None:
    both = {**STORY.facts, "endpoints": "imap@mail.lab.example:993 smtp@mail.lab.example:465"}
    one = {**STORY.facts, "endpoints": "imap@mail.lab.example:993"}

    assert "SMTP mail.lab.example:465" in alerts.text(replace(STORY, facts=both), language)
    assert "IMAP mail.lab.example:993" not in alerts.text(replace(STORY, facts=one), language)


@pytest.mark.parametrize("language", Language)
def test_what_came_with_a_change_names_it_and_the_way_back(language: Language) -> None:
    after = replace(STORY, scope="mailboxes", facts={**STORY.facts, "change": "c0ffee", "undone": ""})
    undone = replace(after, facts={**after.facts, "undone": "yes"})

    assert "mail-preflight rollback c0ffee" in alerts.text(after, language)
    assert "c0ffee" in alerts.text(undone, language)
    assert "rollback c0ffee" not in alerts.text(undone, language)
    assert "c0ffee" not in alerts.text(replace(after, kind="resolved", ended_at=SINCE + 60), language)


ROLLED_BACK = """\
Change c0ffee was rolled back by itself: 42 of 300 mailboxes that were to work failed after it was applied. The \
settings and credentials from before are in force again.
Several mailboxes fail for the same cause:
mail.lab.example refused the connection on port 993.
What was seen: Connection refused

Since: 2027-01-15 09:00 (UTC+01:00)
Until: 2027-01-15 09:05 (UTC+01:00)
Domains: lab.example
Mailboxes affected: 42

What to do: Mend what is named here, then verify the change's settings anew. What was done: mail-preflight \
history c0ffee

Reference: 0a1b2c
"""


def test_an_automatic_rollback_is_told_with_its_reason_though_all_is_well_again() -> None:
    """By the time it is sent, the settings of before are in force and the mailboxes work."""
    facts = {**STORY.facts, "change": "c0ffee", "undone": "yes", "failing": "42", "total": "300"}
    story = replace(STORY, scope="mailboxes", facts=facts, ended_at=SINCE + 300, names=(), link="")

    assert alerts.subject(story, Language.EN) == "Rolled back by itself: the change of lab.example"
    assert alerts.text(story, Language.EN) == ROLLED_BACK
    assert alerts.subject(story, Language.JA) == "自動取り消し：lab.example の変更"
    assert "300 件中 42 件が失敗した" in alerts.text(story, Language.JA)
    over = alerts.text(replace(story, kind="resolved"), Language.EN)
    assert "was rolled back by itself: 42 of 300" in over
    assert alerts.subject(replace(story, kind="resolved"), Language.EN).startswith("Works again: 42 mailboxes")


BOTH = {**STORY.facts, "endpoints": "imap@mail.lab.example:993 smtp@mail.lab.example:465", "worked": "yes"}


def test_one_incident_names_both_that_died_and_how() -> None:
    story = replace(STORY, facts={**BOTH, "also": "smtp@mail.lab.example:465=connect.timeout"})
    text = alerts.text(story, Language.EN)

    assert alerts.subject(story, Language.EN) == "Broken: IMAP, SMTP of lab.example (mail.lab.example)"
    assert "mail.lab.example refused the connection on port 993." in text
    assert wording(Code.CONNECT_TIMEOUT, {"host": "mail.lab.example", "port": "465"}).sentence in text
    assert "Servers affected: IMAP mail.lab.example:993, SMTP mail.lab.example:465" in text


@pytest.mark.parametrize("language", Language)
def test_nobody_is_told_to_check_a_port_that_nobody_changed(language: Language) -> None:
    first = alerts.text(STORY, language)
    worked = alerts.text(replace(STORY, facts=BOTH), language)
    told = wording(Code.CONNECT_REFUSED, STORY.facts, language).advice

    assert told in first
    assert told not in worked
    assert wording(Code.CONNECT_REFUSED, BOTH, language).advice in worked
    assert wording(Code.CONNECT_REFUSED, BOTH, language).field is None
    assert wording(Code.TLS_EXPIRED, BOTH, language).field == "imap.host"
