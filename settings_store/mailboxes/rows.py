"""One mailbox of a file or a request: what it must be like, whatever form it came in.

No message quotes what a field holds: where columns are mixed up, any field may be a password.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from checks.model import CredentialKind, Invalid
from checks.oauth.client_secret import parse_client_secret
from checks.settings import normalise_domain

REQUIRED = ("address", "password")
COLUMNS = frozenset((*REQUIRED, "username", "kind"))
LARGEST_COUNT = 100_000
_KINDS = ", ".join(CredentialKind)

# RFC 5321, section 4.5.3.1.1, allows 64 octets. Dots are not looked at: some providers gave out addresses with two.
_LOCAL_PART = re.compile(r'[^\s@"(),:;<>\[\]\\]+\Z')
_MAX_LOCAL_OCTETS = 64
# What forms and logs show in place of a secret: whoever sends it has read it there, and would store it.
_MASK = re.compile(r"(?:[*•●∙⬤＊]+|\[redacted\])\Z")


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox of a file. `address` is in lower case with an ASCII domain, `row` the number of its line."""

    address: str
    username: str
    password: str = field(repr=False)
    row: int
    kind: CredentialKind = CredentialKind.PASSWORD


class BadRow(Invalid):
    """A row that cannot be used. `code` is stable, `field` the column, '' where it is the row; `row` its number."""

    def __init__(self, message: str, code: str, field: str = "", row: int = 0) -> None:
        super().__init__(message, field)
        self.code, self.row = code, row


class TooManyRows(Invalid):
    """More rows than are taken at a time."""


Check = Callable[[Mapping[str, str], int], MailboxRow]


class RowCheck:
    """Checks the rows of one domain. Of all of them only the addresses are kept, to find duplicates."""

    def __init__(self, domain: str, limit: int = LARGEST_COUNT) -> None:
        self._domain, self._limit = domain, limit
        self._seen: dict[str, int] = {}

    def mailbox(self, values: Mapping[str, str], row: int) -> MailboxRow:
        """The mailbox of a row with these values by column. Raises `BadRow`, or `TooManyRows`."""
        for name, value in values.items():
            _check_characters(name, value)
        local_part = _local_part(values["address"].strip(), self._domain)
        address = f"{local_part}@{self._domain}"
        secret = _secret(values["password"])
        kind = _kind(values.get("kind", ""), secret)
        self._check_new(address.lower(), row)
        return MailboxRow(address.lower(), values.get("username", "").strip() or address, secret, row, kind)

    def _check_new(self, address: str, row: int) -> None:
        first = self._seen.setdefault(address, row)
        if first != row:
            raise BadRow(f"the address is already in row {first}", "duplicate", "address")
        if len(self._seen) > self._limit:
            raise TooManyRows(f"the file has more than {self._limit:,} mailboxes; split it")


def given_rows(given: Iterable[Mapping[str, str]], domain: str) -> Iterator[MailboxRow]:
    """Yields mailboxes of `domain` that came as values by the names of a file's columns, under the same rules.

    Raises `Invalid` whose field is a pointer: `mailboxes/3/password`.
    """
    check = RowCheck(_normalised(domain))
    for number, values in enumerate(given):
        try:
            yield check.mailbox(values, number + 1)
        except BadRow as error:
            pointer = "/".join(filter(None, ["mailboxes", str(number), error.field]))
            raise Invalid(str(error), pointer) from None


def as_stored(address: str) -> str:
    """An address in the form in which mailboxes are stored; in lower case alone where it is none."""
    local_part, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    try:
        return f"{local_part}{at}{normalise_domain(domain)}".lower()
    except Invalid:
        return address.strip().lower()


def _check_characters(name: str, value: str) -> None:
    # RFC 8265, sections 3.4.1 and 4.2: neither user names nor passwords hold control characters. Half a pair of UTF-16,
    # which JSON can write, is no text at all.
    if not value.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        kind = "a NUL byte" if "\0" in value else "a control character"
        raise BadRow(f"the {name} holds {kind}", "control_character", name)


def _local_part(address: str, wanted: str) -> str:
    local_part, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    if not at or not _LOCAL_PART.match(local_part) or len(local_part.encode()) > _MAX_LOCAL_OCTETS:
        raise BadRow("the address is not an e-mail address", "not_an_address", "address")
    if domain.lower() != wanted and _normalised(domain) != wanted:
        raise BadRow(f"the address does not belong to the domain {wanted}", "other_domain", "address")
    return local_part


def _normalised(domain: str) -> str:
    try:
        return normalise_domain(domain)
    except Invalid:
        raise BadRow("the address is not an e-mail address", "not_an_address", "address") from None


def _secret(secret: str) -> str:
    if not secret:
        raise BadRow("the password is empty", "empty", "password")
    if _MASK.match(secret):
        raise BadRow("the password is what is shown in place of one; give the password itself", "masked", "password")
    return secret


def _kind(name: str, secret: str) -> CredentialKind:
    try:
        kind = CredentialKind(name.strip().lower() or CredentialKind.PASSWORD)
    except ValueError:
        raise BadRow(f"the kind must be one of {_KINDS}", "unknown_kind", "kind") from None
    if kind is CredentialKind.OAUTH2_CLIENT:
        try:
            parse_client_secret(secret)
        except Invalid as wrong:
            what = f"the password of this kind cannot be used: {wrong}"
            raise BadRow(what, "unusable_client_secret", "password") from None
    return kind
