"""What people type for Exchange becomes one canonical URL, and nothing is lost or given away on the way."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.model import Endpoint, Invalid, Protocol, Security
from checks.protocols.exchange.url import endpoint_of, host_header, normalise_url, same_place

CANONICAL = "https://mail.example.com/EWS/Exchange.asmx"
SECRET = "Planted-secret-4711"


@pytest.mark.parametrize(
    "typed",
    [
        "mail.example.com",
        "Mail.Example.COM.",
        "  mail.example.com  ",
        "<https://mail.example.com/>",
        "//mail.example.com/owa",
        "https://mail.example.com",
        "https:mail.example.com",
        "https//mail.example.com/",
        "https:\\\\mail.example.com\\owa",
        "https://mail.example.com/owa/?realm=example.com#path=/mail",
        "https://mail.example.com/ecp/",
        "https://mail.example.com/ews",
        "https://mail.example.com/ews/exchange.asmx",
        "https://mail.example.com/EWS/Services.wsdl",
        "https://mail.example.com/owa/ews/exchange.asmx",
        "https://mail.example.com/autodiscover/autodiscover.xml",
        "https://mail.example.com/Microsoft-Server-ActiveSync",
        "https://mail.example.com:443/owa",
        "http://mail.example.com",
        "http://mail.example.com:80/owa",
        "https://somebody:word@mail.example.com/owa",
    ],
)
def test_all_of_these_mean_the_same_place(typed: str) -> None:
    given_url = normalise_url(typed)
    assert given_url.url == CANONICAL
    assert given_url.changed
    assert given_url.notes


def test_the_canonical_url_stays_as_it_is() -> None:
    given_url = normalise_url(CANONICAL)
    assert (given_url.url, given_url.typed, given_url.changed, given_url.notes) == (CANONICAL, CANONICAL, False, ())


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("mail.example.com:8443/owa", "https://mail.example.com:8443/EWS/Exchange.asmx"),
        ("http://mail.example.com:8080", "https://mail.example.com:8080/EWS/Exchange.asmx"),
        ("https://mail.example.com/proxy/ews/exchange.asmx", "https://mail.example.com/proxy/EWS/Exchange.asmx"),
        ("https://mail.example.com/a/../ews/exchange.asmx", CANONICAL),
        ("https://mail.example.com/%2e%2e/x%0d%0a/ews/exchange.asmx", CANONICAL),
        ("bücher.example", "https://xn--bcher-kva.example/EWS/Exchange.asmx"),
        ("例え.テスト", "https://xn--r8jz45g.xn--zckzah/EWS/Exchange.asmx"),
        ("192.0.2.7/owa", "https://192.0.2.7/EWS/Exchange.asmx"),
        ("2001:db8::1", "https://[2001:db8::1]/EWS/Exchange.asmx"),
        ("https://[2001:DB8:0::1]:444/owa", "https://[2001:db8::1]:444/EWS/Exchange.asmx"),
    ],
)
def test_host_port_and_prefix_are_kept(typed: str, url: str) -> None:
    assert normalise_url(typed).url == url


@pytest.mark.parametrize(
    ("typed", "note"),
    [
        ("mail.example.com", "scheme_added"),
        ("http://mail.example.com", "http"),
        ("https://x@mail.example.com", "user_info"),
        ("https://mail.example.com/?a", "query"),
        ("https://mail.example.com/owa", "path"),
        ("https://MAIL.example.com/EWS/Exchange.asmx", "host"),
        ("https://mail.example.com:443/EWS/Exchange.asmx", "port"),
    ],
)
def test_what_was_done_is_told(typed: str, note: str) -> None:
    assert note in normalise_url(typed).notes


@pytest.mark.parametrize(
    "typed",
    [
        f"https://somebody:{SECRET}@mail.example.com/owa",
        f"https://some/body:{SECRET}@mail.example.com/owa",
        f"http:\\\\somebody:{SECRET}@mail.example.com",
        f"https://mail.example.com/owa?password={SECRET}",
        f"https://mail.example.com/owa#{SECRET}",
        f"https://somebody:{SECRET}/x@mail.example.com",
        f"https://somebody:{SECRET}@-bad-",
        f"https://mail.example.com:{SECRET}/",
    ],
)
def test_a_password_in_the_address_is_never_shown(typed: str) -> None:
    try:
        shown = repr(normalise_url(typed))
    except Invalid as wrong:
        shown = str(wrong)
    assert SECRET not in shown


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "https://", "ftp://mail.example.com", "somebody@example.com", "1.2.3", "mail..example.com",
     "https://mail.example.com:99999", "[2001:db8::1", "fe80::1%eth0", "a\nb", "x" * 3000, "https://-x-/"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_one_line(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        normalise_url(typed)
    assert wrong.value.field == "exchange.url"
    assert str(wrong.value)
    assert "\n" not in str(wrong.value)


_PIECES = st.sampled_from(
    ["http", "https", ":", "/", "//", "\\", "@", "?", "#", "[", "]", "::1", ".", "..", "owa", "EWS/Exchange.asmx",
     "mail.example.com", "%2e", "443", "80", "ü", "a", " "]
)  # fmt: skip


@settings(deadline=None)  # a busy machine is no finding
@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=12).map("".join)))
def test_whatever_is_typed_the_result_is_canonical_and_stays_so(typed: str) -> None:
    try:
        first = normalise_url(typed)
    except Invalid:
        return
    again = normalise_url(first.url)
    assert (again.url, again.changed) == (first.url, False)
    assert re.fullmatch(r"https://[a-z0-9._\-\[\]:]+(/[A-Za-z0-9._~-]+)*/EWS/Exchange\.asmx", first.url)
    assert endpoint_of(first.url).host


def test_where_a_url_is_served() -> None:
    url = "https://[2001:db8::1]:444/EWS/Exchange.asmx"
    assert endpoint_of(url) == Endpoint(Protocol.HTTPS, "2001:db8::1", 444, Security.TLS, url)
    assert endpoint_of(url).typed == ""
    assert endpoint_of(CANONICAL).port == 443
    assert host_header(url) == "[2001:db8::1]:444"


def test_what_was_typed_goes_with_the_endpoint() -> None:
    endpoint = endpoint_of("mail.example.com/owa?x=1")
    assert (endpoint.url, endpoint.typed) == ("https://mail.example.com/EWS/Exchange.asmx", "mail.example.com/owa")
    assert endpoint == endpoint_of(endpoint.url)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://MAIL.example.com:443/ews/exchange.asmx", True),
        ("https://mail.example.com/EWS/Exchange.asmx/", True),
        ("https://mail.example.com:444/EWS/Exchange.asmx", False),
        ("https://mail.example.com/mail/EWS/Exchange.asmx", False),
        ("https://other.example.com/EWS/Exchange.asmx", False),
    ],
)
def test_the_same_place_in_other_letters(other: str, same: bool) -> None:
    assert same_place(CANONICAL, other) is same
