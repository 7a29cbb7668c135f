"""Nothing is done for a request that another site has sent: Fetch Metadata first, `Origin` where a browser has none.

No token in any form: what a browser says of where a request comes from, no page can change.
https://www.w3.org/TR/fetch-metadata/, RFC 6454.
"""

from starlette.requests import Request

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})
"""`none`: the reader has asked for it themselves, as by reloading."""


def is_ours(request: Request) -> bool:
    """Whether a request may do something: it comes from a page of ours. One that only reads may come from anywhere."""
    if request.method in _SAFE:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OURS
    origin = request.headers.get("origin")
    return origin is not None and origin == f"{request.url.scheme}://{request.url.netloc}"


def comes_from_us(request: Request) -> bool:
    """Whether a page of ours has led to it. A link of another site or of a mail may not fill in a form."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("referer", "").startswith(f"{request.url.scheme}://{request.url.netloc}/")
