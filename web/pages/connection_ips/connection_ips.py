"""`/admin/connection-ips`, and the request to a domain's firewall: addresses, and texts to send."""

from typing import Annotated

from starlette.responses import Response

from checks.language import Language
from checks.messages.firewall_request import PHRASES
from checks.model import Invalid, Unknown
from settings_store.access.roles import Right
from web.api.connection_ips import list_document
from web.pages.frame.environment import at
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.wording import words_of

routes = page_router()

Reading = Annotated[Page, page_for(Right.READ)]
PAGE = 50
_LONGEST = 300


@routes.get("/admin/connection-ips")
def show(page: Reading, domain: str = "", after: str = "") -> Response:
    """The addresses and ranges that mail servers see. `domain`: on to the request to the firewall of that one.

    Domains with static addresses are named a page at a time: those behind the name `after`.
    """
    error = ""
    if asked := domain.strip()[:_LONGEST]:
        try:
            return page.go(at("domains", page.account.egress.request(asked).domain, "firewall"))
        except Invalid as refused:
            error = page.told(refused)
    return page.show(
        "connection_ips/addresses.html",
        422 if error else 200,
        known=list_document(page.account.egress.connection_ips(after[:_LONGEST], PAGE + 1), PAGE),
        after=after,
        asked=asked,
        error=error,
        explanations={
            language: PHRASES(language, "request.explanation", domain=words_of(language)("connection_ips.your_domain"))
            for language in Language
        },
    )


@routes.get("/admin/domains/{domain}/firewall")
def request(page: Reading, domain: str) -> Response:
    """What the people who run its firewall are asked for, in both languages."""
    found, error = None, ""
    try:
        found = page.account.egress.request(domain)
    except Unknown:
        raise
    except Invalid as refused:
        error = page.told(refused)
    return page.show(
        "connection_ips/request.html", domain=page.account.domains.summary(domain).name, found=found, error=error
    )
