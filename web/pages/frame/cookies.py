"""The cookie of a session. It goes over TLS alone, but for a browser on the service's own machine."""

import ipaddress

from starlette.requests import Request
from starlette.responses import Response

_SAFE, _LOCAL = "__Host-mail-preflight", "mail-preflight-local"
"""RFC 6265bis, section 4.1.3: a browser takes `__Host-` from this very host by TLS alone. `Secure` needs TLS."""
_EMBEDDED_SAFE, _EMBEDDED_LOCAL = "__Host-mail-preflight-embedded", "mail-preflight-embedded"
_LONGEST_SECONDS = 7 * 86400


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy of ours."""
    return request.url.scheme == "https"


def may_sign_in(request: Request) -> bool:
    """Whether nobody on the way can read along: by TLS, or within one machine."""
    return is_secure(request) or (_is_local(request.url.hostname or "") and _is_local(_client(request)))


def session_secret(request: Request) -> str:
    """What the session's cookie has, '' without one."""
    if not may_sign_in(request):
        return ""
    if is_embedded(request):
        return request.cookies.get(_EMBEDDED_SAFE if is_secure(request) else _EMBEDDED_LOCAL, "")
    return request.cookies.get(_SAFE if is_secure(request) else _LOCAL, "")


def is_embedded(request: Request) -> bool:
    """Whether it is for a page in a frame of a host app."""
    return getattr(request.state, "embedded", False)


def keep_session(request: Request, response: Response, secret: str) -> None:
    """Gives the browser the session's cookie. In a frame of a host app, it is kept apart for that host (CHIPS)."""
    embedded = is_embedded(request)
    if not is_secure(request):
        response.set_cookie(
            _EMBEDDED_LOCAL if embedded else _LOCAL, secret, max_age=_LONGEST_SECONDS, httponly=True, samesite="lax"
        )
    elif embedded:
        response.set_cookie(
            _EMBEDDED_SAFE, secret, max_age=_LONGEST_SECONDS, secure=True, httponly=True, samesite="none"
        )
        response.headers["Set-Cookie"] += "; Partitioned"
    else:
        response.set_cookie(_SAFE, secret, max_age=_LONGEST_SECONDS, secure=True, httponly=True, samesite="lax")


def drop_session(request: Request, response: Response) -> None:
    """Takes the cookie away."""
    if is_secure(request):
        response.delete_cookie(_SAFE, secure=True, httponly=True, samesite="lax")
    else:
        response.delete_cookie(_LOCAL, httponly=True, samesite="lax")


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
