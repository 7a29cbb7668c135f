"""What a server that fails would need to be called instead: proposed only when it was tried, and works.

Whether STARTTLS answers where TLS was expected, and which name is in the certificate, the endpoint check has found out
(`Fix`); the other usual ports of the host are tried here.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from checks.codes import Code, Verdict
from checks.discovery.proposals import Repair
from checks.model import Endpoint, EndpointResult, Protocol, Security

Check = Callable[[Endpoint], EndpointResult]

_USUAL = {
    Protocol.IMAP: ((993, Security.TLS), (143, Security.STARTTLS)),
    Protocol.SMTP: ((465, Security.TLS), (587, Security.STARTTLS)),
}
_OTHER_PORT = frozenset(
    {
        Code.CONNECT_REFUSED,
        Code.CONNECT_TIMEOUT,
        Code.CONNECT_CLOSED,
        Code.GREETING_TIMEOUT,
        Code.PROTOCOL_MISMATCH,
        Code.TLS_PLAINTEXT_PORT,
        Code.TLS_IMPLICIT_PORT,
        Code.TLS_STARTTLS_NOT_OFFERED,
        Code.TLS_STARTTLS_REFUSED,
        Code.TLS_TIMEOUT,
        Code.TLS_HANDSHAKE,
    }
)
"""What says that the port is the wrong one, rather than the host or its certificate."""
_MOST = 3


def repaired(failed: EndpointResult, named: Endpoint, check: Check) -> tuple[Repair, EndpointResult] | None:
    """The first of a few repairs that works, with what its check found; None where none does."""
    for _, (kind, instead) in zip(range(_MOST), _alternatives(failed, named), strict=False):
        result = check(instead)
        if result.verdict is Verdict.OK:
            return Repair(kind, named, result.endpoint), result
    return None


def _alternatives(failed: EndpointResult, named: Endpoint) -> Iterator[tuple[str, Endpoint]]:
    fix = failed.fix
    if fix is not None and fix.kind == "use_starttls":
        yield "starttls_here", replace(named, security=Security.STARTTLS)
    if fix is not None and fix.kind == "use_implicit_tls":
        yield "tls_here", replace(named, security=Security.TLS)
    if fix is not None and fix.kind == "use_host" and named.protocol is not Protocol.HTTPS:
        yield "name_of_certificate", replace(named, host=fix.facts["name"])
    if failed.code in _OTHER_PORT:
        for port, security in _USUAL.get(named.protocol, ()):
            if port != named.port:
                yield "other_port", replace(named, port=port, security=security)
