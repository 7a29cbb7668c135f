"""Which URLs a webhook endpoint may have."""

import ipaddress

import pytest

from checks.model import Invalid
from checks.network.address_policy import AddressPolicy
from worker.webhooks.target import accept, parse

PUBLIC = AddressPolicy()
INNER = AddressPolicy(networks=(ipaddress.ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("url", "authority", "path", "shown"),
    [
        ("https://App.Example.com", "app.example.com", "/", "https://app.example.com/"),
        ("https://a.example:8443/h?key=s3", "a.example:8443", "/h?key=s3", "https://a.example:8443/h?..."),
        ("http://[2001:db8::1]:80/x", "[2001:db8::1]", "/x", "http://[2001:db8::1]/x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/", "https://xn--bcher-kva.example/"),
    ],
)
def test_what_a_url_says(url: str, authority: str, path: str, shown: str) -> None:
    found = parse(url)
    assert (found.authority, found.path, found.shown) == (authority, path, shown)


@pytest.mark.parametrize(
    "url",
    [
        *("", "app.example.com", "ftp://a.example/", "https://", "https:///x", "https://a.example:0/", "//a.example"),
        *(
            "https://a.example:99999/",
            "https://a.example:x/",
            "https://[::1",
            "https://a_b..example/",
            "https://1.2.3/",
        ),
        *("https://user@a.example/", "https://user:pw@a.example/", "https://:@a.example/", "https://a.example/#x"),
        *("https://a.example/\r\nX: y", "https://a.example/a b", "https://a.example/ä", "https://a.example/\x7f"),
        *("https://a.example/h?...", "https://a.example/" + "x" * 2000),
    ],
)
def test_what_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        accept(url, PUBLIC, embedded=True)
    assert refused.value.field == "url"
    assert "pw" not in str(refused.value)


def test_without_encryption_only_where_the_operator_says_so() -> None:
    url = "http://hooks.example.com/"
    with pytest.raises(Invalid, match="begins with https"):
        accept(url, PUBLIC, embedded=False)
    assert accept(url, INNER, embedded=False).encrypted is False
    assert accept(url, AddressPolicy(allow_all=True), embedded=True).encrypted is False


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"])
def test_a_private_address_is_refused_at_once(host: str) -> None:
    with pytest.raises(Invalid, match="not public"):
        accept(f"https://{host}/", PUBLIC, embedded=False)


def test_an_address_that_the_operator_allows() -> None:
    assert accept("https://10.0.0.1/", INNER, embedded=False).host == "10.0.0.1"
