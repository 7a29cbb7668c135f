"""The tables of docs/clients.md, from the rows that the tests ask: `python -m tests.checks.clients.rows_page`."""

import re
from collections.abc import Sequence
from pathlib import Path

from checks.codes import Code
from tests.checks.clients import imap_rows, smtp_rows, token_rows

PAGE = Path(__file__).parents[3] / "docs/clients.md"
Row = imap_rows.Row | smtp_rows.Row
TABLES: dict[str, tuple[Sequence[Row], str, str, str]] = {
    "imap": (imap_rows.ROWS, "imapclient", "imapflow", "opens the inbox"),
    "smtp": (smtp_rows.ROWS, "smtplib", "nodemailer", "sends"),
    "imap-token": (token_rows.IMAP, "imapclient", "imapflow", "opens the inbox"),
    "smtp-token": (token_rows.SMTP, "smtplib", "nodemailer", "sends"),
}


def with_tables(page: str) -> str:
    """The page with its tables as the rows have them."""
    for name in TABLES:
        begin, end = f"<!-- {name}-rows: begin -->\n", f"<!-- {name}-rows: end -->\n"
        pattern = re.compile(f"(?<={re.escape(begin)}).*(?={re.escape(end)})", re.DOTALL)
        table = "".join(f"{line}\n" for line in _table(name))
        page, count = pattern.subn(lambda _, table=table: table, page)  # type: ignore[misc] # what it returns is a str
        assert count == 1, f"{PAGE.name} has no place for the rows of {name}"
    return page


def _table(name: str) -> list[str]:
    rows, python, node, works = TABLES[name]
    lines = [f"| server | {python} | as `python` | {node} | as `node` |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        theirs = [works if code is Code.OK else "does not" for code in (row.python, row.node)]
        if isinstance(row, smtp_rows.Row):
            goes_on = row.believed, row.without_login
            theirs = ["sends, without a login" if on else their for on, their in zip(goes_on, theirs, strict=True)]
        lines.append(f"| {row.name} | {theirs[0]} | `{row.python}` | {theirs[1]} | `{row.node}` |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
