"""`/admin/domains/{domain}/connect`: what is filled in, what the provider wants as the password, what came of it."""

from collections.abc import Mapping
from typing import Annotated

from starlette.responses import Response

from checks.model import Authentication, Security
from settings_store.access.roles import Right
from settings_store.connecting.attempts import AttemptState
from web.api.connecting.connection_document import ConnectionDocument
from web.api.connecting.connections import NewConnection, connected
from web.api.connecting.prefill import prefill_document
from web.limits.rates import expensive
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

Connecting = Annotated[Page, page_for(Right.CONNECT)]
_SERVERS = ("imap.host", "imap.port", "imap.security", "smtp.host", "smtp.port", "smtp.security")
_TYPED: Mapping[str, tuple[str, ...]] = {"imap": ("kind", *_SERVERS), "exchange": ("kind", "exchange_url")}
_EMPTY: Mapping[str, str] = {"kind": "later", "imap.port": "993", "smtp.port": "587"}
KINDS: Mapping[AttemptState, str] = {
    AttemptState.CONNECTED: "good",
    AttemptState.STORED: "warn",
    AttemptState.FAILED: "bad",
}
"""How a result looks; the others warn."""


@routes.get("/admin/domains/{domain}/connect")
def show(page: Connecting, domain: str) -> Response:
    """The form, with what is known filled in."""
    return _shown(page, domain, {})


@routes.post("/admin/domains/{domain}/connect")
@expensive
def connect(page: Connecting, domain: str, sent: Annotated[Form, form()]) -> Response:
    """Tries the login once. The password is in no answer: it is typed again where it has to be."""
    errors: dict[str, str] = {}
    values = {name: value for name, value in sent.items() if name != "password"}
    with at_fields(page, errors):
        wanted = NewConnection.model_validate(_document(sent))
        found = connected(domain, wanted, page.connecting, page.language)
        return _shown(page, domain, values, found=found)
    return _shown(page, domain, values, errors=_by_field(errors), status=422)


def _document(sent: Form) -> dict[str, object]:
    document: dict[str, object] = {
        "address": sent["address"],
        "password": sent.raw("password"),
        "username": sent["username"],
        "insist": sent.ticked("insist"),
    }
    typed = sent.nested(*_TYPED.get(sent["kind"], ()))
    return document | ({"settings": typed} if typed else {})


def _by_field(errors: Mapping[str, str]) -> dict[str, str]:
    """Places in the document are those of the form but for where the servers are: `settings.imap.imap.host`."""
    found = {}
    for place, words in errors.items():
        parts = place.removeprefix("settings.").split(".")
        found[".".join(parts[-2:]) if parts[-1] in ("host", "port", "security") else parts[-1]] = words
    return found


def _looks(found: ConnectionDocument) -> str:
    return "good" if found.login_kept else KINDS.get(found.state, "warn")


def _shown(
    page: Page,
    domain: str,
    values: Mapping[str, str],
    *,
    found: ConnectionDocument | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    prefill = prefill_document(page.connecting.prefill(domain), page.language)
    done = found is not None and found.state in (AttemptState.CONNECTED, AttemptState.STORED, AttemptState.PENDING)
    return page.show(
        "connecting/connect.html",
        status,
        prefill=prefill,
        domain=prefill.domain,
        values={**_EMPTY, **({} if done else values)},
        found=found,
        looks=_looks(found) if found else "",
        may_insist=found is not None and found.state is AttemptState.CANNOT_TELL and prefill.kind is not None,
        errors=errors or {},
        securities=[(each.value, page.t(f"settings.security.{each.value}")) for each in Security],
        authentication_none=Authentication.NONE.value,
    )
