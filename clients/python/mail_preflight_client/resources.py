"""The resources, as docs/api.md has them. Documents are dictionaries, typed as the contract has them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mail_preflight_client.documents import (
    ChangeDocument,
    DeliveryDocument,
    DomainDocument,
    DomainHealthDocument,
    EndpointDocument,
    EndpointWithSecret,
    EndsDocument,
    EntryDocument,
    LetterModel,
    MailboxDocument,
    Removed,
    ReportMailbox,
    ReportModel,
    SavedDocument,
    TriedDocument,
    UpsertCounts,
)
from mail_preflight_client.transport import Transport

NDJSON = "application/x-ndjson"


def _path(*parts: str) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


class Resource:
    """What all resources share."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Domains(Resource):
    """Domains of the account."""

    def list(self) -> Iterator[DomainDocument]:
        """Every domain by name."""
        return self._transport.items(DomainDocument, _path("domains"))

    def get(self, domain: str) -> DomainDocument:
        """One domain: its settings in force, and its mailboxes counted."""
        return self._transport.document(DomainDocument, "GET", _path("domains", domain))

    def put(self, domain: str) -> DomainDocument:
        """Makes a domain known; nothing happens to one that is."""
        return self._transport.document(DomainDocument, "PUT", _path("domains", domain))

    def delete(self, domain: str) -> EndsDocument:
        """Removes a domain with all there is of it; says what that was."""
        query = {"confirm": domain}
        return self._transport.document(EndsDocument, "DELETE", _path("domains", domain), query=query)

    def health(self, domain: str) -> DomainHealthDocument:
        """How a domain is, with its history."""
        return self._transport.document(DomainHealthDocument, "GET", _path("domains", domain, "health"))


class Mailboxes(Resource):
    """Mailboxes of a domain. Credentials are written, and never read."""

    def upsert(self, domain: str, mailboxes: Iterable[Mapping[str, object]]) -> UpsertCounts:
        """Adds mailboxes, or gives known ones their new credentials: all, or none. Streams; says how many were what.

        Each has `address` and `password`, and may have `username` and `kind`.
        """
        lines = (json.dumps(dict(mailbox)).encode() + b"\n" for mailbox in mailboxes)
        headers = {"Content-Type": NDJSON}
        path = _path("domains", domain, "mailboxes")
        return self._transport.document(UpsertCounts, "PUT", path, body=lines, headers=headers, wait=600.0)

    def list(self, domain: str, **filters: str) -> Iterator[MailboxDocument]:
        """Every mailbox by address; filters are `state`, `code` and `text`."""
        return self._transport.items(MailboxDocument, _path("domains", domain, "mailboxes"), filters)

    def get(self, domain: str, address: str) -> MailboxDocument:
        """One mailbox, and how it is."""
        return self._transport.document(MailboxDocument, "GET", _path("domains", domain, "mailboxes", address))

    def delete(self, domain: str, address: str) -> Removed:
        """Takes a mailbox out of the domain, with its credential."""
        return self._transport.document(Removed, "DELETE", _path("domains", domain, "mailboxes", address))


class Changes(Resource):
    """Changes: saved, verified, put in force, taken back."""

    def create(
        self, domain: str, settings: Mapping[str, object], mailboxes: Sequence[Mapping[str, object]] = ()
    ) -> SavedDocument:
        """Saves settings as a change; its verification has begun when this comes back."""
        body = {"settings": dict(settings)} | ({"mailboxes": [dict(each) for each in mailboxes]} if mailboxes else {})
        return self._transport.document(SavedDocument, "POST", _path("domains", domain, "changes"), body=body)

    def list(self, domain: str) -> Iterator[ChangeDocument]:
        """Changes of a domain, the newest first."""
        return self._transport.items(ChangeDocument, _path("domains", domain, "changes"))

    def get(self, change_id: str, *, wait: int = 0) -> ChangeDocument:
        """One change; with `wait`, when it has ended verifying or so many seconds (60 at most) are over."""
        query = {"wait": wait or None}
        return self._transport.document(ChangeDocument, "GET", _path("changes", change_id), query=query, wait=wait)

    def history(self, change_id: str) -> Iterator[EntryDocument]:
        """Who did what to a change, and when, the oldest first."""
        return self._transport.items(EntryDocument, _path("changes", change_id, "history"))

    def report(self, change_id: str, language: str | None = None) -> ReportModel:
        """What the change would do."""
        query = {"lang": language}
        return self._transport.document(ReportModel, "GET", _path("changes", change_id, "report"), query=query)

    def report_mailboxes(self, change_id: str, **filters: str) -> Iterator[ReportMailbox]:
        """Every mailbox of the report; filters are `impact`, `code` and `text`."""
        return self._transport.items(ReportMailbox, _path("changes", change_id, "report", "mailboxes"), filters)

    def letters(self, change_id: str, language: str | None = None, *, to: str | None = None) -> Iterator[LetterModel]:
        """What to send to whom, so that the change can be applied: all, or to one of `owners`, `ticket` and so on."""
        return self._transport.items(LetterModel, _path("changes", change_id, "letters"), {"lang": language, "to": to})

    def apply(
        self,
        change_id: str,
        *,
        checksum: str,
        accept_disconnects: int | None = None,
        roll_back_by_itself: bool = False,
        watch_minutes: float | None = None,
    ) -> ChangeDocument:
        """Puts the change in force whose report has that checksum.

        `accept_disconnects` is the report's own number where it has any. Raises `ApiError` whose code is
        `report_moved`, `wrong_accept_disconnects` or `wrong_state`, and then nothing has happened.
        """
        body: dict[str, Any] = {"accept_disconnects": accept_disconnects, "roll_back_by_itself": roll_back_by_itself}
        body |= {} if watch_minutes is None else {"watch_minutes": watch_minutes}
        headers = {"If-Match": f'"{checksum}"'}
        path = _path("changes", change_id, "apply")
        return self._transport.document(ChangeDocument, "POST", path, body=body, headers=headers)

    def approve(self, change_id: str, *, checksum: str) -> ChangeDocument:
        """Approves the change whose report has that checksum, as the second person whom its domain asks for."""
        headers = {"If-Match": f'"{checksum}"'}
        return self._transport.document(ChangeDocument, "POST", _path("changes", change_id, "approve"), headers=headers)

    def act(self, change_id: str, action: str) -> ChangeDocument:
        """Does one of its `allowed_actions` but `apply` and `approve`, which want a checksum."""
        return self._transport.document(ChangeDocument, "POST", _path("changes", change_id, action))

    def roll_back(self, change_id: str) -> ChangeDocument:
        """Puts the settings in force again that were before the change."""
        return self.act(change_id, "roll_back")


class WebhookEndpoints(Resource):
    """Where webhooks are sent."""

    def create(self, url: str, types: Sequence[str] = (), **options: Any) -> EndpointWithSecret:
        """Adds an endpoint that hears of those types of events, or of all. `secret` is in this answer only."""
        body = {"url": url, "types": list(types), **options}
        return self._transport.document(EndpointWithSecret, "POST", _path("webhook-endpoints"), body=body)

    def list(self) -> Iterator[EndpointDocument]:
        """Every endpoint."""
        return self._transport.items(EndpointDocument, _path("webhook-endpoints"))

    def get(self, endpoint_id: str) -> EndpointDocument:
        """One endpoint."""
        return self._transport.document(EndpointDocument, "GET", _path("webhook-endpoints", endpoint_id))

    def update(self, endpoint_id: str, **changes: Any) -> EndpointDocument:
        """Another `url`, `types`, `description`; `enabled`."""
        return self._transport.document(
            EndpointDocument, "PATCH", _path("webhook-endpoints", endpoint_id), body=changes
        )

    def rotate(self, endpoint_id: str, overlap_hours: float = 24.0) -> EndpointWithSecret:
        """A new secret, which is in this answer only; until the overlap is over, the old one signs, too."""
        path = _path("webhook-endpoints", endpoint_id, "rotate")
        return self._transport.document(EndpointWithSecret, "POST", path, body={"overlap_hours": overlap_hours})

    def test(self, endpoint_id: str) -> TriedDocument:
        """Sends a message now, once, and says what came of it."""
        return self._transport.document(TriedDocument, "POST", _path("webhook-endpoints", endpoint_id, "test"))

    def deliveries(self, endpoint_id: str, state: str | None = None) -> Iterator[DeliveryDocument]:
        """What was sent to an endpoint, is to be sent, or could not be; the newest first."""
        return self._transport.items(
            DeliveryDocument, _path("webhook-endpoints", endpoint_id, "deliveries"), {"state": state}
        )

    def delete(self, endpoint_id: str) -> None:
        """Removes an endpoint."""
        self._transport.send("DELETE", _path("webhook-endpoints", endpoint_id))
