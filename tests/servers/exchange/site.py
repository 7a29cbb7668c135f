"""What the stand-in Exchange answers to a request: scenario, log-on, mailbox. No sockets here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spnego.channel_bindings import GssChannelBindings

from tests.servers.exchange import pages, soap
from tests.servers.exchange.accounts import Account, Directory
from tests.servers.exchange.authentication import AUDIENCE, Gate, Session
from tests.servers.exchange.endpoints import ENDPOINTS
from tests.servers.exchange.kinds import EndpointScenario, Protection, Scheme
from tests.servers.exchange.wire import Answer, Request

EWS_PATH = "/ews/exchange.asmx"
UNTOUCHED = "/mail/"
"""Below it Exchange answers as usual, whatever the scenario: a redirect may lead there."""
AUTODISCOVER_PATH = "/autodiscover/autodiscover.json"
TOKEN_PATH = "/oauth2/v2.0/token"
# https://github.com/ItsClemi/ews-managed-api/issues/34 and https://github.com/gautamsi/ews-javascript-api/issues/15
ON_PREMISES = (
    ("Server", "Microsoft-IIS/10.0"),
    ("request-id", "5d2c1a0e-0c7e-4b6a-9d38-2f0f6f9b6a11"),
    ("X-Powered-By", "ASP.NET"),
)
CHALLENGES: Mapping[Scheme, str] = {
    "Basic": 'Basic realm="localhost"',
    "NTLM": "NTLM",
    "Negotiate": "Negotiate",
    "Bearer": f'Bearer client_id="{AUDIENCE}", trusted_issuers="00000001-0000-0000-c000-000000000000@*", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1"',
    "Digest": 'Digest qop="auth",algorithm=MD5-sess,nonce="+Upgraded+v1cf4de6a",charset=utf-8,realm="Digest"',
}
CREATED = pages.page("Exchange Web Services", "You have created a service.")


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the listeners are: another host with TLS, the other host without, and the port of Exchange itself."""

    other: str
    plain: str
    secure_port: int


@dataclass(frozen=True, slots=True)
class Defaults:
    """How the server behaves where the scenario says nothing. `version` is `major.minor.build.revision`."""

    schemes: tuple[Scheme, ...] = ("Basic",)
    protection: Protection = "off"
    version: str = "15.2.1544.4"


class Site:
    """The server's whole behaviour. `scenario` may be changed at any time."""

    def __init__(
        self,
        directory: Directory,
        gate: Gate,
        defaults: Defaults,
        bindings: Mapping[Protection, GssChannelBindings | None],
        origins: Origins,
    ) -> None:
        self.directory = directory
        self.scenario: EndpointScenario = ENDPOINTS[0]
        self._gate = gate
        self._defaults = defaults
        self._bindings = bindings
        self._origins = origins

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        return self._defaults.schemes if self.scenario.schemes is None else self.scenario.schemes

    def answer(self, request: Request, session: Session) -> Answer:
        """The answer to one request over TLS."""
        return self._placed(self._route(request, session), request)

    def redirect_to_tls(self, request: Request) -> Answer:
        """What port 80 answers."""
        return self._placed(pages.redirect("{secure}" + request.target, 301), request)

    def _route(self, request: Request, session: Session) -> Answer:
        path = request.path.lower()
        if path == AUTODISCOVER_PATH:
            return self._autodiscover(request)
        if path.endswith(TOKEN_PATH):
            return self._gate.token(request)
        if self.scenario.front and not path.startswith(UNTOUCHED):
            return self.scenario.front
        if path.endswith(EWS_PATH):
            return self._exchange(request, session)
        return pages.OWA_REDIRECT if path in ("/", "/owa", "/owa/", "/ecp", "/ecp/") else pages.NOT_FOUND

    def _exchange(self, request: Request, session: Session) -> Answer:
        account, answer = self._let_in(request, session)
        if account is None and not session.application:
            return self._signed(self._challenged(answer))
        if request.method != "POST":
            return self._signed(CREATED)
        return self._signed(self._operate(request, account))

    def _signed(self, answer: Answer) -> Answer:
        """With the headers of Exchange on the premises, and its version where the scenario names it."""
        if not answer.status:
            return answer
        named = (("X-FEServer", "EX01"), ("X-OWA-Version", self._defaults.version))
        headers = answer.plus(*ON_PREMISES, *(named if self.scenario.names_version else ()))
        return headers if self.scenario.keep_alive else replace(headers, close=True)

    def _let_in(self, request: Request, session: Session) -> tuple[Account | None, Answer]:
        session.application = False
        scheme = request.scheme.lower()
        if not scheme:
            return session.account, Answer(401)
        session.account = None
        if scheme not in {offered.lower() for offered in self.schemes}:
            return None, Answer(401)
        if scheme == "basic":
            return self._gate.basic(request)
        if scheme == "bearer":
            return self._gate.bearer(request, session)
        if scheme == "digest" or not self.scenario.accepts_ntlm:
            return None, Answer(401)
        return self._gate.ntlm(request, session, self._bindings[self.scenario.protection or self._defaults.protection])

    def _challenged(self, answer: Answer) -> Answer:
        """A 401 offers what there is, unless it carries a challenge already."""
        if answer.status != 401 or any(name == "WWW-Authenticate" for name, _ in answer.headers):
            return answer
        return answer.plus(*(("WWW-Authenticate", CHALLENGES[scheme]) for scheme in self.schemes))

    def _operate(self, request: Request, caller: Account | None) -> Answer:
        """GetFolder. `caller` is None for an application's own token."""
        version = self._defaults.version
        asked = soap.asked(request.body)
        if asked is None:
            return soap.fault("ErrorInvalidRequest", version)
        if caller is None and not asked.impersonates:
            return soap.fault("ErrorImpersonationRequired", version)
        if asked.impersonates and caller is not None and not caller.impersonates:
            return soap.fault("ErrorImpersonateUserDenied", version)
        mailbox = self.directory.find(asked.impersonates) if asked.impersonates else caller
        if mailbox is None or (asked.mailbox and self.directory.find(asked.mailbox) is None):
            return self._folders(asked.folders, "ErrorNonExistentMailbox")
        if asked.mailbox and self.directory.find(asked.mailbox) is not mailbox:
            return self._folders(asked.folders, "ErrorAccessDenied")
        return self._mailbox(mailbox, asked.folders)

    def _folders(self, folders: Sequence[str], code: str) -> Answer:
        return soap.folders([(folder, code) for folder in folders], self._defaults.version)

    def _mailbox(self, mailbox: Account, folders: Sequence[str]) -> Answer:
        acts = mailbox.scenario
        if acts.instead:
            return acts.instead
        codes = [(folder, acts.agenda if folder == "calendar" else acts.inbox) for folder in folders]
        return soap.folders(codes[: acts.answers], self._defaults.version)

    def _autodiscover(self, request: Request) -> Answer:
        """Autodiscover version 2: asks for no credentials, answers in JSON with the protocol and its URL."""
        if self.scenario.autodiscover == "not_found":
            return pages.NOT_FOUND
        host = "{other}" if self.scenario.autodiscover == "other_host" else "{origin}"
        url = self._fill(host, request) + "/EWS/Exchange.asmx"
        body = json.dumps({"Protocol": "EWS", "Url": url}).encode()
        return Answer(200, body, (("Content-Type", "application/json; charset=utf-8"),))

    def _placed(self, answer: Answer, request: Request) -> Answer:
        if not any("{" in value for _, value in answer.headers):
            return answer
        return replace(answer, headers=tuple((name, self._fill(value, request)) for name, value in answer.headers))

    def _fill(self, text: str, request: Request) -> str:
        host = request.host.partition(":")[0]
        origin = f"https://{request.host}"
        text = text.replace("{origin}", origin).replace("{other}", self._origins.other)
        return text.replace("{plain}", self._origins.plain).replace(
            "{secure}", f"https://{host}:{self._origins.secure_port}"
        )
