"""`/admin/domains/{domain}/settings`: the form of settings, and the button that verifies them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Request
from pydantic import TypeAdapter
from starlette.responses import Response

from checks.document import EndpointDocument
from checks.model import Authentication, Invalid, Option, Security
from checks.settings import Settings, normalise_domain
from settings_store.access.roles import Right
from settings_store.changes.lifecycle import UNAPPLIED, Refused
from web.api.changes.change_document import change_of
from web.api.connecting.connection_document import attempt_of
from web.api.settings_document import SettingsRequest
from web.documents import Prefix, public_id
from web.limits.rates import expensive
from web.pages.domains.settings_values import EMPTY, EVERY, FIELDS, SHARED, values_of
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.same_origin import comes_from_us
from web.pages.frame.validation import at_fields

routes = page_router()

Editing = Annotated[Page, page_for(Right.CHANGE)]
_REQUEST: TypeAdapter[Any] = TypeAdapter(SettingsRequest)
_PROTOCOLS: Mapping[str, str] = {"imap": "imap", "smtp": "smtp", "https": "exchange"}


@dataclass(frozen=True)
class Filled:
    """What is in the form. `change`: the public id of the one that it corrects, '' for none.

    `found` is what its servers were found to be; `refused` is why it was not saved, '' where nothing refuses that.
    """

    values: Mapping[str, str]
    change: str = ""
    found: tuple[EndpointDocument, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


@routes.get("/admin/domains/{domain}/settings")
def show(page: Editing, domain: str, request: Request, change: str = "", pending: str = "") -> Response:
    """The form, with the settings in force, those of a change that is to be mended, or those that a member who waits
    has typed; the query of a link within the page can set fields.
    """
    filled = _of_change(page, domain, change) if change else _of_domain(page, domain, pending)
    given = request.query_params.items() if comes_from_us(request) else ()
    asked = {name: value for name, value in given if name in EVERY}
    return _shown(page, domain, Filled({**filled.values, **asked}, filled.change, filled.found))


def _of_domain(page: Page, domain: str, pending: str) -> Filled:
    typed = None
    if pending:
        entry = page.account.pending.entry(attempt_of(pending))
        if entry.domain != normalise_domain(domain):
            raise Invalid("this entry is one of another domain", "pending_entry_id")
        typed = entry.settings
    return Filled(values_of(typed or page.account.domains.summary(domain).settings))


def _of_change(page: Page, domain: str, change: str) -> Filled:
    live = page.account.changes.live(change_of(change), page.language)
    if live.change.domain != normalise_domain(domain):
        raise Invalid("this change is one of another domain", "change")
    corrected = public_id(Prefix.CHANGE, live.change.id) if live.change.state in UNAPPLIED else ""
    return Filled(values_of(live.change.settings), corrected, live.endpoints)


@routes.post("/admin/domains/{domain}/settings")
@expensive
def verify(page: Editing, domain: str, sent: Annotated[Form, form()]) -> Response:
    """Saves a change and begins to verify it; what is wrong is told at its field, and nothing was sent to anybody.

    The mailboxes that came with the change that it corrects come with it.
    """
    errors: dict[str, str] = {}
    corrects = change_of(sent["change"]) if sent["change"] else None
    try:
        with at_fields(page, errors, skip=1):  # the first of a place is which of the two kinds it is
            asked = _REQUEST.validate_python(sent.nested(*FIELDS.get(sent["kind"], ()), *SHARED))
            saved = page.account.changes.save(domain, asked.settings(), corrects=corrects)
            replaced = public_id(Prefix.CHANGE, saved.superseded) if saved.superseded else None
            return page.go(at("changes", public_id(Prefix.CHANGE, saved.change_id), replaced=replaced))
    except Refused:  # the change has moved on meanwhile: to send it once more saves it without that one's mailboxes
        return _shown(page, domain, Filled(dict(sent), refused=page.t("settings.moved")), 409)
    return _shown(page, domain, Filled(dict(sent), sent["change"], errors=errors), 422)


def _shown(page: Page, domain: str, filled: Filled, status: int = 200) -> Response:
    summary = page.account.domains.summary(domain)
    return page.show(
        "domains/settings.html",
        status,
        domain=summary.name,
        in_force=values_of(summary.settings) if summary.settings else {},
        was=_was(page, summary.settings),
        values={**EMPTY, **filled.values},
        change=filled.change,
        errors=filled.errors,
        refused=filled.refused,
        found={_PROTOCOLS[each.endpoint.protocol]: each for each in filled.found},
        option_needed=[each for each in filled.found if each.option is Option.NEEDED],
        mailboxes=sum(summary.mailboxes.values()),
        waiting=summary.waiting,
        static_exist=bool(page.preflight.config.static_addresses),
        securities=[(each.value, page.t(f"settings.security.{each.value}")) for each in Security],
        authentications=[(each.value, page.t(f"settings.authentication.{each.value}")) for each in Authentication],
    )


def _was(page: Page, settings: Settings | None) -> dict[str, dict[str, str]]:
    """The values in force by field, and the words that say so."""
    if settings is None:
        return {}
    found = {}
    for name, value in values_of(settings).items():
        last = name.rpartition(".")[2]
        shown = page.t(f"settings.{last}.{value}") if last in ("security", "authentication") else value
        found[name] = {"value": value, "text": page.t("settings.was", value=shown)}
    return found
