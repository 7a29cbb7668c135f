"""`/admin/preferences`: language, time zone and colours. They are kept by the browser alone."""

from collections.abc import Collection, Mapping
from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from checks.language import Language
from web.pages.frame.cookies import is_secure
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.reader import SCHEMES, remember
from web.pages.frame.routing import page_of_anybody, page_router
from web.pages.sign_in.sign_in import local_path

routes = page_router()

_KNOWN: Mapping[str, Collection[str]] = {"language": set(Language), "scheme": SCHEMES}


@routes.post("/admin/preferences")
def choose(request: Request, page: Annotated[Page, page_of_anybody()], sent: Annotated[Form, form()]) -> Response:
    """Has the browser keep what was chosen, and goes back."""
    response = page.go(local_path(sent["back"]))
    for name, known in _KNOWN.items():
        if sent[name] in known:
            remember(response, name, sent[name], secure=is_secure(request))
    return response
