"""What is asked besides: whether other addresses, stricter clients, revocation lists and old versions agree.

Nothing is asked without a reason: a server with one address and a chain without blemish is met once.
"""

import ssl
from collections.abc import Iterator, Sequence

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Fault, Fix, Warn
from checks.network.dial import Deadline
from checks.tls import accepted_chain
from checks.tls.diagnosis import Shake
from checks.tls.handshake import Handshake
from checks.tls.repairs import repair
from checks.tls.revocation import revoked_on
from checks.tls.what_if import Supposition, context_for, outdated
from checks.trust import insecure_context
from checks.x509.certificates import subject
from checks.x509.refusal_causes import utc_now

_OLDER = {"TLSv1.2": (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1)}
_OLDER["TLSv1.3"] = (ssl.TLSVersion.TLSv1_2, *_OLDER["TLSv1.2"])  # type: ignore[assignment] # one more
OUTDATED = frozenset({Code.TLS_VERSION, Code.TLS_NO_SHARED_CIPHER, Code.TLS_WEAK_DH})


class FurtherQuestions:
    """The further questions of one check. `shake` meets the server again."""

    def __init__(self, context: CheckContext, deadline: Deadline, shake: Shake) -> None:
        self._context = context
        self._deadline = deadline
        self._shake = shake

    def of_accepted(self, met: Handshake, others: Sequence[str]) -> Iterator[Warn]:
        """What there is to say of an accepted chain that takes another question."""
        yield from accepted_chain.differing(met, self.elsewhere(others))
        if not self._context.trust.x509_strict and accepted_chain.strict_suspect(met.path):
            yield from self._stricter(met)
        if self._context.trust.ciphers == "openssl" and met.facts.version == "TLSv1.2":
            yield from self._old_ciphers(met)
        if self._context.revocation and len(met.path) > 1:
            yield from self._revoked(met)
        if self._context.thorough:
            version = self._version(ssl.TLSVersion.TLSv1_1)
            if version:
                yield Warn(Code.TLS_OLD_VERSION, {"versions": version})

    def elsewhere(self, others: Sequence[str]) -> dict[str, Handshake]:
        """What further addresses of the same name send. One that fails now is no news: it answered a moment ago."""
        found = {}
        for address in others:
            try:
                found[address] = self._shake(self._context.trust.strict, address=address)
            except (Fault, TimeoutError):
                continue
        return found

    def of_outdated(self, fault: Fault) -> tuple[Fault, Fix | None]:
        """Whether a client of long ago gets in: then what the server lacks is a version or a cipher of today."""
        if fault.code is Code.TLS_VERSION:
            minimum = self._context.trust.minimum
            offered = list(dict.fromkeys(filter(None, map(self._version, _OLDER[minimum]))))
            wanted = minimum.replace("v", " ")
            fault = Fault(fault.code, fault.seen, **fault.facts, versions=", ".join(offered), minimum=wanted)
        elif cipher := self._cipher_of_others(fault):
            return Fault(Code.TLS_OLD_CIPHERS, fault.seen, cipher=cipher), repair("upgrade_tls")
        else:
            offered = [self._version(ssl.TLSVersion.MAXIMUM_SUPPORTED)]
        return fault, repair("upgrade_tls") if any(offered) else None

    def _version(self, highest: ssl.TLSVersion) -> str:
        """What is agreed on with a client that knows no later version; '' where nothing is."""
        try:
            return self._shake(outdated(highest)).facts.version or ""
        except (Fault, TimeoutError):
            return ""

    def _cipher_of_others(self, fault: Fault) -> str:
        """The cipher that a client with OpenSSL's own list gets in with, where Python's list was refused; or ''."""
        if fault.code is not Code.TLS_NO_SHARED_CIPHER or self._context.trust.ciphers == "openssl":
            return ""
        try:
            return self._shake(insecure_context("openssl", self._context.trust.minimum)).facts.cipher or ""
        except (Fault, TimeoutError):
            return ""

    def _old_ciphers(self, met: Handshake) -> Iterator[Warn]:
        """Whether a client with Python's own list would be refused."""
        try:
            self._shake(insecure_context("python"))
        except Fault as fault:
            if fault.code is Code.TLS_NO_SHARED_CIPHER:
                yield Warn(Code.TLS_OLD_CIPHERS, {"cipher": met.facts.cipher or ""})
        except TimeoutError:
            return

    def _stricter(self, met: Handshake) -> Iterator[Warn]:
        try:
            refusal = self._shake(context_for(self._context.trust, Supposition(strict=True))).refusal
        except (Fault, TimeoutError):
            return
        if refusal is not None:
            yield Warn(Code.TLS_STRICT_ONLY, {"subject": subject(met.chain[0]), "reason": refusal.words})

    def _revoked(self, met: Handshake) -> Iterator[Warn]:
        leaf, issuer = met.path[:2]
        date = revoked_on(leaf, issuer, self._context.way_out, self._deadline, utc_now())
        if date is not None:
            yield Warn(Code.TLS_REVOKED, {"subject": subject(leaf), "date": date.date().isoformat()})
