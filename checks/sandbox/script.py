"""The script of a sandbox: it stands where the network would, for checks and logins alike."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext, Route
from checks.model import Authentication, Credential, Endpoint, EndpointResult, LoginResult, Protocol
from checks.sandbox.certificates import DAY, shown
from checks.sandbox.endpoints import result_of
from checks.sandbox.facts import said
from checks.sandbox.names import SLOW, host_named, mailbox_named

_SLOW_SECONDS = 0.2  # really waited, so that others can be seen to go on meanwhile
_SLOW_MILLISECONDS, _MILLISECONDS = 9000.0, 45.0  # told
_PATIENCE_SECONDS = 0.2
_SERVICES = ("mail", "calendar")


@dataclass(frozen=True, slots=True)
class SandboxScript:
    """`now` and `saved_at`, when the settings were saved, are UTC seconds since 1970.

    `ahead`: how far the sandbox's clock was put ahead in all, in seconds. Certificates age by whole days of it, so that
    their dates are the same at every check.
    """

    now: float
    saved_at: float
    ahead: float = 0.0

    def check_endpoint(self, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        """What the endpoint's host stands for."""
        named = host_named(endpoint.host, self._hours)
        if named.label == SLOW:
            time.sleep(_SLOW_SECONDS)
        saved = self.saved_at + self.ahead % DAY
        return result_of(endpoint, named, shown(endpoint.host, named, saved, self.now), context, self.now)

    def open_route(self, result: EndpointResult) -> Route:
        """The route to an endpoint that passed."""
        return ScriptedRoute(result.endpoint, self._hours)

    @property
    def _hours(self) -> float:
        return (self.now - self.saved_at) / 3600


@dataclass
class ScriptedRoute:
    """Logins to one endpoint, `hours` after its settings were saved. Nothing is sent anywhere."""

    endpoint: Endpoint
    hours: float
    learned: Mapping[str, str] = field(default_factory=dict)
    _put_off: set[str] = field(default_factory=set, repr=False)

    def log_in(self, credential: Credential, _context: CheckContext, address: str = "") -> LoginResult:
        """What the mailbox's name stands for."""
        mailbox = address or credential.username
        code, label = mailbox_named(mailbox, self.hours)
        code = code if self._concerns(code) else Code.OK
        if label == SLOW:
            time.sleep(_SLOW_SECONDS)
        if code is Code.SERVER_PATIENCE:
            return self._asked_for_patience(mailbox)
        result = LoginResult(verdict_of(code), code, self.endpoint.protocol, said(code, self.endpoint.protocol))
        ms = _SLOW_MILLISECONDS if label == SLOW else _MILLISECONDS
        return replace(result, ms=ms, services=self._services(code))

    def _concerns(self, code: Code) -> bool:
        """A mailbox meets its fate once: at IMAP or Exchange, and what is SMTP's at SMTP."""
        protocol = self.endpoint.protocol
        if code.startswith("smtp."):
            without = self.endpoint.authentication is Authentication.NONE
            return protocol is Protocol.SMTP and (without or code is not Code.SMTP_LOGIN_REQUIRED)
        if code.startswith("exchange."):
            return protocol is Protocol.HTTPS
        return protocol is not Protocol.SMTP

    def _asked_for_patience(self, mailbox: str) -> LoginResult:
        protocol = self.endpoint.protocol
        if mailbox in self._put_off:
            return LoginResult(Verdict.OK, Code.OK, protocol, ms=_MILLISECONDS, services=self._services(Code.OK))
        self._put_off.add(mailbox)
        code = Code.SERVER_THROTTLED
        return LoginResult(verdict_of(code), code, protocol, said(code, protocol), wait=_PATIENCE_SECONDS)

    def _services(self, code: Code) -> Mapping[str, str] | None:
        """Mail and calendar apart, as Exchange has them."""
        if self.endpoint.protocol is not Protocol.HTTPS:
            return None
        only = {Code.EXCHANGE_MAIL_DENIED: "mail"} | dict.fromkeys(
            (Code.EXCHANGE_CALENDAR_DENIED, Code.EXCHANGE_CALENDAR_MISSING), "calendar"
        )
        return {name: (code if only.get(code, name) == name else Code.OK).value for name in _SERVICES}
