"""Runs a check. This room's one broad except is here: what we break is `internal.error`, not the admin's fault."""

import logging

from checks.context import CheckContext
from checks.endpoint import EndpointCheck
from checks.login import Route, log_in
from checks.model import Code, Credential, Endpoint, EndpointResult, LoginResult, Verdict

log = logging.getLogger(__name__)


def check_endpoint(endpoint: Endpoint, context: CheckContext) -> EndpointResult:
    """Checks an endpoint without credentials. Raises nothing but what `context.let_through` names."""
    try:
        return EndpointCheck(endpoint, context).run()
    except context.let_through:
        raise
    except Exception as error:  # noqa: BLE001 - our own defect is a result too; see the module's first line
        _log_defect("endpoint check", error)
        return EndpointResult(endpoint, Verdict.INCONCLUSIVE, Code.INTERNAL, seen=type(error).__name__)


def check_mailbox(route: Route, credential: Credential, context: CheckContext) -> LoginResult:
    """Logs one mailbox in. Raises nothing but what `context.let_through` names."""
    try:
        return log_in(route, credential, context)
    except context.let_through:
        raise
    except Exception as error:  # noqa: BLE001 - our own defect is a result too; see the module's first line
        _log_defect("mailbox check", error)
        return LoginResult(Verdict.INCONCLUSIVE, Code.INTERNAL, route.endpoint.protocol, type(error).__name__)


def _log_defect(what: str, error: Exception) -> None:
    """Where it happened and of what type. Not the exception's text: a UnicodeEncodeError holds the credential."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
    log.error("%s broke: %s at %s", what, type(error).__name__, place)
