"""What is said of an endpoint ahead of time, by what its check has found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.model import Certificate, Endpoint, EndpointResult, Option, Pin, Protocol, TlsFacts, Warn
from checks.settings import ImapSettings
from worker.health.notices import Notice, change_notice, key_change, notices_of

NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
EARLY = datetime(2026, 9, 2, tzinfo=UTC).timestamp()
"""While a certificate of `leaf` is new."""
IMAP = Endpoint(Protocol.IMAP, "mail.example.com", 993)
SMTP = Endpoint(Protocol.SMTP, "mail.example.com", 465)
SETTINGS = ImapSettings(IMAP, SMTP)
WITH_OPTION = ImapSettings(IMAP, SMTP, allow_insecure_certificate=True)


def leaf(sha256: str = "aa", begin: str = "2026-09-01T00:00:00", end: str = "2026-12-01T00:00:00") -> TlsFacts:
    return TlsFacts("TLSv1.3", "AES", (Certificate("CN=mail", "CN=Lab CA", begin, end, sha256),))


def result(code: Code = Code.OK, endpoint: Endpoint = IMAP, **values: object) -> EndpointResult:
    return replace(EndpointResult(endpoint, verdict_of(code), code), **values)  # type: ignore[arg-type] # any field


def codes(found: list[Notice]) -> list[Code]:
    return [notice.code for notice in found]


def test_nothing_is_said_of_a_server_without_peculiarities() -> None:
    assert notices_of(result(tls=leaf(), option=Option.NOT_NEEDED), None, SETTINGS, 5, NOW) == []


def test_what_the_check_warns_of_is_said_and_stays_the_same_from_day_to_day() -> None:
    def said(days: str) -> list[Notice]:
        warn = Warn(Code.TLS_EXPIRES_SOON, {"date": "2026-12-01", "days": days})
        return notices_of(result(warnings=(warn, Warn(Code.TLS_CN_ONLY))), None, SETTINGS, 0, NOW)

    assert codes(said("11")) == [Code.TLS_EXPIRES_SOON]
    assert said("11") == said("10")
    assert said("10")[0].facts["host"] == "mail.example.com"
    assert said("10")[0].facts["date"] == "2026-12-01"


def test_a_failed_check_leaves_what_was_said_before() -> None:
    before = result(warnings=(Warn(Code.TLS_REVOKED, {"date": "2026-11-01"}),))
    for code in (Code.CONNECT_REFUSED, Code.CONNECT_TIMEOUT):
        assert codes(notices_of(result(code), before, SETTINGS, 0, NOW)) == [Code.TLS_REVOKED]
        assert notices_of(result(code), None, SETTINGS, 0, NOW) == []


def test_an_option_that_is_not_needed_any_more() -> None:
    assert codes(notices_of(result(option=Option.NOT_NEEDED), None, WITH_OPTION, 0, NOW)) == [
        Code.TLS_OPTION_NOT_NEEDED
    ]
    assert notices_of(result(option=Option.NEEDED), None, WITH_OPTION, 0, NOW) == []


@pytest.mark.parametrize(
    ("end", "said"),
    [("2026-12-01T00:00:00", True), ("2026-12-01T00:00:00+00:00", True), ("2027-09-01T00:00:00", False)],
)
def test_a_pinned_certificate_is_about_to_be_replaced(end: str, said: bool) -> None:
    soon = Warn(Code.TLS_EXPIRES_SOON, {"date": "2026-12-01"})
    pinned = result(insecure=True, pin=Pin("aa"), tls=leaf(end=end), option=Option.NEEDED, warnings=(soon,))
    found = notices_of(pinned, None, WITH_OPTION, 0, NOW)
    assert codes(found) == ([Code.TLS_PIN_EXPIRES] if said else [])
    assert [notice.facts["date"] for notice in found] == (["2026-12-01"] if said else [])


def test_nobody_knows_when_a_pinned_certificate_that_has_ended_is_replaced() -> None:
    pinned = result(insecure=True, pin=Pin("aa"), tls=leaf(end="2026-11-01T00:00:00"))
    assert notices_of(pinned, None, WITH_OPTION, 0, NOW) == []


@pytest.mark.parametrize("host", ["smtp.office365.com", "outlook.office365.com"])
def test_passwords_end_for_smtp_at_exchange_online(host: str) -> None:
    there = Endpoint(Protocol.SMTP, host, 587)
    (notice,) = notices_of(result(endpoint=there), None, SETTINGS, 12, NOW)
    assert notice.code is Code.EXCHANGE_ONLINE_SMTP
    assert (notice.facts["date"], notice.facts["concerned"]) == ("2026-12-31", "12")
    assert notices_of(result(endpoint=there), None, SETTINGS, 0, NOW) == []
    assert notices_of(result(endpoint=replace(there, protocol=Protocol.IMAP)), None, SETTINGS, 12, NOW) == []


def test_another_certificate_is_told_with_what_it_was() -> None:
    change = key_change(result(tls=leaf("aa")), result(tls=leaf("bb")), EARLY)
    assert change is not None
    assert (change["sha256_before"], change["sha256"], change["issuer"]) == ("aa", "bb", "CN=Lab CA")
    assert change_notice(change).code is Code.TLS_CERTIFICATE_CHANGED


def test_what_is_no_change_of_certificate() -> None:
    works = result(tls=leaf("aa"))
    assert key_change(None, works, EARLY) is None
    assert key_change(works, works, EARLY) is None
    assert key_change(works, result(Code.TLS_EXPIRED, tls=leaf("bb")), EARLY) is None
    assert key_change(works, EndpointResult(IMAP, Verdict.OK, Code.OK), EARLY) is None
    scattered = result(tls=leaf("bb"), warnings=(Warn(Code.TLS_ADDRESSES_DIFFER),))
    assert key_change(works, scattered, EARLY) is None


R12, E8 = "CN=R12,O=Example Trust,C=US", "CN=E8,O=Example Trust,C=US"
OTHER = "CN=R12,O=Another Trust,C=US"


@pytest.mark.parametrize("days", [6, 47, 100, 200])
def test_a_renewal_that_was_due_is_nothing_to_act_on(days: int) -> None:
    """Given a certificate of today's and tomorrow's lifetimes, what is told was replaced early or elsewhere."""
    begin = datetime(2026, 11, 1, tzinfo=UTC)

    def change(share: float, issuer: str) -> bool:
        end, at = begin + timedelta(days), (begin + timedelta(days) * share).timestamp()
        old, new = (
            result(tls=TlsFacts("TLSv1.3", "AES", (Certificate("CN=mail", who, *span, sha256),)))
            for who, span, sha256 in (
                (R12, (begin.isoformat(), end.isoformat()), "aa"),
                (issuer, (end.isoformat(), (end + timedelta(days)).isoformat()), "bb"),
            )
        )
        return key_change(old, new, at) is not None

    assert not change(0.67, R12)
    assert not change(0.5, E8), "one authority signs with several intermediates in turn"
    assert change(0.3, R12)
    assert change(0.9, OTHER)
    assert change(0.9, "no distinguished name")
