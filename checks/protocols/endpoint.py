"""The endpoint check: resolve, connect, TLS, greeting, capabilities; no credential is at hand."""

import contextlib
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial

from cryptography.hazmat.primitives.serialization import Encoding

from checks import redact
from checks.codes import CODES, Blame, Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import (
    ALLOWED_BY_OPTION,
    Endpoint,
    EndpointResult,
    Facts,
    Fault,
    Fix,
    Option,
    Pin,
    Security,
    TlsFacts,
    Warn,
)
from checks.network.dial import Deadline
from checks.network.stream import Stream
from checks.protocols import exchange_online
from checks.protocols.connections import Connections
from checks.protocols.conversation import Conversation
from checks.protocols.dialect import Dialect, Greeting, dialect_of
from checks.protocols.in_clear import judged
from checks.tls import accepted_chain, handshake, large_client_hello
from checks.tls.diagnosis import Diagnosis, Findings
from checks.tls.further_questions import OUTDATED, FurtherQuestions
from checks.tls.handshake import Handshake, Refusal
from checks.tls.repairs import repair
from checks.x509 import refusal_causes
from checks.x509.keys import key_sha256

# A handshake that ended like this may have met a server that wants to be greeted in clear text first.
_WORTH_STARTTLS = frozenset({Code.TLS_PLAINTEXT_PORT, Code.CONNECT_CLOSED})
_TLS_IS_SPOKEN = frozenset(
    {Code.TLS_VERSION, Code.TLS_NO_SHARED_CIPHER, Code.TLS_OLD_CIPHERS, Code.TLS_CLIENT_CERTIFICATE}
)


class EndpointCheck:
    """One endpoint, once. `run` returns the result and never raises a `Fault`."""

    def __init__(self, endpoint: Endpoint, context: CheckContext) -> None:
        self._endpoint = endpoint
        self._context = context
        self._deadline = Deadline(context.deadline_seconds)
        self._connections = Connections(endpoint, context, self._deadline)
        self._talk = self._conversation(endpoint.security)
        self._warnings: list[Warn] = []
        self._tls: TlsFacts | None = None
        self._remedy: Fix | None = None

    @cached_property
    def _dialect(self) -> Dialect:
        return dialect_of(self._endpoint.protocol, self._endpoint.authentication)

    def run(self) -> EndpointResult:
        """The result, whatever comes."""
        self._warn(_known_of(self._endpoint))
        try:
            sock = self._connections.reach()
            if self._connections.silent:
                self._warn([Warn(Code.CONNECT_SOME_ADDRESSES, {"addresses": ", ".join(self._connections.silent)})])
            self._converse(Stream(sock, self._deadline))
        except Fault as fault:
            return self._failed(fault)
        if self._talk.shake is not None and self._talk.shake.refusal is not None:
            return self._refused(self._talk.shake, self._talk.shake.refusal)
        return self._accepted()

    # -- talking to it

    def _again(self) -> Stream:
        return self._connections.again()

    def _shake(self, context: ssl.SSLContext, host: str | None = None, address: str | None = None) -> Handshake:
        """One more handshake, as the conversation that counts had it. Raises `Fault`."""
        with contextlib.closing(self._connections.again(address)) as stream:
            return self._conversation(self._talk.security).meet(stream, context, host)

    def _conversation(self, security: Security) -> Conversation:
        return Conversation(self._endpoint, security, self._deadline, self._context.client)

    def _securities(self) -> tuple[Security, ...]:
        """What is tried, in order (RFC 8314, 3: implicit TLS is preferred)."""
        if self._endpoint.security is not Security.AUTO:
            return (self._endpoint.security,)
        if self._endpoint.port in self._dialect.implicit_ports:
            return (Security.TLS,)
        if self._endpoint.port in self._dialect.starttls_ports:
            return (Security.STARTTLS,)
        return (Security.TLS, Security.STARTTLS)

    def _converse(self, stream: Stream) -> None:
        """Leaves the conversation that counts in `_talk`. Raises the `Fault` it ended with, explained."""
        securities = self._securities()
        for security in securities:
            self._talk = self._conversation(security)
            try:
                with contextlib.closing(stream):
                    self._talk.hold(stream, self._context.trust.strict)
            except Fault as fault:
                if (too_large := self._too_large(fault)) is not None:
                    raise too_large from None
                no_tls = self._talk.shake is None and fault.code in _WORTH_STARTTLS
                if not no_tls or security is securities[-1]:
                    raise self._explained(fault) from None
                stream = self._again()
            else:
                return

    def _too_large(self, fault: Fault) -> Fault | None:
        """`Fault(tls.large_hello)` where the handshake was cut off for the size of its first message."""
        steps = self._talk.steps
        if not steps.taken or steps.taken[-1].name != "tls" or self._talk.shake is not None:
            return None
        found = large_client_hello.blamed(
            fault, self._context.trust, partial(self._shake, address=self._connections.address)
        )
        if found is None:
            return None
        seen = (
            f"{fault.seen}: a ClientHello of {large_client_hello.hello_size()} bytes is lost, a smaller one is answered"
        )
        steps.mark("tls", Verdict.FAIL, seen)
        if found.met is not None:
            self._tls = replace(found.met.facts, large_hello=large_client_hello.BLOCKED)
        return Fault(Code.TLS_LARGE_HELLO, seen)

    def _explained(self, fault: Fault) -> Fault:
        """TLS on the wrong kind of port, told from a port that is something else altogether."""
        if fault.code is Code.TLS_PLAINTEXT_PORT:
            if self._talk.security is Security.STARTTLS:
                return Fault(Code.TLS_HANDSHAKE, "the server went on in clear text after STARTTLS")
            said = judged(fault, self._endpoint.protocol)
            return self._greeted_in_clear(fault) if said is fault else said
        if fault.code is Code.GREETING_TIMEOUT and self._securities() == (Security.STARTTLS,):
            return self._said_to_tls() or fault
        return fault

    def _greeted_in_clear(self, fault: Fault) -> Fault:
        """What the port says to a client that waits for a greeting. A refusal of the server is the better answer."""
        try:
            with contextlib.closing(self._again()) as stream:
                greeting = self._dialect.greet(stream)
                self._remedy = self._starttls_helps(stream, greeting)
                self._dialect.farewell(stream)
                return Fault(fault.code, greeting.words, **fault.facts)
        except Fault as met:
            return fault if CODES[met.code].blame is Blame.NETWORK else met
        except OSError:
            return fault

    def _starttls_helps(self, stream: Stream, greeting: Greeting) -> Fix | None:
        try:
            self._dialect.starttls(stream, greeting, self._context.client)
            met = handshake.look(stream, self._deciding, self._endpoint.host)
        except (Fault, OSError):
            return None
        return repair("use_starttls") if met.refusal is None else None

    def _said_to_tls(self) -> Fault | None:
        """What a port that waits in silence has to say to a TLS handshake; None where that tells nothing."""
        at_once = Fault(Code.TLS_IMPLICIT_PORT, "the port answers a TLS handshake at once")
        try:
            with contextlib.closing(self._again()) as stream:
                met = handshake.look(stream, self._deciding, self._endpoint.host)
        except Fault as fault:
            other = judged(fault, self._endpoint.protocol)  # a web server says so only once it was spoken to
            return other if other is not fault else at_once if fault.code in _TLS_IS_SPOKEN else None
        self._remedy = repair("use_implicit_tls") if met.refusal is None else None
        return at_once

    @property
    def _deciding(self) -> ssl.SSLContext:
        """The context that a login would have."""
        trust = self._context.trust
        return trust.insecure if self._context.allow_insecure_certificate else trust.strict

    # -- what it means

    def _warn(self, found: Iterable[Warn]) -> None:
        self._warnings += [Warn(warn.code, self._facts(warn.facts)) for warn in found]

    def _accepted(self) -> EndpointResult:
        met = self._talk.shake
        if met is not None:
            self._tls = met.facts
            now = refusal_causes.utc_now()
            self._warn(accepted_chain.warnings(met.chain, met.path, self._endpoint.host, now))
            self._warn(self._further_questions().of_accepted(met, self._connections.others))
        return self._result(Code.OK, option=Option.NOT_NEEDED)

    def _further_questions(self) -> FurtherQuestions:
        return FurtherQuestions(self._context, self._deadline, self._shake)

    def _refused(self, shake: Handshake, refusal: Refusal) -> EndpointResult:
        """The strict client refused the chain: all causes, what would repair it, and whether the option would do."""
        trial = self._conversation(self._talk.security)
        obstacle = self._other_obstacle(trial)
        elsewhere = self._further_questions().elsewhere(self._connections.others)
        findings = self._explain(shake, refusal, list(elsewhere.values()), fixable=obstacle is None)
        self._remedy = findings.fix
        agreed = trial.shake.facts if trial.shake else shake.facts
        self._tls = replace(shake.facts, version=agreed.version, cipher=agreed.cipher, broken=_place(shake, findings))
        found = [Warn(cause.code, self._facts(cause.facts)) for cause in findings.causes]
        differing = accepted_chain.differing(shake, elsewhere)
        if self._context.allow_insecure_certificate:
            self._warnings += found
            self._warn(differing)
            root = key_sha256(findings.root.public_bytes(Encoding.DER)) if findings.root else None
            return self._allowed(refusal.words, trial, obstacle, root)
        self._warnings += found[1:]
        self._warn(differing)
        self._talk.steps.mark("tls", Verdict.FAIL, refusal.words)
        return self._result(found[0].code, facts=found[0].facts, seen=refusal.words, option=_option_for(obstacle))

    def _explain(
        self,
        shake: Handshake,
        refusal: Refusal,
        elsewhere: Sequence[Handshake],
        *,
        fixable: bool,
    ) -> Findings:
        address = self._connections.address or ""
        diagnosis = Diagnosis(self._endpoint.host, address, self._context, self._deadline, self._shake)
        return diagnosis.explain(shake, refusal, elsewhere, fixable=fixable)

    def _other_obstacle(self, trial: Conversation) -> Fault | None:
        """Whether anything but the certificate stands in the way: proved by a connection that does not verify."""
        try:
            with contextlib.closing(self._again()) as stream:
                trial.hold(stream, self._context.trust.insecure)
        except Fault as fault:
            return fault
        return None

    def _allowed(self, refusal: str, trial: Conversation, obstacle: Fault | None, root: str | None) -> EndpointResult:
        """The option is on, so the conversation without verification is the one that counts.

        It counts for the key that was met only: `root` is that of the private CA, where there is one.
        """
        self._talk.steps.merge(trial.steps)
        if obstacle:
            return self._failed(obstacle)
        pin = Pin(trial.shake.key if trial.shake else "", root)
        expected = self._context.pins.get(str(self._endpoint), pin)
        if expected.leaf != pin.leaf:
            return self._failed(handshake.pin_fault(pin.leaf, expected), option=Option.NEEDED)
        self._talk.capabilities = trial.capabilities
        self._talk.steps.mark("tls", Verdict.OK, f"{refusal}{ALLOWED_BY_OPTION}")
        return replace(self._result(Code.OK, option=Option.NEEDED), insecure=True, pin=pin)

    def _failed(self, fault: Fault, *, option: Option | None = None) -> EndpointResult:
        if fault.code in OUTDATED:
            fault, self._remedy = self._further_questions().of_outdated(fault)
        if fault.code is Code.TLS_CHAIN_TOO_LARGE:
            self._remedy = repair("replace_certificate", host=self._endpoint.host)
        return self._result(fault.code, facts=fault.facts, seen=fault.seen, option=option or _option_for(fault))

    def _result(
        self, code: Code, *, facts: Facts | None = None, seen: str = "", option: Option | None
    ) -> EndpointResult:
        return EndpointResult(
            endpoint=replace(self._endpoint, security=self._talk.security),
            verdict=verdict_of(code),
            code=code,
            address=self._connections.address,
            facts=self._facts(facts or {}),
            seen=redact.words(seen),
            option=option,
            fix=self._remedy,
            warnings=tuple(self._warnings),
            steps=(*self._connections.steps.taken, *self._talk.steps.taken),
            tls=self._tls_facts(),
            capabilities=self._talk.capabilities,
        )

    def _tls_facts(self) -> TlsFacts | None:
        if self._tls is None or self._tls.large_hello:
            return self._tls
        return replace(self._tls, large_hello=large_client_hello.state_of_success())

    def _facts(self, facts: Facts) -> dict[str, str]:
        """With where it was. Values may be a stranger's words, such as the names in a certificate."""
        base = {
            "host": self._endpoint.host,
            "port": str(self._endpoint.port),
            "protocol": self._endpoint.protocol.label,
            "security": str(self._talk.security),
        }
        return base | {name: redact.words(value) for name, value in facts.items()}


def _place(shake: Handshake, findings: Findings) -> int | None:
    """Where in the chain the certificate stands that the first cause is about."""
    about = findings.causes[0].about
    return shake.chain.index(about) if about in shake.chain else None


def _option_for(obstacle: Fault | None) -> Option | None:
    """What the option would do; None where the obstacle may be gone in a minute."""
    if obstacle is None:
        return Option.NEEDED
    return Option.WOULD_NOT_HELP if verdict_of(obstacle.code) is Verdict.FAIL else None


def _known_of(endpoint: Endpoint) -> list[Warn]:
    """What is to be said of a host before it is asked."""
    if not exchange_online.is_legacy(endpoint.host):
        return []
    facts = {"target": exchange_online.instead_of(endpoint.host), "date": exchange_online.LEGACY_ENDS.isoformat()}
    return [Warn(Code.EXCHANGE_LEGACY_ENDPOINT, facts)]
