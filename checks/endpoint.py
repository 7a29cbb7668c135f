"""The endpoint check: resolve, connect, TLS, greeting, capabilities; no credential is at hand."""

import contextlib
import socket
from dataclasses import replace
from functools import cached_property

from checks import chain, redact, tls
from checks.context import CheckContext
from checks.conversation import Conversation
from checks.model import (
    CODES,
    Blame,
    Code,
    Endpoint,
    EndpointResult,
    Facts,
    Fault,
    Fix,
    Option,
    Security,
    TlsFacts,
    Verdict,
    Warn,
    verdict_of,
)
from checks.network import Attempt, Deadline, dial_all, resolve
from checks.protocols.dialect import Dialect, dialect_of
from checks.steps import Steps, seconds
from checks.stream import Stream

# A handshake that ended like this may have met a server that wants to be greeted in clear text first.
_WORTH_STARTTLS = frozenset({Code.TLS_PLAINTEXT_PORT, Code.CONNECT_CLOSED})
_TLS_IS_SPOKEN = frozenset({Code.TLS_VERSION, Code.TLS_NO_SHARED_CIPHER, Code.TLS_CLIENT_CERTIFICATE})


class EndpointCheck:
    """One endpoint, once. `run` returns the result and never raises a `Fault`."""

    def __init__(self, endpoint: Endpoint, context: CheckContext) -> None:
        self._endpoint = endpoint
        self._context = context
        self._deadline = Deadline(context.deadline_seconds)
        self._reaching = Steps(self._deadline)
        self._talk = self._conversation(endpoint.security)
        self._warnings: list[Warn] = []
        self._address: str | None = None
        self._tls: TlsFacts | None = None

    @cached_property
    def _dialect(self) -> Dialect:
        return dialect_of(self._endpoint.protocol)

    def run(self) -> EndpointResult:
        """The result, whatever comes."""
        try:
            sock = self._reach()
            self._converse(Stream(sock, self._deadline))
        except Fault as fault:
            return self._failed(fault)
        if self._talk.shake is not None and self._talk.shake.refusal is not None:
            return self._refused(self._talk.shake, self._talk.shake.refusal)
        return self._accepted()

    # -- reaching the server

    def _reach(self) -> socket.socket:
        endpoint, context = self._endpoint, self._context
        with self._reaching.step("resolve", Code.DNS_TEMPORARY) as note:
            addresses = resolve(endpoint.host, endpoint.port, context.policy, self._deadline)
            note.append(", ".join(addresses))
        with self._reaching.step("connect", Code.CONNECT_TIMEOUT) as note:
            attempts = dial_all(addresses, endpoint.port, self._deadline, context.source_address)
            note.append("; ".join(map(_attempt_words, attempts)))
            address, sock = _first_connected(attempts)
        self._address = address
        self._warn_of_silent(attempts)
        return sock

    def _warn_of_silent(self, attempts: list[Attempt]) -> None:
        """Addresses that did not answer, apart from those we have no way to, such as IPv6 from an IPv4 host."""
        silent = [item.address for item in attempts if item.fault and item.fault.code is not Code.CONNECT_UNREACHABLE]
        if silent:
            self._warnings.append(Warn(Code.CONNECT_SOME_ADDRESSES, self._facts({"addresses": ", ".join(silent)})))

    def _again(self) -> Stream:
        """Another connection to the address that answered. Raises `Fault`, and only such as may be gone in a minute."""
        try:
            addresses = [self._address or ""]
            attempts = dial_all(addresses, self._endpoint.port, self._deadline, self._context.source_address)
            return Stream(_first_connected(attempts)[1], self._deadline)
        except TimeoutError:
            raise Fault(Code.DEADLINE, "no answer in time", **seconds(self._deadline)) from None
        except Fault as fault:
            # It answered a moment ago: what it says now is about this moment, not about the settings.
            raise Fault(Code.CONNECT_CLOSED, fault.seen) from None

    # -- talking to it

    def _conversation(self, security: Security) -> Conversation:
        return Conversation(self._endpoint, security, self._deadline)

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
                no_tls = self._talk.shake is None and fault.code in _WORTH_STARTTLS
                if not no_tls or security is securities[-1]:
                    raise self._explained(fault) from None
                stream = self._again()
            else:
                return

    def _explained(self, fault: Fault) -> Fault:
        """TLS on the wrong kind of port, told from a port that is something else altogether."""
        if fault.code is Code.TLS_PLAINTEXT_PORT:
            if self._talk.security is Security.STARTTLS:
                return Fault(Code.TLS_HANDSHAKE, "the server went on in clear text after STARTTLS")
            return self._greeted_in_clear(fault)
        if fault.code is Code.GREETING_TIMEOUT and self._securities() == (Security.STARTTLS,) and self._speaks_tls():
            return Fault(Code.TLS_IMPLICIT_PORT, "the port answers a TLS handshake at once")
        return fault

    def _greeted_in_clear(self, fault: Fault) -> Fault:
        """What the port says to a client that waits for a greeting. A refusal of the server is the better answer."""
        try:
            with contextlib.closing(self._again()) as stream:
                return Fault(fault.code, self._dialect.greet(stream).words, **fault.facts)
        except Fault as met:
            return fault if CODES[met.code].blame is Blame.NETWORK else met
        except OSError:
            return fault

    def _speaks_tls(self) -> bool:
        try:
            with contextlib.closing(self._again()) as stream:
                tls.look(stream, self._context.trust.insecure, self._endpoint.host)
        except Fault as met:
            return met.code in _TLS_IS_SPOKEN
        return True

    # -- what it means

    def _accepted(self) -> EndpointResult:
        if self._talk.shake is not None:
            self._tls = self._talk.shake.facts
            found = chain.warnings(self._talk.shake.chain, chain.utc_now())
            self._warnings += [Warn(warn.code, self._facts(warn.facts)) for warn in found]
        return self._result(Code.OK, option=Option.NOT_NEEDED)

    def _refused(self, shake: tls.Handshake, refusal: tls.Refusal) -> EndpointResult:
        """The strict client refused the chain: all causes, and whether the option would let it in."""
        self._tls = shake.facts
        found = chain.causes(shake.chain, self._endpoint.host, chain.utc_now(), refusal.code)
        found = [Warn(warn.code, self._facts(warn.facts)) for warn in found]
        trial = self._conversation(self._talk.security)
        obstacle = self._other_obstacle(trial)
        if trial.shake is not None:
            self._tls = replace(trial.shake.facts, chain=shake.facts.chain)
        if self._context.allow_insecure_certificate:
            return self._allowed(found, refusal.words, trial, obstacle)
        self._warnings += found[1:]
        self._talk.steps.mark("tls", Verdict.FAIL, refusal.words)
        return self._result(found[0].code, facts=found[0].facts, seen=refusal.words, option=_option_for(obstacle))

    def _other_obstacle(self, trial: Conversation) -> Fault | None:
        """Whether anything but the certificate stands in the way: proved by a connection that does not verify."""
        try:
            with contextlib.closing(self._again()) as stream:
                trial.hold(stream, self._context.trust.insecure)
        except Fault as fault:
            return fault
        return None

    def _allowed(self, found: list[Warn], refusal: str, trial: Conversation, obstacle: Fault | None) -> EndpointResult:
        """The option is on, so the conversation without verification is the one that counts."""
        self._warnings += found
        self._talk.steps.merge(trial.steps)
        if obstacle:
            return self._failed(obstacle)
        self._talk.capabilities = trial.capabilities
        self._talk.steps.mark("tls", Verdict.OK, f"{refusal}; allowed by the option")
        return replace(self._result(Code.OK, option=Option.NEEDED), insecure=True)

    def _failed(self, fault: Fault) -> EndpointResult:
        return self._result(fault.code, facts=fault.facts, seen=fault.seen, option=_option_for(fault))

    def _result(
        self, code: Code, *, facts: Facts | None = None, seen: str = "", option: Option | None
    ) -> EndpointResult:
        return EndpointResult(
            endpoint=replace(self._endpoint, security=self._talk.security),
            verdict=verdict_of(code),
            code=code,
            address=self._address,
            facts=self._facts(facts or {}),
            seen=redact.words(seen),
            option=option,
            fix=_FIXES.get(code),
            warnings=tuple(self._warnings),
            steps=(*self._reaching.taken, *self._talk.steps.taken),
            tls=self._tls,
            capabilities=self._talk.capabilities,
        )

    def _facts(self, facts: Facts) -> dict[str, str]:
        """With where it was. Values may be a stranger's words, such as the names in a certificate."""
        base = {
            "host": self._endpoint.host,
            "port": str(self._endpoint.port),
            "protocol": self._endpoint.protocol.label,
            "security": str(self._talk.security),
        }
        return base | {name: redact.words(value) for name, value in facts.items()}


_FIXES = {
    Code.TLS_PLAINTEXT_PORT: Fix("use_starttls", "Set the security of this port to STARTTLS, or use the TLS port."),
    Code.TLS_IMPLICIT_PORT: Fix("use_implicit_tls", "Set the security of this port to TLS."),
}


def _first_connected(attempts: list[Attempt]) -> tuple[str, socket.socket]:
    """The first address that answered. Raises `Fault`: an address that may answer in a minute outweighs a refusal."""
    for attempt in attempts:
        if attempt.sock is not None:
            return attempt.address, attempt.sock
    faults = [attempt.fault for attempt in attempts if attempt.fault]
    # One that we have no way to, such as IPv6 from an IPv4 host, says nothing where another did.
    telling = [fault for fault in faults if fault.code is not Code.CONNECT_UNREACHABLE] or faults
    chosen = next((fault for fault in telling if not CODES[fault.code].permanent), telling[0])
    raise Fault(chosen.code, "; ".join(map(_attempt_words, attempts)), **chosen.facts)


def _attempt_words(attempt: Attempt) -> str:
    return f"{attempt.address}: {attempt.fault.seen or attempt.fault.code}" if attempt.fault else attempt.address


def _option_for(obstacle: Fault | None) -> Option | None:
    """What the option would do; None where the obstacle may be gone in a minute."""
    if obstacle is None:
        return Option.NEEDED
    return Option.WOULD_NOT_HELP if verdict_of(obstacle.code) is Verdict.FAIL else None
