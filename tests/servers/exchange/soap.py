"""The SOAP that Exchange Web Services speak, in the shapes that Microsoft documents and that people have recorded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.servers.exchange.wire import Answer

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
XML = (("Content-Type", "text/xml; charset=utf-8"), ("Cache-Control", "private"))
BACK_OFF_MS = 178510

# What a response code says: as recorded where a source stands above it, else in the sense of the ResponseCode reference
# https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode
TEXTS = {
    # https://github.com/ecederstrand/exchangelib/issues/682
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorAccountDisabled": "The account that was used in the request is disabled.",
    "ErrorPasswordExpired": "The password for the account has expired.",
    "ErrorPasswordChangeRequired": "The password must be changed before the account can be used.",
    # https://github.com/ecederstrand/exchangelib/issues/763 and /968
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    # https://github.com/jamesiarmes/php-ews/issues/463
    "ErrorMissingEmailAddress": "When making a request as an account that does not have a mailbox, you must specify "
    "the mailbox primary SMTP address for any distinguished folder Ids.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    # https://github.com/grahamr975/EWS-Office365-Contact-Sync/issues/18
    "ErrorImpersonateUserDenied": "The account does not have permission to impersonate the requested user.",
    "ErrorImpersonationFailed": "Exchange Impersonation failed.",
    # https://github.com/OfficeDev/ews-managed-api/issues/245 (the text; the code is not recorded there)
    "ErrorImpersonationRequired": "ExchangeImpersonation SOAP header must be present for this type of OAuth token.",
    # https://github.com/mguessan/davmail/issues/161
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorExceededConnectionCount": "You have exceeded the available concurrent connections for your account. "
    "Try again once your other requests have completed.",
    "ErrorMailboxMoveInProgress": "The mailbox is being moved to another server. Try again later.",
    "ErrorMailboxFailover": "The mailbox is failing over to another server. Try again later.",
    "ErrorMailboxStoreUnavailable": "The mailbox database is temporarily unavailable.",
    "ErrorMailboxLogonFailed": "The mailbox cannot be logged on to.",
    "ErrorConnectionFailed": "Connection failed. Try later.",
    "ErrorTimeoutExpired": "The request timed out.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInternalServerTransientError": "An internal server error occurred. Try again later.",
    # https://github.com/OfficeDev/ews-java-api/issues/289
    "ErrorNoRespondingCASInDestinationSite": "Exchange Web Services are not currently available for this request "
    "because none of the Client Access Servers in the destination site could process the request.",
    "ErrorInvalidRequest": "The request is invalid.",
    "ErrorQuotaExceeded": "The mailbox quota has been exceeded.",
}
NO_ERROR = "NoError"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a GetFolder request asks: distinguished folder names in order, the mailbox named with them ("" is the
    caller's own), and the address that the caller wants to impersonate ("" is nobody)."""

    folders: tuple[str, ...]
    mailbox: str
    impersonates: str


def asked(body: bytes) -> Asked | None:
    """Read a request. None when it is no GetFolder."""
    if not re.search(rb"<(\w+:)?GetFolder[\s>]", body):
        return None
    folders = tuple(name.decode() for name in re.findall(rb"DistinguishedFolderId[^>]*\bId=[\"'](\w+)", body))
    header, _, rest = body.partition(b"Body>")
    return Asked(folders, _address(rest, rb"EmailAddress"), _impersonated(header))


def _impersonated(header: bytes) -> str:
    names = rb"PrimarySmtpAddress|SmtpAddress|PrincipalName"
    return _address(header, names) if b"ConnectingSID" in header else ""


def _address(xml: bytes, element: bytes) -> str:
    found = re.search(rb"<(?:\w+:)?(?:" + element + rb")>\s*([^<\s]+)\s*<", xml)
    return found[1].decode().lower() if found else ""


def folders(codes: Sequence[tuple[str, str]], version: str) -> Answer:
    """The answer to GetFolder: one message for each (folder, response code), errors among them as items.

    https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getfolder-operation, the error
    items and their DescriptiveLinkKey as recorded in https://github.com/ecederstrand/exchangelib/issues/610.
    """
    messages = "".join(_message(folder, code) for folder, code in codes)
    body = (
        f'<m:GetFolderResponse xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">'
        f"<m:ResponseMessages>{messages}</m:ResponseMessages></m:GetFolderResponse>"
    )
    return Answer(200, _envelope(body, version), XML)


def _message(folder: str, code: str) -> str:
    if code != NO_ERROR:
        return (
            f'<m:GetFolderResponseMessage ResponseClass="Error"><m:MessageText>{_text(code)}</m:MessageText>'
            f"<m:ResponseCode>{code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>"
            f"{_back_off('m') if code == 'ErrorServerBusy' else ''}</m:GetFolderResponseMessage>"
        )
    kind = "CalendarFolder" if folder == "calendar" else "Folder"
    return (
        '<m:GetFolderResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Folders>'
        f'<t:{kind}><t:FolderId Id="AAMk{folder}=" ChangeKey="AQAAABYAAAA"/></t:{kind}>'
        "</m:Folders></m:GetFolderResponseMessage>"
    )


def _text(code: str) -> str:
    return escape(TEXTS.get(code, "The request failed."))


def fault(code: str, version: str = "", status: int = 500) -> Answer:
    """A SOAP fault as Exchange sends it, with HTTP status 500 (no SOAP header: it fails before the version is known).

    Shape recorded in https://github.com/mguessan/davmail/issues/161.
    """
    text = _text(code)
    body = (
        f'<s:Fault><faultcode xmlns:a="{TYPES}">a:{code}</faultcode><faultstring xml:lang="en-US">{text}</faultstring>'
        f'<detail><e:ResponseCode xmlns:e="{ERRORS}">{code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{text}</e:Message>{_back_off("t") if code == "ErrorServerBusy" else ""}'
        "</detail></s:Fault>"
    )
    return Answer(status, _envelope(body, version), XML)


def _back_off(prefix: str) -> str:
    """How long to stay away: the item's MessageXml is a message's child, the fault's is in the types' namespace."""
    space = f' xmlns:t="{TYPES}"'
    own = space if prefix == "t" else ""
    return (
        f'<{prefix}:MessageXml{own}><t:Value Name="BackOffMilliseconds"{space if not own else ""}>'
        f"{BACK_OFF_MS}</t:Value></{prefix}:MessageXml>"
    )


def _envelope(body: str, version: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"{_header(version)}<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _header(version: str) -> str:
    """`version` is `major.minor.build.revision`; the shape is recorded in exchangelib issues 610 and 901."""
    if not version:
        return ""
    major, minor, build, revision = version.split(".")
    return (
        f'<s:Header><h:ServerVersionInfo MajorVersion="{major}" MinorVersion="{minor}" MajorBuildNumber="{build}" '
        f'MinorBuildNumber="{revision}" Version="V2017_07_11" xmlns:h="{TYPES}" xmlns="{TYPES}"/></s:Header>'
    )
