"""Reads mailboxes from JSON, one by one in flat memory: `{"items": [...]}`, or an object on each line (NDJSON)."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from checks.model import CredentialKind, Invalid
from settings_store.mailboxes.csv_file import LONGEST_LINE
from settings_store.mailboxes.rows import COLUMNS, LARGEST_COUNT, REQUIRED, BadRow, MailboxRow, RowCheck, TooManyRows

_BLOCK = 1 << 16
_BLANK = re.compile(r"[ \t\n\r]*")  # RFC 8259, section 2
_FORM = 'give {"items": [...]} with an object for each mailbox, and nothing else'


class Malformed(Invalid):
    """What cannot be read any further: it is no JSON of the wanted form, or no UTF-8."""


def ndjson_rows(file: BinaryIO, domain: str, limit: int = LARGEST_COUNT) -> Iterator[MailboxRow | BadRow]:
    """Yields the mailbox of each line, one that cannot be used as well. Rows are numbered as the lines are, from 1.

    `domain` is normalised. Raises `Malformed` after a line that is too long, `TooManyRows`, and `Invalid` where there
    is none.
    """
    check, row, count = RowCheck(domain, limit), 0, 0
    while line := file.readline(LONGEST_LINE + 1):
        row += 1
        if len(line) > LONGEST_LINE:
            raise Malformed(f"line {row} is longer than {LONGEST_LINE:,} bytes", "mailboxes")
        if row == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            continue
        count = _counted(count, limit)
        try:
            yield check.mailbox(_values(_parsed(line)), row)
        except BadRow as error:
            error.row = row
            yield error
    if not count:
        raise Invalid("there is no mailbox in it", "mailboxes")


def json_rows(file: BinaryIO, domain: str, limit: int = LARGEST_COUNT) -> Iterator[MailboxRow | BadRow]:
    """Yields the mailbox of each item, one that cannot be used as well. Items are numbered from 1.

    `domain` is normalised. Raises `Malformed`, `TooManyRows`, and `Invalid` where there is none.
    """
    check, row = RowCheck(domain, limit), 0
    for item in _items(_Text(file)):
        row = _counted(row, limit)
        try:
            yield check.mailbox(_values(item), row)
        except BadRow as error:
            error.row = row
            yield error
    if not row:
        raise Invalid("there is no mailbox in it", "mailboxes")


def _counted(count: int, limit: int) -> int:
    if count >= limit:
        raise TooManyRows(f"there are more than {limit:,} mailboxes; split them")
    return count + 1


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadRow("the text is not UTF-8", "not_utf8") from None
    except (ValueError, RecursionError):
        raise BadRow("the line is no JSON", "malformed") from None


def _values(item: Any) -> Mapping[str, str]:
    """The fields of a mailbox. An application's secret may be an object; it is stored as the text of it."""
    if not isinstance(item, dict):
        raise BadRow("each mailbox is an object", "malformed")
    if not item.keys() <= COLUMNS:
        unknown = item.keys() - COLUMNS
        raise BadRow(
            f"there is no field {min(unknown)[:40]!r}; give address, password, username, kind", "unknown_field"
        )
    if missing := [name for name in REQUIRED if name not in item]:
        raise BadRow(f"the field {missing[0]} is missing", "missing", missing[0])
    if isinstance(item["password"], dict) and item.get("kind") == CredentialKind.OAUTH2_CLIENT:
        item["password"] = json.dumps(item["password"])
    for name, value in item.items():
        if type(value) is not str:  # JSON has no other text, and this is asked of every field
            raise BadRow(f"the {name} must be text", "wrong_type", name)
    return item


def _items(text: "_Text") -> Iterator[Any]:
    """The items of the one list that the document has."""
    for sign in ("{", '"items"', ":", "["):
        text.expect(sign)
    if not text.take("]"):
        while True:
            yield text.value()
            if text.take("]"):
                break
            text.expect(",")
    text.expect("}")
    if not text.ended:
        raise text.malformed("something follows its end")


class _Text:
    """A JSON document that is read bit by bit. As much is kept as the longest value takes, and some more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder, self._json = codecs.getincrementaldecoder("utf-8-sig")(), json.JSONDecoder()
        self._text, self._at, self._before, self._all_read = "", 0, 0, False

    @property
    def ended(self) -> bool:
        """Whether nothing follows but blanks."""
        self._skip_blanks()
        return self._at == len(self._text)

    def take(self, sign: str) -> bool:
        """Whether this comes next; then it is passed over."""
        self._skip_blanks()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def expect(self, sign: str) -> None:
        """Passes this over. Raises `Malformed` where something else comes."""
        if not self.take(sign):
            raise self.malformed(f"{sign} is missing")

    def value(self) -> Any:
        """The value that comes next. Raises `Malformed`."""
        self._skip_blanks()
        try:
            found, end = self._json.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            raise self.malformed(f"an item cannot be read, or is longer than {LONGEST_LINE:,} characters") from None
        if end - self._at > LONGEST_LINE:
            raise self.malformed(f"an item is longer than {LONGEST_LINE:,} characters")
        self._at = end
        return found

    def malformed(self, what: str) -> Malformed:
        """The error, with its place."""
        return Malformed(f"at character {self._before + self._at}: {what}; {_FORM}", "mailboxes")

    def _skip_blanks(self) -> None:
        while True:
            self._fill()
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr] # matches nothing, too
            if self._all_read or len(self._text) - self._at > LONGEST_LINE:
                return

    def _fill(self) -> None:
        if self._all_read or len(self._text) - self._at > LONGEST_LINE:
            return
        self._before += self._at
        rest, self._at = self._text[self._at :], 0
        block = self._file.read(_BLOCK)
        self._all_read = not block
        try:
            self._text = rest + self._decoder.decode(block, final=self._all_read)
        except UnicodeDecodeError:
            raise Malformed(f"the text is not UTF-8 after character {self._before}", "mailboxes") from None
