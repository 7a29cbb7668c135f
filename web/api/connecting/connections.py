"""`/v1/domains/{domain}/connections`: a mailbox is connected. What its server says of it is what the answer says."""

import contextlib
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Annotated

from pydantic import Field

from checks.language import Language
from checks.model import Invalid
from checks.settings import Settings
from settings_store.connecting.attempts import ServersBusy
from web.access.granted import connects
from web.access.routing import router
from web.api.connecting.connection_document import (
    ConnectionDocument,
    ConnectionId,
    attempt_of,
    connection_document,
)
from web.api.domain_name import DomainName
from web.api.parameters import Lang
from web.api.settings_document import SettingsRequest
from web.documents import Request
from web.limits.rates import expensive
from web.repetition.once import asks_others
from worker.service.domains.connecting import Connecting

routes = router("connecting")

Member = Annotated[Connecting, connects()]
AT_ONCE = 16
_turns = BoundedSemaphore(AT_ONCE)  # each holds a thread of this process for as long as the servers take
_RETRY_SECONDS = 5.0


class NewConnection(Request):
    """A mailbox to be connected. `kind` says what `password` holds, as in a file of mailboxes.

    `settings` are for a domain that has none; they do without a CA and without `allow_insecure_certificate`, which are
    an admin's to decide. `insist`: store the login also where nobody can tell whether it works.
    """

    address: str = Field(max_length=320, examples=["ada@example.com"])
    password: str = Field(max_length=16_000, repr=False)
    username: str = Field(default="", max_length=1000)
    kind: str = Field(default="", max_length=40, examples=["password"])
    settings: SettingsRequest | None = None
    insist: bool = Field(default=False, strict=True)

    @property
    def login(self) -> dict[str, str]:
        """By the names of the columns of a file of mailboxes."""
        return {"address": self.address, "password": self.password, "username": self.username, "kind": self.kind}

    def typed(self) -> Settings | None:
        """The settings, validated. Raises `Invalid` whose field is a pointer."""
        if self.settings is None:
            return None
        for name in ("allow_insecure_certificate", "ca_pem"):
            if getattr(self.settings, name):
                raise Invalid(
                    "an administrator decides which certificates are accepted; leave it out", f"settings/{name}"
                )
        return self.settings.settings()


@routes.post("/v1/domains/{domain}/connections", operation_id="connecting.connect", summary="Connect a mailbox")
@asks_others
@expensive
def create(
    domain: DomainName, wanted: NewConnection, connecting: Member, lang: Lang = Language.EN
) -> ConnectionDocument:
    """Tries the login of a mailbox once, and stores it where it works. That takes up to a minute and a half.

    Whatever the mail server says is a 200: `state` says what became of it, `code` why. In a domain without settings the
    mailbox waits (`pending`) until an admin has completed them.
    """
    return connected(domain, wanted, connecting, lang)


def connected(domain: str, wanted: NewConnection, connecting: Connecting, language: Language) -> ConnectionDocument:
    """What came of it, in its turn among all that this process connects. Raises `Invalid`, and `NotNow`."""
    typed = wanted.typed()
    with _turn():
        found = connecting.connect(domain, wanted.login, typed, insist=wanted.insist)
    return connection_document(found.attempt, language, found.endpoints, found.services, found.hint)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        detail = f"{AT_ONCE} mailboxes are being connected in this process; try again in a moment"
        raise ServersBusy(detail, _RETRY_SECONDS)
    try:
        yield
    finally:
        _turns.release()


@routes.get("/v1/connections/{connection_id}", operation_id="connecting.get", summary="Get an attempt to connect")
def get(connection_id: ConnectionId, connecting: Member, lang: Lang = Language.EN) -> ConnectionDocument:
    """What became of an attempt. A member sees their own."""
    return connection_document(connecting.look(attempt_of(connection_id)), lang)
