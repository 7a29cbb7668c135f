"""Targets of Exchange: HTTP, SOAP, NTLM, Autodiscover and the token endpoint."""

import base64

from checks.clients.python import PYTHON
from checks.model import Credential, CredentialKind
from checks.network.http import Reply, Request, exchange
from checks.oauth.client_secret import ClientSecret
from checks.oauth.token_endpoint import _token_in as token_in  # the part that reads
from checks.protocols.exchange import ews, get_folder
from checks.protocols.exchange.auth import logon
from checks.protocols.exchange.autodiscover import _url_in as url_in  # the part that reads
from checks.protocols.exchange.replies import judge_logon, judge_probe, require_usable, server_version
from tests.fuzz.mail import SECRET
from tests.fuzz.pair import says
from tests.fuzz.target import Target, lines_of

URL = "https://mail.lab.example/EWS/Exchange.asmx"
_ASKED = Request("POST", "/EWS/Exchange.asmx", "mail.lab.example")
_CLIENT = ClientSecret("login.lab.example", 443, "/token", "client", SECRET)
_USER = Credential("somebody@lab.example", SECRET, CredentialKind.PASSWORD)
_HTTP_WORDS = (
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 401 x\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 403 x\r\n",
    b"HTTP/1.1 456 x\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: -5\r\n", b"Content-Length: 5\r\n",
    b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n", b"\r\n-5\r\n", b"\r\n-1\r\n", b"\r\nffffffff\r\n",
    b"WWW-Authenticate: ", b'Basic realm="', b'\\"', b"Location: http://[", b"Location: //", b"Set-Cookie: F5_ST=",
    b"ServerVersionInfo ", b'MajorVersion="1" ', b"<ResponseCode", b"<s:Envelope>", b"</s:Envelope>", b"<html>",
    b"http://schemas.microsoft.com/exchange/services/2006", b"access denied", b"<title>", b'{"Url":', b"[[[[",
)  # fmt: skip
_SOAP_WORDS = (
    b"<m:Folders>", b"</m:Folders>", b"<t:Folder>", b"NoError", b"ErrorServerBusy", b"ErrorOfItsOwn", b"soon", b"&lol;",
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<!DOCTYPE x>", b'ResponseClass="Error"', b'ResponseClass="Warning"',
    b"<m:ResponseCode>", b"</m:ResponseCode>", b"<m:MessageText/>", b"<t:Value Name='BackOffMilliseconds'>",
    b' xmlns:q="urn:q"', b"<s:Body>", b"</s:Body>", b"<s:Fault>", b"<detail/>", b"&#0;", b"&#x110000;",
)  # fmt: skip
_NTLM = (
    b"NTLMSSP\0\x02\0\0\0\x06\0\x06\0\x38\0\0\0\x35\x82\x8a\xe2\x01\x23\x45\x67\x89\xab\xcd\xef" + bytes(8)
    + b"\x1c\0\x1c\0\x3e\0\0\0\x0a\0\x7c\x4f\0\0\0\x0f" + "LAB".encode("utf-16-le")
    + b"\x02\0\x06\0" + "LAB".encode("utf-16-le") + b"\x07\0\x08\0" + bytes(8) + bytes(4),
    b"NTLMSSP\0\x02\0\0\0" + bytes(44),
)  # fmt: skip


def _probe(data: bytes) -> bool:
    with says(data) as stream:
        reply = exchange(stream, _ASKED.encoded())
    server_version(reply)
    require_usable(judge_probe(reply, URL))
    return False


def _documents(data: bytes) -> bool:
    with says(data) as stream:
        reply = exchange(stream, _ASKED.encoded())
    url_in(reply.body)
    token_in(reply, _CLIENT)
    return False


def _ask(data: bytes) -> bool:
    plain = False

    def wire(request: Request) -> Reply:
        nonlocal plain
        with says(data) as stream:
            reply = exchange(stream, request.encoded())
        judge_logon(reply, URL, token=False)
        plain = get_folder.both_open(reply)
        return reply

    mail, calendar = ews.ask(URL, "mail.lab.example", "somebody@lab.example", wire, impersonate=False)
    opened = not mail.response_code and not calendar.response_code
    if plain and not opened:
        raise AssertionError("a plain yes to us is none to exchangelib")
    return opened


def _soap(data: bytes) -> bool:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(data)}\r\n\r\n"
    return _ask(head.encode() + data)


def _ntlm(data: bytes) -> bool:
    token = base64.b64encode(data)
    head = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM " + token + b"\r\nContent-Length: 0\r\n\r\n"
    hidden: list[str] = []
    with says(head + b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") as stream:
        reply = logon("NTLM", _USER, hidden, PYTHON.ews)(stream, _ASKED)
    if reply.status != 401:
        raise AssertionError("another answer than the one that was given")
    return False


def _folders(data: bytes) -> bool:
    return data.count(b"NoError") > 1


TARGETS = (
    Target("http", lines_of("http"), _HTTP_WORDS, _probe),
    Target("http-documents", lines_of("http"), _HTTP_WORDS, _documents),
    Target("http-logon", lines_of("http"), _HTTP_WORDS, _ask, _folders),
    Target("soap", lines_of("soap"), _SOAP_WORDS, _soap, _folders),
    Target("ntlm", _NTLM, (b"\xff\xff", b"\x0a\0\0\0", b"\x07\0\x01\0", b"\x77\x77\0\0"), _ntlm),
)
