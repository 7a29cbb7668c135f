"""Runs a check. This room's one broad except is here: what we break is `internal.error`, not the admin's fault."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from checks import redact
from checks.codes import Code, Verdict
from checks.context import CheckContext, Route
from checks.library_guard import letting_through
from checks.model import Credential, CredentialKind, Endpoint, EndpointResult, Fault, LoginResult, Protocol
from checks.oauth import token_endpoint
from checks.protocols import login
from checks.protocols.dialect import dialect_of
from checks.protocols.endpoint import EndpointCheck

log = logging.getLogger(__name__)


def check_endpoint(endpoint: Endpoint, context: CheckContext) -> EndpointResult:
    """Checks an endpoint without credentials. Raises nothing but what `context.let_through` names."""
    try:
        with letting_through(context.let_through):
            return replace(_check(endpoint, context), client=context.client.name)
    except context.let_through:
        raise
    except Exception as error:  # noqa: BLE001 - our own defect is a result too; see the module's first line
        _log_defect("endpoint check", error)
        return EndpointResult(endpoint, Verdict.INCONCLUSIVE, Code.INTERNAL, seen=type(error).__name__)


def _check(endpoint: Endpoint, context: CheckContext) -> EndpointResult:
    if context.script is not None:
        return context.script.check_endpoint(endpoint, context)
    if context.static is not None:
        from checks.egress.survey import survey  # few domains have static addresses

        return survey(endpoint, context, _check)
    if endpoint.protocol is Protocol.HTTPS:
        from checks.protocols.exchange.probe import probe  # whoever has no Exchange need not wait for it to load

        return probe(endpoint, context)
    dialect_of(endpoint.protocol, endpoint.authentication)  # loaded before the deadline begins
    return EndpointCheck(endpoint, context).run()


def open_route(result: EndpointResult, context: CheckContext) -> Route:
    """The route to an endpoint that passed. Raises `Fault` when its name does not resolve any more."""
    if context.script is not None:
        return context.script.open_route(result)
    if result.endpoint.protocol is Protocol.HTTPS:
        from checks.protocols.exchange.login import open_route  # as above

        return open_route(result, context)
    return login.open_route(result, context)


def unfit_credentials(result: EndpointResult) -> Mapping[CredentialKind, Fault]:
    """The kinds of credential that an endpoint that passed does not take, with the reason: no login is needed to know.

    Told of Exchange only; for mail the first logins find it out.
    """
    if result.endpoint.protocol is not Protocol.HTTPS:
        return {}
    from checks.protocols.exchange.login import unfit_credentials  # as above

    return unfit_credentials(result)


def check_mailbox(route: Route, credential: Credential, context: CheckContext, address: str = "") -> LoginResult:
    """Logs one mailbox in; `address` is the mailbox, '' where it is the user name.

    Raises nothing but what `context.let_through` names.
    """
    try:
        with letting_through(context.let_through):
            return _log_in(route, credential, context, address)
    except context.let_through:
        raise
    except Exception as error:  # noqa: BLE001 - our own defect is a result too; see the module's first line
        _log_defect("mailbox check", error)
        return LoginResult(Verdict.INCONCLUSIVE, Code.INTERNAL, route.endpoint.protocol, type(error).__name__)


def _log_in(route: Route, credential: Credential, context: CheckContext, address: str) -> LoginResult:
    if credential.kind is CredentialKind.OAUTH2_CLIENT and context.script is None:
        try:
            credential = token_endpoint.redeem(credential, context)
        except Fault as fault:
            # A token endpoint that cannot be reached says nothing of the mailbox; one that refuses keeps it out.
            refused = fault.code is Code.AUTH_CLIENT_REJECTED
            verdict = Verdict.FAIL if refused else Verdict.INCONCLUSIVE
            return LoginResult(verdict, fault.code, route.endpoint.protocol, redact.words(fault.seen))
    return route.log_in(credential, context, address)


def _log_defect(what: str, error: Exception) -> None:
    """Where it happened and of what type. Not the exception's text: a UnicodeEncodeError holds the credential."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
    log.error("%s broke: %s at %s", what, type(error).__name__, place)
