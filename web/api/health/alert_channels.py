"""`/v1/alert-channels`: who is told when something fails. A channel's URL is written and never read."""

from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import Field, SecretStr

from checks.language import Language
from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.alerts.channels import Channel, Subscription
from settings_store.alerts.quiet_hours import parse_quiet
from settings_store.incidents.incidents import Severity
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.parameters import Cursor, PageSize, in_body, number_of
from web.documents import Document, Prefix, Request, Time, public_id
from web.limits.rates import expensive
from web.repetition.once import asks_others
from worker.service.account import Account

routes = router("alert-channels")

ChannelId = Annotated[str, Path(max_length=100, examples=["alc_3"])]


class NewChannel(Request):
    """A channel. `url` is Apprise's, such as mailtos:// or jsons://; it is kept encrypted and never shown again."""

    name: str = Field(max_length=200, examples=["admins"])
    url: SecretStr = Field(max_length=2000)
    severity: Severity = Field(default=Severity.WARNING, description="The least grave that it hears of.")
    domain: str | None = Field(default=None, max_length=300, description="The only one that it hears of.")
    language: Language = Language.EN
    time_zone: str = Field(default="UTC", max_length=100, examples=["Europe/Berlin"])
    quiet: str | None = Field(default=None, max_length=50, examples=["22:00-07:00"])


class ChannelDocument(Document):
    """A channel. `shown` is its URL without secrets. `operator`: it hears of the service itself, too."""

    id: str
    name: str
    shown: str
    severity: Severity
    domain: str | None
    language: Language
    time_zone: str
    quiet: str | None
    operator: bool
    created_at: Time


class AddedChannel(ChannelDocument):
    """`own_domains` are those whose mail server this channel's messages go through: add a second one for them."""

    own_domains: list[str]


class ChannelPage(Document):
    """Channels by name."""

    items: list[ChannelDocument]
    next_cursor: str | None


class TestDocument(Document):
    """Whether a test message was taken, and else why not."""

    sent: bool
    reason: str


@routes.get("/v1/alert-channels", operation_id="alert_channels.list", summary="List alert channels")
def list_(account: Annotated[Account, needs(Right.ADMIN)], limit: PageSize = 100, cursor: Cursor = None) -> ChannelPage:
    """The account's channels."""
    rest = sorted(account.alerts.channels(), key=lambda item: item.name)
    if cursor is not None:
        (after,) = read_cursor(cursor)
        rest = [item for item in rest if item.name > after]
    page = rest[:limit]
    last = cursor_after(page[-1].name) if len(rest) > limit else None
    return ChannelPage(items=list(map(_document, page)), next_cursor=last)


@routes.post(
    "/v1/alert-channels", operation_id="alert_channels.create", summary="Add an alert channel", status_code=201
)
def create(wanted: NewChannel, response: Response, account: Annotated[Account, needs(Right.ADMIN)]) -> AddedChannel:
    """Adds a channel. Nothing is sent to it yet."""
    url = wanted.url.get_secret_value()
    if url.rstrip().endswith("/...") or "://..." in url:
        raise Invalid("this is a URL as it is shown, without its secrets; give the whole one", "url")
    quiet = parse_quiet(wanted.quiet, wanted.time_zone) if wanted.quiet is not None else None
    subscription = Subscription(wanted.severity, None, wanted.language.value, wanted.time_zone, quiet)
    with in_body():
        added = account.alerts.add(wanted.name, url, subscription, wanted.domain)
    found = AddedChannel(**_fields(added.channel), own_domains=added.own_domains)
    response.headers["Location"] = f"/v1/alert-channels/{found.id}"
    return found


@routes.get("/v1/alert-channels/{channel_id}", operation_id="alert_channels.get", summary="Get an alert channel")
def get(channel_id: ChannelId, account: Annotated[Account, needs(Right.ADMIN)]) -> ChannelDocument:
    """One channel."""
    return _document(account.alerts.channel(number_of(Prefix.CHANNEL, channel_id)))


@routes.delete(
    "/v1/alert-channels/{channel_id}",
    operation_id="alert_channels.delete",
    summary="Remove an alert channel",
    status_code=204,
)
def delete(channel_id: ChannelId, account: Annotated[Account, needs(Right.ADMIN)]) -> None:
    """Removes a channel, and what was still to be sent to it."""
    account.alerts.remove(account.alerts.channel(number_of(Prefix.CHANNEL, channel_id)).name)


@routes.post("/v1/alert-channels/{channel_id}/test", operation_id="alert_channels.test", summary="Send a test alert")
@asks_others
@expensive
def test(channel_id: ChannelId, account: Annotated[Account, needs(Right.ADMIN)]) -> TestDocument:
    """Sends a test message, and says whether it was taken. That it was not is no error of this request."""
    channel = account.alerts.channel(number_of(Prefix.CHANNEL, channel_id))
    (tried,) = account.alerts.test(channel.name)
    return TestDocument(sent=not tried.reason, reason=tried.reason)


def _document(channel: Channel) -> ChannelDocument:
    return ChannelDocument(**_fields(channel))


def _fields(channel: Channel) -> dict[str, Any]:
    told = channel.subscription
    return {
        "id": public_id(Prefix.CHANNEL, channel.id),
        "name": channel.name,
        "shown": channel.shown,
        "severity": told.severity,
        "domain": channel.domain,
        "language": Language(told.language),
        "time_zone": told.zone,
        "quiet": str(told.quiet).partition(" ")[0] if told.quiet else None,
        "operator": told.operator,
        "created_at": channel.created_at,
    }
