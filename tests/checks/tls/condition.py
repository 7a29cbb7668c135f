"""What a condition of the TLS verdict is. The list is `tests.checks.tls.conditions.CONDITIONS`."""

from dataclasses import dataclass, replace

from tests.servers.pki.setups import Build

Endpoints = tuple[tuple[str, str], ...]
"""Pairs of protocol and security."""

EVERYWHERE: Endpoints = (("imap", "tls"), ("smtp", "starttls"), ("https", "tls"))
ON_TLS_PORTS: Endpoints = (("imap", "tls"), ("smtp", "tls"), ("https", "tls"))
ON_MAIL_TLS_PORTS: Endpoints = (("imap", "tls"), ("smtp", "tls"))
ON_STARTTLS_PORTS: Endpoints = (("imap", "starttls"), ("smtp", "starttls"))
ON_MAIL_PORTS: Endpoints = (*ON_MAIL_TLS_PORTS, *ON_STARTTLS_PORTS)
ONE_PLACE: Endpoints = (("imap", "tls"),)


@dataclass(frozen=True, slots=True)
class Condition:
    """A server, and what is to be said of it.

    `drawing`: the chain as `root -> intermediate -> leaf`, what is in brackets is not sent. `code` is the first cause,
    `others` the further ones, in their order. `option`: what allowing insecure certificates would do (needed,
    not_needed, would_not_help; None: cannot be told). `fix`: its kind; `fix_names`: words that its detail holds.
    `seconds`: the deadline of the check. `revocation`: with the look-up switched on. `stricter`: why we refuse what
    Python's clients accept; empty for all but a few. `verify_code`: OpenSSL's own first error, where one is met;
    `strict_code`: the one that an app meets that is as strict as Python from 3.13 on.
    """

    name: str
    drawing: str
    build: Build
    code: str = "ok"
    others: tuple[str, ...] = ()
    option: str | None = "needed"
    fix: str | None = None
    fix_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    endpoints: Endpoints = EVERYWHERE
    seconds: float = 5.0
    revocation: bool = False
    stricter: str = ""
    verify_code: int | None = None
    strict_code: int | None = None

    @property
    def accepted(self) -> bool:
        return self.code == "ok"


def fine(
    name: str,
    drawing: str,
    build: Build,
    *warnings: str,
    endpoints: Endpoints = EVERYWHERE,
    revocation: bool = False,
) -> Condition:
    """A server that is accepted, with warnings at most."""
    return Condition(
        name, drawing, build, "ok", (), "not_needed", warnings=warnings, endpoints=endpoints, revocation=revocation
    )


def strict_only(name: str, drawing: str, build: Build, verify_code: int) -> Condition:
    """A chain that Python refuses from 3.13 on, with `verify_code`, and accepted before."""
    return replace(fine(name, drawing, build, "tls.strict_only"), strict_code=verify_code)
