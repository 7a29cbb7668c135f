"""Reads a CSV file of mailboxes (RFC 4180): a header row with `address,password` and, if wanted, `username` and `kind`.

The kind says what the password column holds: `password` (also where it is empty), `oauth2_token` (a bearer token) or
`oauth2_client` (an application's secret as JSON, see `checks.oauth.client_secret`).

No message quotes what a field holds: in a file with mixed-up columns, any field may be a password.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from checks.model import CredentialKind, Invalid
from checks.oauth.client_secret import parse_client_secret
from checks.settings import normalise_domain

_REQUIRED = ("address", "password")
_COLUMNS = frozenset((*_REQUIRED, "username", "kind"))
_KINDS = ", ".join(CredentialKind)
_HEADER_HELP = "the first line must name the columns: address,password or address,username,password"
_DELIMITERS = {";": "semicolons", "\t": "tabs"}
_MAX_LINE_BYTES = 16_384

# RFC 4180, section 2, rules 5 to 7: a field is in quotes altogether or holds none.
_RECORD = re.compile(r'(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*\Z')
# RFC 5321, section 4.5.3.1.1, allows 64 octets. Dots are not looked at: some providers gave out addresses with two.
_LOCAL_PART = re.compile(r'[^\s@"(),:;<>\[\]\\]+\Z')
_MAX_LOCAL_OCTETS = 64


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox of a file. `address` is in lower case with an ASCII domain, `row` the number of its line."""

    address: str
    username: str
    password: str = field(repr=False)
    row: int
    kind: CredentialKind = CredentialKind.PASSWORD


def read_csv(path: Path, domain: str, limit: int = 100_000) -> Iterator[MailboxRow]:
    """Yields the mailboxes of `domain` in a UTF-8 file (with or without BOM), one by one as they are read.

    Of the whole file only the addresses are kept, to find duplicates. Raises `Invalid` naming row and field.
    """
    return _Reader(path, normalise_domain(domain), limit).rows()


class _Reader:
    """The state of reading one file: where we are, what the columns are, which addresses came."""

    def __init__(self, path: Path, domain: str, limit: int) -> None:
        self._path = path
        self._domain = domain
        self._limit = limit
        self._row = 0
        self._columns: list[str] = []
        self._seen: dict[str, int] = {}

    def rows(self) -> Iterator[MailboxRow]:
        try:
            with self._path.open("rb") as file:
                self._refuse_long(file)
                yield from self._mailboxes(file)
        except OSError as error:
            raise Invalid(f"{self._path} cannot be read: {error.strerror or error}", "mailboxes") from None

    def _refuse_long(self, file: BinaryIO) -> None:
        """Refuses a file with too many rows before any of them is used. A pipe is counted as it comes."""
        if not file.seekable():
            return
        for count, _ in enumerate(self._lines(file)):
            self._check_count(count)
        file.seek(0)

    def _check_count(self, count: int) -> None:
        if count > self._limit:
            self._refuse(f"the file has more than {self._limit:,} mailboxes; split it")

    def _mailboxes(self, file: BinaryIO) -> Iterator[MailboxRow]:
        lines = self._lines(file)
        header = next(lines, None)
        if header is None:
            raise Invalid(f"{self._path.name} is empty; {_HEADER_HELP}", "mailboxes")
        self._columns = self._header(self._text(header.removeprefix(b"\xef\xbb\xbf")))
        for line in lines:
            yield self._mailbox(self._fields(self._text(line)))
        if not self._seen:
            raise Invalid(f"{self._path.name} has no mailbox below its header row", "mailboxes")

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        """The lines that are not empty, without their ends; `_row` follows."""
        self._row = 0
        while line := file.readline(_MAX_LINE_BYTES + 1):
            self._row += 1
            if len(line) > _MAX_LINE_BYTES:
                self._refuse(f"the line is longer than {_MAX_LINE_BYTES:,} bytes")
            if line := line.rstrip(b"\r\n"):
                yield line

    def _text(self, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self._refuse("the text is not UTF-8; save the file as CSV in UTF-8")

    def _header(self, line: str) -> list[str]:
        self._refuse_delimiter(line)
        columns = [name.strip().lower() for name in self._fields(line)]
        missing = [name for name in _REQUIRED if name not in columns]
        if len(missing) == len(_REQUIRED):
            # Not even one name fits: this is a first mailbox, whose password must not be quoted as a column's name.
            self._refuse(f"the header row is missing; {_HEADER_HELP}")
        if missing:
            self._refuse(f"the column {missing[0]} is missing; {_HEADER_HELP}", missing[0])
        self._check_names(columns)
        return columns

    def _refuse_delimiter(self, line: str) -> None:
        if "\r" in line:
            self._refuse("lines end with CR alone; save the file with line ends LF or CRLF")
        for delimiter, name in _DELIMITERS.items():
            names = {part.strip().strip('"').lower() for part in line.split(delimiter)}
            if delimiter in line and names & _COLUMNS:
                self._refuse(f"columns are separated by {name}; separate them by commas")

    def _check_names(self, columns: list[str]) -> None:
        for number, name in enumerate(columns, start=1):
            if name not in _COLUMNS:
                self._refuse(f"column {number} is called {name[:40]!r}; {_HEADER_HELP}")
            if columns.count(name) > 1:
                self._refuse(f"the column {name} is there twice", name)

    def _fields(self, line: str) -> list[str]:
        if '"' not in line:
            return line.split(",")
        if not _RECORD.match(line):
            self._refuse('the quotes do not match; put the whole field in quotes and write " inside it as ""')
        return next(csv.reader([line], strict=True))

    def _mailbox(self, fields: list[str]) -> MailboxRow:
        if len(fields) != len(self._columns):
            self._refuse(f"{len(fields)} fields instead of {len(self._columns)}; put a field with a comma in quotes")
        values = dict(zip(self._columns, fields, strict=True))
        for name, value in values.items():
            self._check_characters(name, value)
        local_part = self._local_part(values["address"].strip())
        if not values["password"]:
            self._refuse("the password is empty", "password")
        address = f"{local_part}@{self._domain}"
        self._check_new(address.lower())
        username = values.get("username", "").strip() or address
        kind = self._kind(values.get("kind", ""), values["password"])
        return MailboxRow(address.lower(), username, values["password"], self._row, kind)

    def _kind(self, name: str, secret: str) -> CredentialKind:
        try:
            kind = CredentialKind(name.strip().lower() or CredentialKind.PASSWORD)
        except ValueError:
            self._refuse(f"the kind must be one of {_KINDS}", "kind")
        if kind is CredentialKind.OAUTH2_CLIENT:
            try:
                parse_client_secret(secret)
            except Invalid as wrong:
                self._refuse(f"the password of this kind cannot be used: {wrong}", "password")
        return kind

    def _check_characters(self, name: str, value: str) -> None:
        # RFC 8265, sections 3.4.1 and 4.2: neither user names nor passwords hold control characters.
        if not value.isprintable() and any(unicodedata.category(character) == "Cc" for character in value):
            kind = "a NUL byte" if "\0" in value else "a control character"
            self._refuse(f"the {name} holds {kind}", name)

    def _local_part(self, address: str) -> str:
        local_part, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
        if not at or not _LOCAL_PART.match(local_part) or len(local_part.encode()) > _MAX_LOCAL_OCTETS:
            self._refuse("the address is not an e-mail address", "address")
        if domain.lower() != self._domain and self._normalised(domain) != self._domain:
            self._refuse(f"the address does not belong to the domain {self._domain}", "address")
        return local_part

    def _normalised(self, domain: str) -> str:
        try:
            return normalise_domain(domain)
        except Invalid:
            self._refuse("the address is not an e-mail address", "address")

    def _check_new(self, address: str) -> None:
        first = self._seen.setdefault(address, self._row)
        if first != self._row:
            self._refuse(f"the address is already in row {first}", "address")
        self._check_count(len(self._seen))

    def _refuse(self, what: str, name: str = "") -> NoReturn:
        raise Invalid(f"{self._path.name}, row {self._row}: {what}", name) from None


def read_given(given: Iterable[Mapping[str, str]], domain: str) -> Iterator[MailboxRow]:
    """Yields mailboxes of `domain` that came as values by the names of a file's columns, under the same rules.

    Raises `Invalid` whose field is a pointer: `mailboxes/3/password`.
    """
    return _Given(Path("mailboxes"), normalise_domain(domain), _MOST_GIVEN).given(given)


_MOST_GIVEN = 100_000


class _Given(_Reader):
    """Counts from 1, as people do; pointers count from 0."""

    def given(self, rows: Iterable[Mapping[str, str]]) -> Iterator[MailboxRow]:
        for self._row, values in enumerate(rows, start=1):
            self._columns = list(values)
            yield self._mailbox(list(values.values()))

    def _refuse(self, what: str, name: str = "") -> NoReturn:
        raise Invalid(what, "/".join(filter(None, ["mailboxes", str(self._row - 1), name]))) from None
