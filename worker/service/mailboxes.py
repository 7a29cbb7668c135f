"""The use cases of mailboxes: imported with their credentials, listed, taken out, tried again after a rejection."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from checks.model import Invalid
from checks.settings import normalise_domain
from settings_store import domains
from settings_store.mailboxes import csv_file, json_rows, rejections
from settings_store.mailboxes.listing import Filter, Stored, find_mailbox, list_mailboxes
from settings_store.mailboxes.mailboxes import ImportCounts, import_mailboxes
from settings_store.mailboxes.removal import remove_mailboxes
from settings_store.mailboxes.rows import BadRow, MailboxRow, as_stored
from worker.service.bound_to import Binding

TOLD = 100
"""So many of the rows that cannot be used are told one by one."""


class Form(StrEnum):
    """How mailboxes are written down."""

    CSV = "csv"
    NDJSON = "ndjson"
    JSON = "json"


class BadRows(Invalid):
    """Rows that cannot be used: the first of them, and how many there are."""

    def __init__(self, first: Collection[BadRow], count: int) -> None:
        more = f", and {count - 1:,} more rows cannot be used" if count > 1 else ""
        told = next(iter(first))
        super().__init__(f"row {told.row}: {told}{more}; nothing was stored")
        self.first, self.count = tuple(first), count


_READERS: dict[Form, Callable[[BinaryIO, str], Iterator[MailboxRow | BadRow]]] = {
    Form.CSV: lambda file, domain: csv_file.rows_of(file, domain, "the body"),
    Form.NDJSON: json_rows.ndjson_rows,
    Form.JSON: json_rows.json_rows,
}


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """Of one account."""

    _to: Binding

    def import_file(self, domain: str, path: Path) -> ImportCounts:
        """The mailboxes of a CSV file, all or none. Raises `Invalid` that names row and field."""
        return self._import(domain, csv_file.read_csv(path, normalise_domain(domain)))

    def import_rows(self, domain: str, file: BinaryIO, form: Form) -> ImportCounts:
        """The mailboxes of a file that can be read again from its start, all or none.

        No transaction begins before every row has been found good. Raises `BadRows`, `TooManyRows`, `Malformed`, and
        `Invalid` where there is no row.
        """
        name = normalise_domain(domain)
        _refuse_bad(_READERS[form](file, name))
        file.seek(0)
        return self._import(domain, _good(_READERS[form](file, name)))

    def _import(self, domain: str, rows: Iterator[MailboxRow]) -> ImportCounts:
        to = self._to
        with to.database.begin() as conn:
            domain_id = domains.ensure_domain(conn, to.account_id, domain)
            return import_mailboxes(conn, domain_id, rows, to.vault, to.database.now(), to.actor)

    def of_domain(self, domain: str) -> list[Stored]:
        """The domain's mailboxes by address, without their credentials. Raises `Invalid`."""
        with self._to.database.read() as conn:
            return list_mailboxes(conn, domains.find_domain(conn, self._to.account_id, domain).id)

    def page(self, domain: str, wanted: Filter, after: str, limit: int) -> list[Stored]:
        """As `of_domain`, of the wanted ones those behind the address `after`, `limit` at most."""
        with self._to.database.read() as conn:
            domain_id = domains.find_domain(conn, self._to.account_id, domain).id
            return list_mailboxes(conn, domain_id, wanted, after=after, limit=limit)

    def look(self, domain: str, address: str) -> Stored:
        """One mailbox, without its credential. Raises `Invalid`."""
        with self._to.database.read() as conn:
            domain_id = domains.find_domain(conn, self._to.account_id, domain).id
            return find_mailbox(conn, domain_id, as_stored(address))

    def remove(self, domain: str, addresses: Collection[str]) -> int:
        """Takes mailboxes out of a domain, with their credentials: all, or none where `Invalid` is raised."""
        to = self._to
        with to.database.begin() as conn:
            domain_id = domains.find_domain(conn, to.account_id, domain).id
            wanted = [as_stored(address) for address in addresses]
            return remove_mailboxes(conn, domain_id, wanted, to.database.now(), to.actor)

    def forget_rejections(self, domain: str) -> int:
        """Lets credentials be tried again that a server has rejected. Returns how many there were. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            return rejections.forget_domain(conn, domains.find_domain(conn, self._to.account_id, domain).id)


def _refuse_bad(rows: Iterator[MailboxRow | BadRow]) -> None:
    first: list[BadRow] = []
    count = 0
    for found in rows:
        if isinstance(found, BadRow):
            count += 1
            if count <= TOLD:
                first.append(found)
    if first:
        raise BadRows(first, count)


def _good(rows: Iterator[MailboxRow | BadRow]) -> Iterator[MailboxRow]:
    for found in rows:
        if isinstance(found, BadRow):
            raise found
        yield found
