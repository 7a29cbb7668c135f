"""The certificates that the servers of the sandbox show. Their dates move with its clock, by whole days."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.codes import Code
from checks.model import Certificate
from checks.sandbox.names import CHANGES, PIN_EXPIRES, Named

DAY = 86400.0
_AUTHORITY, _ROOT = "CN=Sandbox Issuing CA,O=Sandbox", "CN=Sandbox Root CA,O=Sandbox"
_LIFE = 90
_RENEWED = 60 * DAY  # whoever renews does so with a third of the life left
_LEFT = {Code.TLS_EXPIRED: -10, Code.TLS_EXPIRES_SOON: 5}
_ALONE = frozenset({Code.TLS_INCOMPLETE_CHAIN, Code.TLS_CHAIN_UNCLEAR, Code.TLS_NOT_A_CA})


@dataclass(frozen=True, slots=True)
class Shown:
    """The chain that a server shows, and the end of its own certificate in UTC seconds since 1970."""

    chain: tuple[Certificate, ...]
    begins: float
    ends: float

    @property
    def lifetime(self) -> float:
        return self.ends - self.begins


def shown(host: str, named: Named, saved: float, now: float) -> Shown:
    """What a server shows now, of settings saved at `saved`: both in UTC seconds, on the clock of the sandbox."""
    left = _LEFT.get(named.code, 60) if named.days is None else named.days
    if named.label == PIN_EXPIRES:
        left = 5
    begins, ends = saved - max(10, _LIFE - left) * DAY, saved + left * DAY
    if named.code is Code.TLS_NOT_YET_VALID:
        begins, ends = saved + 10 * DAY, saved + (10 + _LIFE) * DAY
    number = int((now - saved) // DAY) if named.label == CHANGES else 0
    if named.days is None and named.code not in (*_LEFT, Code.TLS_NOT_YET_VALID) and named.label != PIN_EXPIRES:
        renewed = int((now - begins) // _RENEWED)
        begins, ends = begins + renewed * _RENEWED, ends + renewed * _RENEWED
        number = number or renewed
    subject = f"CN={'www.ok.test' if named.code is Code.TLS_NAME_MISMATCH else host}"
    if named.code is Code.TLS_SELF_SIGNED:
        return Shown((_certificate(subject, subject, begins, ends, host),), begins, ends)
    issuer = _AUTHORITY if named.label != CHANGES else f"CN=Sandbox CA {number},O=Sandbox {number}"
    leaf = _certificate(subject, issuer, begins, ends, f"{host} {number}")
    if named.code in _ALONE:
        return Shown((leaf,), begins, ends)
    over = named.code is Code.TLS_INTERMEDIATE_EXPIRED
    end = saved - 10 * DAY if over else saved + 3650 * DAY
    return Shown((leaf, _certificate(issuer, _ROOT, saved - 1000 * DAY, end, issuer)), begins, ends)


def _certificate(subject: str, issuer: str, begins: float, ends: float, key: str) -> Certificate:
    return Certificate(subject, issuer, _iso(begins), _iso(ends), fingerprint(key))


def fingerprint(key: str) -> str:
    """A SHA-256 that is the same for the same key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def day(seconds: float) -> str:
    """The day of a time, as facts have it."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
