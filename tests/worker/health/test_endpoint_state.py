"""What one more check adds to what is known of an endpoint."""

from dataclasses import replace

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.model import Certificate, Endpoint, EndpointResult, Protocol, Step, TlsFacts
from settings_store.health.endpoints import Watched
from settings_store.health.schedule import Due
from tests.settings_store.in_force import NOW, mail_settings
from worker.config import Config
from worker.health.endpoint_state import Subject, after_check, begins_to_fail, is_certain, rules_of
from worker.health.streaks import Rules

RULES = Rules(fails=3, oks=2, silent_seconds=1800)
SUBJECT = Subject(Due(7, "a.example", 1, 3, "mail.example.com"), mail_settings(), 0, "192.0.2.1")
IMAP = Endpoint(Protocol.IMAP, "mail.example.com", 993)


def result(code: Code = Code.OK, sha256: str = "a") -> EndpointResult:
    leaf = Certificate("CN=mail", "CN=ca", "2026-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00", sha256)
    steps = (Step("connect", Verdict.OK, 2.0), Step("tls", Verdict.OK, 5.5))
    tls = TlsFacts("TLSv1.3", "x", (leaf,)) if code is Code.OK else None
    return EndpointResult(IMAP, verdict_of(code), code, seen="said", steps=steps, tls=tls)


def check(before: Watched | None, *codes: Code, at: float = NOW) -> Watched:
    """One check a minute, each with the next code."""
    row = before
    for number, code in enumerate(codes):
        row = after_check(SUBJECT, row, result(code), at + number * 60, RULES)
    assert row is not None
    return row


def test_the_first_check_says_how_it_is() -> None:
    row = check(None, Code.OK)

    assert (row.domain_id, row.domain, row.account_id, row.settings_id) == (7, "a.example", 1, 3)
    assert (row.protocol, row.server, row.source) == (Protocol.IMAP, "mail.example.com:993", "192.0.2.1")
    assert (row.state, row.verdict, row.code, row.seen, row.oks) == ("ok", Verdict.OK, Code.OK, "said", 1)
    assert (row.checked_at, row.ms, row.moved) == (NOW, 7.5, True)
    assert row.document["code"] == "ok"


def test_failures_in_a_row_change_the_state() -> None:
    row = check(None, Code.OK, Code.TLS_EXPIRED, Code.TLS_EXPIRED, Code.TLS_EXPIRED)

    assert (row.state, row.fails, row.code, row.first_bad_at) == ("fail", 3, Code.TLS_EXPIRED, NOW + 60)


def test_what_is_inconclusive_leaves_the_last_document() -> None:
    row = check(None, Code.TLS_EXPIRED, Code.CONNECT_TIMEOUT)

    assert row.code is Code.CONNECT_TIMEOUT
    assert row.document["code"] == "tls.expired"
    assert check(None, Code.CONNECT_TIMEOUT).document == {}


class TestMoved:
    @pytest.fixture
    def judged(self) -> Watched:
        return replace(check(None, Code.OK), moved=False)

    def test_the_same_again_is_no_news(self, judged: Watched) -> None:
        assert not check(judged, Code.OK, Code.OK, at=NOW + 60).moved

    def test_another_code_is(self, judged: Watched) -> None:
        assert check(judged, Code.CONNECT_TIMEOUT, at=NOW + 60).moved

    def test_what_nobody_has_judged_stays_news(self, judged: Watched) -> None:
        assert check(replace(judged, moved=True), Code.OK, at=NOW + 60).moved

    def test_another_certificate_is(self, judged: Watched) -> None:
        row = after_check(SUBJECT, judged, result(sha256="b"), NOW + 60, RULES)

        assert (row.moved, row.key_changed_at) == (True, NOW + 60)
        assert row.key_change is not None
        later = after_check(SUBJECT, replace(row, moved=False), result(sha256="b"), NOW + 120, RULES)
        assert (later.moved, later.key_changed_at, later.key_change) == (False, NOW + 60, row.key_change)


def test_what_has_begun_is_looked_at_soon() -> None:
    before = check(None, Code.OK)
    failing = check(before, Code.TLS_EXPIRED, at=NOW + 60)

    assert is_certain(before, NOW, RULES)
    assert not is_certain(failing, NOW + 60, RULES)
    assert begins_to_fail(before, failing)
    assert not begins_to_fail(failing, check(failing, Code.TLS_EXPIRED, at=NOW + 120))
    assert begins_to_fail(None, check(None, Code.TLS_EXPIRED))
    assert not begins_to_fail(None, before)


def test_so_is_another_certificate() -> None:
    row = after_check(SUBJECT, check(None, Code.OK), result(sha256="b"), NOW + 60, RULES)

    assert not is_certain(row, NOW + 60, RULES)
    assert is_certain(after_check(SUBJECT, row, result(sha256="b"), NOW + 120, RULES), NOW + 120, RULES)


def test_the_rules_are_the_configured_ones() -> None:
    config = Config(health_fails=4, health_oks=5, health_silent_minutes=2)

    assert rules_of(config) == Rules(4, 5, 120)
