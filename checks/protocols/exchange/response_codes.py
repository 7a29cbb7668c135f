"""EWS's own response codes as causes."""

from typing import Literal

from checks.codes import Code

Folder = Literal["mail", "calendar"]

# https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode
_RESPONSES = {
    "ErrorPasswordExpired": Code.AUTH_EXPIRED,
    "ErrorPasswordChangeRequired": Code.AUTH_EXPIRED,
    "ErrorAccountDisabled": Code.AUTH_ACCOUNT_DISABLED,
    "ErrorUserNotAllowedByPolicy": Code.AUTH_POLICY,
    "ErrorAccessDenied": Code.EXCHANGE_ACCESS_DENIED,
    "ErrorMailboxLogonFailed": Code.EXCHANGE_ACCESS_DENIED,
    "ErrorNonExistentMailbox": Code.EXCHANGE_MAILBOX_NOT_FOUND,
    "ErrorMissingEmailAddress": Code.EXCHANGE_MAILBOX_NOT_FOUND,
    "ErrorNonPrimarySmtpAddress": Code.EXCHANGE_MAILBOX_NOT_FOUND,
    "ErrorImpersonateUserDenied": Code.EXCHANGE_IMPERSONATION,
    "ErrorImpersonationDenied": Code.EXCHANGE_IMPERSONATION,
    "ErrorImpersonationFailed": Code.EXCHANGE_IMPERSONATION,
    "ErrorInvalidExchangeImpersonationHeaderData": Code.EXCHANGE_IMPERSONATION,
    "ErrorServerBusy": Code.SERVER_THROTTLED,
    "ErrorExceededConnectionCount": Code.SERVER_TOO_MANY_CONNECTIONS,
    "ErrorTooManyObjectsOpened": Code.SERVER_TOO_MANY_CONNECTIONS,
    "ErrorMailboxMoveInProgress": Code.EXCHANGE_MOVING,
    "ErrorMailboxFailover": Code.EXCHANGE_MOVING,
    "ErrorMailboxStoreUnavailable": Code.EXCHANGE_STORE,
    "ErrorConnectionFailed": Code.EXCHANGE_STORE,
    "ErrorConnectionFailedTransientError": Code.EXCHANGE_STORE,
    **dict.fromkeys(
        (
            "ErrorADOperation",
            "ErrorADUnavailable",
            "ErrorInsufficientResources",
            "ErrorInternalServerError",
            "ErrorInternalServerTransientError",
            "ErrorNoApplicableProxyCASServersAvailable",
            "ErrorNoRespondingCASInDestinationSite",
            "ErrorNotEnoughMemory",
            "ErrorProxyCallFailed",
            "ErrorProxyRequestProcessingFailed",
            "ErrorServiceDiscoveryFailed",
            "ErrorTimeoutExpired",
        ),
        Code.SERVER_UNAVAILABLE,
    ),
}
PASSING = frozenset(
    {
        Code.SERVER_THROTTLED,
        Code.SERVER_TOO_MANY_CONNECTIONS,
        Code.SERVER_UNAVAILABLE,
        Code.EXCHANGE_MOVING,
        Code.EXCHANGE_STORE,
    }
)
"""Causes that may be gone in a minute."""
_FOLDER: dict[Folder, dict[str, Code]] = {
    "mail": {
        "ErrorFolderNotFound": Code.MAILBOX_NO_INBOX,
        "ErrorItemNotFound": Code.MAILBOX_NO_INBOX,
        "ErrorAccessDenied": Code.EXCHANGE_MAIL_DENIED,
    },
    "calendar": {
        "ErrorFolderNotFound": Code.EXCHANGE_CALENDAR_MISSING,
        "ErrorItemNotFound": Code.EXCHANGE_CALENDAR_MISSING,
        "ErrorNoCalendar": Code.EXCHANGE_CALENDAR_MISSING,
        "ErrorAccessDenied": Code.EXCHANGE_CALENDAR_DENIED,
    },
}


def translate(response_code: str, folder: Folder | None = None) -> Code:
    """The cause behind an EWS response code (`ErrorAccessDenied`), of one folder or of the whole request.

    One that we do not know is `protocol.error`: inconclusive.
    """
    if folder and response_code in _FOLDER[folder]:
        return _FOLDER[folder][response_code]
    return _RESPONSES.get(response_code, Code.PROTOCOL_ERROR)
