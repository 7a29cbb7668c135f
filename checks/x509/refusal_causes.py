"""What is wrong with a chain that was refused, and what to know about one that was accepted.

Pure: certificates, a host, a time and OpenSSL's first error in; causes and warnings out. OpenSSL names only the first
error it meets (62 hides 10, 18 hides both), so the others are read from the certificates.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from checks.codes import Code
from checks.x509 import certificates
from checks.x509.certificate_faults import Cause, flaws
from checks.x509.certificates import Names, subject
from checks.x509.paths import End, Path, current, fits

ORDER = (
    Code.TLS_SELF_SIGNED,
    Code.TLS_UNTRUSTED_ROOT,
    Code.TLS_INCOMPLETE_CHAIN,
    Code.TLS_CHAIN_UNCLEAR,
    Code.TLS_WRONG_INTERMEDIATE,
    Code.TLS_INTERMEDIATE_EXPIRED,
    Code.TLS_EXPIRED,
    Code.TLS_NOT_YET_VALID,
    Code.TLS_NAME_MISMATCH,
    Code.TLS_WEAK_KEY,
    Code.TLS_WEAK_SIGNATURE,
    Code.TLS_WRONG_PURPOSE,
    Code.TLS_NOT_A_CA,
    Code.TLS_PATH_LENGTH,
    Code.TLS_NAME_CONSTRAINTS,
    Code.TLS_CRITICAL_EXTENSION,
    Code.TLS_BAD_SIGNATURE,
    Code.TLS_CHAIN_TOO_LARGE,
    Code.TLS_BAD_CERTIFICATE,
    Code.TLS_STRICT_ONLY,
)
"""The order in which causes are given: whom the chain leads to, then time, name, strength, fitness, damage."""

ISSUER_UNKNOWN = frozenset({2, 20, 21, 27})
"""X509_V_ERR_*: an issuer is not at hand or not trusted. What that means is told from the certificates."""
# OpenSSL's other verification errors: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CODES = {
    7: Code.TLS_BAD_SIGNATURE,
    9: Code.TLS_NOT_YET_VALID,
    10: Code.TLS_EXPIRED,
    18: Code.TLS_SELF_SIGNED,
    19: Code.TLS_UNTRUSTED_ROOT,
    22: Code.TLS_CHAIN_TOO_LARGE,
    24: Code.TLS_NOT_A_CA,
    25: Code.TLS_PATH_LENGTH,
    26: Code.TLS_WRONG_PURPOSE,
    32: Code.TLS_NOT_A_CA,
    34: Code.TLS_CRITICAL_EXTENSION,
    **dict.fromkeys(range(47, 54), Code.TLS_NAME_CONSTRAINTS),
    62: Code.TLS_NAME_MISMATCH,
    64: Code.TLS_NAME_MISMATCH,
    66: Code.TLS_WEAK_KEY,
    67: Code.TLS_WEAK_KEY,
    68: Code.TLS_WEAK_SIGNATURE,
    79: Code.TLS_NOT_A_CA,
    **dict.fromkeys(range(80, 94), Code.TLS_STRICT_ONLY),
}
_UNSPECIFIED = 1  # among others: too many names and constraints to compare them


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a refused chain. `sent`: as it was presented; `path`: the way upwards, with what was found
    elsewhere; `reason`: why nothing more was found; `public_only`: nobody is trusted but the public authorities.
    `names`: whose rule says which hosts a name stands for."""

    sent: tuple[x509.Certificate, ...]
    path: Path
    host: str
    now: datetime
    reason: str = ""
    public_only: bool = False
    names: Names = "openssl"


def causes(evidence: Evidence | None, verify_code: int) -> list[Cause]:
    """All causes in their order. Never empty: OpenSSL's own error is always among them."""
    if evidence is None:
        return [_of_openssl(verify_code, None)]
    found: dict[Code, Cause] = {}
    for cause in (*_of_trust(evidence), *flaws(evidence.path, evidence.host, evidence.now, evidence.names)):
        found.setdefault(cause.code, cause)
    if not _explained(found, verify_code):
        first = _of_openssl(verify_code, evidence)
        found[first.code] = first
    return sorted(found.values(), key=lambda cause: ORDER.index(cause.code))


def cause_of(verify_code: int, evidence: Evidence | None) -> Code:
    """The code for an error of OpenSSL's."""
    if verify_code == _UNSPECIFIED and evidence and _constrained(evidence.path):
        return Code.TLS_NAME_CONSTRAINTS
    if verify_code in ISSUER_UNKNOWN:
        return Code.TLS_CHAIN_UNCLEAR
    return _CODES.get(verify_code, Code.TLS_BAD_CERTIFICATE)


def _explained(found: dict[Code, Cause], verify_code: int) -> bool:
    """Whether OpenSSL's own error is among the causes that were read."""
    if verify_code in ISSUER_UNKNOWN:
        return bool(_TRUST & set(found)) or Code.TLS_BAD_CERTIFICATE in found
    if verify_code == 10 and Code.TLS_INTERMEDIATE_EXPIRED in found:
        return True
    if verify_code == 7 and Code.TLS_WRONG_INTERMEDIATE in found:
        return True
    return _CODES.get(verify_code) in found


_TRUST = frozenset(ORDER[: ORDER.index(Code.TLS_INTERMEDIATE_EXPIRED)])


def _of_openssl(verify_code: int, evidence: Evidence | None) -> Cause:
    code = cause_of(verify_code, evidence)
    if evidence is None:
        return Cause(code)
    return Cause(code, {"subject": subject(evidence.path.leaf)} | {"reason": evidence.reason}, evidence.path.leaf)


def _constrained(path: Path) -> bool:
    return any(certificates.extension(item, x509.NameConstraints) for item in path.certificates[1:])


# -- whom the chain leads to


def _of_trust(evidence: Evidence) -> Iterator[Cause]:
    path = evidence.path
    if path.end is End.SELF_SIGNED:
        code = Code.TLS_SELF_SIGNED if len(path.certificates) == 1 else Code.TLS_UNTRUSTED_ROOT
        yield Cause(code, {"subject": subject(path.leaf)} | _root_facts(path.top), path.top)
    if path.end is End.MISSING:
        yield _open_end(evidence)
        return
    lacking = path.lacking(evidence.sent)
    if lacking:
        yield _gap(evidence, lacking)


def _gap(evidence: Evidence, lacking: Sequence[x509.Certificate]) -> Cause:
    """Intermediates were not sent but found: missing, or another one was sent in their place."""
    below = evidence.path.certificates[evidence.path.certificates.index(lacking[0]) - 1]
    facts = {"subject": subject(lacking[0]), "names": ", ".join(map(subject, lacking)), "issuer": subject(lacking[0])}
    for sent in evidence.sent:
        if fits(below, sent) and not current(sent, evidence.now):
            date = {"date": sent.not_valid_after_utc.date().isoformat()}
            return Cause(Code.TLS_INTERMEDIATE_EXPIRED, facts | date, sent)
    stray = _stray(evidence, below)
    if stray is not None:
        return Cause(Code.TLS_WRONG_INTERMEDIATE, facts | {"names": subject(stray)}, stray)
    return Cause(Code.TLS_INCOMPLETE_CHAIN, facts, below)


def _open_end(evidence: Evidence) -> Cause:
    """Nobody knows the issuer: it is wrong where another stands in its place, and cannot be told apart otherwise."""
    top = evidence.path.top
    facts = {"subject": subject(top), "issuer": certificates.issuer(top), "reason": evidence.reason}
    stray = _stray(evidence, top)
    if stray is not None:
        return Cause(Code.TLS_WRONG_INTERMEDIATE, facts | {"names": subject(stray)}, stray)
    return Cause(Code.TLS_UNTRUSTED_ROOT if _surely_private(evidence) else Code.TLS_CHAIN_UNCLEAR, facts, top)


def _surely_private(evidence: Evidence) -> bool:
    """Whether no public authority can have issued the server's certificate.

    They must put authorityInfoAccess into it (CA/Browser Forum Baseline Requirements, 7.1.2.7.6). Where a private CA is
    trusted too, its intermediate may be what is missing.
    """
    return evidence.public_only and not certificates.extension(evidence.path.leaf, x509.AuthorityInformationAccess)


def _stray(evidence: Evidence, below: x509.Certificate) -> x509.Certificate | None:
    """What was sent in the place of the certificate's issuer: one of its name, or right above the leaf any other."""
    unused = [item for item in evidence.sent[1:] if item not in evidence.path.certificates]
    for item in unused:
        if certificates.same_name(below, item):
            return item
    strangers = [item for item in unused if not certificates.self_issued(item)]
    return strangers[0] if strangers and below == evidence.path.leaf else None


def _root_facts(root: x509.Certificate) -> dict[str, str]:
    return {"issuer": subject(root), "sha256": certificates.fingerprint(root)}


def utc_now() -> datetime:
    """The time that judgements are made at."""
    return datetime.now(UTC)
