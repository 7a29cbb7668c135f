"""The use cases of embedding: where the page may be in a frame, and links that open it there for one domain."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.model import Invalid
from settings_store import domains
from settings_store.access import embed_origins, sessions
from settings_store.access.api_keys import ApiKey
from settings_store.access.roles import RIGHTS, Role
from settings_store.access.sessions import Wanted
from settings_store.actors import Actor
from settings_store.db import Database
from settings_store.events import events
from settings_store.events.administration import EmbedOriginsRegistered
from worker.service.access.access import Exceeds

ROLES = (Role.ACCOUNT_ACCESS, Role.MEMBER)
"""What somebody may be in a frame: what an admin of the account can do beyond is not of one domain."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A link to embed. `secret` is its last part, and can be used once; `expires_at` (UTC seconds) ends all of it."""

    secret: str
    domain: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Embedding:
    """Of one account."""

    _database: Database
    _account_id: int
    _actor: Actor

    def origins(self) -> list[str]:
        """Those that may have the page in a frame."""
        with self._database.read() as conn:
            return embed_origins.of_account(conn, self._account_id)

    def register(self, origins: Sequence[str]) -> list[str]:
        """Makes these the registered ones, and no others. Raises `Invalid`."""
        now = self._database.now()
        with self._database.begin() as conn:
            before = embed_origins.of_account(conn, self._account_id)
            found = embed_origins.register(conn, self._account_id, origins, now)
            if found != before:
                events.record(conn, self._registered(found, now))
            return found

    def _registered(self, found: list[str], now: float) -> EmbedOriginsRegistered:
        return EmbedOriginsRegistered(
            subject="embed_origins",
            at=now,
            account_id=self._account_id,
            actor=self._actor,
            origins=found,
            count=len(found),
        )

    def offer(self, key: ApiKey, domain: str, role: Role, minutes: float, name: str, language: str) -> Offer:
        """A link that opens the page of a domain with the rights of a role, for so many minutes.

        It gives nobody more than the key has. Raises `Invalid`, and `Exceeds`.
        """
        if role not in ROLES:
            raise Invalid(f"an embedded page has one of the roles {', '.join(ROLES)}", "role")
        if more := sorted(RIGHTS[role] - key.rights):
            raise Exceeds(f"an API key gives nobody what it does not have itself: {', '.join(more)}", "role")
        now, seconds = self._database.now(), minutes * 60
        if key.expires_at is not None:
            seconds = min(seconds, key.expires_at - now)
        with self._database.begin() as conn:
            found = domains.find_domain(conn, self._account_id, domain)
            if key.domain_id is not None and key.domain_id != found.id:
                raise Exceeds("a member's key is of one domain alone", "domain")
            if not embed_origins.of_account(conn, self._account_id):
                raise Invalid("no origin is registered that may embed the page: PUT /v1/embed-origins first", "")
            sessions.forget_old(conn, now)
            wanted = Wanted(
                self._account_id, None, key.id, found.id, role, " ".join(name.split()) or key.name, language
            )
            return Offer(sessions.offer(conn, wanted, now, seconds), found.name, now + seconds)
