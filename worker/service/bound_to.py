"""What every use case is bound to when it is obtained, so that no method takes an account or an actor."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult
from settings_store.audit import Actor
from settings_store.db import Database
from settings_store.secrets import Vault
from worker.config import Config
from worker.news import News
from worker.resources import Publish

if TYPE_CHECKING:
    from worker.connecting.login import Candidate, Tried


@dataclass(frozen=True, slots=True)
class Binding:
    """An account and who acts in it.

    `publish` sends a task for a run of ours, `advance` the one that is next for it, `sweep` goes on with one that has
    stalled, `check` looks at an endpoint in its turn, `log_in` tries a mailbox once, `working` has somebody work on
    runs meanwhile, `watching` on all that `serve` does. `ended` has the news of runs that have ended in this process.
    Where the account is `sandboxed`, names answer and no network does.
    """

    database: Database
    config: Config
    vault: Vault
    account_id: int
    actor: Actor
    publish: Publish
    advance: Callable[[str], object]
    sweep: Callable[[str], object]
    check: Callable[[Endpoint, CheckContext], EndpointResult]
    log_in: "Callable[[Candidate], Tried]"
    working: Callable[[], AbstractContextManager[None]]
    watching: Callable[[], AbstractContextManager[None]]
    ended: Callable[[], News]
    sandboxed: Callable[[], bool]
