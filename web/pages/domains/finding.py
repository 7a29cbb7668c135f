"""`/admin/domains/{domain}/find`: what the settings of a domain probably are, to be taken over into the form."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from starlette.responses import Response

from checks.discovery.document import DiscoveryDocument, ProposalDocument, source_document
from checks.discovery.model import SourceReport, Subject
from checks.model import Endpoint, Invalid, Protocol
from checks.settings import normalise_domain
from settings_store.access.roles import Right
from web.api.discoveries import DiscoveryRequest, as_it_goes, prepared
from web.limits.rates import expensive
from web.pages.domains.settings_values import EVERY, FIELDS, IMAP, SMTP
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

Editing = Annotated[Page, page_for(Right.CHANGE)]
_NOT_ASKED = ("imap.authentication", "smtp.authentication")


@dataclass(frozen=True)
class Shown:
    """A proposal as it is shown. `fields` are those of the form of settings; empty where they are not all there."""

    proposal: ProposalDocument
    fields: Mapping[str, str]

    @property
    def to_accept(self) -> tuple[str, ...]:
        """Hosts that nothing vouches for."""
        return self.proposal.proposal.hosts_to_accept


@routes.get("/admin/domains/{domain}/find")
def ask(page: Editing, domain: str, change: str = "") -> Response:
    """The form that asks whose settings to look for."""
    return _shown(page, domain, domain, change)


@routes.post("/admin/domains/{domain}/find")
@expensive
def find(page: Editing, domain: str, sent: Annotated[Form, form()]) -> Response:
    """Looks for the settings, within half a minute, and checks each server. What was typed in the form is tried too.

    Each source is on the page as it ends.
    """
    errors: dict[str, str] = {}
    target = sent["target"] or domain
    with at_fields(page, errors):
        _require_own(page, domain, target)
        wanted = DiscoveryRequest.model_validate({"target": target, **_typed(sent)})
        coming = as_it_goes(prepared(wanted, page.account, page.language))
        about = _about(page, domain, target, sent["change"])
        return page.grow("domains/looking.html", _parts(page, about, coming), **about)
    return _shown(page, domain, target, sent["change"], errors=errors, status=422)


@routes.post("/admin/domains/{domain}/find/take")
def take(page: Editing, domain: str, sent: Annotated[Form, form()]) -> Response:
    """Takes a proposal over into the form, where every host was accepted that has to be."""
    if missing := set(sent.all("to_accept")) - set(sent.all("accepted")):
        told = page.t("finding.not_accepted", hosts=page.language.listed(sorted(missing)))
        return _shown(page, domain, sent["target"] or domain, sent["change"], errors={"": told}, status=422)
    fields = {name: sent[name] for name in EVERY if sent[name]}
    return page.go(at("domains", domain, "settings", change=sent["change"], **fields))


def _require_own(page: Page, domain: str, target: str) -> None:
    """A page in a frame is of one domain alone."""
    if page.session and page.session.embedded and Subject.of(target).domain != normalise_domain(domain):
        raise Invalid(page.t("finding.own", domain=domain), "target")


def _typed(sent: Form) -> dict[str, object]:
    """The servers that somebody has entered; of a form for Exchange there is nothing to be repaired."""
    if sent["kind"] == "exchange":
        return {}
    asked = [name for server in (IMAP, SMTP) if sent[server[0]] for name in server if name not in _NOT_ASKED]
    return sent.nested(*asked)


def _shown(
    page: Page,
    domain: str,
    target: str,
    change: str,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    about = _about(page, domain, target, change)
    return page.show("domains/find.html", status, **{**about, "errors": dict(errors or {})})


def _about(page: Page, domain: str, target: str, change: str) -> dict[str, Any]:
    """What every template of this page is told."""
    known = page.account.domains.summary(domain).name
    return {"domain": known, "target": target, "change": change, "found": None, "errors": {}}


def _parts(page: Page, about: Mapping[str, Any], coming: Iterable[SourceReport | DiscoveryDocument]) -> Iterator[str]:
    """Each source, and at last what came of all of them."""
    for each in coming:
        if isinstance(each, SourceReport):
            yield page.part("domains/source.html", source=source_document(each, page.language))
        else:
            shown = [Shown(proposal, _fields(proposal)) for proposal in each.proposals]
            yield page.part("domains/found.html", **{**about, "found": each}, proposals=shown)
            return
    yield page.part("domains/found.html", **about)


def _fields(document: ProposalDocument) -> dict[str, str]:
    """What the form of settings is to have in it; nothing where the proposal does not work, or lacks a server."""
    proposal = document.proposal
    if not (proposal.works and proposal.complete):
        return {}
    found = {"kind": proposal.kind}
    for offer in proposal.offers:
        found |= _place(offer.endpoint)
    return {name: value for name, value in found.items() if name in ("kind", *FIELDS[proposal.kind])}


def _place(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.protocol is Protocol.HTTPS:
        return {"exchange_url": endpoint.url}
    head = endpoint.protocol.value
    place = {"host": endpoint.host, "port": str(endpoint.port), "security": endpoint.security.value}
    return {f"{head}.{name}": value for name, value in {**place, "authentication": endpoint.authentication}.items()}
