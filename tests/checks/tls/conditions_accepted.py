"""Chains that a strict client accepts, and what there is to say of them all the same."""

from dataclasses import replace

from tests.checks.tls.condition import ONE_PLACE, Condition, fine, strict_only
from tests.servers.pki.defects import Defect
from tests.servers.pki.setups import (
    IDN_HOST,
    SECOND_ADDRESS,
    answered_by_ocsp,
    behind_two_addresses,
    cross_signed,
    given,
    issuing,
    leaf,
    many_names,
    revoked_by_crl,
    trusting_private_root,
    trusting_self_signed,
)
from tests.servers.tls_quirks import Quirk

_GOOD = "root -> intermediate -> leaf"
_SOON = "tls.expires_soon"

ACCEPTED: tuple[Condition, ...] = (
    fine("good", _GOOD, given()),
    fine("no intermediate", "root -> leaf", given(depth=0)),
    fine("three intermediates", "root -> one -> two -> three -> leaf", given(depth=3)),
    fine("TLS 1.2 only", _GOOD, given(quirk=Quirk.TLS12_ONLY)),
    fine("TLS 1.3 only", _GOOD, given(quirk=Quirk.TLS13_ONLY)),
    fine("RSA key", "root -> intermediate -> leaf (RSA 2048)", leaf(kind="rsa2048")),
    fine("wildcard", "root -> intermediate -> *.lab.example", given(Defect.LEAF_WILDCARD)),
    fine("upper-case name", "root -> intermediate -> MAIL.LAB.EXAMPLE", leaf(names=("MAIL.LAB.EXAMPLE",))),
    fine("IDN", f"root -> intermediate -> {IDN_HOST}", given(host=IDN_HOST)),
    fine("IPv4 address", "root -> intermediate -> 127.0.0.1", given(host="127.0.0.1")),
    fine(
        "IPv6 address",
        "root -> intermediate -> ::1",
        lambda aia: replace(given(host="::1")(aia), address="::1"),
    ),
    fine("fifty names", "root -> intermediate -> leaf (50 names)", many_names(50)),
    fine("three thousand names", "root -> intermediate -> leaf (3,000 names)", many_names(3000)),
    fine("no purposes at all", "root -> intermediate -> leaf (no EKU, no usage)", leaf(purposes=None, usage=None)),
    fine("name permitted", "root -> intermediate (only lab.example) -> leaf", issuing(permitted=("lab.example",))),
    fine("negative serial number", "root -> intermediate -> leaf (serial -5)", leaf(serial=-5)),
    fine("private root in the CA file", "private root (trusted) -> intermediate -> leaf", trusting_private_root()),
    fine("self-signed leaf in the CA file", "leaf (self-signed, trusted)", trusting_self_signed),
    fine(
        "cross-signed root",
        "root -> cross-signed root -> intermediate -> leaf",
        cross_signed(new_root_trusted=False, expired=False),
    ),
    fine(
        "expired cross-signature of a trusted root",
        "new root -> intermediate -> leaf; sent too: root -> new root (expired)",
        cross_signed(new_root_trusted=True, expired=True),
        "tls.unneeded_certificates",
    ),
    fine("leaf expires soon", "root -> intermediate -> leaf (tomorrow)", given(Defect.LEAF_EXPIRES_SOON), _SOON),
    fine("intermediate expires soon", "root -> intermediate (9 days) -> leaf", given(Defect.CA_EXPIRES_SOON), _SOON),
    fine(
        "IP address, six days",
        "root -> intermediate -> 127.0.0.1 (3 of 6 days)",
        leaf(host="127.0.0.1", names=("127.0.0.1",), days=(-3, 3)),
    ),
    fine(
        "IP address, ends soon",
        "root -> intermediate -> 127.0.0.1 (1 of 6 days)",
        leaf(host="127.0.0.1", names=("127.0.0.1",), days=(-5, 1)),
        _SOON,
    ),
    fine("short lifetime, half of it left", "root -> intermediate -> leaf (3 of 6 days)", leaf(days=(-3, 3))),
    fine("long lifetime, a tenth left", "root -> intermediate -> leaf (39 of 390 days)", leaf(days=(-351, 39)), _SOON),
    fine(
        "unneeded certificate",
        "root -> intermediate -> leaf; sent too: another intermediate",
        given(Defect.SENT_UNNEEDED),
        "tls.unneeded_certificates",
    ),
    fine(
        "leaf sent twice", "root -> intermediate -> leaf, leaf", given(Defect.SENT_TWICE), "tls.unneeded_certificates"
    ),
    fine(
        "wrong order",
        "root -> one -> two -> leaf; sent: leaf, one, two",
        given(Defect.SENT_UNORDERED, depth=2),
        "tls.unordered_chain",
    ),
    fine("root sent", "root (sent) -> intermediate -> leaf", given(Defect.SENT_ROOT), "tls.root_sent"),
    fine(
        "name in the subject only",
        "root -> intermediate -> leaf (CN only)",
        given(Defect.LEAF_CN_ONLY),
        "tls.cn_only",
    ),
    fine("old versions too", _GOOD + ", over TLS 1.0 to 1.3", given(quirk=Quirk.OLD_TLS_TOO), "tls.old_version"),
    fine(
        "another key behind the second address",
        f"root -> intermediate -> leaf; another leaf on {SECOND_ADDRESS}",
        behind_two_addresses(frozenset(), frozenset()),
        "tls.addresses_differ",
    ),
    fine(
        "expired behind the second address",
        f"root -> intermediate -> leaf; an expired leaf on {SECOND_ADDRESS}",
        behind_two_addresses(frozenset(), frozenset({Defect.LEAF_EXPIRED})),
        "tls.addresses_differ",
    ),
    fine(
        "revoked by CRL",
        "root -> intermediate (CRL) -> leaf (revoked)",
        revoked_by_crl,
        "tls.revoked",
        endpoints=ONE_PLACE,
        revocation=True,
    ),
    fine(
        "revoked by OCSP",
        "root -> intermediate (OCSP) -> leaf (revoked)",
        answered_by_ocsp(revoked=True),
        "tls.revoked",
        endpoints=ONE_PLACE,
        revocation=True,
    ),
    fine(
        "not revoked by OCSP",
        "root -> intermediate (OCSP) -> leaf",
        answered_by_ocsp(revoked=False),
        endpoints=ONE_PLACE,
        revocation=True,
    ),
    fine("revoked, nobody asked", "root -> intermediate (CRL) -> leaf (revoked)", revoked_by_crl, endpoints=ONE_PLACE),
    strict_only(
        "leaf without identifiers",
        "root -> intermediate -> leaf (no authority key identifier)",
        given(Defect.LEAF_NO_IDENTIFIERS),
        85,
    ),
    strict_only(
        "intermediate without key usage", "root -> intermediate (no usage) -> leaf", given(Defect.CA_NO_USAGE), 92
    ),
    strict_only("root without key usage", "root (no usage) -> intermediate -> leaf", given(Defect.ROOT_NO_USAGE), 92),
    strict_only(
        "root without identifiers",
        "root (no identifiers) -> intermediate -> leaf",
        given(Defect.ROOT_NO_IDENTIFIERS),
        86,
    ),
    strict_only(
        "private root without key usage in the CA file",
        "root (no usage, trusted) -> intermediate -> leaf (no identifiers)",
        given(Defect.ROOT_NO_USAGE, Defect.LEAF_NO_IDENTIFIERS),
        85,
    ),
)
