"""`/v1/embed-sessions` and `/v1/embed-origins`: the page of one domain, in a frame of the host app."""

from typing import Annotated

from fastapi import Request as HttpRequest
from pydantic import Field

from checks.language import Language
from checks.model import Invalid, Unknown
from settings_store.access.roles import Right, Role
from web.access.caller import Caller
from web.access.granted import needs
from web.access.routing import router
from web.documents import Document, Request, Time
from worker.service.access.embedding import Embedding
from worker.service.account import Account

routes = router("embedding")

LONGEST_MINUTES = 60.0
EMBEDDED = "/embedded"
"""Where the page answers in a frame."""


class NewEmbedSession(Request):
    """Who sees which domain. `name` is whom the host app knows them as: it is written down with what they do."""

    domain: str = Field(max_length=300, examples=["example.com"])
    role: Role = Field(default=Role.ACCOUNT_ACCESS, description="account_access or member.")
    minutes: float = Field(default=15, gt=0, le=LONGEST_MINUTES, allow_inf_nan=False)
    name: str = Field(default="", max_length=200, examples=["anna@example.com"])
    language: Language | None = Field(default=None, description="Without one: that of the browser.")


class EmbedSessionDocument(Document):
    """`url` is for the `src` of an iframe. It can be opened once; all of it ends at `expires_at`."""

    url: str
    domain: str
    role: Role
    expires_at: Time


class EmbedOrigins(Request):
    """The origins that may have the page in a frame."""

    origins: list[str] = Field(max_length=100, examples=[["https://crm.example.com"]])


class EmbedOriginsDocument(Document):
    """Those that are registered."""

    origins: list[str]


@routes.post(
    "/v1/embed-sessions",
    operation_id="embed_sessions.create",
    summary="Make a link to the page of one domain",
    status_code=201,
)
def create(
    wanted: NewEmbedSession, request: HttpRequest, account: Annotated[Account, needs(Right.READ)]
) -> EmbedSessionDocument:
    """Makes a link that opens the page of one domain in a frame, with the rights of one role, for some minutes."""
    caller: Caller = request.state.caller
    try:
        found = _embedding(request, account).offer(
            caller.key, wanted.domain, wanted.role, wanted.minutes, wanted.name, wanted.language or ""
        )
    except Unknown as error:  # the mistake of a field here, not of the address
        raise Invalid(str(error), "domain") from None
    config = request.app.state.preflight.config
    where = config.public_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
    return EmbedSessionDocument(
        url=f"{where}{EMBEDDED}/open/{found.secret}",
        domain=found.domain,
        role=wanted.role,
        expires_at=found.expires_at,
    )


@routes.get("/v1/embed-origins", operation_id="embed_origins.get", summary="List the origins that may embed the page")
def get(request: HttpRequest, account: Annotated[Account, needs(Right.ADMIN)]) -> EmbedOriginsDocument:
    """The origins that may have the page in a frame."""
    return EmbedOriginsDocument(origins=_embedding(request, account).origins())


@routes.put(
    "/v1/embed-origins", operation_id="embed_origins.put", summary="Register the origins that may embed the page"
)
def put(
    wanted: EmbedOrigins, request: HttpRequest, account: Annotated[Account, needs(Right.ADMIN)]
) -> EmbedOriginsDocument:
    """Makes these the registered origins, and no others."""
    return EmbedOriginsDocument(origins=_embedding(request, account).register(wanted.origins))


def _embedding(request: HttpRequest, account: Account) -> Embedding:
    caller: Caller = request.state.caller
    found: Embedding = request.app.state.preflight.embedding(account.events.account_id, caller.actor)
    return found
