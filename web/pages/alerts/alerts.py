"""`/admin/alerts`: the channels by which people are told of incidents."""

from typing import Annotated

from starlette.responses import Response

from checks.language import Language
from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.alerts.channels import Subscription
from settings_store.alerts.quiet_hours import parse_quiet
from settings_store.incidents.incidents import Severity
from web.api.health.alert_channels import NewChannel
from web.api.parameters import number_of
from web.documents import Prefix, public_id
from web.limits.rates import expensive
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

Admin = Annotated[Page, page_for(Right.ADMIN)]


@routes.get("/admin/alerts")
def show(page: Admin) -> Response:
    """All channels."""
    return _shown(page)


@routes.post("/admin/alerts")
def add(page: Admin, sent: Annotated[Form, form()]) -> Response:
    """Adds a channel. Nothing is sent to it yet."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        named = sent.nested("name", "url", "severity", "domain", "language", "time_zone", "quiet")
        wanted = NewChannel.model_validate(named)
        quiet = parse_quiet(wanted.quiet, wanted.time_zone) if wanted.quiet else None
        told = Subscription(wanted.severity, None, wanted.language.value, wanted.time_zone, quiet)
        added = page.account.alerts.add(wanted.name, wanted.url.get_secret_value(), told, wanted.domain)
        own = page.language.listed(added.own_domains)
        return _shown(page, own=page.t("alerts.own", names=own) if own else "", said=page.t("alerts.said.added"))
    values = {name: value for name, value in sent.items() if name != "url"}
    return _shown(page, errors=errors, values=values, status=422)


@routes.post("/admin/alerts/{channel_id}/test")
@expensive
def test(page: Admin, channel_id: str) -> Response:
    """Sends a test message, and says what came of it."""
    channel = page.account.alerts.channel(number_of(Prefix.CHANNEL, channel_id))
    (tried,) = page.account.alerts.test(channel.name)
    if tried.reason:
        reason = page.told(Invalid(tried.reason))
        return _shown(page, errors={"": page.t("alerts.test.failed", name=tried.name, reason=reason)})
    return page.go(at("alerts"), "alerts.said.tested")


@routes.post("/admin/alerts/{channel_id}/remove")
def remove(page: Admin, channel_id: str) -> Response:
    """Removes a channel, and what was still to be sent to it."""
    page.account.alerts.remove(page.account.alerts.channel(number_of(Prefix.CHANNEL, channel_id)).name)
    return page.go(at("alerts"), "alerts.said.removed")


def _shown(
    page: Page,
    *,
    own: str = "",
    said: str = "",
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    more = {"said": said} if said else {}
    return page.show(
        "alerts/alerts.html",
        status,
        channels=[(public_id(Prefix.CHANNEL, each.id), each) for each in page.account.alerts.channels()],
        severities=[(each.value, page.t(f"alerts.severity.{each}")) for each in Severity],
        languages=[(Language.EN.value, "English"), (Language.JA.value, "日本語")],
        own=own,
        errors=errors or {},
        values=values or {},
        **more,
    )
