"""Says how far a migration is: what takes long is told before it begins, while it goes on, and when it is done.

Only statements on large tables are told; the rest is over before anybody has read of it.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

Tell = Callable[[str], None]
Ask = Callable[[], AbstractContextManager[sa.Connection]]

LARGE_ROWS = 100_000
EVERY_SECONDS = 5.0
_STATEMENT = re.compile(
    r"\s*(CREATE (?:UNIQUE )?INDEX \S+ ON|ALTER TABLE|UPDATE|DELETE FROM|INSERT INTO)\s+\"?(\w+)", re.IGNORECASE
)
_DONE = sa.text(
    "SELECT phase, CASE WHEN tuples_total > 0 THEN 100 * tuples_done / tuples_total "
    "WHEN blocks_total > 0 THEN 100 * blocks_done / blocks_total END AS percent "
    "FROM pg_stat_progress_create_index WHERE pid = :pid"
)


@contextmanager
def told(connection: sa.Connection, tell: Tell, ask: Ask) -> Iterator[None]:
    """Tells of the statements of `connection` meanwhile. `ask` opens another connection to the same database."""
    watch = _Watch(connection, tell, ask)
    sa.event.listen(connection, "before_cursor_execute", watch.begin)
    sa.event.listen(connection, "after_cursor_execute", watch.end)
    try:
        yield
    finally:
        sa.event.remove(connection, "before_cursor_execute", watch.begin)
        sa.event.remove(connection, "after_cursor_execute", watch.end)
        watch.stop()


@dataclass
class _Watch:
    """One statement at a time: those of a connection follow each other."""

    connection: sa.Connection
    tell: Tell
    ask: Ask
    _over: threading.Event | None = None
    _words: str = ""
    _begun: float = 0.0
    _rows: dict[str, int] = field(default_factory=dict)

    def begin(
        self, _conn: object, cursor: object, statement: str, _values: object, _context: object, _many: bool
    ) -> None:
        """Before each statement."""
        found = _STATEMENT.match(statement)
        if self._over is not None or found is None:
            return
        rows = self._rows_of(found[2])
        if rows < LARGE_ROWS:
            return
        self._words = f"{' '.join(found[0].split())} (about {rows:,} rows)"
        self._begun, self._over = time.monotonic(), threading.Event()
        self.tell(f"migrating: {self._words}")
        if self.connection.dialect.name == "postgresql":
            threading.Thread(target=self._look, args=(self._over, _pid(cursor)), daemon=True).start()

    def end(self, *_: object) -> None:
        """After each statement."""
        if self._over is not None:
            self.stop()
            self.tell(f"migrating: {self._words}: done in {time.monotonic() - self._begun:.1f} s")

    def stop(self) -> None:
        """Ends the look at the statement under way."""
        if self._over is not None:
            self._over.set()
            self._over = None

    def _rows_of(self, table: str) -> int:
        if table not in self._rows:
            self._rows[table] = _estimate(self.connection, table)
        return self._rows[table]

    def _look(self, over: threading.Event, pid: int) -> None:
        words, begun = self._words, self._begun
        while not over.wait(EVERY_SECONDS):
            try:
                with self.ask() as connection:
                    row = connection.execute(_DONE, {"pid": pid}).one_or_none()
            except (sa.exc.SQLAlchemyError, RuntimeError):
                return  # it is only told less
            how_far = f"{row.phase}, {row.percent or 0} %" if row else "under way"
            self.tell(f"migrating: {words}: {how_far}, {time.monotonic() - begun:.0f} s so far")


def _estimate(connection: sa.Connection, table: str) -> int:
    """About how many rows a table has, without counting them; 0 for one that is not there."""
    if connection.dialect.name == "postgresql":
        known = sa.text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name)")
        return max(0, connection.execute(known, {"name": table}).scalar() or 0)
    if not connection.execute(
        sa.text("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = :name"), {"name": table}
    ).first():
        return 0
    return connection.execute(sa.text(f"SELECT max(rowid) FROM {table}")).scalar() or 0  # noqa: S608 -- our own names


def _pid(cursor: object) -> int:
    """The process of PostgreSQL that works on it."""
    return int(cursor.connection.info.backend_pid)  # type: ignore[attr-defined] # psycopg's
