"""What an answer of EWS, or of what stands in its place, means. HTTP status, headers and SOAP in, codes out.

As for mail, the rule above all rules: an answer that might be temporary, or that nobody can read, is inconclusive.
"""

import re
from urllib.parse import urljoin, urlsplit

from checks.codes import Code
from checks.model import Fault
from checks.network.http import Reply, excerpt
from checks.protocols.exchange import product_marks
from checks.protocols.exchange.response_codes import PASSING, translate
from checks.protocols.exchange.url import same_place
from checks.protocols.exchange_online import ENDS, is_consumer, is_online
from checks.protocols.words.replies import ACCOUNT_TEXTS, LONGEST, first_match, fold

USABLE = ("BASIC", "NTLM", "NEGOTIATE", "BEARER")
"""The schemes that a mailbox can log in with. Negotiate is Kerberos, for which a mailbox has no ticket, or NTLM."""
_EWS = b"schemas.microsoft.com/exchange/services/2006"
_PREFIX = rb"(?:[\w.-]{1,40}:)?"  # of a name in XML: servers write s:, soap:, SOAP-ENV:
_SOAP = re.compile(rb"<" + _PREFIX + rb"Envelope[\s>]")
_WHOLE = re.compile(rb"</" + _PREFIX + rb"Envelope\s*>")
_RESPONSE_CODE = re.compile(rb"<" + _PREFIX + rb"ResponseCode[^<>]{0,200}>\s*(\w{1,100})\s*<")
# SOAP 1.1 and 1.2; whatever prefix stands for the namespaces.
_FAULT_CODE = re.compile(rb"<" + _PREFIX + rb"(?:faultcode|Value)[^<>]{0,200}>\s*" + _PREFIX + rb"(Error\w{1,100})\s*<")
_BACK_OFF = re.compile(rb"BackOffMilliseconds[^<>]{0,20}>\s*(\d{1,8})\s*<")
_DIGITS = 8
_ATTRIBUTE = re.compile(rb'(\w{1,30})="(\d{1,5})"')
_VERSION = (b"MajorVersion", b"MinorVersion", b"MajorBuildNumber", b"MinorBuildNumber")
_VERSION_LONGEST = 1_000  # bytes of ServerVersionInfo that are read; Exchange writes some 300
_HEADER_LONGEST = 16_384  # characters of WWW-Authenticate that are read; an honest NTLM challenge has some 600
# A quote that is never closed goes on to the end, so that no place is looked at twice.
_CHALLENGE = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*(?:"|\\?\Z))+', re.DOTALL)


# -- before anybody logs in


def judge_probe(reply: Reply, url: str) -> tuple[str, ...]:
    """The schemes of a 401, in upper case. Raises `Fault` for every other answer; its fact `target` is where it led."""
    if reply.status == 401:
        return schemes(reply)
    if 300 <= reply.status < 400:
        raise _redirected(reply, url)
    if fault := product_marks.gateway(reply):
        raise fault
    if fault := _refused(reply, online=product_marks.is_online(reply, url)):
        raise fault
    raise _content(reply)


def schemes(reply: Reply) -> tuple[str, ...]:
    """The authentication schemes offered in WWW-Authenticate (RFC 9110, 11.6.1), in upper case and in order."""
    parts = _CHALLENGE.findall(",".join(reply.values("www-authenticate"))[:_HEADER_LONGEST])
    words = [part.strip().partition(" ") for part in parts]
    found = [name.upper() for name, _, rest in words if name and "=" not in name and not rest.lstrip().startswith("=")]
    return tuple(dict.fromkeys(found))[:20]


def require_usable(offered: tuple[str, ...]) -> None:
    """Raises `Fault` when nobody, whatever their credential, could log in."""
    if not offered:
        raise Fault(Code.EXCHANGE_NO_AUTH, "HTTP 401 without a scheme to log in with")
    if not any(scheme in offered for scheme in USABLE):
        raise Fault(Code.EXCHANGE_AUTH_UNUSABLE, ", ".join(offered), names=", ".join(offered))


def server_version(reply: Reply) -> str:
    """The build of Exchange (`15.2.1544.4`), '' where the answer does not tell."""
    begin = reply.body.find(b"ServerVersionInfo")
    if begin >= 0:
        element = reply.body[begin : begin + _VERSION_LONGEST].partition(b">")[0]
        numbers = dict(_ATTRIBUTE.findall(element))
        if all(name in numbers for name in _VERSION):
            return ".".join(numbers[name].decode() for name in _VERSION)
    told = re.fullmatch(r"\d{1,3}(\.\d{1,5}){2,3}", reply.header("x-owa-version"))
    return told[0] if told else ""


def _redirected(reply: Reply, url: str) -> Fault:
    location = reply.header("location")
    if not location:
        return Fault(Code.PROTOCOL_ERROR, f"{reply.line} without a Location")
    seen = f"{reply.line} to {location}"
    try:
        target = urljoin(url, location)
        host = (urlsplit(target).hostname or "").lower()
        ours = urlsplit(url).hostname or ""
        return Fault(_redirect_code(reply, target, url, host == ours), seen, target=target, date=ENDS.isoformat())
    except ValueError:
        return Fault(Code.PROTOCOL_ERROR, seen)


def _redirect_code(reply: Reply, target: str, url: str, own: bool) -> Code:
    """Most telling first: a log-on page on another host is a proxy's work, not another Exchange."""
    path = urlsplit(target).path.lower()
    host = (urlsplit(target).hostname or "").lower()
    if path.endswith("/genericerrorpage.htm"):  # Exchange's own passing failure, as exchangelib's source has it
        return Code.SERVER_UNAVAILABLE
    if is_consumer(host):
        return Code.EXCHANGE_CONSUMER
    if is_online(host):
        return Code.EXCHANGE_ONLINE
    if product_marks.wants_logon_first(reply, target):
        return Code.EXCHANGE_PRE_AUTHENTICATION
    if path.startswith(("/owa", "/ecp")):
        return Code.EXCHANGE_LOGON_PAGE
    if not own:
        return Code.EXCHANGE_REDIRECTED_ELSEWHERE
    if not target.startswith("https://"):
        return Code.EXCHANGE_PLAIN_HTTP
    return Code.EXCHANGE_REDIRECT_LOOP if same_place(target, url) else Code.EXCHANGE_REDIRECTED


def _content(reply: Reply) -> Fault:
    """What stands at the address when it is neither a refusal nor a redirect."""
    seen = excerpt(reply)
    if _EWS in reply.body and _SOAP.search(reply.body):
        return Fault(passing_code(reply) or Code.EXCHANGE_NO_AUTH, seen)
    if _SOAP.search(reply.body) and _WHOLE.search(reply.body):
        return Fault(Code.EXCHANGE_OTHER_SERVICE, seen)
    if reply.status >= 500:
        return Fault(Code.SERVER_UNAVAILABLE, seen)
    if product_marks.is_logon_page(reply):
        return Fault(Code.EXCHANGE_LOGON_PAGE, seen)
    if reply.cut and not product_marks.is_page(reply):
        return Fault(Code.PROTOCOL_OVERSIZE, reply.line)
    return Fault(Code.EXCHANGE_NOT_EWS, seen)


def passing_code(reply: Reply) -> Code | None:
    """The cause that a SOAP message names, where it is one that may be gone in a minute."""
    code = translate(named_code(reply))
    return code if code in PASSING else None


def named_code(reply: Reply) -> str:
    """The first response code in a SOAP message, '' where there is none: in its own element, or as the fault's code."""
    named = _RESPONSE_CODE.search(reply.body) or _FAULT_CODE.search(reply.body)
    return named[1].decode("ascii", "replace") if named else ""


# -- refusals, whoever asks


def _refused(reply: Reply, *, online: bool) -> Fault | None:
    """What the status alone tells. None where the body has to."""
    seen = excerpt(reply)
    if reply.status == 403:
        return _forbidden(seen, online=online)
    if reply.status == 503 and not reply.header("retry-after"):
        return Fault(Code.SERVER_UNAVAILABLE, seen)
    if reply.status == 500 and b"BackOffMilliseconds" in reply.body:
        return Fault(Code.SERVER_THROTTLED, seen)
    code = _BY_STATUS.get(reply.status)
    return Fault(code, seen) if code else None


def asked_patience(reply: Reply) -> dict[str, str]:
    """For how long the server wants to be left alone, as the fact `wait` in seconds; of Retry-After the number only."""
    if found := _BACK_OFF.search(reply.body):
        return {"wait": str(int(found[1]) / 1000)}
    after = reply.header("retry-after").strip()
    return {"wait": after} if after.isascii() and after.isdecimal() and len(after) < _DIGITS else {}


_BY_STATUS = {
    404: Code.EXCHANGE_NOT_FOUND,
    405: Code.EXCHANGE_NOT_ALLOWED,
    407: Code.EXCHANGE_PRE_AUTHENTICATION,
    408: Code.SERVER_UNAVAILABLE,
    410: Code.EXCHANGE_NOT_FOUND,
    429: Code.SERVER_THROTTLED,
    501: Code.EXCHANGE_NOT_ALLOWED,
    502: Code.SERVER_UNAVAILABLE,
    503: Code.SERVER_THROTTLED,
    504: Code.SERVER_UNAVAILABLE,
}


def _forbidden(seen: str, *, online: bool) -> Fault:
    """IIS tells its reasons by a substatus in the text of its page, if at all."""
    text = fold(seen[:LONGEST]).lower()
    if online:
        # As Microsoft's support quotes it for a list of user agents: microsoftgraph/microsoft-graph-docs issue 19788.
        listed = re.search(r"\ballow ?list\b", text)
        code = Code.EXCHANGE_APP_NOT_LISTED if listed else Code.EXCHANGE_ONLINE_RETIRED
        return Fault(code, seen, date=ENDS.isoformat())
    if re.search(r"\b403\.(6|8|501|502)\b|ip address .{0,40}(reject|block|denied)", text):
        return Fault(Code.SERVER_BLOCKS_ADDRESS, seen)
    if re.search(r"\b403\.(7|12|13|16|17)\b|client certificate", text):
        return Fault(Code.TLS_CLIENT_CERTIFICATE, seen)
    return Fault(Code.EXCHANGE_FORBIDDEN, seen)


# -- after a logon


def judge_logon(reply: Reply, url: str, *, token: bool) -> None:
    """Raises `Fault` unless the answer is SOAP of EWS, whose own codes tell the rest. `token`: it was no password."""
    if reply.status == 401:
        raise Fault(_unauthorised(reply, token=token), excerpt(reply))
    if reply.status == 456:  # Exchange Online: the owner must unlock the account on the web (EWS Managed API)
        raise Fault(Code.AUTH_LOCKED, excerpt(reply))
    if "notfound" in reply.header("x-caserrorcode").lower():
        raise Fault(Code.EXCHANGE_MAILBOX_NOT_FOUND, excerpt(reply))
    if 300 <= reply.status < 400:
        raise _only_passing(_redirected(reply, url))
    if fault := product_marks.gateway(reply) or _refused(reply, online=product_marks.is_online(reply, url)):
        forbidden = fault.code is Code.EXCHANGE_FORBIDDEN
        raise Fault(Code.EXCHANGE_EWS_DISABLED, fault.seen) if forbidden else _only_passing(fault)
    if reply.cut:
        raise Fault(Code.PROTOCOL_OVERSIZE, reply.line)
    if not (_EWS in reply.body and _SOAP.search(reply.body)):
        raise _only_passing(_content(reply))


def _only_passing(fault: Fault) -> Fault:
    """The endpoint passed its check a moment ago: a page in its place is no fact about this mailbox."""
    telling = fault.code in PASSING or fault.code in (
        Code.EXCHANGE_ONLINE_RETIRED,
        Code.EXCHANGE_APP_NOT_LISTED,
        Code.SERVER_BLOCKS_ADDRESS,
    )
    return fault if telling else Fault(Code.PROTOCOL_ERROR, fault.seen)


def _unauthorised(reply: Reply, *, token: bool) -> Code:
    text = fold(excerpt(reply)[:LONGEST])
    if "locked out" in text.lower():
        return Code.AUTH_LOCKED
    told = first_match(ACCOUNT_TEXTS, text)
    if token:
        return Code.AUTH_TOKEN_REJECTED
    return told if told in _ACCOUNT else Code.AUTH_REJECTED


_ACCOUNT = frozenset({Code.AUTH_EXPIRED, Code.AUTH_LOCKED, Code.AUTH_ACCOUNT_DISABLED})
