"""The mailbox check for Exchange: one logon, one question for inbox and calendar, a verdict for each of the two."""

import base64
import binascii
import contextlib
import importlib
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checks import redact
from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Credential, CredentialKind, Endpoint, EndpointResult, Fault, LoginResult, Pin, Protocol
from checks.network.dial import Deadline, dial, fault_of, resolve
from checks.network.http import USER_AGENT, Reply, Request
from checks.network.stream import Stream
from checks.protocols.exchange import get_folder
from checks.protocols.exchange.auth import Logon, choose, logon
from checks.protocols.exchange.get_folder import Answer, VersionRefused
from checks.protocols.exchange.replies import asked_patience, judge_logon
from checks.protocols.exchange.response_codes import NOT_THERE, translate
from checks.protocols.exchange.url import host_header
from checks.protocols.exchange_online import ENDS, is_online
from checks.protocols.patience import FULL, Moments, patience
from checks.tls import handshake

_RESUMED_SHARE = 0.9  # of the deadline, for a logon that resumes


@dataclass(frozen=True, slots=True)
class ServiceVerdicts:
    """Mail and calendar apart. Where the logon itself failed, both have its code."""

    mail: Code
    calendar: Code

    @property
    def codes(self) -> dict[str, str]:
        """Both by name."""
        return {"mail": self.mail.value, "calendar": self.calendar.value}

    @property
    def decisive(self) -> Code:
        """The code of the mailbox: a lasting cause before one that may pass, mail before calendar."""
        codes = (self.mail, self.calendar)
        for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            for code in codes:
                if verdict_of(code) is verdict:
                    return code
        return Code.OK


class ExchangeLogin(NamedTuple):
    """What came of one mailbox. `result.code` is the decisive one of `services`."""

    result: LoginResult
    services: ServiceVerdicts


@dataclass(slots=True)
class ExchangeRoute:
    """What the logons of one run to one Exchange URL share: addresses, schemes, TLS context and session.

    Names are looked up once, under the address policy; logons go to those addresses, whatever the name says later.
    `impersonate`: the logons are an application's or a service account's, which acts for the mailboxes.
    `impersonator`: the user name that was seen to act for others. `version` is the place of the one that the server
    knows in `get_folder.VERSIONS`. `canaries`: logons may find out such things for all. `pin` is the one key that the
    option lets in: with another one no credential is sent.
    """

    endpoint: Endpoint
    url: str
    addresses: tuple[str, ...]
    capabilities: tuple[str, ...]
    tls_context: ssl.SSLContext
    insecure: bool
    online: bool
    impersonate: bool = False
    impersonator: str = ""
    version: int = 0
    canaries: bool = False
    session: ssl.SSLSession | None = field(default=None, repr=False)
    resume: bool = True
    pin: Pin | None = None
    moments: Moments = field(default_factory=Moments, repr=False)

    @property
    def learned(self) -> Mapping[str, str]:
        """What the logons have learned of the server, for those of other processes."""
        found = {"impersonator": self.impersonator} if self.impersonator else {}
        return found | ({"version": str(self.version)} if self.version else {})

    def log_in(self, credential: Credential, context: CheckContext, address: str = "") -> LoginResult:
        """One logon; see `log_in`."""
        return log_in(self, credential, context, address).result


def open_route(result: EndpointResult, context: CheckContext) -> ExchangeRoute:
    """The route to an Exchange URL that passed its probe. Raises `Fault` when its name does not resolve any more."""
    endpoint = result.endpoint
    found = resolve(endpoint.host, endpoint.port, context.policy, Deadline(context.login_seconds))
    return ExchangeRoute(
        endpoint=endpoint,
        url=endpoint.url,
        addresses=tuple(sorted(found, key=lambda address: address != result.address)),
        capabilities=result.capabilities,
        tls_context=context.trust.insecure if result.insecure else context.trust.strict,
        insecure=result.insecure,
        online=_is_online(result),
        impersonate=context.client.ews.impersonation,
        impersonator=result.learned.get("impersonator", ""),
        version=int(result.learned.get("version", "0")),
        canaries=context.canaries,
        pin=context.pin_of(result),
    )


def unfit_credentials(result: EndpointResult) -> dict[CredentialKind, Fault]:
    """The kinds of credential that this endpoint does not take, each with why."""
    unfit = {}
    for kind in CredentialKind:
        try:
            _scheme(result.capabilities, Credential("", "", kind), online=_is_online(result), insecure=result.insecure)
        except Fault as fault:
            unfit[kind] = fault
    return unfit


def _is_online(result: EndpointResult) -> bool:
    return is_online(result.endpoint.host) or any(warn.code is Code.EXCHANGE_ONLINE for warn in result.warnings)


def _scheme(capabilities: tuple[str, ...], credential: Credential, *, online: bool, insecure: bool) -> str:
    """The scheme to log in with. Raises `Fault` when none fits."""
    if online and credential.kind is CredentialKind.PASSWORD:
        raise Fault(Code.EXCHANGE_ONLINE_PASSWORD, date=ENDS.isoformat())
    return choose(capabilities, credential, insecure=insecure)


def log_in(route: ExchangeRoute, credential: Credential, context: CheckContext, address: str = "") -> ExchangeLogin:
    """One logon, never a second one. `address` is the mailbox, where it is not (known to be) the user name.

    The endpoint passed its check, so what a connection meets before the logon is no fact about this mailbox: it is
    inconclusive, whatever its code.
    """
    begun = time.monotonic()
    attempt = _Attempt(route, credential, context, address or credential.username)
    try:
        services, seen = attempt.run()
        met = Fault(services.decisive, seen)
    except (Fault, OSError) as error:
        met = error if isinstance(error, Fault) else _fault(error)
        services, seen = ServiceVerdicts(met.code, met.code), met.seen
    code = services.decisive
    told = attempt.ready and code is not Code.SERVER_BLOCKS_ADDRESS  # that says nothing about the mailbox
    told = told and route.moments.lasting(credential.username, code)
    verdict = verdict_of(code) if told else Verdict.INCONCLUSIVE
    ms = round((time.monotonic() - begun) * 1000, 1)
    words = redact.words(seen, credential.secret, *attempt.hidden)
    # Exchange throttles in place of an answer, never in place of a rejection.
    met = Fault(met.code, met.seen, **attempt.asked)
    wait = patience(met, judged=attempt.ready and met.code not in FULL) if verdict is Verdict.INCONCLUSIVE else 0.0
    return ExchangeLogin(LoginResult(verdict, code, Protocol.HTTPS, words, ms, services.codes, wait), services)


_DENIED = frozenset(
    {Code.EXCHANGE_ACCESS_DENIED, Code.EXCHANGE_MAIL_DENIED, Code.EXCHANGE_MAILBOX_NOT_FOUND, Code.MAILBOX_NO_INBOX}
)


class _Attempt:
    """One connection with one logon. `ready` says whether what was met since is a fact about this mailbox."""

    def __init__(self, route: ExchangeRoute, credential: Credential, context: CheckContext, address: str) -> None:
        self._route = route
        self._credential = credential
        self._context = context
        self._address = address
        self.hidden: list[str] = []
        self.asked: dict[str, str] = {}
        self.ready = True
        self._sent = self._stays = False

    def run(self) -> tuple[ServiceVerdicts, str]:
        """Both verdicts and the server's words. Raises `Fault` and `OSError`."""
        route = self._route
        scheme = _scheme(route.capabilities, self._credential, online=route.online, insecure=route.insecure)
        send_as = logon(scheme, self._credential, self.hidden, self._context.client.ews)
        self.ready = False
        deadline = Deadline(self._context.login_seconds)
        if route.resume and route.session is not None:
            try:
                return self._converse(send_as, Deadline(deadline.remaining() * _RESUMED_SHARE), route.session)
            except (OSError, Fault):
                if self.ready:  # what was met since is the server's answer
                    raise
                route.resume = False
        return self._converse(send_as, deadline, None)

    def _converse(
        self, send_as: Logon, deadline: Deadline, session: ssl.SSLSession | None
    ) -> tuple[ServiceVerdicts, str]:
        route = self._route
        sock = dial(route.addresses, route.endpoint.port, deadline, self._context.way_out)
        with contextlib.closing(Stream(sock, deadline)) as stream:
            resumed = session is not None
            handshake.secure(stream, route.tls_context, route.endpoint.host, session=session, hasty=resumed)
            handshake.require_pin(stream.sock, route.pin)
            self.ready = True
            services = self._ask(stream, send_as)
            self._keep_session(stream)
        return services

    def _ask(self, stream: Stream, send_as: Logon) -> tuple[ServiceVerdicts, str]:
        acts = self._acts()
        found = self._answers(stream, send_as, acts=acts)
        if acts or not self._may_act(found[0]):
            return found
        # A service account without rights to the mailbox itself may have those to act for it.
        with contextlib.suppress(Fault):
            acted = self._answers(stream, send_as, acts=True)
            if acted[0].decisive is Code.OK:
                self._route.impersonator = self._credential.username
                return acted
        return found

    def _acts(self) -> bool:
        """Whether the logon is somebody's who acts for the mailbox."""
        route, credential = self._route, self._credential
        token = credential.kind is CredentialKind.OAUTH2_TOKEN
        application = credential.application or (token and is_application_token(credential.secret))
        return route.impersonate or application or credential.username == route.impersonator != ""

    def _may_act(self, services: ServiceVerdicts) -> bool:
        other = self._address.casefold() != self._credential.username.casefold()
        return self._route.canaries and self._stays and other and services.decisive in _DENIED

    def _answers(self, stream: Stream, send_as: Logon, *, acts: bool) -> tuple[ServiceVerdicts, str]:
        """Mail and calendar, asked in the version that the server knows: a lower one where it does not know this."""
        route, wire = self._route, self._wire(stream, send_as)
        own = self._address.casefold() == self._credential.username.casefold()
        while True:
            version = route.version
            try:
                mail, calendar = self._folders(wire, stream.deadline, acts=acts, version=version)
                return _verdicts(mail, calendar, own=own)
            except VersionRefused as fault:
                if version + 1 == len(get_folder.VERSIONS):
                    raise
                route.version = max(route.version, version + 1)
                if not self._stays:
                    raise Fault(Code.PROTOCOL_ERROR, fault.seen) from None

    def _folders(
        self, wire: Callable[[Request], Reply], deadline: Deadline, *, acts: bool, version: int
    ) -> tuple[Answer, Answer]:
        """What came of both folders. Whatever is no plain yes is exchangelib's to read."""
        url, address = self._route.url, self._address
        asked = url, host_header(url), address
        if get_folder.writable(address):
            reply = wire(get_folder.request(*asked, impersonate=acts, version=version))
            if get_folder.both_open(reply):
                return Answer(), Answer()
            wire = _says(reply)
        with deadline.stopped():  # to load it takes a while
            ews = importlib.import_module("checks.protocols.exchange.ews")
        found: tuple[Answer, Answer] = ews.ask(*asked, wire, impersonate=acts, version=version)
        return found

    def _wire(self, stream: Stream, send_as: Logon) -> Callable[[Request], Reply]:
        """Sends requests as the mailbox, one logon for all of them. Raises `Fault`."""
        token = self._credential.kind is CredentialKind.OAUTH2_TOKEN

        def wire(request: Request) -> Reply:
            if self._sent and not self._stays:
                raise Fault(Code.PROTOCOL_ERROR, "a second request was about to be sent")
            first, self._sent, self._stays = not self._sent, True, False
            try:
                reply = send_as(stream, _named(request))
            except OSError as error:
                raise _fault(error) from None
            except Fault as fault:
                # It spoke HTTP a moment ago: what it speaks now is no fact about this mailbox.
                mismatch = fault.code is Code.PROTOCOL_MISMATCH
                raise Fault(Code.PROTOCOL_ERROR, fault.seen) if mismatch else fault from None
            if reply.status == 401 and not first:  # it was let in a moment ago
                raise Fault(Code.PROTOCOL_ERROR, reply.line)
            self.asked = asked_patience(reply)
            judge_logon(reply, self._route.url, token=token)
            self._stays = reply.stays
            return reply

        return wire

    def _keep_session(self, stream: Stream) -> None:
        if self._route.session is None and isinstance(stream.sock, ssl.SSLSocket):
            self._route.session = stream.sock.session


def _says(reply: Reply) -> Callable[[Request], Reply]:
    return lambda _: reply


def _named(request: Request) -> Request:
    headers = tuple((name, value) for name, value in request.headers if name != "User-Agent")
    return Request(request.method, request.target, request.host, (("User-Agent", USER_AGENT), *headers), request.body)


def _verdicts(mail: "Answer", calendar: "Answer", *, own: bool) -> tuple[ServiceVerdicts, str]:
    """One cause that keeps from both is one cause: "access denied" to both is no matter of the calendar.

    Where the mailbox is not the login's `own`, Exchange hides that it lacks rights: it knows of no folder at all.
    """
    codes = {mail.response_code, calendar.response_code}
    denied = {translate(code) for code in codes} == {Code.EXCHANGE_ACCESS_DENIED}
    if denied or (not own and codes <= NOT_THERE):
        return ServiceVerdicts(Code.EXCHANGE_ACCESS_DENIED, Code.EXCHANGE_ACCESS_DENIED), mail.words
    services = ServiceVerdicts(
        translate(mail.response_code, "mail") if mail.response_code else Code.OK,
        translate(calendar.response_code, "calendar") if calendar.response_code else Code.OK,
    )
    return services, mail.words if services.mail is services.decisive else calendar.words


def is_application_token(token: str) -> bool:
    """Whether an OAuth2 token is an application's own (client credentials), so that it has to impersonate.

    Read from the token's claims (https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference).
    They are not verified: that is the server's part. A token that cannot be read is somebody's own.
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return False
    if not isinstance(claims, dict):
        return False
    roles = claims.get("roles")
    return claims.get("idtyp") == "app" or (isinstance(roles, list) and bool(roles) and "scp" not in claims)


def _fault(error: OSError) -> Fault:
    if isinstance(error, TimeoutError):
        return Fault(Code.DEADLINE, "no answer in time")
    return handshake.after_handshake(error) or fault_of(error)
