"""Drafts the next revision: `python -m settings_store.migrations "what it does"`. Read and tidy what it writes.

Without words it writes what a new SQLite file is made from, `sqlite.sql`, anew.
"""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from settings_store.migrations import HEAD, SQLITE, alembic_config, sqlite_statements, upgrade


def draft(message: str, folder: Path | None = None) -> Path:
    """Writes the revision that leads from `HEAD` to `schema.py` into `folder` (by default `versions/`)."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection)
        config = alembic_config(connection)
        # The path separator is named so that Alembic does not guess it from the platform.
        config.set_main_option("path_separator", "newline")
        versions = Path(__file__).parent / "versions"
        config.set_main_option("version_locations", f"{versions}\n{folder or versions}".replace("%", "%%"))
        number = f"{int(HEAD) + 1:04}"
        config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
        command.revision(config, message, autogenerate=True, rev_id=number, version_path=str(folder or versions))
    engine.dispose()
    return next((folder or versions).glob(f"r{number}_*.py"))


def sqlite_by_revisions() -> str:
    """The statements for a new SQLite file, from the revisions."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection)
        statements = sqlite_statements(connection)
    engine.dispose()
    return statements


if __name__ == "__main__":
    if sys.argv[1:]:
        draft(sys.argv[1])
    else:
        SQLITE.write_text(sqlite_by_revisions(), encoding="utf-8")
