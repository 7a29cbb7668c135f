"""`/v1/domains/{domain}/prefill`: what is filled in for a member who connects a mailbox."""

from typing import Annotated, Literal

from checks.language import Language
from checks.settings import ExchangeSettings, Settings
from web.access.granted import connects
from web.access.routing import router
from web.api.connecting.connection_document import HintDocument, hint_document
from web.api.domain_name import DomainName
from web.api.parameters import Lang
from web.api.settings_document import ServerDocument, SmtpDocument
from web.documents import Document
from worker.service.domains.connecting import Connecting, Prefill

routes = router("connecting")


class PrefillDocument(Document):
    """The servers of the domain. `kind` null: it has no settings, so they are to be typed, and an admin completes them.

    IMAP and SMTP serve mail, `exchange_url` mail and calendar. `address` is the only one that may be connected, null
    where that is any of the domain. `hint` is to be shown before the password is typed.
    """

    domain: str
    kind: Literal["imap", "exchange"] | None
    serves: list[Literal["mail", "calendar"]]
    imap: ServerDocument | None
    smtp: SmtpDocument | None
    exchange_url: str | None
    address: str | None
    hint: HintDocument | None


@routes.get(
    "/v1/domains/{domain}/prefill", operation_id="connecting.prefill", summary="Get what is filled in for a member"
)
def get(domain: DomainName, connecting: Annotated[Connecting, connects()], lang: Lang = Language.EN) -> PrefillDocument:
    """What is filled in for who connects a mailbox of the domain, and what to type as the password."""
    return prefill_document(connecting.prefill(domain), lang)


def prefill_document(found: Prefill, language: Language) -> PrefillDocument:
    """What is filled in, in words."""
    imap, smtp, url = _servers(found.settings)
    return PrefillDocument(
        domain=found.domain,
        kind=found.settings.kind if found.settings else None,
        serves=_serves(found.settings),
        imap=imap,
        smtp=smtp,
        exchange_url=url,
        address=found.address,
        hint=hint_document(found.hint, language),
    )


def _serves(settings: Settings | None) -> list[Literal["mail", "calendar"]]:
    if settings is None:
        return []
    return ["mail", "calendar"] if isinstance(settings, ExchangeSettings) else ["mail"]


def _servers(settings: Settings | None) -> tuple[ServerDocument | None, SmtpDocument | None, str | None]:
    """What a member sees of the settings: where to connect, and not what an admin has accepted for that."""
    if settings is None:
        return None, None, None
    if isinstance(settings, ExchangeSettings):
        return None, None, settings.url
    imap, smtp = settings.imap, settings.smtp
    return (
        ServerDocument(host=imap.host, port=imap.port, security=imap.security),
        SmtpDocument(host=smtp.host, port=smtp.port, security=smtp.security, authentication=smtp.authentication),
        None,
    )
