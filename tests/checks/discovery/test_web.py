"""Pages of strangers who mean ill: nothing hangs, nothing is too large, no redirect leads anywhere else."""

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from checks.discovery.model import Outcome
from checks.discovery.web import Outside, Unpublished, document, get, post
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline
from tests.servers.behaviours import drips, floods, says
from tests.servers.certificates import CertificateLab
from tests.servers.conversation import Behaviour
from tests.servers.hostile import HostileServer
from tests.servers.internet import Internet

URL, PLAIN = "https://web.example/x", "http://web.example/x"
BOMB = gzip.compress(bytes(10_000_000))


@pytest.fixture(scope="module")
def internet(certificates: CertificateLab) -> Iterator[Internet]:
    made = Internet(
        certificates, ("web.example", "other.example"), hosts={"web.example", "other.example", "bad.example"}
    )
    with made.running():
        yield made


def outcome(ask: Callable[[], object]) -> tuple[Outcome, str]:
    with pytest.raises(Unpublished) as caught:
        ask()
    return caught.value.outcome, caught.value.seen


def asked(url: str, internet: Internet, *, plain: bool = False, seconds: float = 2.0) -> tuple[Outcome, str]:
    return outcome(lambda: document(get(url, internet.outside(), Deadline(seconds), plain=plain)))


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("https://web.example/x", "redirected too often"),
        ("http://other.example/", "redirected to plain HTTP"),
        ("ftp://other.example/", "neither HTTPS nor HTTP at its own port"),
        ("file:///etc/passwd", "no valid URL"),
        ("https://other.example:22/", "neither HTTPS nor HTTP at its own port"),
        ("https://user@other.example/", "no valid URL"),
        ("https://[::1/", "redirected to no valid URL"),
        ("https://other.example/" + "a" * 2000, "no valid URL"),
    ],
)
def test_where_a_redirect_may_not_lead(internet: Internet, location: str, seen: str) -> None:
    internet.pages = {URL: (302, {"Location": location}, b"")}
    assert asked(URL, internet) == (Outcome.UNUSABLE, seen)


def test_every_hop_is_under_the_policy(internet: Internet) -> None:
    internet.pages = {URL: (302, {"Location": "https://169.254.169.254/latest/"}, b"")}

    def at_home(host: str, *rest: object) -> tuple[tuple[str, ...], int]:
        """Only the first host may be at home."""
        admits = AddressPolicy(allow_all=host == "web.example")
        return internet.places(host, rest[0], replace(rest[1], policy=admits), rest[2])  # type: ignore[arg-type, type-var] # as they are given

    outside = replace(internet.outside(), places=at_home)
    assert outcome(lambda: get(URL, outside, Deadline(2))) == (Outcome.NOT_ALLOWED, "")


def test_a_certificate_that_is_not_accepted(internet: Internet) -> None:
    internet.pages = {"https://bad.example/": (200, {}, b"x")}
    assert asked("https://bad.example/", internet)[0] is Outcome.BAD_CERTIFICATE


@pytest.mark.parametrize(
    ("body", "headers", "outcome_"),
    [
        (bytes(70_000), {}, Outcome.UNUSABLE),
        (BOMB, {"Content-Encoding": "gzip"}, Outcome.UNUSABLE),
        (bytes(2_000_000), {}, Outcome.UNUSABLE),
    ],
    ids=["large", "gzip", "larger"],
)
def test_what_is_too_large(internet: Internet, body: bytes, headers: dict[str, str], outcome_: Outcome) -> None:
    internet.pages = {URL: (200, headers, body)}
    assert asked(URL, internet)[0] is outcome_


@pytest.mark.parametrize(
    "behaviour",
    [
        "silent",
        drips(b"HTTP/1.1 200 OK\r\nX: ", 0.05),
        floods(b"X: y\r\n" * 100),
        floods(b"HTTP/1.1 100 Continue\r\n\r\n"),
        says(b"220 mail.example ESMTP\r\n"),
        says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    ],
    ids=["silent", "drips", "floods", "interim", "another protocol", "negative length"],
)
def test_nothing_hangs(internet: Internet, behaviour: str | Behaviour) -> None:
    with HostileServer(behaviour) as server:
        outside = replace(internet.outside(), places=lambda *_: (("127.0.0.1",), server.port))
        begun = time.monotonic()
        outcome(lambda: document(get(PLAIN, outside, Deadline(0.6), plain=True)))
        outcome(lambda: post(URL, b"x", outside, Deadline(0.6)))
    assert time.monotonic() - begun < 3


def test_the_way_there_decides_whether_it_is_secure(internet: Internet) -> None:
    internet.pages = {PLAIN: (301, {"Location": URL}, b""), URL: (200, {}, b"x")}
    outside: Outside = internet.outside()
    assert get(URL, outside, Deadline(2)).secure
    page = get(PLAIN, outside, Deadline(2), plain=True)
    assert (page.secure, page.host, page.reply.body) == (False, "web.example", b"x")
