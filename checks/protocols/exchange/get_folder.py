"""GetFolder for inbox and calendar: the request, and the answer where both can be opened.

exchangelib reads every other answer (`checks.protocols.exchange.ews`). It takes a quarter of a second and 27 MB to
load, and more time for each mailbox than everything else of a logon. What is written here is what it writes, byte for
byte, and what is a yes here is one to it: `tests/checks/protocols/exchange/test_get_folder.py` and the fuzzing compare.
"""

import html
import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element  # the type only: what parses is defusedxml

from checks.model import Fault
from checks.network.http import Reply, Request
from checks.network.xml import parsed

FOLDERS = ("inbox", "calendar")
VERSIONS = ("Exchange2010_SP2", "Exchange2010_SP1", "Exchange2010", "Exchange2007_SP1")
"""The versions that are asked for, each when the server has refused the one before. All later ones take the first."""
_WRITABLE = re.compile(r"[!-~]*")
_PLAIN_LONGEST = 16_384  # bytes of an answer; Exchange's own has about 1,500
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
_TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"


class VersionRefused(Fault):
    """The server does not know the version that was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one folder: '' and '' where it can be opened, else EWS's response code and the server's words."""

    response_code: str = ""
    words: str = ""


def writable(address: str) -> bool:
    """Whether `request` writes it as exchangelib does: printable ASCII without blanks."""
    return _WRITABLE.fullmatch(address) is not None


def request(url: str, host: str, address: str, *, impersonate: bool, version: int = 0) -> Request:
    """The question for both folders of a mailbox ('' is the caller's own). `version` is a place in `VERSIONS`.

    `impersonate`: the logon is of an application or a service account, which acts for `address`.
    """
    named = "@" in address  # with a bare user name the server takes the caller's own mailbox
    headers = [
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "*/*"),
        ("Content-Type", "text/xml; charset=utf-8"),
        *([("X-AnchorMailbox", address)] if named else []),  # a hint for front ends
    ]
    body = _envelope(html.escape(address, quote=False), named=named, impersonate=impersonate, version=VERSIONS[version])
    return Request("POST", urlsplit(url).path, host, tuple(headers), body.encode())


def _envelope(address: str, *, named: bool, impersonate: bool, version: str) -> str:
    acting = f"<t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress>"
    acting = f"<t:ExchangeImpersonation><t:ConnectingSID>{acting}</t:ConnectingSID></t:ExchangeImpersonation>"
    folders = "".join(_folder(name, address if named else "") for name in FOLDERS)
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        f'<s:Envelope xmlns:s="{_ENVELOPE}" xmlns:m="{_MESSAGES}" xmlns:t="{_TYPES}">'
        f'<s:Header><t:RequestServerVersion Version="{version}"/>{acting if impersonate else ""}</s:Header>'
        "<s:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
        f"<m:FolderIds>{folders}</m:FolderIds></m:GetFolder></s:Body></s:Envelope>"
    )


def _folder(name: str, address: str) -> str:
    if not address:
        return f'<t:DistinguishedFolderId Id="{name}"/>'
    kind = "<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType>"
    mailbox = f"<t:Mailbox><t:EmailAddress>{address}</t:EmailAddress>{kind}</t:Mailbox>"
    return f'<t:DistinguishedFolderId Id="{name}">{mailbox}</t:DistinguishedFolderId>'


def both_open(reply: Reply) -> bool:
    """Whether this is the plain yes for both folders. False says nothing: exchangelib has to read the answer."""
    if reply.status != 200 or len(reply.body) > _PLAIN_LONGEST:
        return False
    root = parsed(reply.body)
    messages = _response_messages(root) if root is not None else []
    return len(messages) == len(FOLDERS) and all(map(_opened, messages))


def _response_messages(root: Element) -> list[Element]:
    if root.tag != f"{{{_ENVELOPE}}}Envelope":
        return []
    for name in (f"{{{_ENVELOPE}}}Body", f"{{{_MESSAGES}}}GetFolderResponse", f"{{{_MESSAGES}}}ResponseMessages"):
        found = root.findall(name)
        if len(found) != 1:
            return []
        root = found[0]
    return list(root)


def _opened(message: Element) -> bool:
    codes = [code.text for code in message.findall(f"{{{_MESSAGES}}}ResponseCode")]
    folders = message.findall(f"{{{_MESSAGES}}}Folders")
    success = message.tag == f"{{{_MESSAGES}}}GetFolderResponseMessage" and message.get("ResponseClass") == "Success"
    return success and codes == ["NoError"] and len(folders) == 1 and len(folders[0]) > 0
