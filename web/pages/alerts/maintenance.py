"""`/admin/maintenance`: announced times in which nothing is checked and nobody is told."""

from typing import Annotated

from starlette.responses import Response

from checks.model import Invalid
from settings_store.access.roles import Right
from web.api.health.maintenance import NewMaintenance
from web.api.parameters import number_of
from web.documents import Prefix, public_id
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

_HOUR = 3600.0


@routes.get("/admin/maintenance")
def show(page: Annotated[Page, page_for(Right.READ)]) -> Response:
    """What is under way or still to come."""
    return _shown(page)


@routes.post("/admin/maintenance")
def announce(page: Annotated[Page, page_for(Right.CHANGE)], sent: Annotated[Form, form()]) -> Response:
    """Announces maintenance; day and time are those of the reader's zone."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        document = sent.nested("domain", "note")
        document |= {name: page.clock.read(sent[name]) for name in ("starts_at", "ends_at") if sent[name]}
        wanted = NewMaintenance.model_validate(document)
        begin, end = wanted.starts_at.timestamp(), wanted.ends_at.timestamp()
        if not begin < end:
            raise Invalid(page.t("alerts.maintenance.order"), "ends_at")
        page.account.maintenance.announce(wanted.domain, begin, end, " ".join(wanted.note.split()))
        return page.go(at("maintenance"), "alerts.said.announced")
    return _shown(page, errors, dict(sent), 422)


@routes.post("/admin/maintenance/{maintenance_id}/end")
def end(page: Annotated[Page, page_for(Right.CHANGE)], maintenance_id: str) -> Response:
    """Takes it back; the domain is watched again at once."""
    page.account.maintenance.end(number_of(Prefix.MAINTENANCE, maintenance_id))
    return page.go(at("maintenance"), "alerts.said.ended")


def _shown(
    page: Page, errors: dict[str, str] | None = None, values: dict[str, str] | None = None, status: int = 200
) -> Response:
    now = page.clock.now
    usual = {"starts_at": page.clock.field(now + _HOUR), "ends_at": page.clock.field(now + 3 * _HOUR)}
    return page.show(
        "alerts/maintenance.html",
        status,
        windows=[(public_id(Prefix.MAINTENANCE, each.id), each) for each in page.account.maintenance.windows()],
        errors=errors or {},
        values={**usual, **(values or {})},
    )
