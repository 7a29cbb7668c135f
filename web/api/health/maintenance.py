"""`/v1/maintenance`: announced times in which nothing is checked and nobody is told."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import AwareDatetime, Field

from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.maintenance import Window
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.parameters import Cursor, PageSize, in_body, number_in, number_of
from web.documents import Document, Prefix, Request, Time, public_id
from worker.service.account import Account

routes = router("maintenance")

MaintenanceId = Annotated[str, Path(max_length=100, examples=["mnt_7"])]


class NewMaintenance(Request):
    """When nobody watches a domain, or with null any domain of the account: 90 days at most."""

    domain: str | None = Field(default=None, max_length=300, examples=["example.com"])
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    note: str = Field(default="", max_length=500)


class MaintenanceDocument(Document):
    """Maintenance from `starts_at` until just before `ends_at`. `domain` null: every domain of the account."""

    id: str
    domain: str | None
    starts_at: Time
    ends_at: Time
    note: str


class MaintenancePage(Document):
    """Maintenance that is not over, by its beginning."""

    items: list[MaintenanceDocument]
    next_cursor: str | None


@routes.get("/v1/maintenance", operation_id="maintenance.list", summary="List maintenance")
def list_(
    account: Annotated[Account, needs(Right.READ)], limit: PageSize = 100, cursor: Cursor = None
) -> MaintenancePage:
    """Maintenance that is under way or still to come."""
    rest = account.maintenance.windows()
    if cursor is not None:
        after = _read(cursor)
        rest = [window for window in rest if (window.starts_at, window.id) > after]
    page = rest[:limit]
    last = cursor_after(repr(page[-1].starts_at), str(page[-1].id)) if len(rest) > limit else None
    return MaintenancePage(items=list(map(_document, page)), next_cursor=last)


@routes.post("/v1/maintenance", operation_id="maintenance.create", summary="Announce maintenance", status_code=201)
def create(
    wanted: NewMaintenance, response: Response, account: Annotated[Account, needs(Right.CHANGE)]
) -> MaintenanceDocument:
    """Announces maintenance."""
    starts_at, ends_at = wanted.starts_at.timestamp(), wanted.ends_at.timestamp()
    if not starts_at < ends_at:
        raise Invalid("maintenance must end after it starts", "ends_at")
    with in_body(until="ends_at", **{"from": "starts_at"}):
        window = account.maintenance.announce(wanted.domain, starts_at, ends_at, " ".join(wanted.note.split()))
    found = _document(window)
    response.headers["Location"] = f"/v1/maintenance/{found.id}"
    return found


@routes.get("/v1/maintenance/{maintenance_id}", operation_id="maintenance.get", summary="Get maintenance")
def get(maintenance_id: MaintenanceId, account: Annotated[Account, needs(Right.READ)]) -> MaintenanceDocument:
    """Maintenance that is not over."""
    return _document(account.maintenance.window(number_of(Prefix.MAINTENANCE, maintenance_id)))


@routes.delete(
    "/v1/maintenance/{maintenance_id}",
    operation_id="maintenance.delete",
    summary="Take maintenance back",
    status_code=204,
)
def delete(maintenance_id: MaintenanceId, account: Annotated[Account, needs(Right.CHANGE)]) -> None:
    """Takes maintenance back; the domain is watched again at once."""
    account.maintenance.end(number_of(Prefix.MAINTENANCE, maintenance_id))


def _document(window: Window) -> MaintenanceDocument:
    return MaintenanceDocument(
        id=public_id(Prefix.MAINTENANCE, window.id),
        domain=window.domain,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        note=window.note,
    )


def _read(cursor: str) -> tuple[float, int]:
    at, number = read_cursor(cursor, 2)
    return number_in(at), int(number_in(number))
