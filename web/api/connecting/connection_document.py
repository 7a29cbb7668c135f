"""An attempt to connect a mailbox as the API gives it, and the hint that comes before the password."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Path
from pydantic import Field

from checks.codes import Blame, Code, Verdict
from checks.language import Language
from checks.messages.provider_hints import hint_words
from checks.messages.providers import Hint, Wants
from checks.model import EndpointResult
from settings_store.connecting.attempts import Attempt, AttemptState
from web.api.settings_document import SettingsDocument, document_of
from web.documents import Document, Prefix, Time, inner_id, public_id
from worker.connecting.document import facts_of, words_of

ConnectionId = Annotated[str, Path(max_length=100, examples=["con_0123456789abcdef0123456789abcdef"])]


class HintDocument(Document):
    """What the provider wants as the password. `url` is where it is made, null where there is none to make.

    `source` is the provider's page that says so, as read on `seen`.
    """

    provider: str
    wants: Wants
    message: str
    url: str | None
    source: str
    seen: str = Field(json_schema_extra={"format": "date"}, examples=["2026-11-29"])


class ConnectionDocument(Document):
    """An attempt to connect a mailbox.

    `verdict` and `code` are those of the login, null where none was tried; `message` to `field` are the code in words,
    `services` the codes of Exchange's mail and calendar. `settings` are those that were typed, null where the domain's
    were taken. `login_kept`: the login works and is kept until the domain has settings.
    """

    id: str
    domain: str
    address: str
    username: str
    state: AttemptState
    by: str
    at: Time
    settings: SettingsDocument | None
    login_kept: bool
    verdict: Verdict | None
    code: Code | None
    protocol: str | None
    message: str | None
    advice: str | None
    blame: Blame | None
    who_acts: str | None
    field: str | None
    seen: str
    services: Mapping[str, str] | None
    hint: HintDocument | None


def hint_document(hint: Hint | None, language: Language) -> HintDocument | None:
    """The hint in words."""
    if hint is None:
        return None
    return HintDocument(
        provider=hint.provider,
        wants=hint.wants,
        message=hint_words(hint, language),
        url=hint.url or None,
        source=hint.source,
        seen=hint.seen,
    )


def connection_document(
    attempt: Attempt,
    language: Language,
    endpoints: Sequence[EndpointResult] = (),
    services: Mapping[str, str] | None = None,
    hint: Hint | None = None,
) -> ConnectionDocument:
    """The document of an attempt; `endpoints` are what its servers were found to be, where they were just looked at."""
    code, words = attempt.code, None
    if code is not None:
        words = words_of(code, facts_of(code, attempt.protocol, endpoints, attempt.settings), language)
    return ConnectionDocument(
        id=public_id(Prefix.CONNECTION, attempt.id),
        domain=attempt.domain,
        address=attempt.address,
        username=attempt.username,
        state=attempt.state,
        by=attempt.actor,
        at=attempt.at,
        settings=document_of(attempt.settings) if attempt.settings else None,
        login_kept=attempt.kept,
        verdict=attempt.verdict,
        code=code,
        protocol=attempt.protocol,
        message=words.message if words else None,
        advice=words.advice if words else None,
        blame=words.blame if words else None,
        who_acts=words.who_acts if words else None,
        field=words.field if words else None,
        seen=attempt.seen,
        services=services,
        hint=hint_document(hint, language) if attempt.state is not AttemptState.CONNECTED else None,
    )


def attempt_of(given: str) -> str:
    """Our own id of an attempt's. Raises `Unknown`."""
    return inner_id(Prefix.CONNECTION, given)
