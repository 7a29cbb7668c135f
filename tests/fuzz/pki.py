"""Targets of certificates: one, a chain, what AIA brings, OCSP and CRL."""

import functools
import ssl
from dataclasses import replace

from cryptography import x509

from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline
from checks.network.way_out import WayOut
from checks.tls import accepted_chain, revocation
from checks.tls.aia import fetch_issuer
from checks.tls.handshake import _read as read  # what a handshake hands over
from checks.x509 import certificates, issuer_rules, keys, refusal_causes
from checks.x509.issuer_rules import strict_suspect
from checks.x509.paths import build
from checks.x509.trust_store import store_of
from tests.fuzz.invariants import SECONDS
from tests.fuzz.target import Target
from tests.servers.pki.aia import AiaServer, _crl, _Handler, _ocsp  # what the lab serves
from tests.servers.pki.chain import good_chain
from tests.servers.pki.recipe import Issued, issue

HOST = "mail.lab.example"
_ALL = AddressPolicy(allow_all=True)
_BETWEEN = b"\xde\xad\xbe\xef-----"
_WORDS = (
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x02\x01\x00",
    b"\x03\x02\x00\x80",
    b"\x05\x00",
    b"\x06\x03\x55\x04\x03",
    b"\x06\x03\x55\x1d\x1e",
    b"\x06\x03\x55\x1d\x11",
    b"\x0c\x03abc",
    b"\x1e\x02\0a",
    b"\x82\x03a.b",
    b"\x87\x04\0\0\0\0",
    b"\x01\x01\xff",
    b"\x17\x0d991231235959Z",
    b"\x18\x0f99991231235959Z",
    b"\xa0\x03\x02\x01\x02",
)


@functools.cache
def _chain() -> tuple[Issued, ...]:
    return good_chain(HOST, depth=2).path


class _Served(AiaServer):
    """Answers every request with `body`."""

    body = b""

    def answer(self, handler: _Handler) -> None:
        handler.reply(self.body, "application/octet-stream")


@functools.cache
def _served() -> _Served:
    server = _Served()
    server.start()
    return server


@functools.cache
def _asking(kind: str) -> Issued:
    """A leaf that sends whoever wants to know more to our server."""
    path = _chain()
    here, recipe = (_served().url("/x"),), path[0].recipe
    asking = {
        "aia": replace(recipe, aia=here),
        "ocsp": replace(recipe, ocsp=here),
        "crl": replace(recipe, crl=here),
    }
    return issue(asking[kind], path[1])


def _one(data: bytes) -> bool:
    keys.key_sha256(data)
    found = certificates.load(data)
    if found is not None:
        _look_at(found)
    return False


def _look_at(found: x509.Certificate) -> None:
    certificates.describe(found)
    certificates.covers(found, HOST)
    certificates.self_signed(found)
    accepted_chain.warnings((found,), (found, found), HOST, refusal_causes.utc_now())
    strict_suspect(found, anchor=False)
    issuer_rules.issuer_urls(found), issuer_rules.ocsp_urls(found), issuer_rules.crl_urls(found)
    _judge((found,))


def _judge(sent: tuple[x509.Certificate, ...]) -> None:
    now = refusal_causes.utc_now()
    path = build(sent[0], sent, store_of(""), now)
    for code in (1, 10, 20, 62):
        refusal_causes.causes(refusal_causes.Evidence(sent, path, HOST, now), code)


def _several(data: bytes) -> bool:
    ders = tuple(data.split(_BETWEEN))[:32]
    met = read(ders, ders)
    if met.chain:
        _judge(met.chain)
    return False


def _aia(data: bytes) -> bool:
    _served().body = data
    fetch_issuer(_asking("aia").certificate, WayOut(_ALL), Deadline(SECONDS))
    return False


def _revoked(kind: str, data: bytes) -> bool:
    _served().body = data
    leaf, issuer = _asking(kind).certificate, _chain()[1].certificate
    revocation.revoked_on(leaf, issuer, WayOut(_ALL), Deadline(SECONDS), refusal_causes.utc_now())
    return False


def targets() -> tuple[Target, ...]:
    """Made when they are wanted: keys take a moment."""
    leaf, middle, *_ = path = _chain()
    ders = [item.der for item in path]
    pem = ssl.DER_cert_to_PEM_cert(middle.der).encode()
    answers = [_ocsp(_asking("ocsp"), middle, revoked) for revoked in (False, True)]
    lists = [_crl(middle, ()), _crl(middle, (_asking("crl").certificate.serial_number,))]
    return (
        Target("certificate", ders, _WORDS, _one),
        Target("chain", [_BETWEEN.join(ders), _BETWEEN.join(reversed(ders))], (*_WORDS, _BETWEEN, leaf.der), _several),
        Target("aia", [middle.der, pem, pem * 3], (*_WORDS, b"-----BEGIN CERTIFICATE-----"), _aia),
        Target("ocsp", answers, _WORDS, lambda data: _revoked("ocsp", data)),
        Target("crl", lists, _WORDS, lambda data: _revoked("crl", data)),
    )
