"""Whether settings are those of a sandbox: the one place where it is decided that names answer and no network does.

It hangs on the row of the settings that are checked, through their domain to its account, and on nothing that anybody
types: a name says nothing outside a sandbox, and no name leads out of one.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from settings_store.sandbox import accounts

if TYPE_CHECKING:
    from checks.sandbox.script import SandboxScript


def script_of(conn: Connection, settings_id: int, now: float) -> "SandboxScript | None":
    """What answers in place of the servers of a version of the settings; None where they are real."""
    return scripts_of(conn, [settings_id], now).get(settings_id)


def scripts_of(conn: Connection, settings_ids: Collection[int], now: float) -> "dict[int, SandboxScript]":
    """The same for several versions; those of real servers are left out. `now` is UTC seconds since 1970."""
    found = accounts.sandboxed(conn, settings_ids)
    return {key: _script(now, item.saved_at, item.ahead) for key, item in found.items()}


def script_of_account(conn: Connection, account_id: int, now: float) -> "SandboxScript | None":
    """What answers in place of a server that an account asks about without settings; None where it is real."""
    ahead = accounts.ahead_of(conn, account_id)
    return None if ahead is None else _script(now, now, ahead)


def _script(now: float, saved_at: float, ahead: float) -> "SandboxScript":
    from checks.sandbox.script import SandboxScript  # with the certificates that it makes: only where there is one

    return SandboxScript(now, saved_at, ahead)
