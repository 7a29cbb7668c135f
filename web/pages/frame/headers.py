"""What every page tells the browser: nothing is fetched from elsewhere, and no script is run that is not our file."""

from collections.abc import Mapping, Sequence

POLICY_NAME = "mail-preflight"
"""The one policy of Trusted Types, of our own script."""
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    f"trusted-types {POLICY_NAME}",
)


def headers_for(frame_ancestors: Sequence[str] = ()) -> Mapping[str, str]:
    """The headers of a page that may be embedded in pages of these origins, and of no other."""
    ancestors = " ".join(frame_ancestors) or "'none'"
    policy = "; ".join((*_POLICY, f"frame-ancestors {ancestors}"))
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    } | ({} if frame_ancestors else {"Cross-Origin-Opener-Policy": "same-origin"})
