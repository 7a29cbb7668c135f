"""What would repair an endpoint, as a fix with its facts. Whether it would is proved in `checks.tls.diagnosis`."""

import itertools
import re
from collections.abc import Sequence

from cryptography import x509

from checks import redact
from checks.codes import Code
from checks.context import CheckContext
from checks.messages import fix_detail
from checks.model import Facts, Fault, Fix
from checks.network.dial import Deadline, resolve
from checks.x509.certificate_faults import Cause
from checks.x509.certificates import fingerprint, names, subject
from checks.x509.paths import Path

BY_TIME = frozenset({Code.TLS_EXPIRED, Code.TLS_INTERMEDIATE_EXPIRED})
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
_LOOKED_UP, _TRIED = 3, 2
_LOOK_UP_SECONDS = 1.5


def repair(kind: str, about: Sequence[x509.Certificate] = (), **facts: str) -> Fix:
    """A fix of a kind, with the certificates that it is about."""
    known: dict[str, str] = dict(facts)
    if about:
        known["subject"] = "; ".join(map(subject, about))
        known["sha256"] = ", ".join(map(fingerprint, about))
    return _fix(kind, {name: redact.words(value) for name, value in known.items()})


def _fix(kind: str, facts: Facts) -> Fix:
    return Fix(kind, fix_detail(Fix(kind, "", facts)), facts)


class Repairs:
    """The fixes of one endpoint."""

    def __init__(self, host: str, address: str, context: CheckContext, deadline: Deadline) -> None:
        self._host = host
        self._address = address
        self._context = context
        self._deadline = deadline
        self._elsewhere: set[str] = set()

    def describe(self, kind: str, found: Sequence[Cause], path: Path) -> Fix:
        """`trust_ca`, `renew` or `wait_or_fix_clock`, about the certificates that it concerns."""
        if kind == "trust_ca":
            return repair(kind, (path.top,))
        about = [cause.about for cause in found if cause.about is not None]
        return repair(kind, about, date=found[0].facts.get("date", ""))

    def use_host(self, host: str) -> Fix:
        """Another name for the same server; the words differ where it does not lead there yet."""
        return repair("use_host", name=host, resolves="no" if host in self._elsewhere else "yes")

    def hosts(self, leaf: x509.Certificate) -> list[str]:
        """Names of the certificate that are worth a handshake: no wildcards; an address only where it is this one."""
        likely = sorted(filter(self._possible, names(leaf)), key=self._distance)[:_LOOKED_UP]
        self._elsewhere = {host for host in likely if self._address not in self._addresses(host)}
        return sorted(likely, key=lambda host: host in self._elsewhere)[:_TRIED]

    def _possible(self, name: str) -> bool:
        return name == self._address or (bool(_HOST.fullmatch(name)) and not name.replace(".", "").isdigit())

    def _distance(self, name: str) -> int:
        """Fewer for a name that shares more of its end with the one that was typed."""
        own, other = self._host.lower().split(".")[::-1], name.lower().split(".")[::-1]
        return -len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(own, other, strict=False))))

    def _addresses(self, host: str) -> tuple[str, ...]:
        try:
            seconds = min(_LOOK_UP_SECONDS, self._deadline.remaining() / 4)
            return resolve(host, 0, self._context.policy, Deadline(seconds))
        except (Fault, TimeoutError):
            return ()
