"""`POST /v1/checks`: one server, without a login. What is wrong with the server is what the answer says."""

from threading import BoundedSemaphore
from typing import Annotated, Any, Literal

from fastapi import Body, Query
from pydantic import Field
from starlette.responses import JSONResponse

from checks.codes import Blame, Code, Verdict
from checks.language import Language
from checks.messages.endpoints import endpoint_document
from checks.model import Authentication, Endpoint, Invalid, Option, Protocol, Security
from checks.protocols.exchange.url import endpoint_of
from checks.settings import normalise_host
from checks.trust import Trust
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.settings_document import CaPem, Port
from web.documents import Document, Request
from web.limits.rates import expensive
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from web.repetition.once import asks_others
from worker.service.account import Account

routes = router("checks")

AT_ONCE = 8
_turns = BoundedSemaphore(AT_ONCE)  # each holds a thread of this process for as long as the server takes
_RETRY_SECONDS = "5"


class _CheckRequest(Request):
    ca_pem: CaPem = ""
    revocation: bool = Field(False, description="Also ask who issued the certificate whether it was revoked.")


class ImapCheckRequest(_CheckRequest):
    """An IMAP server."""

    protocol: Literal["imap"]
    host: str = Field(max_length=300, examples=["imap.example.com"])
    port: Port
    security: Security = Security.AUTO

    def endpoint(self) -> Endpoint:
        """Validated. Raises `Invalid`."""
        return Endpoint(Protocol.IMAP, normalise_host(self.host), self.port, self.security)


class SmtpCheckRequest(_CheckRequest):
    """An SMTP server. `authentication` none: it takes mail without a login."""

    protocol: Literal["smtp"]
    host: str = Field(max_length=300, examples=["smtp.example.com"])
    port: Port = Field(examples=[465])
    security: Security = Security.AUTO
    authentication: Authentication = Authentication.LOGIN

    def endpoint(self) -> Endpoint:
        """Validated. Raises `Invalid`."""
        host, how = normalise_host(self.host), self.authentication
        return Endpoint(Protocol.SMTP, host, self.port, self.security, authentication=how)


class ExchangeCheckRequest(_CheckRequest):
    """Exchange Web Services, by whatever address people type for it."""

    protocol: Literal["https"]
    exchange_url: str = Field(max_length=2000, examples=["https://mail.example.com/EWS/Exchange.asmx"])

    def endpoint(self) -> Endpoint:
        """Validated. Raises `Invalid`."""
        try:
            return endpoint_of(self.exchange_url)
        except Invalid as error:
            raise Invalid(str(error), "exchange_url") from None


CheckRequest = Annotated[ImapCheckRequest | SmtpCheckRequest | ExchangeCheckRequest, Body(discriminator="protocol")]


class CheckDocument(Document):
    """What came of it, the same document as `mail-preflight check --json` prints."""

    endpoint: dict[str, Any]
    headline: str
    verdict: Verdict
    code: Code
    message: str
    advice: str
    blame: Blame
    who_acts: str
    field: str | None
    seen: str
    allow_insecure_certificate: Option | None
    option_message: str
    fix: dict[str, str] | None
    warnings: list[dict[str, str]]
    steps: list[dict[str, Any]]
    tls: dict[str, Any] | None
    judged: str
    untested: str
    client: str | None
    admissions: list[dict[str, Any]]


@routes.post("/v1/checks", operation_id="checks.create", summary="Check one server", response_model=CheckDocument)
@asks_others
@expensive
def create(
    wanted: CheckRequest,
    account: Annotated[Account, needs(Right.CHANGE)],
    lang: Annotated[Language, Query()] = Language.EN,
) -> JSONResponse:
    """Checks one server and answers when that is done, within about half a minute. Nobody logs in.

    A server that does not work is a 200 as well: `verdict` says so, `code` why.
    """
    endpoint = wanted.endpoint()
    _require_certificates(wanted.ca_pem)
    if not _turns.acquire(blocking=False):
        detail = f"{AT_ONCE} checks are under way in this process; try again in a moment"
        raise Problem(ProblemCode.UNAVAILABLE, detail, headers={"Retry-After": _RETRY_SECONDS})
    try:
        result = account.checks.endpoint(endpoint, wanted.ca_pem, revocation=wanted.revocation)
    finally:
        _turns.release()
    return JSONResponse(endpoint_document(result, lang).as_json())


def _require_certificates(pem: str) -> None:
    try:
        Trust(pem)
    except Invalid as error:
        raise Invalid(str(error), "ca_pem") from None
