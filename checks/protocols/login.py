"""The mailbox check: one login on an endpoint that has passed its own check."""

import contextlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from checks import redact
from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Credential, CredentialKind, Endpoint, EndpointResult, Fault, LoginResult, Pin, Security
from checks.network.dial import Deadline, dial, fault_of, resolve
from checks.network.stream import Stream
from checks.protocols.dialect import Dialect, Greeting, Habits, Unjudged, dialect_of
from checks.protocols.in_clear import judged
from checks.protocols.patience import Moments, patience
from checks.tls import handshake

_SHORTCUTS = 3  # kinds of them that may fail one after the other: a resumed session, haste, those of the protocol
_IN_VAIN = 3  # sessions in a row that a server does not resume: it never does, and to offer one costs time
_RESUMED_SHARE = 0.5  # of the deadline, for a handshake that resumes: the rest is for one that does not
_BROKEN = frozenset({Code.CONNECT_CLOSED, Code.DEADLINE, Code.PROTOCOL_MISMATCH})


@dataclass(slots=True)
class Route:
    """What the logins of one run to one endpoint share: addresses, capabilities, TLS context and session.

    A session is resumed for the same endpoint and context only, after a handshake of that context has verified the
    chain; so many as `in_vain` in a row were offered and not taken. `pin` is the one key that the option lets in: with
    another one no credential is sent.
    """

    endpoint: Endpoint
    addresses: tuple[str, ...]
    capabilities: tuple[str, ...]
    tls_context: ssl.SSLContext
    dialect: Dialect
    session: ssl.SSLSession | None = field(default=None, repr=False)
    in_vain: int = 0
    pin: Pin | None = None
    habits: Habits = field(default_factory=Habits)
    moments: Moments = field(default_factory=Moments, repr=False)

    def log_in(self, credential: Credential, context: CheckContext, address: str = "") -> LoginResult:
        """One login; see `log_in`."""
        return log_in(self, replace(credential, address=address), context)

    @property
    def learned(self) -> Mapping[str, str]:
        """What the logins have learned of the server, for those of other processes."""
        return self.habits.learned


def open_route(result: EndpointResult, context: CheckContext) -> Route:
    """The route to an endpoint that passed. Raises `Fault` when its name does not resolve any more."""
    endpoint = result.endpoint
    found = resolve(endpoint.host, endpoint.port, context.policy, Deadline(context.login_seconds))
    ordered = sorted(found, key=lambda address: address != result.address)
    return Route(
        endpoint=endpoint,
        addresses=tuple(ordered),
        capabilities=result.capabilities,
        tls_context=context.trust.insecure if result.insecure else context.trust.strict,
        dialect=dialect_of(endpoint.protocol, endpoint.authentication),
        pin=context.pin_of(result),
        habits=Habits.begin(result.learned, canaries=context.canaries),
    )


def log_in(route: Route, credential: Credential, context: CheckContext) -> LoginResult:
    """One login, and no second one after a rejection but for what `checks.protocols.choice` tells of.

    The endpoint passed its check, so what a connection meets before the login is no fact about this mailbox: it is
    inconclusive, whatever its code.
    """
    begun = time.monotonic()
    attempt = _Attempt(route, credential, context)
    met = Fault(Code.OK)
    try:
        attempt.run()
    except Fault as fault:
        met = judged(fault, route.endpoint.protocol)
    except OSError as error:
        met = _fault(error)
    code = met.code
    if code is Code.AUTH_REJECTED and credential.kind is CredentialKind.OAUTH2_TOKEN:
        code = Code.AUTH_TOKEN_REJECTED  # Dovecot 2.4 says the same of somebody else's token as of a wrong password
    # A server that blocks our address says nothing about the mailbox, not even in answer to its login.
    told = attempt.greeted and code is not Code.SERVER_BLOCKS_ADDRESS
    told = told and route.moments.lasting(credential.username, code)
    verdict = verdict_of(code) if told else Verdict.INCONCLUSIVE
    ms = round((time.monotonic() - begun) * 1000, 1)
    wait = patience(met, judged=attempt.greeted) if verdict is Verdict.INCONCLUSIVE else 0.0
    seen = redact.words(met.seen, credential.secret)
    return LoginResult(verdict, code, route.endpoint.protocol, seen, ms, wait=wait)


class _Attempt:
    """One connection with one login. `greeted` says whether the server was ready to hear a credential."""

    def __init__(self, route: Route, credential: Credential, context: CheckContext) -> None:
        self._route = route
        self._credential = credential
        self._context = context
        self.greeted = False

    def run(self) -> None:
        route = self._route
        ways = route.dialect.ways(route.capabilities, self._credential.kind, self._context.client)
        deadline = Deadline(self._context.login_seconds)
        with route.habits.choice.turn(ways):
            for _ in range(_SHORTCUTS):
                with contextlib.suppress(Unjudged):
                    return self._converse(deadline)
            return self._converse(deadline)

    def _converse(self, deadline: Deadline) -> None:
        route = self._route
        self.greeted = False
        sock = dial(route.addresses, route.endpoint.port, deadline, self._context.way_out)
        with contextlib.closing(Stream(sock, deadline)) as stream:
            try:
                greeting = self._begin(stream)
                self.greeted = True
                route.dialect.login(
                    stream, self._credential, greeting, route.capabilities, route.habits, self._context.client
                )
            finally:
                if stream.last_line:  # it has spoken: guards count who leaves without a word
                    route.dialect.farewell(stream)
            self._keep_session(stream)

    def _begin(self, stream: Stream) -> Greeting | None:
        """Up to the greeting. Raises `Unjudged` where a resumed session may be what the server does not bear."""
        session = self._route.session if self._route.habits.resume else None
        if session is None:
            return self._secure(stream, None)
        whole = stream.deadline
        stream.deadline = Deadline(whole.remaining() * _RESUMED_SHARE)
        try:
            return self._secure(stream, session)
        except (OSError, Fault) as error:
            met = error if isinstance(error, Fault) else _fault(error)
            if met.code not in _BROKEN and not met.code.startswith("tls."):
                raise
            self._route.habits.resume = self._route.habits.hasty = False
            raise Unjudged(met.code, met.seen, **met.facts) from None
        finally:
            stream.deadline = whole

    def _secure(self, stream: Stream, session: ssl.SSLSession | None) -> Greeting | None:
        """TLS before anything else that matters. The greeting, or None where it came before TLS."""
        route = self._route
        if route.endpoint.security is Security.STARTTLS:
            greeting = route.dialect.greet(stream)
            route.dialect.starttls(stream, greeting, self._context.client)
            self._shake(stream, session)
            return None
        self._shake(stream, session)
        return route.dialect.greet(stream)

    def _shake(self, stream: Stream, session: ssl.SSLSession | None) -> None:
        route = self._route
        hasty = session is not None or bool(route.habits.hasty)
        try:
            handshake.secure(stream, route.tls_context, route.endpoint.host, session=session, hasty=hasty)
        except ssl.SSLError as error:
            if not hasty or isinstance(error, ssl.SSLCertVerificationError):
                raise
            fault = handshake.tls_fault(error)
            if fault.code is not Code.TLS_PLAINTEXT_PORT:
                raise
            route.habits.hasty = False
            raise Unjudged(fault.code, fault.seen) from None
        handshake.require_pin(stream.sock, route.pin)
        route.habits.hasty = route.habits.hasty is not False
        if session is not None and isinstance(stream.sock, ssl.SSLSocket):
            self._note(resumed=bool(stream.sock.session_reused))

    def _note(self, *, resumed: bool) -> None:
        """Dovecot has a process with keys of its own for each connection: no session is ever taken there."""
        route = self._route
        route.in_vain = 0 if resumed else route.in_vain + 1
        if route.in_vain >= _IN_VAIN:
            route.habits.resume = False

    def _keep_session(self, stream: Stream) -> None:
        if self._route.session is None and isinstance(stream.sock, ssl.SSLSocket):
            self._route.session = stream.sock.session


def _fault(error: OSError) -> Fault:
    if isinstance(error, TimeoutError):
        return Fault(Code.DEADLINE, "no answer in time")
    return handshake.after_handshake(error) or fault_of(error)
