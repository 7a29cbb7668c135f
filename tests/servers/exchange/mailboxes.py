"""How a mailbox can behave to the right password: the second half of `tests.servers.exchange.scenarios`."""

from tests.servers.exchange import pages, soap
from tests.servers.exchange.kinds import MailboxScenario
from tests.servers.exchange.wire import Answer

BOX = MailboxScenario
FOREVER = 3600.0
DRIP = Answer(200, b"<" * 3600, soap.XML, pause=1.0)
FLOOD = Answer(200, b"<!-- -->" * 8192, soap.XML, repeat=1024)


def _both(name: str, code: str, says: str) -> MailboxScenario:
    """Both folders are answered with the same error, as items."""
    return BOX(name, code, f"items: {says}", inbox=says, agenda=says)


def _fault(name: str, code: str, says: str) -> MailboxScenario:
    """A SOAP fault after logon."""
    return BOX(name, code, f"a fault: {says}", instead=soap.fault(says))


# fmt: off
MAILBOXES = (
    BOX("ok", "ok", "mail and calendar"),
    # 401: not to be told apart
    BOX("rejected", "auth.rejected", "401", refusal=Answer(401)),
    BOX("locked", "auth.rejected", "locked out: 401 and no reason", refusal=Answer(401)),
    BOX("disabled", "auth.rejected", "disabled: 401 and no reason", refusal=Answer(401)),
    BOX("expired", "auth.rejected", "password expired: 401 and no reason", refusal=Answer(401)),
    # where the server says so
    BOX("locked_said", "auth.locked", "401 with 'is currently locked out' in it", refusal=pages.LOCKED_OUT),
    BOX("disabled_said", "auth.account_disabled", "a fault", refusal=soap.fault("ErrorAccountDisabled")),
    BOX("expired_said", "auth.password_expired", "a fault", refusal=soap.fault("ErrorPasswordExpired")),
    BOX("change_required", "auth.password_expired", "a fault", refusal=soap.fault("ErrorPasswordChangeRequired")),
    # the mailbox
    _both("no_mailbox", "exchange.mailbox_not_found", "ErrorNonExistentMailbox"),
    _fault("no_mailbox_fault", "exchange.mailbox_not_found", "ErrorNonExistentMailbox"),
    _both("no_mailbox_account", "exchange.mailbox_not_found", "ErrorMissingEmailAddress"),
    BOX("no_mailbox_header", "exchange.mailbox_not_found", "500 and X-CasErrorCode", instead=pages.CAS_ERROR),
    _both("access_denied", "exchange.access_denied", "ErrorAccessDenied"),
    _fault("access_denied_fault", "exchange.access_denied", "ErrorAccessDenied"),
    BOX("mail_denied", "exchange.mail_denied", "only the inbox", "ok", inbox="ErrorAccessDenied"),
    BOX("mail_missing", "mailbox.no_inbox", "no inbox", "ok", inbox="ErrorFolderNotFound"),
    BOX("calendar_denied", "ok", "only the calendar", "exchange.calendar_denied", agenda="ErrorAccessDenied"),
    BOX("calendar_missing", "ok", "no calendar", "exchange.calendar_missing", agenda="ErrorFolderNotFound"),
    BOX("calendar_missing_item", "ok", "no calendar", "exchange.calendar_missing", agenda="ErrorItemNotFound"),
    *(
        BOX(f"nothing_there_{gone}", "mailbox.no_inbox", gone, "exchange.calendar_missing", inbox=gone, agenda=gone)
        for gone in ("ErrorFolderNotFound", "ErrorItemNotFound")
    ),
    BOX("one_answer", "ok", "one answer for two folders", "protocol.error", answers=1),
    BOX("no_answer", "protocol.error", "no answer for two folders", answers=0),
    BOX("ews_disabled", "exchange.ews_disabled", "403 after logon", instead=pages.EWS_DISABLED),
    _fault("impersonation_denied", "exchange.impersonation_denied", "ErrorImpersonateUserDenied"),
    _fault("impersonation_failed", "exchange.impersonation_denied", "ErrorImpersonationFailed"),
    _both("other_address", "exchange.primary_address", "ErrorNonPrimarySmtpAddress"),
    _fault("other_address_fault", "exchange.primary_address", "ErrorNonPrimarySmtpAddress"),
    _both("corrupt", "mailbox.broken", "ErrorFolderCorrupt"),
    _fault("cross_site", "exchange.proxying_failed", "ErrorNoDestinationCASDueToSSLRequirements"),
    _fault("old", "exchange.version", "ErrorInvalidServerVersion"),
    # codes that exchangelib has no exception for
    _both("legacy_access", "exchange.proxying_failed", "ErrorMultiLegacyMailboxAccess"),
    _fault("legacy_access_fault", "exchange.proxying_failed", "ErrorMultiLegacyMailboxAccess"),
    # what is no matter of the mailbox
    _fault("request_refused", "exchange.request_refused", "ErrorSchemaValidation"),
    _both("other_operation", "exchange.other_error", "ErrorArchiveMailboxNotEnabled"),
    _fault("other_operation_fault", "exchange.other_error", "ErrorAttachmentSizeLimitExceeded"),
    # what may be gone in a minute
    _fault("busy", "server.throttled", "ErrorServerBusy"),
    BOX("busy_503", "server.throttled", "503 with Retry-After", instead=pages.BUSY_503),
    _both("busy_inside", "server.throttled", "ErrorServerBusy"),
    BOX("busy_half", "ok", "200, the calendar only", "server.throttled", agenda="ErrorServerBusy"),
    _fault("connections", "server.too_many_connections", "ErrorExceededConnectionCount"),
    _fault("moving", "exchange.mailbox_moving", "ErrorMailboxMoveInProgress"),
    _both("moving_inside", "exchange.mailbox_moving", "ErrorMailboxMoveInProgress"),
    _fault("failover", "exchange.mailbox_moving", "ErrorMailboxFailover"),
    _both("store_unavailable", "exchange.store_unavailable", "ErrorMailboxStoreUnavailable"),
    _fault("server_error", "server.unavailable", "ErrorInternalServerError"),
    _both("server_error_inside", "server.unavailable", "ErrorInternalServerError"),
    _fault("transient", "server.unavailable", "ErrorInternalServerTransientError"),
    _fault("no_backend", "server.unavailable", "ErrorNoRespondingCASInDestinationSite"),
    _fault("timed_out", "server.unavailable", "ErrorTimeoutExpired"),
    BOX("page_after_logon", "protocol.error", "HTML after logon", instead=pages.WEB_SITE),
    BOX("broken_after_logon", "protocol.error", "broken XML after logon", instead=pages.BROKEN_XML),
    BOX("flood_after_logon", "protocol.oversize", "64 MiB", instead=FLOOD),
    BOX("slow", "deadline.exceeded", "no answer after logon", instead=Answer(200, wait=FOREVER)),
    BOX("drip_after_logon", "deadline.exceeded", "a byte a second", instead=DRIP),
    BOX("hang_up_after_logon", "connect.closed", "closed after logon", instead=Answer(0)),
)
# fmt: on
