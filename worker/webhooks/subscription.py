"""Which types of events an endpoint may hear of, and whether it can hear of any. Pure."""

from collections.abc import Sequence

from checks.model import Invalid
from settings_store.webhooks.endpoints import WebhookEndpoint
from worker.events.public import ALL_TYPES

ALL = tuple(sorted(ALL_TYPES))
"""The types of events that there are, as they are called outside."""
_OF_NO_DOMAIN = frozenset({"account.added", "account.removed", "domain.removed"})


def accept(types: Sequence[str]) -> tuple[str, ...]:
    """The types, each once. Raises `Invalid`."""
    for number, name in enumerate(types):
        if name not in ALL:
            raise Invalid(f"there is no event type {name[:100]!r}; docs/api.md lists them", f"types/{number}")
    return tuple(dict.fromkeys(types))


def why_nothing_arrives(endpoint: WebhookEndpoint) -> str | None:
    """Why an endpoint gets no event at all, None where it does."""
    if endpoint.disabled_at is not None:
        return f"it is disabled: {endpoint.disabled_why}"
    if not endpoint.types:
        return None
    if not set(endpoint.types) & set(ALL):
        return "there are no events of the types that it hears of"
    if endpoint.domain_id is not None and set(endpoint.types) <= _OF_NO_DOMAIN:
        return "it hears of one domain, and events of these types are of none"
    return None
