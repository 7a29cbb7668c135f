"""`/admin/webhooks`: the endpoints that hear of events, and their deliveries."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from checks.model import Invalid
from settings_store.access.roles import Right
from web.api.webhooks.webhook_endpoints import EndpointChange, EventRange, NewEndpoint, range_of
from web.documents import Prefix, inner_id, public_id
from web.limits.rates import expensive
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields
from worker.service.webhooks import EndpointRequest, Seen

routes = page_router()

Admin = Annotated[Page, page_for(Right.ADMIN)]
_ENDPOINTS, _DELIVERIES = 200, 50
_DAY = 86400.0


@routes.get("/admin/webhooks")
def show(page: Admin) -> Response:
    """All endpoints."""
    return _shown(page)


@routes.post("/admin/webhooks")
def add(page: Admin, sent: Annotated[Form, form()]) -> Response:
    """Adds an endpoint, and shows its secret once."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        document = sent.nested("url", "domain", "description", "signature") | {"types": sent["types"].split()}
        wanted = NewEndpoint.model_validate(document)
        return _shown(page, new=page.account.webhooks.add(EndpointRequest(**wanted.model_dump())))
    values = {name: value for name, value in sent.items() if name != "url"}
    return _shown(page, errors=errors, values=values, status=422)


@routes.get("/admin/webhooks/{endpoint_id}")
def one(page: Admin, endpoint_id: str, before: Annotated[int | None, Query(le=2**53)] = None) -> Response:
    """One endpoint, with its deliveries: those of the newest events first."""
    return _one(page, endpoint_id, before=before)


@routes.post("/admin/webhooks/{endpoint_id}/test")
@expensive
def test(page: Admin, endpoint_id: str) -> Response:
    """Sends a message that says it is a test."""
    _, outcome = page.account.webhooks.test(_inner(endpoint_id))
    key = "webhooks.test.delivered" if outcome.sent else "webhooks.test.failed"
    return _one(page, endpoint_id, said=(outcome.sent, page.t(key, error=outcome.error or f"HTTP {outcome.status}")))


@routes.post("/admin/webhooks/{endpoint_id}/rotate")
def rotate(page: Admin, endpoint_id: str) -> Response:
    """A new secret, shown once; the old one signs too for a day."""
    return _one(page, endpoint_id, new=page.account.webhooks.rotate(_inner(endpoint_id)))


@routes.post("/admin/webhooks/{endpoint_id}/enabled")
def set_enabled(page: Admin, endpoint_id: str, sent: Annotated[Form, form()]) -> Response:
    """Switches it on or off."""
    page.account.webhooks.change(_inner(endpoint_id), {"enabled": sent["enabled"] == "yes"})
    return page.go(at("webhooks", endpoint_id), "webhooks.said.changed")


@routes.post("/admin/webhooks/{endpoint_id}/change")
def change(page: Admin, endpoint_id: str, sent: Annotated[Form, form()]) -> Response:
    """Other types, another description, and another URL where one is typed: nobody is shown the whole of it again."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        given = {"types": sent["types"].split(), "description": sent["description"], **sent.nested("url")}
        wanted = EndpointChange.model_validate(given)
        page.account.webhooks.change(_inner(endpoint_id), wanted.model_dump(exclude_unset=True))
        return page.go(at("webhooks", endpoint_id), "webhooks.said.changed")
    return _one(page, endpoint_id, errors=errors, values={name: sent[name] for name in ("types", "description")})


@routes.post("/admin/webhooks/{endpoint_id}/redeliver")
def redeliver_since(page: Admin, endpoint_id: str, sent: Annotated[Form, form()]) -> Response:
    """Sends again what was not delivered since a time of the reader's zone, or all."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        if (since := page.clock.read(sent["since"])) is None:
            raise Invalid(page.t("frame.error.missing"), "since")
        wanted = EventRange(since=since, include_sent=sent.ticked("include_sent"))
        queued = page.account.webhooks.redeliver_range(_inner(endpoint_id), range_of(wanted))
        return _one(page, endpoint_id, said=(True, page.t("webhooks.queued", count=queued.count)))
    return _one(page, endpoint_id, errors=errors)


@routes.post("/admin/webhooks/{endpoint_id}/remove")
def remove(page: Admin, endpoint_id: str) -> Response:
    """Removes it, and what was still to be sent to it."""
    page.account.webhooks.remove(_inner(endpoint_id))
    return page.go(at("webhooks"), "webhooks.said.removed")


@routes.post("/admin/webhooks/{endpoint_id}/deliveries/{delivery_id}/redeliver")
def redeliver(page: Admin, endpoint_id: str, delivery_id: str) -> Response:
    """Sends an event again, under the same id."""
    page.account.webhooks.redeliver(_inner(endpoint_id), inner_id(Prefix.DELIVERY, delivery_id))
    return page.go(at("webhooks", endpoint_id), "webhooks.said.redelivered")


def _inner(given: str) -> str:
    return inner_id(Prefix.WEBHOOK_ENDPOINT, given)


def _shown(
    page: Page,
    *,
    new: Seen | None = None,
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    found = page.account.webhooks.endpoints(_ENDPOINTS)
    return page.show(
        "webhooks/list.html",
        status,
        endpoints=[(public_id(Prefix.WEBHOOK_ENDPOINT, each.endpoint.id), each) for each in found],
        new=new,
        errors=errors or {},
        values=values or {},
    )


def _one(
    page: Page,
    endpoint_id: str,
    *,
    before: int | None = None,
    new: Seen | None = None,
    said: tuple[bool, str] | None = None,
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
) -> Response:
    """`said`: whether something went well, in words. `errors` are those of a form on it, `values` what was typed."""
    inner = _inner(endpoint_id)
    found = page.account.webhooks.deliveries(inner, _DELIVERIES + 1, before)
    seen = page.account.webhooks.look(inner)
    as_it_is = {"types": " ".join(seen.endpoint.types), "description": seen.endpoint.description}
    return page.show(
        "webhooks/one.html",
        422 if errors else 200,
        id=endpoint_id,
        seen=seen,
        deliveries=[(public_id(Prefix.DELIVERY, each.id), each) for each in found[:_DELIVERIES]],
        goes_on=found[_DELIVERIES - 1].event_seq if len(found) > _DELIVERIES else None,
        new=new,
        outcome=said,
        errors=errors or {},
        values={"since": page.clock.field(page.clock.now - _DAY), **as_it_is, **(values or {})},
    )
