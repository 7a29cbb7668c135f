"""Who reads: their language, time zone and colours, as cookies that hold no secret have them."""

from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from checks.language import Language
from web.negotiation import preferred

Scheme = Literal["auto", "light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("auto", "light", "dark")
_LONGEST_ZONE = 64
_KEPT_SECONDS = 365 * 86400
PATH = "/"


@dataclass(frozen=True, slots=True)
class Reader:
    """`zone` is the name of a time zone (IANA), '' where it is not known."""

    language: Language
    zone: str
    scheme: Scheme


def reader_of(request: Request, language: str = "") -> Reader:
    """Who reads the answer. `language` is what a host app says it is, '' where none does."""
    cookies = request.cookies
    chosen = language or cookies.get("language", "")
    if chosen not in set(Language):
        chosen = preferred(request.headers.get("accept-language"), list(Language)) or Language.EN
    scheme: Scheme = next((known for known in SCHEMES if known == cookies.get("scheme")), "auto")
    return Reader(Language(chosen), cookies.get("zone", "")[:_LONGEST_ZONE], scheme)


def remember(response: Response, name: str, value: str, *, secure: bool) -> None:
    """Has the browser keep what the reader has chosen."""
    response.set_cookie(name, value, max_age=_KEPT_SECONDS, path=PATH, secure=secure, samesite="lax")
