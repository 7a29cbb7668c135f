"""What importing a file of mailboxes costs beside the least that it takes: read the file, encrypt each password."""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from bench.field import say
from bench.plan import Void
from bench.service import Backends
from settings_store import domains
from settings_store.db import Database
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.mailboxes import ImportCounts, import_mailboxes
from settings_store.secrets import Vault, new_key

_DOMAIN = "import.example"


@dataclass(frozen=True, slots=True)
class ImportCost:
    """Seconds for a file of `count` mailboxes: the least, the first import, and the same file once more."""

    database: str
    count: int
    least: float
    first: float
    again: float


def measure_import(folder: Path, backends: Backends, count: int) -> list[ImportCost]:
    """In each database. Raises `Void` where an import counts otherwise."""
    path = folder / "import.csv"
    rows = (f"mailbox{number}@{_DOMAIN},secret-{number}\n" for number in range(count))
    path.write_text("address,password\n" + "".join(rows))
    urls = {"SQLite": f"sqlite:///{folder / 'import.db'}", "PostgreSQL": backends.postgres.new_database()}
    found = [_measured(name, url, path, count) for name, url in urls.items()]
    for cost in found:
        say(f"  {cost.database}: least {cost.least:.2f} s, first {cost.first:.2f} s, again {cost.again:.2f} s")
    return found


def _measured(name: str, url: str, path: Path, count: int) -> ImportCost:
    database = Database(url)
    try:
        database.migrate()
        least, first = _least(path), _import(database, path, ImportCounts(added=count))
        return ImportCost(name, count, least, *first)
    finally:
        database.close()


def _least(path: Path) -> float:
    begun, key = time.perf_counter(), Fernet(Fernet.generate_key())
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            key.encrypt(row["password"].encode())
    return time.perf_counter() - begun


def _import(database: Database, path: Path, expected: ImportCounts) -> tuple[float, float]:
    vault, took = Vault([new_key()]), []
    for counts in (expected, ImportCounts(unchanged=expected.added)):
        begun = time.perf_counter()
        with database.begin() as conn:
            domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), _DOMAIN)
            if import_mailboxes(conn, domain_id, read_csv(path, _DOMAIN), vault, database.now()) != counts:
                raise Void("an import counted otherwise")
        took.append(time.perf_counter() - begun)
    return took[0], took[1]


def import_table(costs: list[ImportCost]) -> Iterator[str]:
    """The lines of the table."""
    yield f"| import of {costs[0].count:,} mailboxes | read and encrypt | first import | ratio | once more | ratio |"
    yield "|---|---:|---:|---:|---:|---:|"
    for cost in costs:
        first, again = (f"{took:.2f} s | {took / cost.least:.1f}" for took in (cost.first, cost.again))
        yield f"| {cost.database} | {cost.least:.2f} s | {first} | {again} |"
