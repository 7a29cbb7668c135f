"""Autodiscover of Exchange, as far as it answers without credentials: XML (POX, [MS-OXDSCLI]) and JSON (v2).

SOAP is left out: it tells nothing to somebody without a password. The XML is also how other mail servers publish IMAP
and SMTP for Outlook. Where a domain has no certificate for its own Autodiscover host, Outlook asks by plain HTTP where
to go, and then a person; so is it here: what was found like that is not trusted.
"""

import json
from dataclasses import replace
from functools import partial
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import Element  # the type only
from xml.sax.saxutils import escape

from checks.discovery.model import Attempt, Candidate, Evidence, LoginName, Outcome, Source, SourceReport
from checks.discovery.reading import distinct, endpoint
from checks.discovery.sources.asking import Asked, Found, noted
from checks.discovery.sources.srv import ordered
from checks.discovery.web import Page, Unpublished, document, get, post
from checks.model import Endpoint, Invalid, Protocol, Security
from checks.network.xml import name, parsed, text
from checks.protocols.exchange.url import endpoint_of

_XML, _JSON = "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.json"
_SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
_SIGNS = ("x-feserver", "x-diaginfo", "x-owa-version", "x-calculatedbetarget")
"""Headers that Exchange's own front end sends, also with the 401 of who has no password."""
_URLS = ("ewsurl", "asurl")
_SECURED = {"on": Security.TLS, "ssl": Security.TLS, "tls": Security.STARTTLS}
_MAIL = {"imap": Protocol.IMAP, "smtp": Protocol.SMTP}


def ask(asked: Asked) -> SourceReport:
    """What the domain's own hosts say, and whoever they lead to."""
    domain = asked.subject.domain
    host = f"autodiscover.{domain}"
    calls = (
        (f"https://{host}{_XML}", partial(_by_xml, host, asked)),
        (f"https://{domain}{_XML}", partial(_by_xml, domain, asked)),
        (f"https://{host}{_JSON}", partial(_by_json, host, asked, Evidence.PUBLISHED)),
        (f"http://{host}{_XML}", partial(_by_http, host, asked)),
    )
    by_srv = asked.pool.submit(_by_srv, asked)
    results = asked.at_once(partial(noted, Source.AUTODISCOVER, what, call) for what, call in calls)
    (found, notes), also = by_srv.result(), [candidate for candidates, _ in results for candidate in candidates]
    attempts = (*(note for _, note in results), *notes)
    return SourceReport(Source.AUTODISCOVER, _most_trusted((*also, *found)), attempts)


def _most_trusted(found: tuple[Candidate, ...]) -> Found:
    """Each of the servers once, as the best evidence has it."""
    best: dict[object, Candidate] = {}
    for each in sorted(found, key=lambda candidate: (candidate.assumed, not candidate.evidence.trusted)):
        best.setdefault(each.servers, each)
    return tuple(best.values())


def _by_srv(asked: Asked) -> tuple[Found, tuple[Attempt, ...]]:
    answer, note = asked.records(Source.AUTODISCOVER, f"_autodiscover._tcp.{asked.subject.domain}", "SRV")
    records = [record for record in ordered(answer.records) if record.port == 443][:1]
    evidence = Evidence.DNSSEC if answer.authenticated else Evidence.DNS
    results = [
        noted(Source.AUTODISCOVER, f"https://{record.target}{_JSON}", partial(_by_json, record.target, asked, evidence))
        for record in records
    ]
    found = tuple(candidate for candidates, _ in results for candidate in candidates)
    return found, (note, *(each for _, each in results))


def _by_http(host: str, asked: Asked) -> Found:
    """Where plain HTTP leads to is asked by HTTPS, and trusted no more than plain HTTP is."""
    page = get(f"http://{host}{_XML}", asked.outside, asked.deadline, plain=True)
    if page.host == host:
        raise Unpublished(Outcome.NOTHING, page.reply.line)
    return _by_json(page.host, asked, Evidence.PLAIN_HTTP)


def _by_json(host: str, asked: Asked, evidence: Evidence) -> Found:
    address = asked.subject.address if evidence is Evidence.PUBLISHED else ""
    about = quote(address or f"postmaster@{asked.subject.domain}", safe="@")
    page = get(f"https://{host}{_JSON}?Email={about}&Protocol=EWS", asked.outside, asked.deadline)
    return _exchange(url_in(document(page)), evidence, f"https://{host}{_JSON}")


def url_in(body: bytes) -> str:
    """The URL that a JSON answer names, '' where it is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    url = answer.get("Url") if isinstance(answer, dict) else None
    return url if isinstance(url, str) else ""


def _by_xml(host: str, asked: Asked) -> Found:
    """Once more where it is redirected, by HTTP or by its XML; the address is told to the domain's own host only."""
    place, postmaster = f"https://{host}{_XML}", f"postmaster@{asked.subject.domain}"
    page = post(place, _question(asked.subject.address or postmaster), asked.outside, asked.deadline)
    if further := page.further or redirect_in(page.reply.body):
        page = post(further, _question(postmaster), asked.outside, asked.deadline)
    if page.reply.status == 401 and _is_exchange(page):
        # It tells more to who has a password only; that EWS is beside it is seen when it is tried.
        found = _exchange(f"https://{page.host}/EWS/Exchange.asmx", Evidence.PUBLISHED, place)
        return tuple(replace(candidate, assumed=True) for candidate in found)
    return candidates_in(document(page), place)


def _question(address: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<Autodiscover xmlns="{_SCHEMA}/requestschema/2006"><Request><EMailAddress>{escape(address)}</EMailAddress>'
        f"<AcceptableResponseSchema>{_SCHEMA}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


def redirect_in(body: bytes) -> str:
    """The URL of the action `redirectUrl` of an XML answer, '' where there is none."""
    root = parsed(body)
    accounts = [] if root is None else [each for each in root.iter() if name(each) == "account"]
    return next((text(each, "redirecturl") for each in accounts if text(each, "action") == "redirectUrl"), "")


def _is_exchange(page: Page) -> bool:
    ways = " ".join(page.reply.values("www-authenticate")).lower()
    return any(page.reply.header(sign) for sign in _SIGNS) or "ntlm" in ways or "negotiate" in ways


def candidates_in(body: bytes, place: str) -> Found:
    """What an XML answer proposes: Exchange, or IMAP and SMTP, or both."""
    root = parsed(body)
    if root is None or name(root) != "autodiscover":
        return ()
    protocols = [each for each in root.iter() if name(each) == "protocol"]
    urls = [text(each, tag) for each in protocols for tag in _URLS]
    exchange = _exchange(next(filter(None, urls), ""), Evidence.PUBLISHED, place)
    return (*exchange, *_mail(protocols, place))


def _exchange(url: str, evidence: Evidence, place: str) -> Found:
    """Exchange at a URL of EWS, or of a sister service beside it."""
    try:
        parts = urlsplit(url)
        if parts.scheme.lower() != "https" or parts.port not in {None, 443}:
            return ()
        at = endpoint_of(url)
    except (Invalid, ValueError):
        return ()
    at = Endpoint(at.protocol, at.host, at.port, at.security, at.url)
    return (Candidate(Source.AUTODISCOVER, evidence, place, exchange=at, login=LoginName.ADDRESS),)


def _mail(protocols: list[Element], place: str) -> Found:
    servers: dict[Protocol, list[Endpoint | None]] = {Protocol.IMAP: [], Protocol.SMTP: []}
    names: list[str] = []
    for each in protocols[:20]:
        if kind := _MAIL.get(text(each, "type").lower()):
            servers[kind].append(endpoint(kind, text(each, "server"), text(each, "port"), _security(each)))
            names.append(text(each, "loginname"))
    imap, smtp = distinct(*servers[Protocol.IMAP]), distinct(*servers[Protocol.SMTP])
    if not imap and not smtp:
        return ()
    login = LoginName.ADDRESS if "@" in next(iter(names), "") else LoginName.UNKNOWN
    return (Candidate(Source.AUTODISCOVER, Evidence.PUBLISHED, place, imap, smtp, login=login),)


def _security(protocol: Element) -> Security:
    """`Encryption` outranks `SSL`, which is on where nothing is said. Where neither is on, the port tells."""
    said = text(protocol, "encryption").lower() or text(protocol, "ssl").lower() or "on"
    return _SECURED.get(said, Security.AUTO)
