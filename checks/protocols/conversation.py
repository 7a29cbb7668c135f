"""One conversation with a server, up to its capabilities. No credential is at hand."""

import ssl
from functools import cached_property

from checks import redact
from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.codes import Code
from checks.model import Authentication, Endpoint, Fault, Security
from checks.network.dial import Deadline, fault_of
from checks.network.stream import Stream
from checks.protocols.dialect import Dialect, Greeting, dialect_of, require_usable
from checks.protocols.steps import Steps, seconds
from checks.tls import handshake, large_client_hello

GREETING_SHARE = 0.6  # of the deadline: what is left finds out whether the silent port wants TLS first
_MAX_CAPABILITIES = 200  # ten times what servers have; a flood of them is not kept


class Conversation:
    """What it brought is in its attributes, however it ended.

    `shake` is None where TLS did not come about; `shake.refusal` is set where the context refused the chain, and
    nothing was said after that.
    """

    def __init__(
        self, endpoint: Endpoint, security: Security, deadline: Deadline, client: ClientProfile = PYTHON
    ) -> None:
        self.security = security
        self.steps = Steps(deadline)
        self.shake: handshake.Handshake | None = None
        self.capabilities: tuple[str, ...] = ()
        self._endpoint = endpoint
        self._deadline = deadline
        self._client = client

    @cached_property
    def _dialect(self) -> Dialect:
        return dialect_of(self._endpoint.protocol, self._endpoint.authentication)

    def hold(self, stream: Stream, context: ssl.SSLContext) -> None:
        """Everything up to the capabilities, or up to the refused handshake. Raises `Fault`.

        A server that has spoken is told goodbye, whatever it said: guards count who leaves without a word.
        """
        try:
            self._hold(stream, context)
        finally:
            if stream.last_line and (self.shake is None or self.shake.refusal is None):
                self._dialect.farewell(stream)

    def _hold(self, stream: Stream, context: ssl.SSLContext) -> None:
        if self.security is Security.TLS:
            if self._secured(stream, context):
                self._ask(stream, self._greet(stream, 1.0))
            return
        greeting = self._greet(stream, GREETING_SHARE)
        with self.steps.step("starttls", Code.DEADLINE):
            self._dialect.starttls(stream, greeting, self._client)
        if self._secured(stream, context):
            # What was said in clear text does not count any more (RFC 9051, 6.2.1).
            self._ask(stream, Greeting(greeting.words))

    def meet(self, stream: Stream, context: ssl.SSLContext, host: str | None = None) -> handshake.Handshake:
        """The handshake alone, as a client of that host, which is the endpoint's unless given. Raises `Fault`."""
        try:
            if self.security is Security.STARTTLS:
                self._dialect.starttls(stream, self._dialect.greet(stream), self._client)
        except OSError as error:
            raise fault_of(error) from None
        return handshake.look(stream, context, host or self._endpoint.host)

    def _secured(self, stream: Stream, context: ssl.SSLContext) -> bool:
        with self.steps.step("tls", Code.TLS_TIMEOUT) as note:
            if large_client_hello.sends_large():
                stream.deadline = Deadline(stream.deadline.remaining() * large_client_hello.HANDSHAKE_SHARE)
            self.shake = handshake.look(stream, context, self._endpoint.host)
            facts = self.shake.facts
            note.append(f"{facts.version} {facts.cipher}")
        stream.deadline = self._deadline
        return self.shake.refusal is None

    def _greet(self, stream: Stream, share: float) -> Greeting:
        received = stream.received
        with self.steps.step("greeting", Code.GREETING_TIMEOUT) as note:
            stream.deadline = Deadline(self._deadline.remaining() * share)
            try:
                greeting = self._dialect.greet(stream)
            except TimeoutError:
                raise _late(stream, dripping=stream.received > received) from None
            note.append(greeting.words)
        stream.deadline = self._deadline
        return greeting

    def _ask(self, stream: Stream, greeting: Greeting) -> None:
        with self.steps.step("capabilities", Code.DEADLINE) as note:
            offered = self._dialect.capabilities(stream, greeting, self._client)[:_MAX_CAPABILITIES]
            self.capabilities = tuple(map(redact.words, offered))
            note.append(", ".join(self.capabilities))
            if self._endpoint.authentication is Authentication.LOGIN:
                require_usable(self._dialect, self.capabilities, self._client)


def _late(stream: Stream, *, dripping: bool) -> Fault:
    if dripping:
        return Fault(Code.DEADLINE, stream.excerpt(), **seconds(stream.deadline))
    return Fault(Code.GREETING_TIMEOUT, "connected, then silence", **seconds(stream.deadline))
