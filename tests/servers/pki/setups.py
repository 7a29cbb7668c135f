"""A server as it is set up for one condition: chain, quirk, names and addresses."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cryptography import x509

from tests.servers.pki import der
from tests.servers.pki.aia import AiaServer, Form
from tests.servers.pki.chain import (
    CA_DAYS,
    HOST,
    OTHER_HOST,
    PRIVATE_ROOT,
    ROOT,
    ROOT_DAYS,
    AiaUrls,
    Chain,
    Plan,
    issued_root,
    no_aia,
    plan,
)
from tests.servers.pki.defects import Defect, forge, planned, stranger
from tests.servers.pki.oracle import lab_names
from tests.servers.pki.recipe import Issued, authority, issue
from tests.servers.process import LOOPBACK
from tests.servers.tls_quirks import Quirk
from tests.servers.tls_server import TlsServer

SECOND_ADDRESS = "127.0.0.2"
IDN_HOST = "xn--bcher-kva.example"
_SAN_OID = x509.SubjectAlternativeName.oid.dotted_string
_CONSTRAINTS_OID = x509.BasicConstraints.oid.dotted_string
_SERIAL = 0x4242
_HOSTS = (HOST, OTHER_HOST, IDN_HOST, "lab.example", "deep.mail.lab.example")


@dataclass(frozen=True, slots=True)
class Setup:
    """One server. `elsewhere`: other chains on further addresses of the same name."""

    chain: Chain
    quirk: Quirk = Quirk.NONE
    elsewhere: Mapping[str, Chain] = field(default_factory=dict)
    address: str = LOOPBACK


Build = Callable[[AiaServer], Setup]
Aia = Callable[[AiaServer], AiaUrls]


@contextlib.contextmanager
def staged(setup: Setup, protocol: str, security: str) -> Iterator[TlsServer]:
    """The server, running, and the lab's names resolving to its addresses. The host to ask for: `setup.chain.host`."""
    addresses = (setup.address, *setup.elsewhere)
    server = TlsServer(setup.chain, protocol, security, setup.quirk, addresses)
    for address, chain in setup.elsewhere.items():
        server.swap(chain, address)
    with server, lab_names(dict.fromkeys(_HOSTS, addresses)):
        yield server


def repaired(setup: Setup, security: str, fix: str, host: str = "") -> tuple[Setup, str]:
    """Server and security after a fix of that kind; `host` is the name that `use_host` advises."""
    if fix == "use_starttls":
        return setup, "starttls"
    if fix == "use_implicit_tls":
        return setup, "tls"
    if fix == "upgrade_tls":
        return replace(setup, quirk=Quirk.NONE), security
    return replace(setup, chain=setup.chain.repaired(fix, host)), security


def given(
    *defects: Defect, quirk: Quirk = Quirk.NONE, depth: int = 1, host: str = HOST, aia: Aia | None = None
) -> Build:
    """A chain with these defects, whose certificates point at their issuers where `aia` says so."""
    return lambda server: Setup(forge(defects, host, depth, aia(server) if aia else no_aia), quirk)


def changed(change: Callable[[Plan], object], *defects: Defect, depth: int = 1, quirk: Quirk = Quirk.NONE) -> Build:
    """As `given`, with a change that has no name."""

    def build(_: AiaServer) -> Setup:
        draft = planned(defects, depth=depth)
        change(draft)
        return Setup(draft.build(), quirk)

    return build


def leaf(*defects: Defect, host: str = HOST, quirk: Quirk = Quirk.NONE, **fields: object) -> Build:
    """A chain whose leaf differs in these fields of its recipe."""

    def change(draft: Plan) -> None:
        draft.host = host
        draft.leaf = replace(draft.leaf, **fields)  # type: ignore[arg-type]  # the conditions name fields of Recipe

    return changed(change, *defects, quirk=quirk)


def issuing(**fields: object) -> Build:
    """A chain whose issuing intermediate differs in these fields of its recipe."""

    def change(draft: Plan) -> None:
        draft.issuing = replace(draft.issuing, **fields)  # type: ignore[arg-type]  # as above

    return changed(change)


def md5_leaf(_: AiaServer) -> Setup:
    """MD5 goes with RSA only."""
    draft = plan()
    draft.issuing = replace(draft.issuing, kind="rsa2048")
    draft.leaf = replace(draft.leaf, digest="md5")
    return Setup(draft.build())


# -- where certificates say their issuers are


def honest(form: Form = "der") -> Aia:
    """Each issuer is there."""
    return lambda server: lambda issuer: server.publish(issuer, form)


def pointing_at(path: str) -> Aia:
    """At a hostile path of the web server, or at any URL."""
    return lambda server: lambda _: (server.url(path) if path.startswith("/") else path,)


def redirected(url: str = "") -> Aia:
    """To the issuer by way of a redirect, or to any URL."""
    return lambda server: lambda issuer: (server.redirecting(url or server.publish(issuer)[0]),)


def unrelated(server: AiaServer) -> AiaUrls:
    """At a certificate that issued nothing."""
    return lambda _: server.publish(stranger())


def renewed(server: AiaServer) -> AiaUrls:
    """At the issuer as it is today: the same name and key, a later end."""
    return lambda issuer: server.publish(issue(replace(issuer.recipe, days=CA_DAYS), issued_root(ROOT)))


# -- chains that no list of defects describes


def trusting_private_root(*defects: Defect) -> Build:
    """A private CA that the admin has named as trusted for this domain."""
    return changed(lambda draft: setattr(draft, "trusted", (issued_root(PRIVATE_ROOT),)), Defect.ROOT_PRIVATE, *defects)


def trusting_self_signed(_: AiaServer) -> Setup:
    chain = forge({Defect.LEAF_SELF_SIGNED})
    return Setup(replace(chain, trusted=(chain.leaf,)))


def cross_signed(*, new_root_trusted: bool, expired: bool) -> Build:
    """A new root, also signed by an old one. That certificate is `cross`; only the lab's root is trusted as a rule."""

    def change(draft: Plan) -> None:
        cross = authority("Lab New Root", (-2000.0, -5.0) if expired else CA_DAYS)
        draft.intermediates = [cross, authority("Lab Intermediate")]
        if new_root_trusted:
            draft.trusted = (issue(replace(cross, days=ROOT_DAYS)),)

    return changed(change)


def two_missing(server: AiaServer) -> Setup:
    """The second intermediate is found only by way of the first."""
    chain = forge((), depth=2, aia=server.publish)
    return Setup(replace(chain, sent=(chain.leaf,)))


def upper_missing(server: AiaServer) -> Setup:
    chain = forge((), depth=2, aia=server.publish)
    return Setup(replace(chain, sent=chain.path[:2]))


def circular(server: AiaServer) -> Setup:
    """Two authorities that certified each other: their URLs lead round and round, and to no root."""
    first, second = authority("Lab Circle A"), authority("Lab Circle B")
    urls = server.url("/circle-a"), server.url("/circle-b")
    b = issue(replace(second, aia=(urls[0],)), issue(first))
    a = issue(replace(first, aia=(urls[1],)), b)
    server.publish(a, at="/circle-a")
    server.publish(b, at="/circle-b")
    end = issue(replace(plan().leaf, aia=(urls[0],)), a)
    return Setup(Chain(plan(), (end, a, b), (end,)))


def revoked_by_crl(server: AiaServer) -> Setup:
    url = server.publish_crl(_issuer(), _SERIAL)
    return leaf(serial=_SERIAL, crl=(url,))(server)


def answered_by_ocsp(*, revoked: bool) -> Build:
    def build(server: AiaServer) -> Setup:
        twin = leaf(serial=_SERIAL)(server).chain
        return leaf(serial=_SERIAL, ocsp=(server.ocsp_responder(twin.leaf, _issuer(), revoked=revoked),))(server)

    return build


def _issuer() -> Issued:
    return forge().path[1]


def behind_two_addresses(first: frozenset[Defect], second: frozenset[Defect]) -> Build:
    """One name, two addresses, and a chain with a key of its own on each."""

    def build(_: AiaServer) -> Setup:
        draft = planned(second)
        draft.leaf = replace(draft.leaf, key="leaf elsewhere")
        return Setup(forge(first), elsewhere={SECOND_ADDRESS: draft.build()})

    return build


def incomplete_on_one_address(_: AiaServer) -> Setup:
    """The same certificate on two addresses; the first lacks the intermediate that the second sends."""
    chain = forge()
    return Setup(replace(chain, sent=(chain.leaf,)), elsewhere={SECOND_ADDRESS: chain})


# -- certificates that are hard to read


def many_names(count: int, **constraints: tuple[str, ...]) -> Build:
    """A leaf for `count` names, the one asked for last, below an intermediate with these name constraints."""

    def change(draft: Plan) -> None:
        draft.leaf = replace(draft.leaf, names=(*(f"h{number}.lab.example" for number in range(count - 1)), HOST))
        draft.issuing = replace(draft.issuing, **constraints)  # type: ignore[arg-type]  # `permitted` or `excluded`

    return changed(change)


def wide_names(count: int) -> tuple[str, ...]:
    """Name constraints that concern nobody here."""
    return tuple(f"d{number}.example" for number in range(count))


def padded(size: int) -> der.Extension:
    """An extension of `size` bytes that means nothing."""
    return der.Extension("1.3.6.1.4.1.55555.2", der.tlv(0x04, bytes(size)))


def raw_name(text: str) -> der.Extension:
    """A subjectAltName whose DNS name is the text in UTF-8, which RFC 5280, 4.2.1.6 forbids."""
    return der.Extension(_SAN_OID, der.tlv(0x30, der.tlv(0x82, text.encode())))


def second_constraints() -> der.Extension:
    """basicConstraints that say CA:FALSE, to stand beside others."""
    return der.Extension(_CONSTRAINTS_OID, der.tlv(0x30))


def truncated_constraints() -> der.Extension:
    """basicConstraints whose length is a lie."""
    return der.Extension(_CONSTRAINTS_OID, b"\x30\x05\x01")
