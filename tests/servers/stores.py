"""Databases with the newest schema, copied from one that was migrated: migrating takes longer than most tests."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from settings_store.db import Database


def sqlite_store(path: Path) -> str:
    """Create a SQLite file with the newest schema and nothing in it. Returns its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template(), path)
    return f"sqlite:///{path}"


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mail-preflight-store-"))
    atexit.register(shutil.rmtree, folder)
    migrate(f"sqlite:///{folder}/store.db")
    return folder / "store.db"


def migrate(url: str) -> None:
    """Bring a database to the newest schema; nothing stays open."""
    database = Database(url)
    database.migrate()
    database.close()
