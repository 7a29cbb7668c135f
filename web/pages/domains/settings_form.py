"""`/admin/domains/{domain}/settings`: the form of settings, and the button that verifies them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request
from pydantic import TypeAdapter
from starlette.responses import Response

from checks.document import EndpointDocument
from checks.model import Authentication, Invalid, Option, Security
from checks.settings import Settings, normalise_domain
from settings_store.access.roles import Right
from web.api.changes.change_document import change_of
from web.api.settings_document import SettingsRequest, document_of
from web.documents import Prefix, public_id
from web.limits.rates import expensive
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

_SERVERS = ("imap.host", "imap.port", "imap.security", "smtp.host", "smtp.port", "smtp.security", "smtp.authentication")
_FIELDS: Mapping[str, tuple[str, ...]] = {"imap": _SERVERS, "exchange": ("exchange_url",)}
_ALL = ("kind", "allow_insecure_certificate", "ca_pem")
_EMPTY: Mapping[str, str] = {
    "kind": "imap",
    "imap.port": "993",
    "imap.security": Security.AUTO,
    "smtp.port": "587",
    "smtp.security": Security.AUTO,
    "smtp.authentication": Authentication.LOGIN,
}
_REQUEST: TypeAdapter[Any] = TypeAdapter(SettingsRequest)
_PROTOCOLS: Mapping[str, str] = {"imap": "imap", "smtp": "smtp", "https": "exchange"}


@routes.get("/admin/domains/{domain}/settings")
def show(page: Annotated[Page, page_for(Right.CHANGE)], domain: str, request: Request, change: str = "") -> Response:
    """The form, with the settings in force, or those of a change that is to be mended; a query can set fields."""
    in_force = page.account.domains.summary(domain).settings
    values, found = _values(in_force), tuple[EndpointDocument, ...]()
    if change:
        live = page.account.changes.live(change_of(change), page.language)
        if live.change.domain != normalise_domain(domain):
            raise Invalid("this change is one of another domain", "change")
        values, found = _values(live.change.settings), live.endpoints
    asked = {name: value for name, value in request.query_params.items() if name in (*_SERVERS, "exchange_url", *_ALL)}
    return _form(page, domain, {**values, **asked}, found=found)


@routes.post("/admin/domains/{domain}/settings")
@expensive
def verify(page: Annotated[Page, page_for(Right.CHANGE)], domain: str, sent: Annotated[Form, form()]) -> Response:
    """Saves a change and begins to verify it; what is wrong is told at its field, and nothing was sent to anybody."""
    errors: dict[str, str] = {}
    with at_fields(page, errors, skip=1):  # the first of a place is which of the two kinds it is
        asked = _REQUEST.validate_python(sent.nested(*_FIELDS.get(sent["kind"], ()), *_ALL))
        saved = page.account.changes.save(domain, asked.settings())
        replaced = public_id(Prefix.CHANGE, saved.superseded) if saved.superseded else None
        return page.go(at("changes", public_id(Prefix.CHANGE, saved.change_id), replaced=replaced))
    return _form(page, domain, dict(sent), errors=errors, status=422)


def _form(
    page: Page,
    domain: str,
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    found: tuple[EndpointDocument, ...] = (),
    status: int = 200,
) -> Response:
    summary = page.account.domains.summary(domain)
    return page.show(
        "domains/settings.html",
        status,
        domain=summary.name,
        in_force=_values(summary.settings) if summary.settings else {},
        was=_was(page, summary.settings),
        values={**_EMPTY, **values},
        errors=errors or {},
        found={_PROTOCOLS[each.endpoint.protocol]: each for each in found},
        option_needed=[each for each in found if each.option is Option.NEEDED],
        mailboxes=sum(summary.mailboxes.values()),
        securities=[(each.value, page.t(f"settings.security.{each.value}")) for each in Security],
        authentications=[(each.value, page.t(f"settings.authentication.{each.value}")) for each in Authentication],
    )


def _was(page: Page, settings: Settings | None) -> dict[str, dict[str, str]]:
    """The values in force by field, and the words that say so."""
    if settings is None:
        return {}
    found = {}
    for name, value in _values(settings).items():
        last = name.rpartition(".")[2]
        shown = page.t(f"settings.{last}.{value}") if last in ("security", "authentication") else value
        found[name] = {"value": value, "text": page.t("settings.was", value=shown)}
    return found


def _values(settings: Settings | None) -> dict[str, str]:
    """Settings as the texts of the form."""
    return _flat(document_of(settings).model_dump(mode="json")) if settings else dict(_EMPTY)


def _flat(document: Mapping[str, Any], head: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{head}{name}.")
        elif value is not False:
            found[head + name] = "true" if value is True else str(value)
    return found
