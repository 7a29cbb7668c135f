"""Events written down as the service writes them, for tests that read them by the API."""

from settings_store.domains import ensure_account
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.events.kinds import ChangeSaved
from tests.web.api import Api


def tell(api: Api, *told: Event) -> None:
    """Writes events in one transaction. Those without an account are of the default one."""
    with api.preflight.database.begin() as conn:
        events.record(conn, *told)


def saved(api: Api, *names: str, at: float | None = None, account: str = "default") -> None:
    """One event for each name, which is its subject's."""
    with api.preflight.database.begin() as conn:
        account_id, now = ensure_account(conn, account), api.preflight.database.now() if at is None else at
        events.record(conn, *(ChangeSaved(subject=name, at=now, account_id=account_id) for name in names))
