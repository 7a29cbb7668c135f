"""EWS's own response codes as causes: all that Microsoft documents.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode. A mailbox check asks one
thing, GetFolder for inbox and calendar; what can be an answer to that has a cause of its own. The others belong to
other operations (items, attachments, delegates ...): where one comes all the same, it says nothing of the mailbox.
"""

from collections.abc import Mapping
from typing import Literal

from checks.codes import CODES, Code
from checks.protocols.exchange.other_operations import OTHER_OPERATIONS

Folder = Literal["mail", "calendar"]


def _all(code: Code, names: str) -> dict[str, Code]:
    return dict.fromkeys(("Error" + name for name in names.split()), code)


RESPONSES: Mapping[str, Code] = {
    **dict.fromkeys(OTHER_OPERATIONS, Code.EXCHANGE_OTHER_ERROR),
    # The account and its credential.
    **_all(Code.AUTH_EXPIRED, "PasswordExpired PasswordChangeRequired"),
    **_all(Code.AUTH_ACCOUNT_DISABLED, "AccountDisabled"),
    **_all(Code.AUTH_POLICY, "InvalidLicense UserNotAllowedByPolicy PermissionNotAllowedByPolicy"),
    # The mailbox. "CallerIsInvalidADAccount": the login is no account of the directory that could have one.
    **_all(Code.EXCHANGE_PRIMARY_ADDRESS, "NonPrimarySmtpAddress"),
    **_all(
        Code.EXCHANGE_MAILBOX_NOT_FOUND,
        "NonExistentMailbox MissingEmailAddress InvalidSmtpAddress InvalidMailbox InvalidUserPrincipalName"
        " InvalidUserInfo MissingUserIdInformation NameResolutionNoMailbox NameResolutionNoResults"
        " CallerIsInvalidADAccount",
    ),
    **_all(
        Code.EXCHANGE_ACCESS_DENIED,
        "AccessDenied MailboxLogonFailed NotDelegate DelegateNoUser SubscriptionAccessDenied CreateItemAccessDenied"
        " CreateSubfolderAccessDenied RecoverableItemsAccessDenied SendAsDenied NoFreeBusyAccess",
    ),
    **_all(
        Code.EXCHANGE_IMPERSONATION,
        "ImpersonateUserDenied ImpersonationDenied ImpersonationFailed InvalidExchangeImpersonationHeaderData"
        " InvalidManagementRoleHeader InvalidLogonType InvalidSid InvalidUserSid InvalidUserSidMissingUPN",
    ),
    **_all(
        Code.MAILBOX_BROKEN,
        "CorruptData FolderCorrupt ItemCorrupt MailboxConfiguration DuplicateLegacyDistinguishedName",
    ),
    **_all(Code.MAILBOX_FULL, "QuotaExceeded SubmissionQuotaExceeded"),
    # The moment.
    **_all(Code.SERVER_THROTTLED, "ServerBusy ExceededFindCountLimit ExceededSubscriptionCount"),
    **_all(Code.SERVER_TOO_MANY_CONNECTIONS, "ExceededConnectionCount TooManyObjectsOpened"),
    **_all(Code.EXCHANGE_MOVING, "MailboxMoveInProgress MailboxFailover"),
    **_all(
        Code.EXCHANGE_STORE,
        "MailboxStoreUnavailable ConnectionFailed ConnectionFailedTransientError DataSourceOperation"
        " FolderPropertyRequestFailed FolderPropertRequestFailed NoPublicFolderReplicaAvailable"
        " NoPublicFolderServerAvailable",
    ),
    **_all(
        Code.SERVER_UNAVAILABLE,
        "ADOperation ADUnavailable AutoDiscoverFailed BatchProcessingStopped ClientDisconnected"
        " GetServerSecurityDescriptorFailed InsufficientResources InternalServerError InternalServerTransientError"
        " LogonAsNetworkServiceFailed NoApplicableProxyCASServersAvailable NoRespondingCASInDestinationSite"
        " NotEnoughMemory ProxyCallFailed ProxyRequestProcessingFailed ProxyServiceDiscoveryFailed ProxyTokenExpired"
        " RequestAborted ServiceDiscoveryFailed TimeoutExpired WebRequestInInvalidState Win32InteropError",
    ),
    # One Exchange server to another: how they are set up, and nothing of ours.
    **_all(
        Code.EXCHANGE_PROXYING,
        "CrossSiteRequest InvalidAuthorizationContext InvalidClientSecurityContext InvalidCrossForestCredentials"
        " InvalidNetworkServiceContext InvalidProxySecurityContext InvalidSerializedAccessToken"
        " InvalidSecurityDescriptor LocalServerObjectNotFound MultiLegacyMailboxAccess"
        " NoDestinationCASDueToKerberosRequirements NoDestinationCASDueToSSLRequirements"
        " NoDestinationCASDueToVersionMismatch ProxyGroupSidLimitExceeded ProxyRequestNotAllowed"
        " TokenSerializationDenied AddressSpaceNotFound",
    ),
    **_all(
        Code.EXCHANGE_VERSION,
        "IncorrectSchemaVersion InvalidSchemaVersionForMailboxVersion InvalidServerVersion WrongServerVersion",
    ),
    # The request itself, which is always the same: what is wrong with it is ours.
    **_all(
        Code.EXCHANGE_REQUEST_REFUSED,
        "AccessModeSpecified DuplicateSOAPHeader InvalidAccessLevel InvalidArgument InvalidClientAccessTokenRequest"
        " InvalidFolderId InvalidId InvalidIdEmpty InvalidIdMalformed InvalidIdMalformedEwsLegacyIdFormat"
        " InvalidIdMonikerTooLong InvalidIdStoreObjectIdTooLong InvalidIdXml InvalidOperation InvalidPropertyRequest"
        " InvalidRequest InvalidRoutingType InvalidValueForProperty MissingArgument"
        " MoreThanOneAccessModeSpecified RequestStreamTooBig ResponseSchemaValidation SchemaValidation"
        " UnsupportedCulture ValueOutOfRange DistinguishedUserNotSupported",
    ),
}
"""Every documented response code but `NoError`. What is missing here was made up later, or by somebody else."""

PASSING = frozenset(code for code in RESPONSES.values() if not CODES[code].permanent) - {
    Code.EXCHANGE_OTHER_ERROR,
    Code.EXCHANGE_REQUEST_REFUSED,
    Code.MAILBOX_FULL,
}
"""Causes that may be gone in a minute."""
_GONE: Mapping[Folder, Code] = {"mail": Code.MAILBOX_NO_INBOX, "calendar": Code.EXCHANGE_CALENDAR_MISSING}
_DENIED: Mapping[Folder, Code] = {"mail": Code.EXCHANGE_MAIL_DENIED, "calendar": Code.EXCHANGE_CALENDAR_DENIED}
NOT_THERE = frozenset({"ErrorFolderNotFound", "ErrorItemNotFound", "ErrorParentFolderNotFound", "ErrorNoCalendar"})
"""What says that a folder is not there. Of a mailbox without rights for us, Exchange says it of every folder."""


def translate(response_code: str, folder: Folder | None = None) -> Code:
    """The cause behind an EWS response code (`ErrorAccessDenied`), of one folder or of the whole request.

    One that nobody documents is `protocol.error`: inconclusive.
    """
    if folder and response_code in NOT_THERE:
        return _GONE[folder]
    code = RESPONSES.get(response_code, Code.PROTOCOL_ERROR)
    return _DENIED[folder] if folder and code is Code.EXCHANGE_ACCESS_DENIED else code
