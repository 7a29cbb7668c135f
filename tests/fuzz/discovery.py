"""Targets of discovery: what strangers publish, as documents and over HTTP."""

import contextlib

from checks.discovery.model import Candidate, Evidence, LoginName, Source
from checks.discovery.reading import MOST_SERVERS, PORTS
from checks.discovery.sources.autoconfig import candidate_in as autoconfig_in
from checks.discovery.sources.autoconfig import mx_domains
from checks.discovery.sources.autodiscover import candidates_in, url_in
from checks.discovery.sources.pacc import candidate_in as pacc_in
from checks.discovery.sources.pacc import digests_in
from checks.discovery.web import Unpublished, _joined, _parts  # what reads a stranger's URL
from checks.model import Fault, Invalid, Protocol
from checks.protocols.exchange.url import endpoint_of
from checks.settings import normalise_host
from tests.fuzz.target import Target

_DOMAIN = "corp.example"
_AUTOCONFIG = (
    b'<clientConfig version="1.1"><emailProvider id="x"><displayName>X</displayName><incomingServer type="imap">'
    b"<hostname>imap.corp.example</hostname><port>993</port><socketType>SSL</socketType>"
    b"<username>%EMAILADDRESS%</username><authentication>OAuth2</authentication></incomingServer>"
    b'<outgoingServer type="smtp"><hostname>smtp.%EMAILDOMAIN%</hostname><port>587</port>'
    b"<socketType>STARTTLS</socketType></outgoingServer></emailProvider></clientConfig>",
)
_AUTODISCOVER = (
    b'<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response><Account>'
    b"<Protocol><Type>EXPR</Type><EwsUrl>https://mail.corp.example/EWS/Exchange.asmx</EwsUrl></Protocol>"
    b"<Protocol><Type>IMAP</Type><Server>imap.corp.example</Server><Port>993</Port><SSL>on</SSL></Protocol>"
    b"</Account></Response></Autodiscover>",
    b'{"Protocol":"EWS","Url":"https://outlook.office365.com/EWS/Exchange.asmx"}',
)
_PACC = (
    b'{"protocols":{"imap":{"host":"imap.corp.example"},"smtp":{"host":"smtp.corp.example"}},'
    b'"authentication":{"password":true},"info":{"provider":{"name":"Corp"}}}',
    b"v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
)
_XML_WORDS = (
    b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>", b"&a;", b"&#0;", b"<?xml version='1.0' encoding='x'?>", b"<port>0</port>",
    b"<port>99999999999999999999</port>", b"<hostname>127.0.0.1</hostname>", b"<hostname>[::1]</hostname>", b"<a>",
    b"</a>", b"<emailProvider>", b"<socketType>plain</socketType>", b"%EMAILDOMAIN%", b"{address}", b"<!--", b"]]>",
    b"\xff\xfe", b"<Protocol>", b"<Type>SMTP</Type>", b"<EwsUrl>http://[", b"<Port>25</Port>", b"xmlns:q='urn:q' ",
)  # fmt: skip
_JSON_WORDS = (
    b"[" * 500, b'{"a":' * 500, b'"host":1', b'"host":null', b"1e999", b"9" * 5000, b'"\\ud800"', b'"protocols":[]',
    b"NaN", b'"url":', b"v=UAAC1", b"a=sha256", b"d=", b"=", b";", b"\0", b'"host":"a\\u0000b"',
)  # fmt: skip
_URL_WORDS = (
    b"https://",
    b"http://[",
    b"//",
    b"@",
    b":443",
    b":22",
    b"\\",
    b"\r\nX: y",
    b"%00",
    b"..",
    b"?",
    b"#",
    b"[::1]",
)


def _sound(*found: Candidate | None) -> bool:
    """Whatever is proposed is a host and a port that we would ask; never a login."""
    for candidate in filter(None, found):
        for servers in candidate.servers:
            assert len(servers) <= MOST_SERVERS
            for server in servers:
                assert server.host == normalise_host(server.host)
                assert server.protocol is Protocol.HTTPS or server.port in PORTS[server.protocol]
        assert (candidate.login is LoginName.OTHER) == bool(candidate.template)
    return False


def _autoconfig(data: bytes) -> bool:
    mx_domains(data.decode("latin-1"))
    return _sound(autoconfig_in(data, Source.AUTOCONFIG, Evidence.PUBLISHED, "x", _DOMAIN))


def _autodiscover(data: bytes) -> bool:
    _sound(*candidates_in(data, "x"))
    url = url_in(data)
    with contextlib.suppress(Invalid):
        endpoint_of(url)
    return False


def _pacc(data: bytes) -> bool:
    assert all(isinstance(digest, bytes) for digest in digests_in([data]))
    return _sound(pacc_in(data, "x", Evidence.PUBLISHED))


def _url(data: bytes) -> bool:
    try:
        scheme, host, target = _parts(_joined("https://autoconfig.corp.example/x", data.decode("latin-1")))
    except (Unpublished, Fault):
        return False
    assert scheme in {"http", "https"} and host == normalise_host(host)
    assert target.startswith("/") and target.isascii() and target.isprintable() and " " not in target
    return False


TARGETS = (
    Target("autoconfig", _AUTOCONFIG, _XML_WORDS, _autoconfig),
    Target("autodiscover", _AUTODISCOVER, _XML_WORDS + _JSON_WORDS, _autodiscover),
    Target("pacc", _PACC, _JSON_WORDS, _pacc),
    Target("location", (b"/mail/config-v1.1.xml", b"https://autoconfig.hoster.example/x?y=z"), _URL_WORDS, _url),
)  # fmt: skip
