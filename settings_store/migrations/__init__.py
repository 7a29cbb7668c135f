"""The database's schema through time, applied by Alembic from inside the package (there is no `alembic.ini`).

Alembic takes longer to import than everything else here, so it is imported only where there is something to migrate;
`HEAD` lets the store see without it that there is not. The next revision is drafted from the difference between
`schema.py` and the revisions so far by `python -m settings_store.migrations "what it does"`, in a checkout.

A new SQLite file is what all revisions would make of it, written down in `sqlite.sql`: most are made while
somebody waits. `python -m settings_store.migrations` writes that anew; a test says when it must be.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0016"
"""The newest revision in `versions/`."""


SQLITE = Path(__file__).parent / "sqlite.sql"
_BETWEEN = "\n;\n"  # triggers have semicolons inside


class UnknownRevision(LookupError):
    """The database is at a revision that this version of the program does not have."""


def current_revision(connection: sa.Connection) -> str | None:
    """The revision of a database, None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def create_sqlite(connection: sa.Connection) -> None:
    """Makes the tables of `HEAD` in an empty SQLite database, inside the connection's transaction."""
    for statement in SQLITE.read_text(encoding="utf-8").split(_BETWEEN):
        connection.exec_driver_sql(statement)


def sqlite_statements(connection: sa.Connection) -> str:
    """What `create_sqlite` would have to run for a database like this one: its tables, then the rows that are in it."""
    tables = (
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    statements = [*connection.exec_driver_sql(tables).scalars(), *_rows(connection)]
    return _BETWEEN.join(statement.strip() for statement in statements) + "\n"


def _rows(connection: sa.Connection) -> Iterator[str]:
    """The INSERTs of all rows, as SQLite itself writes their values."""
    for table in sorted(sa.inspect(connection).get_table_names()):
        columns = ", ".join(row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})"))
        quoted = " || ', ' || ".join(f"quote({name})" for name in columns.split(", "))
        for values in connection.exec_driver_sql(f"SELECT {quoted} FROM {table}").scalars():  # noqa: S608 -- our names
            yield f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 -- as above


def alembic_config(connection: sa.Connection) -> "Config":
    """Alembic's configuration for one connection."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # Alembic interpolates its options: a per cent sign in the path is doubled.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade(connection: sa.Connection) -> None:
    """Brings the database to `HEAD` inside the connection's transaction. Raises `UnknownRevision`, changing nothing."""
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    revision = current_revision(connection)
    if revision is not None and revision not in known:
        raise UnknownRevision(revision)
    command.upgrade(config, "head")
