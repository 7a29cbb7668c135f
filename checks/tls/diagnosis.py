"""Why a chain was refused, and what would repair it. A repair is claimed after a handshake has shown that it works.

The certificates say what may be wrong (`checks.x509.refusal_causes`); OpenSSL says what is: every "what if" is one more
strict handshake with the same server (`checks.tls.what_if`).
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from cryptography import x509

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Fault, Fix
from checks.network.dial import Deadline
from checks.tls.aia import fetch_issuer
from checks.tls.handshake import Handshake, Refusal
from checks.tls.repairs import BY_TIME, Repairs, repair
from checks.tls.what_if import Supposition, context_for
from checks.x509 import refusal_causes
from checks.x509.certificate_faults import Cause
from checks.x509.certificates import signed_by
from checks.x509.paths import End, Path, build
from checks.x509.refusal_causes import Evidence
from checks.x509.trust_store import Store, store_of

MAX_FETCHES = 2
_CHAIN = frozenset({Code.TLS_INCOMPLETE_CHAIN, Code.TLS_WRONG_INTERMEDIATE, Code.TLS_INTERMEDIATE_EXPIRED})
_NOBODY_KNOWS = (frozenset({Code.TLS_CHAIN_UNCLEAR}), frozenset({Code.TLS_WRONG_INTERMEDIATE}))


class Shake(Protocol):
    """One more handshake with the server: its address and the endpoint's host, unless others are given."""

    def __call__(self, context: ssl.SSLContext, host: str | None = None, address: str | None = None) -> Handshake:
        """Raises `Fault`."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of it. `root` is the private root that the chain leads to, where there is one."""

    causes: tuple[Cause, ...]
    fix: Fix | None = None
    root: x509.Certificate | None = None


class Diagnosis:
    """Looks into one refusal. `address` is where the server was met; `shake` meets it again."""

    def __init__(self, host: str, address: str, context: CheckContext, deadline: Deadline, shake: Shake) -> None:
        self._host = host
        self._context = context
        self._deadline = deadline
        self._shake = shake
        self._repairs = Repairs(host, address, context, deadline)

    def explain(self, met: Handshake, refusal: Refusal, elsewhere: Sequence[Handshake], *, fixable: bool) -> Findings:
        """All causes, and the repair. `elsewhere`: what the other addresses sent. Nothing is `fixable` where more than
        the certificate stands in the way."""
        if not met.chain:
            return Findings(tuple(refusal_causes.causes(None, refusal.code)))
        evidence = self._gather(met, elsewhere)
        found = refusal_causes.causes(evidence, refusal.code)
        root = evidence.path.private_root
        try:
            found, fix = self._prove(found, evidence, fixable=fixable)
        except (Fault, TimeoutError):
            return Findings(tuple(found), None, root)  # the server had enough of us, or the time is up
        return Findings(tuple(found), fix, root)

    # -- the way upwards

    def _gather(self, met: Handshake, elsewhere: Sequence[Handshake]) -> Evidence:
        """Follows the chain upwards; where the way breaks off, what other addresses sent and AIA may lead on."""
        store, now, sent = self._store(), refusal_causes.utc_now(), met.chain
        found = [item for other in elsewhere for item in other.chain[1:] if item not in sent]
        path = build(sent[0], [*sent, *found], store, now)
        reason, fetches = "", 0
        while (below := _broken(path, refusal_causes.utc_now())) is not None:
            if not self._context.fetch_issuers or fetches == MAX_FETCHES:
                reason = "the way to a root is too long" if fetches else "issuers are not looked for"
                break
            fetches += 1
            got = fetch_issuer(below, self._context.way_out, self._deadline)
            if got.issuer is None or got.issuer in (*sent, *found):
                reason = got.reason or "it is said to be where it was not found"
                break
            found.append(got.issuer)
            path = build(sent[0], [*sent, *found], store, now)
        trust = self._context.trust
        return Evidence(sent, path, self._host, now, reason, public_only=not trust.ca_pem, names=trust.names)

    def _store(self) -> Store:
        trust = self._context.trust
        return store_of(trust.ca_pem, partial=trust.x509_strict)

    # -- the proof

    def _prove(self, found: list[Cause], evidence: Evidence, *, fixable: bool) -> tuple[list[Cause], Fix | None]:
        lacking = evidence.path.lacking(evidence.sent) if evidence.path.end is End.TRUSTED else ()
        if lacking and _CHAIN & _codes(found):
            refusal = self._suppose(Supposition(known=lacking))
            if refusal is None:  # OpenSSL minds nothing else, whatever we have read
                found = [cause for cause in found if cause.code in _CHAIN][:1]
                return found, repair("install_intermediate", lacking) if fixable else None
            found = _corrected(found, refusal, evidence)
        return self._repaired(found, evidence) if fixable else (found, None)

    def _repaired(self, found: list[Cause], evidence: Evidence) -> tuple[list[Cause], Fix | None]:
        codes = _codes(found)
        if codes in _NOBODY_KNOWS:
            return found, None
        for kind, supposed in self._suppositions(codes, evidence.path):
            refusal = self._suppose(supposed)
            if refusal is None:
                return found, self._repairs.describe(kind, found, evidence.path)
            found = _corrected(found, refusal, evidence)
        if codes == {Code.TLS_NAME_MISMATCH}:
            for host in self._repairs.hosts(evidence.path.leaf):
                if self._shake(self._context.trust.strict, host).refusal is None:
                    return found, self._repairs.use_host(host)
        return found, repair("replace_certificate", (), host=self._host)

    def _suppositions(self, codes: frozenset[Code], path: Path) -> Sequence[tuple[str, Supposition]]:
        """What would be enough, where it is one thing only."""
        if codes in ({Code.TLS_SELF_SIGNED}, {Code.TLS_UNTRUSTED_ROOT}):
            return [("trust_ca", Supposition(known=(path.top,)))]
        if codes <= BY_TIME:
            return [("renew", Supposition(ignore_time=True))]
        if codes == {Code.TLS_NOT_YET_VALID}:
            return [("wait_or_fix_clock", Supposition(ignore_time=True))]
        return []

    def _suppose(self, supposed: Supposition) -> Refusal | None:
        return self._shake(context_for(self._context.trust, supposed)).refusal


def _codes(found: Sequence[Cause]) -> frozenset[Code]:
    return frozenset(cause.code for cause in found)


def _broken(path: Path, now: datetime) -> x509.Certificate | None:
    """The certificate whose issuer is to be looked for: it is missing, has expired, or did not sign."""
    if path.end is End.MISSING:
        return path.top
    for below, issuer in zip(path.certificates, path.authorities, strict=False):
        if issuer.not_valid_after_utc < now or not signed_by(below, issuer):
            return below
    return None


def _corrected(found: Sequence[Cause], refusal: Refusal, evidence: Evidence) -> list[Cause]:
    """With what a handshake has shown besides: the next error of OpenSSL's."""
    if refusal.code in refusal_causes.ISSUER_UNKNOWN:
        reason = {"reason": "the server's certificate is refused with the issuer that was found, too"}
        unclear = Cause(Code.TLS_CHAIN_UNCLEAR, reason, evidence.path.leaf)
        return [*(unclear if cause.code is Code.TLS_INCOMPLETE_CHAIN else cause for cause in found)]
    code = refusal_causes.cause_of(refusal.code, evidence)
    known = code in _codes(found) or (code is Code.TLS_EXPIRED and Code.TLS_INTERMEDIATE_EXPIRED in _codes(found))
    more = [] if known else [replace(found[0], code=code)]
    return sorted([*found, *more], key=lambda cause: refusal_causes.ORDER.index(cause.code))
