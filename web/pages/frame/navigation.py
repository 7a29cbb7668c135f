"""The rooms that the head of every page leads to, and in which of them a reader is."""

from typing import NamedTuple

from settings_store.access.roles import Right
from web.pages.frame.environment import at


class Room(NamedTuple):
    """A path below `/admin`, who may go there, the key of its words, and paths of pages that belong to it, too."""

    path: str
    right: Right
    words: str
    further: tuple[str, ...] = ()

    def has(self, here: str) -> bool:
        """Whether the page at a path belongs to the room, as what leads back from it says."""
        beginnings = (at(path) for path in (self.path, *self.further))
        return any(here == beginning or here.startswith(beginning + "/") for beginning in beginnings)


ROOMS = (
    Room("domains", Right.READ, "frame.nav.domains", ("new-domain", "changes")),
    Room("connection-ips", Right.READ, "connection_ips.nav"),
    Room("alerts", Right.ADMIN, "frame.nav.alerts"),
    Room("maintenance", Right.READ, "frame.nav.maintenance"),
    Room("webhooks", Right.ADMIN, "frame.nav.webhooks"),
    Room("api-keys", Right.ADMIN, "frame.nav.api_keys", ("embed-origins",)),
    Room("users", Right.ADMIN, "frame.nav.users", ("audit",)),
)
