"""How a client sends user name and password, and what another client would do where it cannot."""

from collections.abc import Iterable

from checks.clients.profile import ImapClient, NextWay
from checks.clients.selection import SHIPPED
from checks.codes import Code
from checks.model import Credential, Fault


def ways(capabilities: Iterable[str], client: ImapClient, user: str = "") -> tuple[str, ...]:
    """The client's ways to log in with a password that the server offers, in the client's order.

    Raises `Fault(auth.unsendable)` where the client has one, but not for this user name.
    """
    capabilities = frozenset(capabilities)
    fitting = tuple(way for way in client.ways if offers(way, capabilities))
    if fitting and any(character in client.command_for for character in user):
        if not offers("LOGIN", capabilities):
            raise _unsendable(client, "user name", "anything but LOGIN, which the server forbids")
        return ("LOGIN",)
    return fitting[:1] if client.next_way is NextWay.NEVER else fitting


def token_mechanisms(capabilities: Iterable[str], client: ImapClient) -> tuple[str, ...]:
    """What the client logs in by with an access token: the first of its mechanisms that is offered, or nothing."""
    capabilities = frozenset(capabilities)
    return tuple(name for name in client.token_mechanisms if f"AUTH={name}" in capabilities)[:1]


def encoded(credential: Credential, way: str, client: ImapClient, capabilities: Iterable[str]) -> tuple[bytes, bytes]:
    """User name and password, for a way to log in. Raises `Fault(auth.unsendable)` where the client cannot."""
    user, password = _encode(credential, way, client)
    if user is not None and password is not None:
        return user, password
    what = "user name" if user is None else "password"
    others = [
        f"; {other.imap.library} (profile {other.name}) would send it"
        for other in SHIPPED.values()
        if other.imap.library != client.library and _can_send(credential, other.imap, frozenset(capabilities))
    ]
    raise _unsendable(client, what, way + "".join(others))


def _unsendable(client: ImapClient, what: str, way: str) -> Fault:
    return Fault(Code.AUTH_UNSENDABLE, f"{client.library} cannot send this {what} with {way}", names=client.library)


def offers(way: str, capabilities: Iterable[str]) -> bool:
    """Whether a server takes a way to log in; the command unless it is forbidden (RFC 9051, 6.2.3)."""
    return "LOGINDISABLED" not in capabilities if way == "LOGIN" else way in capabilities


def _can_send(credential: Credential, client: ImapClient, capabilities: frozenset[str]) -> bool:
    try:
        found = ways(capabilities, client, credential.username)
    except Fault:
        return False
    return bool(found) and None not in _encode(credential, found[0], client)


def _encode(credential: Credential, way: str, client: ImapClient) -> tuple[bytes | None, bytes | None]:
    name, secret = credential.username, credential.secret
    if way != "LOGIN":
        return client.sasl.encode(name), client.sasl.encode(secret)
    user, password = client.login_user.encode(name), client.login_password.encode(secret)
    return _quoted(user) if client.login_quotes_user else user, _quoted(password)


def _quoted(text: bytes | None) -> bytes | None:
    return None if text is None else b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
