"""The mailboxes of a report, a page at a time, and only those that are asked for."""

import unicodedata
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from checks.codes import Code
from settings_store.mailboxes.rejections import without_remedy
from settings_store.runs import report_rows
from settings_store.runs.report_rows import Which
from settings_store.runs.runs import Run
from worker.changes.impact import Impact, met_with
from worker.changes.report import MailboxLine, line_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """None, and an empty text, are all. `text` is a part of the address, in whatever case."""

    impact: Impact | None = None
    code: Code | None = None
    text: str = ""


EVERY = Wanted()


def page(conn: Connection, run: Run, wanted: Wanted, after: str, limit: int) -> list[MailboxLine]:
    """At most `limit` mailboxes by address, of those that come after that address. Their words name no command."""
    lines = map(line_of, report_rows.page(conn, run, limit, after, _which(wanted)))
    return [replace(line, seen=without_remedy(line.seen)) for line in lines]


def _which(wanted: Wanted) -> Which:
    codes = {wanted.code.value} if wanted.code else None
    if codes is not None and wanted.code is Code.RUN_NOT_TRIED:
        codes.add("")  # as `line_of` calls what has none
    text = unicodedata.normalize("NFC", wanted.text).lower()
    return Which(met_with(wanted.impact) if wanted.impact else None, codes, text)
