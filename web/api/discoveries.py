"""`POST /v1/discoveries`: what the settings of a domain probably are. Asked of everybody but the mailboxes."""

import json
import logging
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.responses import JSONResponse

from checks.discovery.document import DiscoveryDocument as Found
from checks.discovery.document import discovery_document, source_document
from checks.discovery.model import Confidence, LoginName, Password, Source, SourceReport, Subject
from checks.document import Json
from checks.language import Language
from checks.model import Endpoint, Invalid, Protocol
from checks.settings import normalise_host
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.settings_document import ServerRequest
from web.documents import Document, Request
from web.limits.rates import expensive
from web.negotiation import preferred
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from web.repetition.once import asks_others
from worker.service.account import Account

log = logging.getLogger(__name__)
routes = router("discoveries")

AT_ONCE = 4
_turns = BoundedSemaphore(AT_ONCE)  # each asks some twenty things at a time
_RETRY_SECONDS = "10"
_MOST_HOSTS = 8
_JSON, _LINES = "application/json", "application/x-ndjson"

Tell = Callable[[SourceReport], None]
Discover = Callable[[Tell], Found]


class DiscoveryRequest(Request):
    """Whose settings are looked for, and what somebody has entered already: that is checked, and repaired."""

    target: str = Field(
        min_length=1,
        max_length=320,
        description="A domain, or an address of it. An address is told to servers of its own domain only, over HTTPS.",
        examples=["example.com"],
    )
    imap: ServerRequest | None = None
    smtp: ServerRequest | None = None
    accepted_hosts: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=_MOST_HOSTS,
        description="Hosts that nothing vouches for and that the admin has accepted, each by its name.",
    )


class ProposedServerDocument(Document):
    """One server. No credential may go to it unless it is `trusted`, or the admin has accepted its very host."""

    trusted: bool
    evidence: str
    reason: str
    repair: dict[str, str] | None
    check: dict[str, Any] = Field(description="As `POST /v1/checks` answers.")


class ProposalDocument(Document):
    """One proposal. `settings` is there where it works and each host is trusted or accepted: it fits a change."""

    kind: Literal["imap", "exchange"]
    source: Source
    source_message: str
    also: list[Source]
    place: str
    provider: str | None
    confidence: Confidence
    works: bool
    complete: bool
    trusted: bool
    hosts_to_accept: list[str]
    login_name: LoginName
    login_name_message: str
    username: str | None
    password: Password = Field(description="Which secret logs in, as far as a source says.")
    password_message: str
    help_url: str | None
    servers: list[ProposedServerDocument]
    settings: dict[str, Any] | None


class AskedSourceDocument(Document):
    """One source, and what it tried."""

    source: Source
    message: str
    found: bool
    seconds: float
    attempts: list[dict[str, str]]


class DiscoveryDocument(Document):
    """What came of it, the best proposal first: the same document as `mail-preflight discover --json` prints."""

    domain: str
    address: str | None
    headline: str
    verdict: Literal["ok", "fail", "inconclusive"]
    proposals: list[ProposalDocument]
    findings: list[dict[str, str]]
    sources: list[AskedSourceDocument]
    unfinished: list[Source]
    seconds: float


@routes.post(
    "/v1/discoveries",
    operation_id="discoveries.create",
    summary="Find out the settings of a domain",
    response_model=DiscoveryDocument,
    responses={200: {"content": {_LINES: {}}, "description": "All at once, or each source as it ends."}},
)
@asks_others
@expensive
def create(
    wanted: DiscoveryRequest,
    account: Annotated[Account, needs(Right.CHANGE)],
    lang: Annotated[Language, Query()] = Language.EN,
    accept: Annotated[str | None, Header()] = None,
) -> Response:
    """Looks for a domain's settings and answers when that is done, within about half a minute. Nobody logs in.

    Nothing is stored. That nothing was found is a 200 as well: `verdict` says so. As lines of JSON, each source comes
    as it ends, as `{"source": ...}`, and the whole at last, as `{"discovery": ...}`.
    """
    form = preferred(accept, (_JSON, _LINES))
    if form is None:
        raise Problem(ProblemCode.NOT_ACCEPTABLE, f"a discovery can be had as {_JSON} and {_LINES}")
    discover = prepared(wanted, account, lang)
    if form == _JSON:
        return JSONResponse(discover(lambda _: None).as_json())
    return StreamingResponse(_lines(discover, lang), media_type=_LINES)


def prepared(wanted: DiscoveryRequest, account: Account, language: Language) -> Discover:
    """What is to be called once to discover, and waits for no turn any more. Raises `Invalid`, and `Problem` for who
    has to come again.
    """
    imap, smtp = _typed(wanted.imap, Protocol.IMAP), _typed(wanted.smtp, Protocol.SMTP)
    accepted = [_host(host, f"accepted_hosts/{place}") for place, host in enumerate(wanted.accepted_hosts)]
    _require_target(wanted.target)
    if not _turns.acquire(blocking=False):
        detail = f"{AT_ONCE} discoveries are under way in this process; try again in a moment"
        raise Problem(ProblemCode.UNAVAILABLE, detail, headers={"Retry-After": _RETRY_SECONDS})

    def discover(tell: Tell) -> Found:
        try:
            found = account.discoveries.discover(wanted.target, imap, smtp, tell)
            return discovery_document(found, language, accepted)
        finally:
            _turns.release()

    return discover


def as_it_goes(discover: Discover) -> Iterator[SourceReport | Found]:
    """Each source as it ends, and the whole at last; without that where it broke, for the answer has begun by then.

    Begins at once, in a thread of its own: who leaves early ends nothing but the telling.
    """
    told: SimpleQueue[SourceReport | Found | None] = SimpleQueue()

    def work() -> None:
        try:
            told.put(discover(told.put))
        except Exception as error:  # noqa: BLE001 - what has come so far is all that we can answer with
            log.error("a discovery broke: %s", type(error).__name__)
        finally:
            told.put(None)

    Thread(target=work, name="discoveries", daemon=True).start()
    return iter(told.get, None)


def _lines(discover: Discover, lang: Language) -> Iterator[str]:
    return (json.dumps(_line(each, lang)) + "\n" for each in as_it_goes(discover))


def _line(told: SourceReport | Found, lang: Language) -> Json:
    if isinstance(told, SourceReport):
        return {"source": source_document(told, lang).as_json()}
    return {"discovery": told.as_json()}


def _require_target(text: str) -> None:
    try:
        Subject.of(text)
    except Invalid as error:
        raise Invalid(str(error), "target") from None


def _typed(given: ServerRequest | None, protocol: Protocol) -> Endpoint | None:
    if given is None:
        return None
    return Endpoint(protocol, _host(given.host, f"{protocol.value}/host"), given.port, given.security)


def _host(text: str, field: str) -> str:
    try:
        return normalise_host(text)
    except Invalid as error:
        raise Invalid(str(error), field) from None
