"""The endpoint check: resolve, connect, TLS, greeting, capabilities; no credential is at hand.

Steps are recorded in order, so the first red one is the cause: everything before it worked.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from checks import chain, redact, tls
from checks.context import CheckContext
from checks.model import (
    Code,
    Endpoint,
    EndpointResult,
    Facts,
    Fault,
    Fix,
    Option,
    Security,
    Step,
    TlsFacts,
    Verdict,
    Warn,
    verdict_of,
)
from checks.network import Attempt, Deadline, Stream, dial_all, fault_of, resolve
from checks.protocols.dialect import Dialect, Greeting, dialect_of, require_usable

GREETING_SHARE = 0.6  # of the deadline: what is left finds out whether the silent port wants TLS first


@dataclass(frozen=True, slots=True)
class _Talk:
    """What one conversation brought: `shake.refusal` is set where the strict context refused the chain."""

    shake: tls.Handshake
    capabilities: tuple[str, ...] = ()


class EndpointCheck:
    """One endpoint, once. `run` returns the result and never raises a `Fault`."""

    def __init__(self, endpoint: Endpoint, context: CheckContext) -> None:
        self._endpoint = endpoint
        self._context = context
        self._deadline = Deadline(context.deadline_seconds)
        self._dialect: Dialect = dialect_of(endpoint.protocol)
        self._steps: list[Step] = []
        self._warnings: list[Warn] = []
        self._address: str | None = None
        self._security = endpoint.security
        self._tls: TlsFacts | None = None
        self._capabilities: tuple[str, ...] = ()

    def run(self) -> EndpointResult:
        """The result, whatever comes."""
        try:
            attempts = self._reach()
        except Fault as fault:
            return self._failed(fault)
        return self._judge(attempts)

    # -- reaching the server

    def _reach(self) -> Attempt:
        endpoint, context = self._endpoint, self._context
        with self._step("resolve", Code.DNS_TEMPORARY) as note:
            addresses = resolve(endpoint.host, endpoint.port, context.policy, self._deadline)
            note.append(", ".join(addresses))
        with self._step("connect", Code.CONNECT_TIMEOUT) as note:
            attempts = dial_all(addresses, endpoint.port, self._deadline, context.source_address)
            note.append("; ".join(map(_attempt_words, attempts)))
            reached = next((attempt for attempt in attempts if attempt.sock), None)
            failed = [attempt for attempt in attempts if attempt.fault]
            if reached is None:
                fault = failed[0].fault or Fault(Code.CONNECT_TIMEOUT)
                raise Fault(fault.code, "; ".join(map(_attempt_words, attempts)), **fault.facts)
        self._address = reached.address
        if failed:
            named = ", ".join(attempt.address for attempt in failed)
            self._warnings.append(Warn(Code.CONNECT_SOME_ADDRESSES, self._facts({"addresses": named})))
        return reached

    def _again(self) -> Stream:
        """Another connection to the address that answered. Raises `Fault`."""
        attempt = dial_all([self._address or ""], self._endpoint.port, self._deadline, self._context.source_address)[0]
        if attempt.sock is None:
            raise attempt.fault or Fault(Code.CONNECT_TIMEOUT)
        return Stream(attempt.sock, self._deadline)

    # -- talking to it

    def _judge(self, reached: Attempt) -> EndpointResult:
        if reached.sock is None:
            raise TypeError("only a connected attempt is judged")
        stream: Stream | None = Stream(reached.sock, self._deadline)
        fault = Fault(Code.INTERNAL)
        for security in self._securities():
            self._security = security
            before = len(self._steps)
            try:
                with contextlib.closing(stream or self._again()) as opened:
                    talk = self._converse(opened, security, strict=True)
                return self._accepted(talk) if talk.shake.refusal is None else self._refused(talk.shake)
            except Fault as met:
                fault, stream = met, None
                if met.code is not Code.TLS_PLAINTEXT_PORT or security is self._securities()[-1]:
                    break
                del self._steps[before:]
        return self._failed(self._explained(fault))

    def _securities(self) -> tuple[Security, ...]:
        """What is tried, in order (RFC 8314, 3: implicit TLS is preferred)."""
        if self._endpoint.security is not Security.AUTO:
            return (self._endpoint.security,)
        if self._endpoint.port in self._dialect.implicit_ports:
            return (Security.TLS,)
        if self._endpoint.port in self._dialect.starttls_ports:
            return (Security.STARTTLS,)
        return (Security.TLS, Security.STARTTLS)

    def _converse(self, stream: Stream, security: Security, *, strict: bool) -> _Talk:
        """Everything up to the capabilities, or up to the refused handshake."""
        if security is Security.TLS:
            shake = self._shake(stream, strict=strict)
            if shake.refusal:
                return _Talk(shake)
            greeting = self._greet(stream, self._deadline)
            return _Talk(shake, self._offers(stream, greeting))
        greeting = self._greet(stream, Deadline(self._deadline.remaining() * GREETING_SHARE))
        with self._step("starttls", Code.DEADLINE):
            self._dialect.starttls(stream, greeting)
        shake = self._shake(stream, strict=strict)
        if shake.refusal:
            return _Talk(shake)
        return _Talk(shake, self._offers(stream, Greeting(greeting.words)))

    def _shake(self, stream: Stream, *, strict: bool) -> tls.Handshake:
        trust = self._context.trust
        with self._step("tls", Code.TLS_TIMEOUT) as note:
            shake = tls.look(stream, trust.strict if strict else trust.insecure, self._endpoint.host)
            note.append(_tls_words(shake))
        return shake

    def _greet(self, stream: Stream, deadline: Deadline) -> Greeting:
        whole, stream.deadline = stream.deadline, deadline
        received = stream.received
        with self._step("greeting", Code.GREETING_TIMEOUT) as note:
            try:
                greeting = self._dialect.greet(stream)
            except TimeoutError:
                if stream.received > received:
                    raise Fault(Code.DEADLINE, stream.excerpt(), **self._seconds(deadline)) from None
                raise Fault(Code.GREETING_TIMEOUT, "connected, then silence", **self._seconds(deadline)) from None
            note.append(greeting.words)
        stream.deadline = whole
        return greeting

    def _offers(self, stream: Stream, greeting: Greeting) -> tuple[str, ...]:
        with self._step("capabilities", Code.DEADLINE) as note:
            capabilities = self._dialect.capabilities(stream, greeting)
            note.append(", ".join(capabilities))
            require_usable(self._dialect.mechanisms(capabilities))
        self._dialect.farewell(stream)
        return capabilities

    # -- what it means

    def _accepted(self, talk: _Talk) -> EndpointResult:
        self._tls = talk.shake.facts
        self._capabilities = talk.capabilities
        for warn in chain.warnings(talk.shake.chain, chain.utc_now()):
            self._warnings.append(Warn(warn.code, self._facts(warn.facts)))
        return self._result(Code.OK, option=Option.NOT_NEEDED)

    def _refused(self, shake: tls.Handshake) -> EndpointResult:
        """The strict client refused the chain: all causes, and whether the option would let it in."""
        self._tls = shake.facts
        refusal = shake.refusal
        seen = refusal.verify_message if refusal else ""
        found = chain.causes(shake.chain, self._endpoint.host, chain.utc_now(), refusal.verify_code if refusal else 0)
        found = [Warn(warn.code, self._facts(warn.facts)) for warn in found]
        obstacle = self._other_obstacle()
        if self._context.allow_insecure_certificate:
            self._warnings.extend(found)
            if obstacle:
                return self._failed(obstacle)
            self._mark_tls(Verdict.OK, f"{seen}; allowed by the option")
            return replace(self._result(Code.OK, option=Option.NEEDED), insecure=True)
        self._warnings.extend(found[1:])
        self._mark_tls(Verdict.FAIL, seen)
        return self._result(found[0].code, facts=found[0].facts, seen=seen, option=_option_for(obstacle))

    def _other_obstacle(self) -> Fault | None:
        """Whether anything but the certificate stands in the way: proved by a connection that does not verify."""
        recorded = list(self._steps)
        try:
            with contextlib.closing(self._again()) as stream:
                talk = self._converse(stream, self._security, strict=False)
        except Fault as fault:
            return fault
        finally:
            if not self._context.allow_insecure_certificate:
                self._steps = recorded
            else:
                self._steps = [*recorded, *_new_steps(self._steps[len(recorded) :], recorded)]
        self._capabilities = talk.capabilities
        self._tls = replace(talk.shake.facts, chain=self._tls.chain) if self._tls else talk.shake.facts
        return None

    def _explained(self, fault: Fault) -> Fault:
        """TLS on the wrong kind of port, told from a port that is something else altogether."""
        try:
            if fault.code is Code.TLS_PLAINTEXT_PORT:
                with contextlib.closing(self._again()) as stream:
                    fault.seen = self._dialect.greet(stream).words
            elif fault.code is Code.GREETING_TIMEOUT and self._security is Security.STARTTLS:
                with contextlib.closing(self._again()) as stream:
                    tls.look(stream, self._context.trust.insecure, self._endpoint.host)
                return Fault(Code.TLS_IMPLICIT_PORT, "the port answers a TLS handshake at once")
        except Fault as met:
            return met if met.code is Code.PROTOCOL_MISMATCH else fault
        except OSError:
            return fault
        return fault

    def _failed(self, fault: Fault) -> EndpointResult:
        verdict = verdict_of(fault.code)
        option = Option.WOULD_NOT_HELP if verdict is Verdict.FAIL else None
        return self._result(fault.code, facts=fault.facts, seen=fault.seen, option=option)

    def _result(
        self, code: Code, *, facts: Facts | None = None, seen: str = "", option: Option | None
    ) -> EndpointResult:
        return EndpointResult(
            endpoint=replace(self._endpoint, security=self._security),
            verdict=verdict_of(code),
            code=code,
            address=self._address,
            facts=self._facts(facts or {}),
            seen=redact.words(seen),
            option=option,
            fix=_FIXES.get(code),
            warnings=tuple(self._warnings),
            steps=tuple(self._steps),
            tls=self._tls,
            capabilities=self._capabilities,
        )

    # -- keeping the record

    def _facts(self, facts: Facts) -> dict[str, str]:
        base = {
            "host": self._endpoint.host,
            "port": str(self._endpoint.port),
            "protocol": self._endpoint.protocol.upper(),
            "security": str(self._security),
        }
        return base | dict(facts)

    def _seconds(self, deadline: Deadline) -> dict[str, str]:
        return {"seconds": f"{deadline.seconds:.0f}"}

    @contextlib.contextmanager
    def _step(self, name: str, late: Code) -> Iterator[list[str]]:
        """Records a step. `late` is what it means when the deadline passes inside. Raises `Fault` only."""
        begun = time.monotonic()
        note: list[str] = []
        try:
            yield note
        except Fault as fault:
            self._record(name, verdict_of(fault.code), begun, fault.seen or "".join(note))
            raise
        except TimeoutError:
            self._record(name, Verdict.INCONCLUSIVE, begun, "no answer in time")
            raise Fault(late, "no answer in time", **self._seconds(self._deadline)) from None
        except OSError as error:
            met = tls.after_handshake(error) or fault_of(error)
            self._record(name, verdict_of(met.code), begun, met.seen)
            raise met from None
        self._record(name, Verdict.OK, begun, "".join(note))

    def _record(self, name: str, verdict: Verdict, begun: float, seen: str) -> None:
        ms = round((time.monotonic() - begun) * 1000, 1)
        self._steps.append(Step(name, verdict, ms, redact.words(seen)))

    def _mark_tls(self, verdict: Verdict, seen: str) -> None:
        """The handshake itself went well; what the step means is known only now."""
        self._steps = [
            replace(step, verdict=verdict, seen=seen) if step.name == "tls" else step for step in self._steps
        ]


_FIXES = {
    Code.TLS_PLAINTEXT_PORT: Fix("use_starttls", "Set the security of this port to STARTTLS, or use the TLS port."),
    Code.TLS_IMPLICIT_PORT: Fix("use_implicit_tls", "Set the security of this port to TLS."),
}


def _new_steps(steps: list[Step], known: list[Step]) -> list[Step]:
    names = {step.name for step in known}
    return [step for step in steps if step.name not in names]


def _option_for(obstacle: Fault | None) -> Option | None:
    if obstacle is None:
        return Option.NEEDED
    return Option.WOULD_NOT_HELP if verdict_of(obstacle.code) is Verdict.FAIL else None


def _attempt_words(attempt: Attempt) -> str:
    return f"{attempt.address}: {attempt.fault.seen or attempt.fault.code}" if attempt.fault else attempt.address


def _tls_words(shake: tls.Handshake) -> str:
    if shake.refusal:
        return shake.refusal.verify_message
    facts = shake.facts
    return f"{facts.version} {facts.cipher}"
