"""Where the page may be embedded: the origins of host apps (RFC 6454), as each account has registered them."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid
from checks.settings import normalise_host
from settings_store import schema

MOST = 20
_origins = schema.embed_origins
_USUAL = {"https": 443, "http": 80}


def of_account(conn: Connection, account_id: int) -> list[str]:
    """The registered origins, in order."""
    mine = sa.select(_origins.c.origin).where(_origins.c.account_id == account_id)
    return list(conn.execute(mine.order_by(_origins.c.origin)).scalars())


def register(conn: Connection, account_id: int, origins: Sequence[str], now: float) -> list[str]:
    """Makes these the registered ones, and no others. Raises `Invalid`."""
    wanted = sorted({normalise_origin(origin) for origin in origins})
    if len(wanted) > MOST:
        raise Invalid(f"up to {MOST} origins can be registered", "origins")
    conn.execute(_origins.delete().where(_origins.c.account_id == account_id))
    rows = [{"account_id": account_id, "origin": origin, "created_at": now} for origin in wanted]
    if rows:
        conn.execute(_origins.insert(), rows)
    return wanted


def normalise_origin(text: str) -> str:
    """`https://crm.example.com`, with a port where it is not the usual one. Raises `Invalid`.

    By http only from this very machine: elsewhere, whoever is on the way could be the host app.
    """
    wrong = Invalid(f"{text[:100]!r} is no origin; give it like https://crm.example.com", "origins")
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in _USUAL or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong
    if parts.username is not None or parts.password is not None:
        raise wrong
    host = normalise_host(parts.hostname)
    if parts.scheme == "http" and not _is_local(host):
        raise Invalid("a host app elsewhere is reached by https", "origins")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != _USUAL[parts.scheme] else "")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
