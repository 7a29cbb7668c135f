"""Reads a CSV file of mailboxes (RFC 4180): a header row with `address,password` and, if wanted, `username` and `kind`.

The kind says what the password column holds: `password` (also where it is empty), `oauth2_token` (a bearer token) or
`oauth2_client` (an application's secret as JSON, see `checks.oauth.client_secret`).
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from checks.model import Invalid
from checks.settings import normalise_domain
from settings_store.mailboxes.rows import COLUMNS, LARGEST_COUNT, REQUIRED, BadRow, MailboxRow, RowCheck, TooManyRows

_HEADER_HELP = "the first line must name the columns: address,password or address,username,password"
_DELIMITERS = {";": "semicolons", "\t": "tabs"}
LONGEST_LINE = 16_384

# RFC 4180, section 2, rules 5 to 7: a field is in quotes altogether or holds none.
_RECORD = re.compile(r'(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*\Z')


def read_csv(path: Path, domain: str, limit: int = LARGEST_COUNT) -> Iterator[MailboxRow]:
    """Yields the mailboxes of `domain` in a UTF-8 file (with or without BOM), one by one as they are read.

    Of the whole file only the addresses are kept, to find duplicates. Raises `Invalid` naming row and field.
    """
    return _read(path, normalise_domain(domain), limit)


def _read(path: Path, domain: str, limit: int) -> Iterator[MailboxRow]:
    try:
        with path.open("rb") as file:
            for found in rows_of(file, domain, path.name, limit):
                if isinstance(found, BadRow):
                    raise Invalid(f"{path.name}, row {found.row}: {found}", found.field) from None
                yield found
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}", "mailboxes") from None


def rows_of(file: BinaryIO, domain: str, name: str, limit: int = LARGEST_COUNT) -> Iterator[MailboxRow | BadRow]:
    """Yields each row, one that cannot be used as well; `domain` is normalised, `name` the file's for people.

    After a header that cannot be used, or a line that is too long, nothing comes any more. Raises `Invalid` for a file
    without any mailbox, and with too many.
    """
    return _Reader(file, domain, name, limit).rows()


class _Reader:
    """The state of reading one file: where we are, and what the columns are."""

    def __init__(self, file: BinaryIO, domain: str, name: str, limit: int) -> None:
        self._file, self._name, self._limit = file, name, limit
        self._check = RowCheck(domain, limit)
        self._row = 0
        self._columns: list[str] = []

    def rows(self) -> Iterator[MailboxRow | BadRow]:
        try:
            self._refuse_long()
            yield from self._mailboxes()
        except BadRow as error:
            error.row = self._row
            yield error
        except TooManyRows as error:
            raise TooManyRows(f"{self._name}, row {self._row}: {error}") from None

    def _refuse_long(self) -> None:
        """Refuses a file with too many rows before any of them is used. A pipe is counted as it comes."""
        if not self._file.seekable():
            return
        for count, _ in enumerate(self._lines()):
            if count > self._limit:
                raise TooManyRows(f"the file has more than {self._limit:,} mailboxes; split it")
        self._file.seek(0)

    def _mailboxes(self) -> Iterator[MailboxRow | BadRow]:
        lines = self._lines()
        header = next(lines, None)
        if header is None:
            raise Invalid(f"{self._name} is empty; {_HEADER_HELP}", "mailboxes")
        self._columns = self._header(_text(header.removeprefix(b"\xef\xbb\xbf")))
        any_row = False
        for line in lines:
            any_row = True
            yield self._mailbox(line)
        if not any_row:
            raise Invalid(f"{self._name} has no mailbox below its header row", "mailboxes")

    def _mailbox(self, line: bytes) -> MailboxRow | BadRow:
        try:
            return self._check.mailbox(self._values(_fields(_text(line))), self._row)
        except BadRow as error:
            error.row = self._row
            return error

    def _lines(self) -> Iterator[bytes]:
        """The lines that are not empty, without their ends; `_row` follows."""
        self._row = 0
        while line := self._file.readline(LONGEST_LINE + 1):
            self._row += 1
            if len(line) > LONGEST_LINE:
                raise BadRow(f"the line is longer than {LONGEST_LINE:,} bytes", "too_long")
            if line := line.rstrip(b"\r\n"):
                yield line

    def _header(self, line: str) -> list[str]:
        _refuse_delimiter(line)
        columns = [name.strip().lower() for name in _fields(line)]
        missing = [name for name in REQUIRED if name not in columns]
        if len(missing) == len(REQUIRED):
            # Not even one name fits: this is a first mailbox, whose password must not be quoted as a column's name.
            raise BadRow(f"the header row is missing; {_HEADER_HELP}", "no_header")
        if missing:
            raise BadRow(f"the column {missing[0]} is missing; {_HEADER_HELP}", "missing", missing[0])
        _check_names(columns)
        return columns

    def _values(self, fields: list[str]) -> dict[str, str]:
        if len(fields) != len(self._columns):
            what = f"{len(fields)} fields instead of {len(self._columns)}; put a field with a comma in quotes"
            raise BadRow(what, "wrong_field_count")
        return dict(zip(self._columns, fields, strict=True))


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRow("the text is not UTF-8; save the file as CSV in UTF-8", "not_utf8") from None


def _refuse_delimiter(line: str) -> None:
    if "\r" in line:
        raise BadRow("lines end with CR alone; save the file with line ends LF or CRLF", "wrong_line_ends")
    for delimiter, name in _DELIMITERS.items():
        names = {part.strip().strip('"').lower() for part in line.split(delimiter)}
        if delimiter in line and names & COLUMNS:
            raise BadRow(f"columns are separated by {name}; separate them by commas", "wrong_delimiter")


def _check_names(columns: list[str]) -> None:
    for number, name in enumerate(columns, start=1):
        if name not in COLUMNS:
            raise BadRow(f"column {number} is called {name[:40]!r}; {_HEADER_HELP}", "unknown_field")
        if columns.count(name) > 1:
            raise BadRow(f"the column {name} is there twice", "duplicate", name)


def _fields(line: str) -> list[str]:
    if '"' not in line:
        return line.split(",")
    if not _RECORD.match(line):
        what = 'the quotes do not match; put the whole field in quotes and write " inside it as ""'
        raise BadRow(what, "malformed")
    return next(csv.reader([line], strict=True))
