"""Commands as they are printed: whoever pastes one works in the same account."""

import os
import re
import shlex
from contextvars import ContextVar

_account: ContextVar[str] = ContextVar("account", default="default")
_OF_ALL = "accounts|beat|demo|keys|migrate|serve|worker"  # the operator's, for all accounts
_COMMAND = re.compile(rf"(?<![\w/-])mail-preflight (?=[a-z])(?!(?:{_OF_ALL})\b)")


def choose(account: str) -> None:
    """Commands work in this account from now on."""
    _account.set(account)


def account() -> str:
    """The account that was chosen."""
    return _account.get()


def as_typed(text: str) -> str:
    """The text with each command that it names as it has to be typed: with the account, where that is not the usual."""
    chosen = _account.get()
    if chosen == os.environ.get("MAIL_PREFLIGHT_ACCOUNT", "default"):
        return text
    return _COMMAND.sub(f"mail-preflight --account {shlex.quote(chosen)} ", text)
