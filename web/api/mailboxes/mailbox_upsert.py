"""`PUT /v1/domains/{domain}/mailboxes`: many mailboxes with their credentials, as JSON, NDJSON or CSV; all or none."""

from collections.abc import Mapping
from email.message import Message
from typing import Annotated, Any

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request

from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.mailboxes.json_rows import Malformed
from settings_store.mailboxes.rows import BadRow, TooManyRows
from web.access.granted import needs
from web.access.routing import router
from web.api.domain_name import DomainName
from web.api.mailboxes.spool import Spooled
from web.documents import Document
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem
from worker.service.account import Account
from worker.service.mailboxes import BadRows, Form

routes = router("mailboxes")

LARGEST_BODY = 64 * 1024**2
_AT_ONCE = 2  # each has tens of MB: the addresses that have come, to find one that comes twice
_FORMS = {"application/json": Form.JSON, "application/x-ndjson": Form.NDJSON, "text/csv": Form.CSV}
_ROW: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["address", "password"],
    "properties": {
        "address": {"type": "string", "examples": ["ada@example.com"]},
        "password": {
            "description": "Write-only. Of the kind oauth2_client: an object, or the JSON text of one.",
            "type": ["string", "object"],
            "writeOnly": True,
        },
        "username": {"description": "The address, where it is left out.", "type": "string"},
        "kind": {"enum": ["password", "oauth2_token", "oauth2_client"], "default": "password"},
    },
}
_BODY: Mapping[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": ["items"],
                "properties": {"items": {"type": "array", "minItems": 1, "maxItems": 100_000, "items": _ROW}},
            }
        },
        "application/x-ndjson": {"schema": {"type": "string", "description": "One such object on each line."}},
        "text/csv": {"schema": {"type": "string", "description": "A header row: address,password,username,kind."}},
    },
}


class UpsertCounts(Document):
    """How many mailboxes were new, log in otherwise than before, or were there already as they came."""

    added: int
    updated: int
    unchanged: int


class RowProblem(FieldProblem):
    """What is wrong with one row: `row` is its line in CSV and NDJSON, in JSON the number of the item from 1."""

    row: int


@routes.put(
    "/v1/domains/{domain}/mailboxes",
    operation_id="mailboxes.put",
    summary="Add or update mailboxes",
    max_body_size=LARGEST_BODY,
    openapi_extra={"requestBody": dict(_BODY)},
)
async def put(
    domain: DomainName, request: Request, account: Annotated[Account, needs(Right.CREDENTIALS)]
) -> UpsertCounts:
    """Adds mailboxes to a domain, or gives known ones their new credentials, at once; others stay as they are.

    Up to 100,000 of them. All are stored or none: `errors` names the first 100 rows that cannot be used, `error_count`
    is the number of them all. The domain becomes known.
    """
    form = _form(request)
    with Spooled(LARGEST_BODY) as spooled:
        body = await spooled.take(request)
        try:
            counts = await run_sync(account.mailboxes.import_rows, domain, body, form, limiter=_limiter(request))
        except Invalid as error:
            raise _problem(error, form) from None
    return UpsertCounts(added=counts.added, updated=counts.updated, unchanged=counts.unchanged)


def _form(request: Request) -> Form:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    given, charset = message.get_content_type(), str(message.get_param("charset", "utf-8")).lower()
    form = _FORMS.get(given)
    if form is None or "content-type" not in request.headers:
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA_TYPE, f"send it as {', '.join(_FORMS)}")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "send the text in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "send the body without a Content-Encoding")
    return form


def _limiter(request: Request) -> anyio.CapacityLimiter:
    """So many imports at a time in this process; the next ones wait, and hold a file."""
    state = request.app.state
    if not hasattr(state, "imports"):
        state.imports = anyio.CapacityLimiter(_AT_ONCE)
    return state.imports  # type: ignore[no-any-return] # the line above


def _problem(error: Invalid, form: Form) -> Problem:
    detail = str(error)
    if isinstance(error, BadRows):
        errors = [_row_problem(each, form) for each in error.first]
        extensions = {"error_count": error.count}
        return Problem(ProblemCode.INVALID_REQUEST, detail, errors=errors, extensions=extensions)
    if isinstance(error, TooManyRows):
        return Problem(ProblemCode.BODY_TOO_LARGE, detail)
    if isinstance(error, Malformed):
        return Problem(ProblemCode.MALFORMED_BODY, detail)
    pointer = "/items" if form is Form.JSON else ""
    return Problem(
        ProblemCode.INVALID_REQUEST, detail, errors=[FieldProblem(pointer=pointer, code="empty", detail=detail)]
    )


def _row_problem(error: BadRow, form: Form) -> RowProblem:
    """A pointer into the document; into the line of one that is none as a whole."""
    field = f"/{error.field}" if error.field else ""
    pointer = f"/items/{error.row - 1}{field}" if form is Form.JSON else f"row:{error.row}{field}"
    return RowProblem(pointer=pointer, code=error.code, detail=str(error), row=error.row)
