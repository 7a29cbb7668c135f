"""The transaction that others join: which one is open in this thread, and what is to be done once it is committed."""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Self

import sqlalchemy as sa

_open: ContextVar["Joined | None"] = ContextVar("joined", default=None)


class Joined:
    """As long as it is entered, `joined_in` finds it: in this thread, and not in those that are started meanwhile."""

    def __init__(self, database: object, connection: sa.Connection) -> None:
        self.database, self.connection = database, connection
        self.steps: list[Callable[[], object]] = []
        self._token: Token[Joined | None] | None = None

    def __enter__(self) -> Self:
        self._token = _open.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._token is not None  # noqa: S101 -- nobody leaves what was not entered
        _open.reset(self._token)


def joined_in(database: object) -> Joined | None:
    """The transaction that is open in this thread for a database."""
    found = _open.get()
    return found if found is not None and found.database is database else None
