"""Settings: what is typed is either exact or refused in one line."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Endpoint, Invalid, Protocol, Security
from checks.settings import ExchangeSettings, ImapSettings, normalise_domain, normalise_host, parse_endpoint, parse_port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example.COM", "example.com"),
        (" example.com. ", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("日本語.example", "xn--wgv71a119e.example"),
        ("日本語。example", "xn--wgv71a119e.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a-b.c_d.example", "a-b.c_d.example"),
    ],
)
def test_domains_have_one_form(text: str, expected: str) -> None:
    assert normalise_domain(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "example", "example..com", "example.com..", ".example.com", "-a.example", "a-.example"),
        *(
            "a b.example",
            "a@b.example",
            "a/b.example",
            "https://a.example",
            "a.example:25",
            "a\n.example",
            "\0.example",
        ),
        *("1.2.3.4", "1.2.3", "127.1", "0x7f.0x1", "::1", "[::1]", "x" * 64 + ".example", "x." * 127 + "example"),
        *("☃" * 300 + ".example", "a\u0301\u200d.example", "\u2066a.example", "x" * 100_000),
    ],
)
def test_what_is_no_domain_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        normalise_domain(text)
    assert refusal.value.field == "domain"
    assert len(str(refusal.value)) < 400
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mail.Example.com.", "mail.example.com"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("mail.bücher.example", "mail.xn--bcher-kva.example"),
    ],
)
def test_hosts_have_one_form(text: str, expected: str) -> None:
    assert ipaddress_or_name(normalise_host(text)) == ipaddress_or_name(expected)


def ipaddress_or_name(text: str) -> object:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return text


@pytest.mark.parametrize(
    "text",
    ["", "[mail.example.com]", "192.0.2.256", "192.0.2.01", "192.0.2", "0x7f000001", "2130706433", "[::1",
     "fe80::1%eth0", "fe80::1%\r\nQUIT", "mail example", "mail..example.com",
     "user@mail.example.com", "mail.example.com/"],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        normalise_host(text)
    assert refusal.value.field == "host"
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("993", 993), ("0993", 993), (65535, 65535)])
def test_ports(text: str | int, expected: int) -> None:
    assert parse_port(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "0", "65536", "-1", "+993", "9 3", "99.3", "1e3", "０９９３", "²", "000001999999", "9" * 5000, -5, True],
)
def test_what_is_no_port_is_refused(text: str | int) -> None:
    with pytest.raises(Invalid, match="1 to 65535") as refusal:
        parse_port(text, "imap.port")
    assert refusal.value.field == "imap.port"
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    "text",
    ["", ":", "mail.example.com", "mail.example.com:", ":993", "::1:993", "[::1]", "[::1]993", "mail.example.com:imap",
     "imap://mail.example.com:993", "mail.example.com:993:993", "mail.example.com: 993", "a b:993"],
)  # fmt: skip
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_endpoint(text, Protocol.IMAP)


names = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,20}[a-z0-9])?){0,3}", fullmatch=True)
hosts = st.one_of(names.filter(lambda name: "xn--" not in name), st.ip_addresses().map(str))


@given(hosts, st.integers(1, 65535), st.sampled_from([Protocol.IMAP, Protocol.SMTP]), st.sampled_from(Security))
def test_an_endpoint_survives_being_written_and_read(
    host: str, port: int, protocol: Protocol, security: Security
) -> None:
    endpoint = Endpoint(protocol, normalise_host(host), port, security)
    assert parse_endpoint(str(endpoint).partition("://")[2], protocol, security) == endpoint


@given(st.text())
def test_any_text_is_a_clean_endpoint_or_refused(text: str) -> None:
    try:
        endpoint = parse_endpoint(text, Protocol.SMTP)
    except Invalid as refusal:
        assert str(refusal).isprintable()
    else:
        assert endpoint.host.isascii()
        assert endpoint.host.isprintable()
        assert normalise_host(endpoint.host) == endpoint.host
        assert 1 <= endpoint.port <= 65535


def test_settings_name_their_kind_and_endpoints() -> None:
    imap, smtp = (parse_endpoint(f"mail.example.com:{port}", kind) for port, kind in ((993, Protocol.IMAP), (465, Protocol.SMTP)))  # fmt: skip # noqa: E501 - one line a pair
    assert ImapSettings(imap, smtp).kind == "imap"
    assert ImapSettings(imap, smtp).endpoints == (imap, smtp)
    exchange = ExchangeSettings("https://mail.example.com/EWS/Exchange.asmx")
    assert exchange.kind == "exchange"
    url = "https://mail.example.com/EWS/Exchange.asmx"
    assert exchange.endpoints == (Endpoint(Protocol.HTTPS, "mail.example.com", 443, Security.TLS, url),)
