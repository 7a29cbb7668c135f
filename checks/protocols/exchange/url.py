"""What an admin types for Exchange, made into the address of Exchange Web Services.

People paste what their browser shows (`/owa`, `/ecp`), a bare host name, or the address of a sister service. All of
them mean the same server, and EWS answers at one place there. Nothing is ever sent to an `http://` address: Basic would
go out in clear before any redirect.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from checks.model import Endpoint, Invalid
from checks.settings import exchange_endpoint, normalise_host, parse_port

EWS_PATH = "/EWS/Exchange.asmx"
FIELD = "exchange.url"
_LONGEST = 2_000
_SCHEME = re.compile(r"(https?)(?::/*|//+)(?=[^/:]|$)|([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_SEGMENT = re.compile(r"(?!\.\.?/)[A-Za-z0-9._~-]+/")
# Virtual directories of Exchange itself: what stands there is no prefix that a proxy has put before EWS.
_SISTERS = frozenset(
    {"owa", "ecp", "ews", "autodiscover", "microsoft-server-activesync", "exchange", "mapi", "rpc", "oab", "powershell"}
)


@dataclass(frozen=True, slots=True)
class NormalisedUrl:
    """`url` is what to use, `typed` what was given (user info and query left out: they may hold a password).

    `notes` names what was done, in order: `backslash`, `scheme_added`, `http`, `user_info`, `query`, `path`, `host`,
    `port`.
    """

    url: str
    typed: str
    changed: bool
    notes: tuple[str, ...]


def normalise_url(text: str) -> NormalisedUrl:
    """The canonical EWS URL for what was typed; idempotent. Raises `Invalid`, which never shows user info."""
    typed = text.strip().strip("<>\"'").strip()
    if not typed:
        raise Invalid("give the address of the Exchange server, for example mail.example.com", FIELD)
    if len(typed) > _LONGEST or not typed.isprintable():
        raise Invalid("the Exchange address is too long or holds characters that no address has", FIELD)
    notes: list[str] = []
    rest = _without_backslashes(typed, notes)
    secure, rest = _without_scheme(rest, notes)
    authority, path = _split(rest, notes)
    host_text, port_text = _host_and_port(_without_user_info(authority, notes))
    host = _host(host_text, notes)
    port = _port(port_text, secure, notes)
    url = f"https://{host}{port}{_path(path, notes)}"
    return NormalisedUrl(url, _shown(typed), url != typed, tuple(dict.fromkeys(notes)))


def endpoint_of(text: str) -> Endpoint:
    """Where what was typed is served: an endpoint with the canonical URL. Raises as `normalise_url` does."""
    given = normalise_url(text)
    return exchange_endpoint(given.url, given.typed if given.changed else "")


def host_header(url: str) -> str:
    """Host and port of a canonical URL as the Host header wants them (RFC 9110, 7.2)."""
    return urlsplit(url).netloc


def same_place(one: str, other: str) -> bool:
    """Whether two URLs name the same resource to IIS, which does not tell upper from lower case."""
    first, second = urlsplit(one), urlsplit(other)
    ports = (first.port or 443, second.port or 443)
    same_server = (first.hostname or "", ports[0]) == (second.hostname or "", ports[1])
    return same_server and first.path.lower().rstrip("/") == second.path.lower().rstrip("/")


def _without_backslashes(text: str, notes: list[str]) -> str:
    if "\\" in text:
        notes.append("backslash")
    return text.replace("\\", "/")


def _without_scheme(text: str, notes: list[str]) -> tuple[bool, str]:
    """Whether the text asks for (or leaves open) TLS, and what follows the scheme."""
    found = _SCHEME.match(text)
    if found is None:
        if "@" in re.split(r"[/?#]", text, maxsplit=1)[0]:
            raise Invalid("that is an e-mail address; give the Exchange server's, like mail.example.com", FIELD)
        notes.append("scheme_added")
        return True, text.lstrip("/")
    if found[2]:
        raise Invalid(f"an Exchange address starts with https://, not with {found[2].lower()}://", FIELD)
    if found[1].lower() == "http":
        notes.append("http")
        return False, text[found.end() :]
    return True, text[found.end() :]


def _split(rest: str, notes: list[str]) -> tuple[str, str]:
    """Authority and path; query and fragment are left out."""
    if "?" in rest or "#" in rest:
        notes.append("query")
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    authority, slash, path = rest.partition("/")
    return authority, slash + path


def _without_user_info(authority: str, notes: list[str]) -> str:
    if "@" in authority:
        notes.append("user_info")
    return authority.rpartition("@")[2]


def _host_and_port(authority: str) -> tuple[str, str]:
    try:
        return str(ipaddress.IPv6Address(authority)), ""  # without brackets
    except ValueError:
        pass
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise Invalid("the IPv6 address in the Exchange address is not complete", FIELD)
        return host, port[1:]
    host, _, port = authority.partition(":")
    return host, port


def _host(text: str, notes: list[str]) -> str:
    if "%" in text:
        raise Invalid("the host in the Exchange address must not hold a % sign", FIELD)
    try:
        host = normalise_host(text)
    except Invalid as wrong:
        raise Invalid(f"the Exchange address: {wrong}", FIELD) from None
    if host != text:
        notes.append("host")
    return f"[{host}]" if ":" in host else host


def _port(text: str, secure: bool, notes: list[str]) -> str:
    if not text:
        return ""
    try:
        port = parse_port(text, FIELD)
    except Invalid:  # not its words: they would show a password that holds a slash
        raise Invalid("the port in the Exchange address must be a number from 1 to 65535", FIELD) from None
    if port == 443 or (port == 80 and not secure):
        notes.append("port")
        return ""
    return f":{port}"


def _path(path: str, notes: list[str]) -> str:
    """The path of EWS. What a proxy may have put before it is kept where it is plain."""
    plain = unquote(path)
    prefix = plain[: -len(EWS_PATH)] if plain.lower().endswith(EWS_PATH.lower()) else ""
    segments = [part for part in prefix.split("/") if part]
    kept = all(_SEGMENT.fullmatch(part + "/") for part in segments)
    if not kept or (segments and segments[0].lower() in _SISTERS):
        segments = []
    canonical = "".join(f"/{part}" for part in segments) + EWS_PATH
    if canonical != path:
        notes.append("path")
    return canonical


def _shown(typed: str) -> str:
    """What was typed, fit to be shown and kept: what stands before an @ may be a password, in a query too."""
    shown = re.split(r"[?#]", typed, maxsplit=1)[0]
    scheme = re.match(r"(?:[a-z]+:)?[/\\]*", shown, re.IGNORECASE)
    return (scheme[0] if scheme else "") + shown.rpartition("@")[2] if "@" in shown else shown
