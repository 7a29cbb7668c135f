"""`/v1/changes/{id}/report`: what would happen, whose cause it is, and what can be done."""

from typing import Annotated

from fastapi import Header, Query, Response

from checks.language import Language
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.changes.change_document import ChangeId, asked_of
from web.api.changes.report_document import ReportModel, model_of
from web.negotiation import preferred
from worker.changes.wording import report_document
from worker.service.account import Account

routes = router("report")

_NOT_MODIFIED = 304


@routes.get(
    "/v1/changes/{change_id}/report",
    operation_id="report.get",
    summary="Get the report",
    response_model=ReportModel,
    responses={_NOT_MODIFIED: {"description": "The report is the one that If-None-Match names."}},
)
def get(
    change_id: ChangeId,
    response: Response,
    account: Annotated[Account, needs(Right.READ)],
    lang: Annotated[Language | None, Query()] = None,
    accept_language: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> ReportModel | Response:
    """The report in words. Its ETag is its checksum: it stands for what was found, in whatever language."""
    language = lang or Language(preferred(accept_language, list(Language)) or Language.EN)
    with asked_of(account, change_id) as inner:
        headers = {"ETag": f'"{account.changes.checksum(inner)}"', "Vary": "Accept-Language"}
        if _names(if_none_match, headers["ETag"]):
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        worded = report_document(account.changes.report(inner, language), listed=0, commands=False)
    response.headers.update({"ETag": f'"{worded.checksum}"', "Vary": "Accept-Language", "Content-Language": language})
    return model_of(worded)


def _names(if_none_match: str | None, etag: str) -> bool:
    """Whether the header names the tag; the comparison is the weak one (RFC 9110, section 13.1.2)."""
    named = [item.strip().removeprefix("W/") for item in (if_none_match or "").split(",")]
    return etag in named or named == ["*"]
