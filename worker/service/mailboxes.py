"""The use cases of mailboxes: imported with their credentials, listed, taken out, tried again after a rejection."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from checks.settings import normalise_domain
from settings_store import domains
from settings_store.mailboxes import rejections
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.mailboxes import ImportCounts, import_mailboxes
from settings_store.mailboxes.removal import Stored, list_mailboxes, remove_mailboxes
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """Of one account."""

    _to: Binding

    def import_file(self, domain: str, path: Path) -> ImportCounts:
        """The mailboxes of a CSV file, all or none. Raises `Invalid` that names row and field."""
        to = self._to
        rows = read_csv(path, normalise_domain(domain))
        with to.database.begin() as conn:
            domain_id = domains.ensure_domain(conn, to.account_id, domain)
            return import_mailboxes(conn, domain_id, rows, to.vault, to.database.now(), to.actor)

    def of_domain(self, domain: str) -> list[Stored]:
        """The domain's mailboxes by address, without their credentials. Raises `Invalid`."""
        with self._to.database.read() as conn:
            return list_mailboxes(conn, domains.find_domain(conn, self._to.account_id, domain).id)

    def remove(self, domain: str, addresses: Collection[str]) -> int:
        """Takes mailboxes out of a domain, with their credentials: all, or none where `Invalid` is raised."""
        to = self._to
        with to.database.begin() as conn:
            domain_id = domains.find_domain(conn, to.account_id, domain).id
            return remove_mailboxes(conn, domain_id, addresses, to.database.now(), to.actor)

    def forget_rejections(self, domain: str) -> int:
        """Lets credentials be tried again that a server has rejected. Returns how many there were. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            return rejections.forget_domain(conn, domains.find_domain(conn, self._to.account_id, domain).id)
