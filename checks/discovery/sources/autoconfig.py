"""Mail Autoconfig (draft-ietf-mailmaint-autoconfig-06), the XML that Thunderbird began: of the domain, and of its MX.

The central database (ISPDB) is not asked: that would tell a third party whose settings are looked for.
"""

from functools import partial
from typing import NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import Element  # the type only

from checks import redact
from checks.discovery.model import (
    Attempt,
    Candidate,
    Evidence,
    LoginName,
    Password,
    Source,
    SourceReport,
)
from checks.discovery.reading import MOST_SERVERS, distinct, endpoint
from checks.discovery.sources.asking import Asked, Found, noted
from checks.discovery.web import Page, document, get
from checks.model import Authentication, Endpoint, Protocol, Security
from checks.network.xml import name, parsed, text, texts

_PATH = "/mail/config-v1.1.xml"
_SECURITY = {"ssl": Security.TLS, "starttls": Security.STARTTLS}
_NO_LOGIN = frozenset({"none", "client-ip-address", "client-ip", "smtp-after-pop"})
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gr", "lg", "ne", "net", "or", "org"})
_COUNTRY = 2  # letters of its top-level domain


class _Place(NamedTuple):
    """Where a document may be; `evidence` is what it is worth if it comes by HTTPS all the way."""

    url: str
    evidence: Evidence
    plain: bool = False


def ask(asked: Asked) -> SourceReport:
    """What the domain publishes itself, by HTTPS at two places, by plain HTTP at one."""
    domain, address = asked.subject.domain, asked.subject.address
    about = f"?emailaddress={quote(address, safe='@')}" if address else ""
    places = (
        _Place(f"https://autoconfig.{domain}{_PATH}{about}", Evidence.PUBLISHED),
        _Place(f"https://{domain}/.well-known/autoconfig{_PATH}", Evidence.PUBLISHED),
        # without the address: anybody on the way could read it
        _Place(f"http://autoconfig.{domain}{_PATH}", Evidence.PLAIN_HTTP, plain=True),
    )
    return _report(Source.AUTOCONFIG, asked, places)


def ask_by_mx(asked: Asked) -> SourceReport:
    """What the provider publishes that receives the domain's mail. The mailbox is not named to it."""
    answer, note = asked.records(Source.AUTOCONFIG_BY_MX, asked.subject.domain, "MX")
    hosts = [record.target for record in sorted(answer.records, key=lambda record: record.priority)]
    full, base = mx_domains(hosts[0] if hosts else "")
    # Which part of a name is registered we only conclude from its form: DNSSEC does not vouch for that.
    signed = Evidence.DNSSEC if answer.authenticated else Evidence.DNS
    worth = {base: Evidence.DNS} | {full: signed}
    places = tuple(
        _Place(f"https://autoconfig.{each}{_PATH}", worth[each])
        for each in dict.fromkeys((full, base))
        if each and each != asked.subject.domain  # that was asked already
    )
    found = _report(Source.AUTOCONFIG_BY_MX, asked, places)
    return SourceReport(found.source, found.candidates, (note, *found.attempts))


def mx_domains(host: str) -> tuple[str, str]:
    """The domains of an MX host: without its first label, and the one that is registered as far as a name can tell.

    '' for each where there is none. Without the Public Suffix List, `co.uk` and its like are known by their form.
    """
    labels = host.split(".")
    if len(labels) < 3:
        return (host if len(labels) == 2 else ""), ""
    country = len(labels[-1]) == _COUNTRY and (labels[-2] in _SECOND_LEVEL or len(labels[-2]) <= _COUNTRY)
    base = labels[-3:] if country else labels[-2:]
    full = labels[1:]
    return ".".join(full if len(full) >= len(base) else base), ".".join(base)


def _report(source: Source, asked: Asked, places: tuple[_Place, ...]) -> SourceReport:
    results = asked.at_once(
        partial(noted, source, _shown(place.url), partial(_fetch, place, asked, source)) for place in places
    )
    found = [candidate for candidates, _ in results for candidate in candidates]
    attempts: tuple[Attempt, ...] = tuple(note for _, note in results)
    secure = any(candidate.evidence is not Evidence.PLAIN_HTTP for candidate in found)
    kept = [each for each in found if not (secure and each.evidence is Evidence.PLAIN_HTTP)]
    return SourceReport(source, tuple(kept), attempts)


def _shown(url: str) -> str:
    """A URL without the address in it: what was tried is kept, and shown to others."""
    return url.partition("?")[0]


def _fetch(place: _Place, asked: Asked, source: Source) -> Found:
    page: Page = get(place.url, asked.outside, asked.deadline, plain=place.plain)
    evidence = place.evidence if page.secure else Evidence.PLAIN_HTTP
    found = candidate_in(document(page), source, evidence, _shown(place.url), asked.subject.domain)
    return (found,) if found else ()


def candidate_in(body: bytes, source: Source, evidence: Evidence, place: str, domain: str) -> Candidate | None:
    """What a document proposes to a domain; None where it is none, or has no server for mail that speaks TLS."""
    root = parsed(body)
    provider = None if root is None else next((each for each in root if name(each) == "emailprovider"), None)
    if provider is None:
        return None
    incoming = [each for each in provider if _is(each, "incomingserver", "imap")]
    outgoing = [each for each in provider if _is(each, "outgoingserver", "smtp")]
    imap = distinct(*(_endpoint(each, Protocol.IMAP, domain) for each in incoming[: 2 * MOST_SERVERS]))
    smtp = distinct(*(_endpoint(each, Protocol.SMTP, domain) for each in outgoing[: 2 * MOST_SERVERS]))
    if not imap and not smtp:
        return None
    first = next(iter(incoming or outgoing))
    login, template = login_name(text(first, "username"))
    return Candidate(
        source,
        evidence,
        place,
        imap,
        smtp,
        login=login,
        template=template,
        password=_password([way.lower() for way in texts(first, "authentication")]),
        provider=redact.words(text(provider, "displayname")),
    )


def _is(element: Element, tag: str, kind: str) -> bool:
    return name(element) == tag and element.get("type", "").lower() == kind


def _endpoint(server: Element, protocol: Protocol, domain: str) -> Endpoint | None:
    security = _SECURITY.get(text(server, "sockettype").lower())
    if security is None:  # "plain": a password would go out in clear
        return None
    ways = {way.lower() for way in texts(server, "authentication")}
    relay = protocol is Protocol.SMTP and bool(ways) and ways <= _NO_LOGIN
    authentication = Authentication.NONE if relay else Authentication.LOGIN
    host = text(server, "hostname").replace("%EMAILDOMAIN%", domain)
    return endpoint(protocol, host, text(server, "port"), security, authentication)


def login_name(template: str) -> tuple[LoginName, str]:
    """What the user name is, and the template of it where it is one of its own."""
    if template == "%EMAILADDRESS%":
        return LoginName.ADDRESS, ""
    if template == "%EMAILLOCALPART%":
        return LoginName.LOCAL_PART, ""
    if template == "%EMAILLOCALPART%@%EMAILDOMAIN%":
        return LoginName.ADDRESS, ""
    if not template or len(template) > 200 or not template.isprintable():
        return LoginName.UNKNOWN, ""
    plain = template.replace("{", "").replace("}", "")
    for theirs, ours in (("ADDRESS", "address"), ("LOCALPART", "local"), ("DOMAIN", "domain")):
        plain = plain.replace(f"%EMAIL{theirs}%", "{" + ours + "}")
    return (LoginName.OTHER, plain) if "{" in plain else (LoginName.UNKNOWN, "")


def _password(ways: list[str]) -> Password:
    if any(way.startswith("password") for way in ways):
        return Password.NORMAL
    return Password.OAUTH2 if "oauth2" in ways else Password.UNKNOWN
