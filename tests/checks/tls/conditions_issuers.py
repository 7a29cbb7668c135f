"""Chains that are refused for what is above the leaf: issuers that are missing, wrong, or not fit."""

from tests.checks.tls.condition import ONE_PLACE, Condition
from tests.servers.pki.defects import Defect
from tests.servers.pki.setups import (
    SECOND_ADDRESS,
    Aia,
    behind_two_addresses,
    circular,
    given,
    honest,
    incomplete_on_one_address,
    issuing,
    many_names,
    md5_leaf,
    pointing_at,
    redirected,
    renewed,
    second_constraints,
    truncated_constraints,
    trusting_private_root,
    two_missing,
    unrelated,
    upper_missing,
    wide_names,
)

_REPLACE, _INSTALL = "replace_certificate", "install_intermediate"
_MISSING = "root -> [intermediate] -> leaf"


def _found(name: str, aia: Aia) -> Condition:
    """The intermediate is not sent, but its certificate says where it is."""
    return Condition(
        name,
        f"{_MISSING} (AIA)",
        given(Defect.SENT_WITHOUT_INTERMEDIATE, aia=aia),
        "tls.incomplete_chain",
        fix=_INSTALL,
        fix_names=("Lab Intermediate",),
        verify_code=20,
    )


def _unclear(name: str, aia: Aia | None, why: str) -> Condition:
    """The issuer is not sent and not to be had, so it may be a private CA's as well."""
    return Condition(
        name,
        f"{_MISSING} ({why})",
        given(Defect.SENT_WITHOUT_INTERMEDIATE, aia=aia),
        "tls.chain_unclear",
        endpoints=ONE_PLACE,
        verify_code=20,
    )


def _unfit(name: str, drawing: str, defect: Defect, code: str, verify_code: int) -> Condition:
    """An issuer that may not have issued this: only another certificate helps."""
    return Condition(name, drawing, given(defect), code, fix=_REPLACE, verify_code=verify_code)


ISSUERS: tuple[Condition, ...] = (
    # -- a private CA, told apart from a missing intermediate
    Condition(
        "private root sent",
        "private root (sent) -> intermediate -> leaf",
        given(Defect.ROOT_PRIVATE, Defect.SENT_ROOT),
        "tls.untrusted_root",
        fix="trust_ca",
        verify_code=19,
    ),
    Condition(
        "private root found by AIA",
        "[private root] (AIA) -> intermediate -> leaf",
        given(Defect.ROOT_PRIVATE, aia=honest()),
        "tls.untrusted_root",
        fix="trust_ca",
        verify_code=20,
    ),
    Condition(
        "private root found by AIA from the leaf upwards",
        "[private root -> intermediate] (AIA) -> leaf",
        given(Defect.ROOT_PRIVATE, Defect.SENT_WITHOUT_INTERMEDIATE, aia=honest()),
        "tls.untrusted_root",
        ("tls.incomplete_chain",),
        fix=_REPLACE,
        verify_code=20,
    ),
    Condition(
        "private root signs the leaf",
        "private root (sent) -> leaf",
        given(Defect.ROOT_PRIVATE, Defect.SENT_ROOT, depth=0),
        "tls.untrusted_root",
        fix="trust_ca",
        verify_code=19,
    ),
    Condition(
        "private root and expired",
        "private root (sent) -> intermediate -> leaf (expired)",
        given(Defect.ROOT_PRIVATE, Defect.SENT_ROOT, Defect.LEAF_EXPIRED),
        "tls.untrusted_root",
        ("tls.expired",),
        fix=_REPLACE,
        verify_code=19,
    ),
    Condition(
        "private root not sent",
        "[private root] -> intermediate -> leaf",
        given(Defect.ROOT_PRIVATE),
        "tls.chain_unclear",
        verify_code=20,
    ),
    Condition(
        "private CA, leaf alone",
        "[private root -> intermediate] -> leaf",
        given(Defect.ROOT_PRIVATE, Defect.SENT_WITHOUT_INTERMEDIATE),
        "tls.chain_unclear",
        verify_code=20,
    ),
    Condition(
        "private root in the CA file, expired leaf",
        "private root (trusted) -> intermediate -> leaf (expired)",
        trusting_private_root(Defect.LEAF_EXPIRED),
        "tls.expired",
        fix="renew",
        verify_code=10,
    ),
    # -- missing, and found
    _found("intermediate missing", honest()),
    _found("intermediate missing, AIA in PEM", honest("pem")),
    _found("intermediate missing, AIA in PKCS #7", honest("p7c")),
    _found("intermediate missing, AIA by way of a redirect", redirected()),
    Condition(
        "two intermediates missing",
        "root -> [one -> two] (AIA) -> leaf",
        two_missing,
        "tls.incomplete_chain",
        fix=_INSTALL,
        fix_names=("Lab Intermediate 1", "Lab Intermediate 2"),
        verify_code=20,
    ),
    Condition(
        "upper intermediate missing",
        "root -> [one] (AIA) -> two -> leaf",
        upper_missing,
        "tls.incomplete_chain",
        fix=_INSTALL,
        fix_names=("Lab Intermediate 1",),
        verify_code=20,
    ),
    Condition(
        "intermediate missing, sent by another address",
        f"root -> [intermediate] -> leaf; complete on {SECOND_ADDRESS}",
        incomplete_on_one_address,
        "tls.incomplete_chain",
        fix=_INSTALL,
        fix_names=("Lab Intermediate",),
        warnings=("tls.addresses_differ",),
        verify_code=20,
    ),
    Condition(
        "expired on the first of two addresses",
        f"root -> intermediate -> leaf (expired); a valid one on {SECOND_ADDRESS}",
        behind_two_addresses(frozenset({Defect.LEAF_EXPIRED}), frozenset()),
        "tls.expired",
        fix="renew",
        warnings=("tls.addresses_differ",),
        verify_code=10,
    ),
    Condition(
        "intermediate missing, leaf expired",
        f"{_MISSING} (AIA, expired)",
        given(Defect.SENT_WITHOUT_INTERMEDIATE, Defect.LEAF_EXPIRED, aia=honest()),
        "tls.incomplete_chain",
        ("tls.expired",),
        fix=_REPLACE,
        verify_code=20,
    ),
    # -- missing, and not to be had
    _unclear("no AIA", None, "no AIA"),
    _unclear("AIA not found", pointing_at("/missing"), "AIA: 404"),
    _unclear("AIA slow", pointing_at("/slow"), "AIA: a byte now and then"),
    _unclear("AIA without end", pointing_at("/endless"), "AIA: an endless answer"),
    _unclear("AIA in a circle of redirects", pointing_at("/loop"), "AIA: redirects to itself"),
    _unclear("AIA garbage", pointing_at("/garbage"), "AIA: no certificate"),
    _unclear("AIA empty", pointing_at("/empty"), "AIA: nothing"),
    _unclear("AIA to a file", pointing_at("/to-file"), "AIA: redirects to file:"),
    _unclear("AIA over https", pointing_at("https://127.0.0.1/ca.der"), "AIA: https, which is not followed"),
    _unclear("AIA over LDAP", pointing_at("ldap://127.0.0.1/cn=ca"), "AIA: ldap"),
    _unclear("AIA at a private address", pointing_at("http://10.1.2.3/ca.der"), "AIA: 10.1.2.3"),
    _unclear("AIA at a link-local address", pointing_at("http://169.254.169.254/ca.der"), "AIA: 169.254.169.254"),
    _unclear("AIA redirects to a private address", redirected("http://10.1.2.3/ca.der"), "AIA: redirects to 10.1.2.3"),
    _unclear("AIA refused", pointing_at("http://127.0.0.1:1/ca.der"), "AIA: nobody listens"),
    _unclear("AIA of another certificate", unrelated, "AIA: a certificate that did not sign it"),
    Condition(
        "AIA round and round",
        "[A -> B -> A -> ...] (AIA) -> leaf",
        circular,
        "tls.chain_unclear",
        endpoints=ONE_PLACE,
        verify_code=20,
    ),
    # -- wrong
    Condition(
        "another intermediate sent",
        "root -> [intermediate] (AIA) -> leaf; sent: a stranger",
        given(Defect.SENT_OTHER_INTERMEDIATE, aia=honest()),
        "tls.wrong_intermediate",
        fix=_INSTALL,
        fix_names=("Lab Intermediate",),
        verify_code=20,
    ),
    Condition(
        "intermediate of the same name and another key sent",
        "root -> [intermediate] (AIA) -> leaf; sent: its predecessor",
        given(Defect.SENT_REKEYED_INTERMEDIATE, aia=honest()),
        "tls.wrong_intermediate",
        fix=_INSTALL,
        fix_names=("Lab Intermediate",),
        verify_code=20,
    ),
    Condition(
        "intermediate of the same name and another key sent, no AIA",
        "root -> [intermediate] -> leaf; sent: its predecessor",
        given(Defect.SENT_REKEYED_INTERMEDIATE),
        "tls.wrong_intermediate",
        verify_code=20,
    ),
    # -- time
    Condition(
        "intermediate expired",
        "root -> intermediate (expired) -> leaf",
        given(Defect.CA_EXPIRED),
        "tls.intermediate_expired",
        fix="renew",
        verify_code=10,
    ),
    Condition(
        "intermediate expired, renewed one found by AIA",
        "root -> intermediate (expired; AIA: renewed) -> leaf",
        given(Defect.CA_EXPIRED, aia=renewed),
        "tls.intermediate_expired",
        fix=_INSTALL,
        fix_names=("Lab Intermediate",),
        verify_code=10,
    ),
    Condition(
        "intermediate and leaf expired",
        "root -> intermediate (expired) -> leaf (expired)",
        given(Defect.CA_EXPIRED, Defect.LEAF_EXPIRED),
        "tls.intermediate_expired",
        ("tls.expired",),
        fix="renew",
        verify_code=10,
    ),
    Condition(
        "intermediate not yet valid",
        "root -> intermediate (from the day after tomorrow on) -> leaf",
        given(Defect.CA_NOT_YET_VALID),
        "tls.not_yet_valid",
        fix="wait_or_fix_clock",
        verify_code=9,
    ),
    Condition(
        "trusted root expired",
        "root (expired) -> intermediate -> leaf",
        given(Defect.ROOT_EXPIRED),
        "tls.expired",
        fix="renew",
        verify_code=10,
    ),
    Condition(
        "trusted root not yet valid",
        "root (from next week on) -> intermediate -> leaf",
        given(Defect.ROOT_NOT_YET_VALID),
        "tls.not_yet_valid",
        fix="wait_or_fix_clock",
        verify_code=9,
    ),
    # -- strength
    _unfit("CA key weak", "root -> intermediate (RSA 1024) -> leaf", Defect.CA_WEAK_KEY, "tls.weak_key", 67),
    _unfit("root key weak", "root (RSA 1024) -> intermediate -> leaf", Defect.ROOT_WEAK_KEY, "tls.weak_key", 67),
    _unfit("CA signed with SHA-1", "root -> intermediate (SHA-1) -> leaf", Defect.CA_SHA1, "tls.weak_signature", 68),
    # -- fitness (RFC 5280, 6.1.4)
    _unfit("CA for clients", "root -> intermediate (EKU) -> leaf", Defect.CA_CLIENT_PURPOSE, "tls.wrong_purpose", 26),
    _unfit("no CA", "root -> intermediate (CA:FALSE) -> leaf", Defect.CA_NOT_A_CA, "tls.not_a_ca", 79),
    _unfit(
        "CA without constraints",
        "root -> intermediate (no CA:TRUE) -> leaf",
        Defect.CA_NO_CONSTRAINTS,
        "tls.not_a_ca",
        79,
    ),
    _unfit(
        "CA that may not sign",
        "root -> intermediate (no keyCertSign) -> leaf",
        Defect.CA_MAY_NOT_SIGN,
        "tls.not_a_ca",
        79,
    ),
    _unfit("path too long", "root -> one (pathlen 0) -> two -> leaf", Defect.CA_PATH_LENGTH, "tls.path_length", 25),
    _unfit(
        "path too long for the root", "root (pathlen 0) -> one -> leaf", Defect.ROOT_PATH_LENGTH, "tls.path_length", 25
    ),
    _unfit(
        "name not permitted",
        "root -> intermediate (only other.example) -> leaf",
        Defect.CA_NAME_NOT_PERMITTED,
        "tls.name_constraints",
        47,
    ),
    _unfit(
        "name excluded",
        "root -> intermediate (not lab.example) -> leaf",
        Defect.CA_NAME_EXCLUDED,
        "tls.name_constraints",
        48,
    ),
    _unfit(
        "name not permitted by the root",
        "root (only other.example) -> intermediate -> leaf",
        Defect.ROOT_CONSTRAINED,
        "tls.name_constraints",
        47,
    ),
    Condition(
        "name constraints beyond measure",
        "root -> intermediate (1,500 constraints) -> leaf (1,000 names)",
        many_names(1000, excluded=wide_names(1500)),
        "tls.name_constraints",  # OpenSSL refuses to compare more than 2^20 pairs
        fix=_REPLACE,
        verify_code=1,
    ),
    Condition(
        "signed with MD5",
        "root -> intermediate (RSA) -> leaf (MD5)",
        md5_leaf,
        "tls.weak_signature",
        fix=_REPLACE,
        verify_code=68,
    ),
    _unfit(
        "critical extension in the CA",
        "root -> intermediate (unknown critical extension) -> leaf",
        Defect.CA_CRITICAL,
        "tls.critical_extension",
        34,
    ),
    _unfit(
        "damaged signature of the CA",
        "root -> intermediate (one bit of its signature is wrong) -> leaf",
        Defect.CA_BAD_SIGNATURE,
        "tls.bad_signature",
        7,
    ),
    # no server can be made to hold such a leaf, but it passes intermediates on unread
    Condition(
        "extension of the CA twice",
        "root -> intermediate (two basic constraints, RFC 5280, 4.2) -> leaf",
        issuing(extra=(second_constraints(),)),
        "tls.bad_certificate",
        fix=_REPLACE,
        verify_code=20,
    ),
    Condition(
        "extension of the CA unreadable",
        "root -> intermediate (basic constraints that end too early) -> leaf",
        issuing(ca=None, extra=(truncated_constraints(),)),
        "tls.bad_certificate",
        fix=_REPLACE,
        verify_code=20,
    ),
    # -- size
    Condition(
        "chain too long",
        "root -> 105 intermediates -> leaf",
        given(depth=105),
        "tls.chain_too_large",
        fix=_REPLACE,
        verify_code=22,
    ),
)
