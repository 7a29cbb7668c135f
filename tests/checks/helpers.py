"""What the tests of checks share: a context that trusts the lab, routes, and dialogues that Script has no words for."""

import re
from collections.abc import Callable
from dataclasses import replace

from checks.context import CheckContext
from checks.model import Credential, CredentialKind, Endpoint, EndpointResult, LoginResult, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.protocols.dialect import dialect_of
from checks.protocols.login import Route
from checks.runner import check_endpoint, check_mailbox
from checks.trust import Trust
from tests.servers.behaviours import IMAP_GREETING, SMTP_GREETING
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.hostile import HostileServer

LOOPBACK = "127.0.0.1"
USER = "somebody@lab.example"
SECRET = "Planted-secret-4711"
PLAIN_CAPABILITIES = ("IMAP4REV1", "SASL-IR", "AUTH=PLAIN")


def trusting(certificates: CertificateLab, seconds: float = 3.0, *, insecure: bool = False) -> CheckContext:
    """A context that trusts the lab's root, admits loopback and waits no longer than so many seconds."""
    return CheckContext(
        trust=Trust(certificates.ca_pem),
        policy=AddressPolicy(allow_all=True),
        deadline_seconds=seconds,
        login_seconds=seconds,
        allow_insecure_certificate=insecure,
    )


def briefly(context: CheckContext, seconds: float = 1.0) -> CheckContext:
    """The same context with less patience."""
    return replace(context, deadline_seconds=seconds, login_seconds=seconds)


def examine(
    behaviour: str | Behaviour,
    leaf: CertificateFiles,
    context: CheckContext,
    protocol: Protocol = Protocol.IMAP,
    security: Security = Security.AUTO,
) -> EndpointResult:
    """The endpoint check of a hostile server."""
    with HostileServer(behaviour, leaf) as server:
        return check_endpoint(Endpoint(protocol, LOOPBACK, server.port, security), context)


def route_to(
    port: int,
    context: CheckContext,
    protocol: Protocol = Protocol.IMAP,
    security: Security = Security.TLS,
    capabilities: tuple[str, ...] = PLAIN_CAPABILITIES,
) -> Route:
    """The route that an earlier, accepted endpoint check would have left behind."""
    endpoint = Endpoint(protocol, LOOPBACK, port, security)
    return Route(endpoint, (LOOPBACK,), capabilities, context.trust.strict, dialect_of(protocol))


def attempt(
    server: HostileServer,
    context: CheckContext,
    protocol: Protocol = Protocol.IMAP,
    *,
    security: Security = Security.TLS,
    capabilities: tuple[str, ...] = PLAIN_CAPABILITIES,
    secret: str = SECRET,
    user: str = USER,
    kind: CredentialKind = CredentialKind.PASSWORD,
) -> LoginResult:
    """One login at a hostile server."""
    route = route_to(server.port, context, protocol, security, capabilities)
    return check_mailbox(route, Credential(user, secret, kind), context)


def stalls(script: Behaviour, pattern: str) -> Behaviour:
    """The same dialogue, but silence from the line on that the pattern is found in."""

    def behave(conversation: Conversation) -> None:
        line = conversation.line

        def until_then() -> str:
            text = line()
            if re.search(pattern, text, re.IGNORECASE):
                conversation.hang()
            return text

        conversation.line = until_then  # type: ignore[method-assign]
        script(conversation)

    return behave


def echoes(protocol: Protocol, answer: Callable[[str, str], str], *, close: bool = False) -> Behaviour:
    """A server over implicit TLS that answers a login with `answer(tag, line)`, byte for byte, and may close then."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        imap = protocol is Protocol.IMAP
        conversation.send((IMAP_GREETING.format(extra="") if imap else SMTP_GREETING) + "\r\n")
        while True:
            line = conversation.line()
            tag = line.partition(" ")[0]
            if line.startswith("EHLO"):
                conversation.send("250-mail.lab.example\r\n250 AUTH PLAIN LOGIN\r\n")
                continue
            conversation.send(answer(tag, line))
            if close:
                return

    return behave


def insecurely(route: Route, context: CheckContext) -> Route:
    """The route as an admin's "allow insecure certificate" makes it."""
    return replace(route, tls_context=context.trust.insecure)
