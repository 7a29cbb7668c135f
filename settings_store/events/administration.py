"""Events of administration: who may use the service, who is told, and when nobody watches. See `kinds`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from settings_store.events.event import Event

# -- accounts


class AccountAdded(Event):
    KIND = "account.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRemoved(Event):
    """The account called `name`, which had no domain any more."""

    KIND = "account.removed"

    name: str = ""


# -- access: who may use the API


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent(Event):
    """`user` is the name, `role` what they are to the account from now on, or were."""

    user: str = ""
    role: str = ""


class UserAdded(UserEvent):
    KIND = "user.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(UserEvent):
    """They have another role, or another domain. `role_before` is what they were, '' in earlier events."""

    KIND = "user.changed"

    role_before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRemoved(UserEvent):
    """So many keys of theirs went with them."""

    KIND = "user.removed"

    keys: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyEvent(Event):
    """`key_name` is what the key is called, `user` whose it is ('' for the host app's own)."""

    key_name: str = ""
    user: str = ""
    role: str = ""
    scopes: Sequence[str] = field(default_factory=list)
    live: bool = True


class ApiKeyCreated(ApiKeyEvent):
    KIND = "api_key.created"


class ApiKeyRevoked(ApiKeyEvent):
    KIND = "api_key.revoked"


# -- access: who is signed in to the page


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent(Event):
    """`user` is the name of whose session it is; `embedded`: of a page in a host app's frame."""

    user: str = ""
    role: str = ""
    embedded: bool = False


class SessionStarted(SessionEvent):
    """Somebody signed in, or followed a link to embed. Its actor is they."""

    KIND = "session.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(SessionEvent):
    """`reason`: signed_out, by who had it; ended, by its number; password_set, as all of that user's."""

    KIND = "session.ended"

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSet(Event):
    """`user`, who is its subject, signs in to the page with another password from now on, or for the first time."""

    KIND = "password.set"

    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordLinkMade(Event):
    """Somebody has a link with which `user`, who is its subject, sets a password: whoever has it may be them, once."""

    KIND = "password.link_made"

    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedOriginsRegistered(Event):
    """The page may be in frames of these `origins` from now on, `count` of them, and of no others."""

    KIND = "embed_origins.registered"

    origins: Sequence[str] = field(default_factory=list)
    count: int = 0


# -- webhooks and alerts: where others are told


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointEvent(Event):
    """`shown` is the address, without what may be secret in it."""

    shown: str = ""


class WebhookEndpointAdded(WebhookEndpointEvent):
    KIND = "webhook_endpoint.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointChanged(WebhookEndpointEvent):
    """`fields` are what was written anew: `url`, `types`, `description`, `enabled`."""

    KIND = "webhook_endpoint.changed"

    fields: Sequence[str] = field(default_factory=list)


class WebhookEndpointRotated(WebhookEndpointEvent):
    """It has another secret."""

    KIND = "webhook_endpoint.rotated"


class WebhookEndpointRemoved(WebhookEndpointEvent):
    KIND = "webhook_endpoint.removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointDisabled(Event):
    """Nothing is sent to a webhook endpoint any more. `reason`: gone, it said so; failing, for as long as it is tried.

    `status` is that of its last answer, None where there was none.
    """

    KIND = "webhook_endpoint.disabled"

    reason: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChannelEvent(Event):
    """`channel` is its name, `shown` the address, without what may be secret in it."""

    channel: str = ""
    shown: str = ""


class AlertChannelAdded(AlertChannelEvent):
    KIND = "alert_channel.added"


class AlertChannelRemoved(AlertChannelEvent):
    KIND = "alert_channel.removed"


# -- when nobody watches


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceEvent(Event):
    """Of a domain, or of the account with all of them. Times are RFC 3339, in UTC."""

    starts_at: str = ""
    ends_at: str = ""


class MaintenanceAnnounced(MaintenanceEvent):
    KIND = "maintenance.announced"


class MaintenanceEnded(MaintenanceEvent):
    """It was taken back, or ended before its time."""

    KIND = "maintenance.ended"


class DomainPaused(Event):
    KIND = "domain.paused"


class DomainResumed(Event):
    KIND = "domain.resumed"


# -- the service


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKeyRotated(Event):
    """The operator had everything encrypted with the first key: `secrets` passwords, addresses and the like."""

    KIND = "encryption_key.rotated"

    secrets: int = 0


ALL: tuple[type[Event], ...] = (
    AccountAdded,
    AccountRemoved,
    UserAdded,
    UserChanged,
    UserRemoved,
    ApiKeyCreated,
    ApiKeyRevoked,
    SessionStarted,
    SessionEnded,
    PasswordSet,
    PasswordLinkMade,
    EmbedOriginsRegistered,
    WebhookEndpointAdded,
    WebhookEndpointChanged,
    WebhookEndpointRotated,
    WebhookEndpointRemoved,
    WebhookEndpointDisabled,
    AlertChannelAdded,
    AlertChannelRemoved,
    MaintenanceAnnounced,
    MaintenanceEnded,
    DomainPaused,
    DomainResumed,
    EncryptionKeyRotated,
)
