"""The database's schema through time, applied by Alembic from inside the package (there is no `alembic.ini`).

Alembic takes longer to import than everything else here, so it is imported only where there is something to migrate;
`HEAD` lets the store see without it that there is not. The next revision is drafted from the difference between
`schema.py` and the revisions so far by `python -m settings_store.migrations "what it does"`, in a checkout.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0012"
"""The newest revision in `versions/`."""


class UnknownRevision(LookupError):
    """The database is at a revision that this version of the program does not have."""


def current_revision(connection: sa.Connection) -> str | None:
    """The revision of a database, None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


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
