"""`/v1/changes/{id}/report/mailboxes`: who would be concerned, by address. All of them as CSV or as lines of JSON."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import Header, Query, Response
from fastapi.responses import StreamingResponse

from checks.codes import Code
from checks.model import Protocol
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.changes.change_document import ChangeId, asked_of
from web.api.cursor import cursor_after, read_cursor
from web.documents import Document, Limit
from web.negotiation import preferred
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.changes.impact import Impact
from worker.changes.report import MailboxLine
from worker.changes.report_rows import Wanted
from worker.service.account import Account

routes = router("report")

_JSON, _CSV, _LINES = "application/json", "text/csv", "application/x-ndjson"
_PORTION = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


class ServicesModel(Document):
    """Exchange: the codes of mail and calendar apart."""

    mail: Code
    calendar: Code


class ReportMailbox(Document):
    """A mailbox of a report. `endpoint` is the protocol that decided, `seen` the server's own words, redacted."""

    address: str
    impact: Impact
    code: Code
    endpoint: Protocol | None
    seen: str
    services: ServicesModel | None


class ReportMailboxPage(Document):
    """Mailboxes by address."""

    items: list[ReportMailbox]
    next_cursor: str | None


@routes.get(
    "/v1/changes/{change_id}/report/mailboxes",
    operation_id="report.mailboxes",
    summary="List the mailboxes of the report",
    response_model=ReportMailboxPage,
    responses={200: {"content": {_CSV: {}, _LINES: {}}, "description": "A page as JSON; all as CSV or lines of JSON."}},
)
def mailboxes(
    change_id: ChangeId,
    account: Annotated[Account, needs(Right.READ)],
    impact: Annotated[Impact | None, Query()] = None,
    code: Annotated[Code | None, Query()] = None,
    text: Annotated[str, Query(max_length=320, description="A part of the address.")] = "",
    limit: Annotated[Limit, Query(description="Of a page; CSV and lines of JSON have all.")] = 100,
    cursor: Annotated[str | None, Query()] = None,
    accept: Annotated[str | None, Header()] = None,
) -> ReportMailboxPage | Response:
    """The mailboxes of a report, filtered, by address."""
    form = preferred(accept, (_JSON, _CSV, _LINES))
    if form is None:
        raise Problem(ProblemCode.NOT_ACCEPTABLE, f"the mailboxes can be had as {_JSON}, {_CSV} and {_LINES}")
    wanted, after = Wanted(impact, code, text), read_cursor(cursor)[0] if cursor is not None else ""
    with asked_of(account, change_id) as inner:
        if form == _JSON:
            return _page(account.changes.mailboxes(inner, wanted, after, limit + 1), limit)
        checksum = account.changes.checksum(inner)
    lines = portions(account, inner, wanted, after, checksum)
    return StreamingResponse(as_csv(lines) if form == _CSV else _ndjson(lines), media_type=form)


def _page(lines: list[MailboxLine], limit: int) -> ReportMailboxPage:
    shown, goes_on = lines[:limit], len(lines) > limit
    items = [ReportMailbox.model_validate(as_json(line)) for line in shown]
    return ReportMailboxPage(items=items, next_cursor=cursor_after(shown[-1].address) if goes_on else None)


def as_json(line: MailboxLine) -> dict[str, object]:
    """A mailbox as the API has it."""
    services = dict(line.services) if line.services is not None else None
    return {
        "address": line.address,
        "impact": line.impact,
        "code": line.code,
        "endpoint": line.endpoint,
        "seen": line.seen,
        "services": services,
    }


def portions(
    account: Account, change_id: str, wanted: Wanted, after: str, checksum: str
) -> Iterator[list[MailboxLine]]:
    """In portions, each read by itself: a client that is slow holds no transaction. A report that moved ends it."""
    while portion := account.changes.mailboxes(change_id, wanted, after, _PORTION, checksum):
        yield portion
        after = portion[-1].address


def _ndjson(portions: Iterator[list[MailboxLine]]) -> Iterator[str]:
    for portion in portions:
        yield "".join(json.dumps(as_json(line), ensure_ascii=False) + "\n" for line in portion)


def as_csv(found: Iterator[list[MailboxLine]]) -> Iterator[str]:
    """A table of all that they have."""
    yield "address,impact,code,endpoint,seen,mail,calendar\r\n"
    for portion in found:
        buffer = io.StringIO()
        rows = csv.writer(buffer)
        for line in portion:
            services = line.services or {}
            codes = services.get("mail"), services.get("calendar")
            rows.writerow(map(_cell, (line.address, line.impact, line.code, line.endpoint, line.seen, *codes)))
        yield buffer.getvalue()


def _cell(value: str | None) -> str:
    """An apostrophe before what a spreadsheet would compute: addresses and servers' words come from anybody."""
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
