"""Which ciphers and versions are offered: those of the app that will connect, whoever built our own Python."""

import ssl
from collections.abc import Iterator

import pytest

from checks.clients.profile import Ciphers, TlsVersion
from checks.context import CheckContext
from checks.model import EndpointResult
from checks.trust import Trust, insecure_context
from tests.checks.tls.test_conditions import LOOPBACK_ONLY, check
from tests.servers.pki.aia import AiaServer
from tests.servers.pki.oracle import oracle
from tests.servers.pki.setups import Setup, leaf, staged
from tests.servers.tls_quirks import Quirk

CPYTHON = 17
"""How many ciphers a Python from python.org offers, those of TLS 1.3 among them: seen with 3.11.7 and OpenSSL 3.0."""
PLACES = [("imap", "tls"), ("imap", "starttls"), ("smtp", "tls"), ("smtp", "starttls"), ("https", "tls")]


@pytest.fixture(scope="module")
def aia() -> Iterator[AiaServer]:
    with AiaServer() as server:
        yield server


def setup_of(quirk: Quirk, aia: AiaServer) -> Setup:
    return leaf(kind="rsa2048", quirk=quirk)(aia)


def met(
    setup: Setup,
    ciphers: Ciphers = "python",
    *,
    insecure: bool = False,
    place: tuple[str, str] = ("imap", "tls"),
    minimum: TlsVersion = "TLSv1.2",
) -> EndpointResult:
    trust = Trust("" if insecure else setup.chain.ca_pem, ciphers=ciphers, minimum=minimum)
    context = CheckContext(trust=trust, policy=LOOPBACK_ONLY, allow_insecure_certificate=insecure)
    with staged(setup, *place) as server:
        return check(setup, server, *place, context)


def test_the_list_is_the_same_on_every_python() -> None:
    for context in (Trust().strict, insecure_context("python")):
        names = [cipher["name"] for cipher in context.get_ciphers()]
        assert len(names) == CPYTHON
        assert not [name for name in names if not name.startswith(("TLS_", "ECDHE-", "DHE-"))]
    assert "AES256-SHA" in {cipher["name"] for cipher in Trust(ciphers="openssl").strict.get_ciphers()}


@pytest.mark.parametrize("insecure", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_old_ciphers_only(place: tuple[str, str], aia: AiaServer, *, insecure: bool) -> None:
    """Given a server of RSA key exchange only, Python's list is refused, and told from that who gets in."""
    result = met(setup_of(Quirk.OLD_CIPHERS, aia), "python", insecure=insecure, place=place)

    assert (result.code, result.option) == ("tls.old_ciphers", "would_not_help")
    assert result.facts["cipher"] == "AES256-SHA"
    assert result.fix is not None
    assert result.fix.kind == "upgrade_tls"


def test_old_ciphers_only_for_an_app_that_offers_them(aia: AiaServer) -> None:
    result = met(setup_of(Quirk.OLD_CIPHERS, aia), "openssl")

    assert (result.code, [warn.code for warn in result.warnings]) == ("ok", ["tls.old_ciphers"])
    assert result.tls is not None
    assert result.tls.cipher == "AES256-SHA"


@pytest.mark.parametrize("ciphers", ["python", "openssl"])
@pytest.mark.parametrize("quirk", [Quirk.OLD_AND_NEW_CIPHERS, Quirk.TLS12_ONLY, Quirk.TLS13_ONLY])
def test_no_word_of_ciphers_where_both_get_in(quirk: Quirk, ciphers: Ciphers, aia: AiaServer) -> None:
    result = met(setup_of(quirk, aia), ciphers)
    assert (result.code, result.warnings) == ("ok", ())


def test_a_cipher_that_nobody_offers_stays_what_it_is(aia: AiaServer) -> None:
    assert met(setup_of(Quirk.NO_SHARED_CIPHER, aia), "openssl").code == "tls.no_shared_cipher"


def test_the_verdict_is_that_of_pythons_own_client(aia: AiaServer) -> None:
    """Given this very Python as it was built, then the setting that names its list gives its own answer."""
    own = len(ssl.create_default_context().get_ciphers())
    ciphers: Ciphers = "python" if own == CPYTHON else "openssl"
    setup = setup_of(Quirk.OLD_CIPHERS, aia)
    with staged(setup, "imap", "tls") as server:
        answer = oracle("imap", "tls", setup.chain.host, server.port, setup.chain.ca_pem)
    assert answer.accepted is (met(setup, ciphers).code == "ok")


@pytest.mark.parametrize("insecure", [False, True])
@pytest.mark.parametrize(("quirk", "code"), [(Quirk.TLS12_ONLY, "tls.version"), (Quirk.TLS13_ONLY, "ok")])
def test_the_oldest_version_that_the_app_takes(quirk: Quirk, code: str, aia: AiaServer, *, insecure: bool) -> None:
    """Given an app that wants TLS 1.3, then a server without it is refused, and the report says so."""
    result = met(setup_of(quirk, aia), insecure=insecure, minimum="TLSv1.3")

    assert result.code == code
    if code != "ok":
        assert (result.facts["versions"], result.facts["minimum"]) == ("TLSv1.2", "TLS 1.3")
        assert result.option == "would_not_help"
