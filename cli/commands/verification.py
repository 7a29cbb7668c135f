"""The commands that answer the question: `check`, `verify` and `report`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.codes import Verdict
from checks.language import Language
from checks.model import Authentication, Protocol, Security
from checks.settings import normalise_domain
from cli.account import open_account
from cli.failures import Status, complain
from cli.options import (
    AllowInsecure,
    CaFile,
    ChangeId,
    Domain,
    Exchange,
    Json,
    StaticAddresses,
    check_target,
    given_file,
    read_ca_file,
    verify_settings,
)

if TYPE_CHECKING:
    from rich.console import Console

    from checks.clients.profile import ClientProfile
    from checks.network.address_policy import AddressPolicy
    from checks.settings import Settings
    from checks.trust import Trust
    from settings_store.changes.changes import Saved
    from worker.changes.report import Report
    from worker.service.account import Account
    from worker.service.runs import Runs

_CHECK_STATUS = {Verdict.OK: Status.SAFE, Verdict.FAIL: Status.UNSAFE, Verdict.INCONCLUSIVE: Status.CANNOT_TELL}
_VERIFY_STATUS = {"safe": Status.SAFE, "unsafe": Status.UNSAFE, "cannot_tell": Status.CANNOT_TELL}
_WHERE = tuple(
    f"MAIL_PREFLIGHT_{name}" for name in ("BROKER_URL", "DATABASE_URL", "X509_STRICT", "TLS_CIPHERS", "CLIENT_PROFILE")
)
_NETWORKS = "MAIL_PREFLIGHT_ALLOW_NETWORKS"


def check(
    context: typer.Context,
    target: Annotated[str | None, typer.Argument(metavar="HOST:PORT", help="The server to check.")] = None,
    protocol: Annotated[Protocol | None, typer.Option(help="What the server is to speak (https: Exchange).")] = None,
    security: Annotated[Security, typer.Option(help="How TLS starts.")] = Security.AUTO,
    authentication: Annotated[
        Authentication, typer.Option(help="Whether the SMTP server wants a login.")
    ] = Authentication.LOGIN,
    exchange: Exchange = None,
    ca_file: CaFile = None,
    revocation: Annotated[
        bool, typer.Option("--revocation", help="Also ask who issued the certificate whether it was revoked.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Checks one server, without a login.

    Exit status: 0 it works, 1 it does not, 3 could not tell.
    """
    endpoint = check_target(target, protocol, security, exchange, authentication)
    ca_pem = read_ca_file(ca_file)
    from checks.context import CheckContext
    from checks.messages.endpoints import endpoint_document
    from checks.runner import check_endpoint

    policy, trust, client = _surroundings(ca_pem, exchange=endpoint.protocol is Protocol.HTTPS)
    result = check_endpoint(endpoint, CheckContext(trust, policy, thorough=True, revocation=revocation, client=client))
    document = endpoint_document(result, context.obj)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document(document.as_json(), sys.stdout)
    else:
        from cli.console import open_console
        from cli.reports.endpoint_report import render_endpoint

        render_endpoint(document, open_console())
    return _CHECK_STATUS[result.verdict]


def _surroundings(ca_pem: str, *, exchange: bool) -> "tuple[AddressPolicy, Trust, ClientProfile]":
    """What a run here would be allowed to reach, whom and how it trusts, and as which client.

    The defaults of the embedded mode need no half second of reading.
    """
    from checks.clients.python import PYTHON
    from checks.network.address_policy import AddressPolicy
    from checks.trust import Trust

    # Networks that are set but empty are a wish, too: nothing but public addresses.
    if _NETWORKS not in os.environ and not any(os.environ.get(name) for name in _WHERE):
        return AddressPolicy(allow_all=True), Trust(ca_pem), PYTHON
    from worker.config import load_config
    from worker.runs.endpoints import client_trust

    config = load_config()
    return config.policy, client_trust(config, ca_pem, exchange=exchange), config.client_profile


def verify(
    context: typer.Context,
    domain: Domain,
    imap: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The IMAP server.")] = None,
    smtp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The SMTP server.")] = None,
    imap_security: Annotated[Security, typer.Option(help="How TLS starts for IMAP.")] = Security.AUTO,
    smtp_security: Annotated[Security, typer.Option(help="How TLS starts for SMTP.")] = Security.AUTO,
    smtp_authentication: Annotated[
        Authentication, typer.Option(help="Whether SMTP wants a login; `none` is a relay that admits our addresses.")
    ] = Authentication.LOGIN,
    exchange: Exchange = None,
    allow_insecure_certificate: AllowInsecure = False,
    static_addresses: StaticAddresses = False,
    mailboxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with address,password[,username][,kind], in force with the change."),
    ] = None,
    ca_file: CaFile = None,
    as_json: Json = False,
) -> int:
    """Says who would disconnect with other settings.

    Saves the settings as a change, checks the servers and logs in to every mailbox with them. They are not put in
    force: `apply` does that, and so with the credentials of --mailboxes. Mailboxes that are not in the file, or all
    without one, are tried with what is stored.
    """
    file = given_file(mailboxes, ca_file) if mailboxes is not None else None
    settings = verify_settings(
        (imap, imap_security),
        (smtp, smtp_security),
        exchange,
        smtp_authentication=smtp_authentication,
        allow_insecure_certificate=allow_insecure_certificate,
        static_addresses=static_addresses,
        ca_file=ca_file,
    )
    name = normalise_domain(domain)
    with open_account() as account:
        change_id = verify_change(account, name, settings, file, context.obj)
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)


def verify_change(
    account: "Account", domain: str, settings: "Settings", mailboxes: Path | None, language: Language
) -> str:
    """Verifies and returns the change's id. The broker is asked first, so nothing is written when it is down."""
    with account.runs.working():
        saved = account.changes.save(domain, settings, mailboxes)
        _say_superseded(saved)
        _say_proposed(saved)
        _say_concerned(saved, domain)
        follow(account.runs, saved, language)
        return saved.change_id


def _say_superseded(saved: "Saved") -> None:
    """A second admin is told whose work this replaces, and that it is kept."""
    if saved.superseded is None:
        return
    who = f", saved by {saved.superseded_by.name}" if saved.superseded_by else ""
    complain(
        f"this replaces change {saved.superseded}{who}, which was not applied; "
        f"`mail-preflight reopen {saved.superseded}` brings it back"
    )


def _say_proposed(saved: "Saved") -> None:
    """Whoever gives credentials is told that they are not in force."""
    if (counts := saved.proposed) is None:
        return
    complain(
        f"from the file: {counts.added} new mailboxes, {counts.updated} with other credentials, {counts.unchanged} as "
        "stored; they belong to this change, and nothing of it is in force before `apply`"
    )


def _say_concerned(saved: "Saved", domain: str) -> None:
    """Whoever edits a domain's settings is told that they are those of every mailbox, and how many these are."""
    if saved.concerned:
        complain(f"once applied, these settings concern every mailbox of {domain}: {saved.concerned}")


def follow(runs: "Runs", saved: "Saved", language: Language) -> None:
    """Shows a run until it ends; somebody has to be working on it."""
    from cli.reports.progress import follow_progress

    try:
        follow_progress(runs, saved.run_id, _standard_error, language)
    except KeyboardInterrupt:
        complain(_interrupted(saved.change_id))
        raise typer.Exit(Status.INTERRUPTED) from None


def _standard_error() -> "Console":
    from cli.console import open_console

    return open_console(stderr=True)


def _interrupted(change_id: str) -> str:
    from worker.config import load_config

    if load_config().embedded:
        kept = "interrupted; logins under way are finished first (Ctrl-C again: end at once)"
        ways = f"`mail-preflight resume {change_id}` goes on with it, `mail-preflight discard {change_id}` gives it up"
        return f"{kept}; what is known is kept: {ways}"
    later = f"`mail-preflight report {change_id}` prints the report when there is one"
    return f"no longer waiting; the workers go on; `mail-preflight resume {change_id}` waits again; {later}"


def report(context: typer.Context, change_id: ChangeId, as_json: Json = False) -> int:
    """Prints the report of a verification again.

    Exit status as of `verify`.
    """
    with open_account() as account:
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)


def tell(report: "Report", *, as_json: bool) -> int:
    """Prints a report and returns the exit status that it means."""
    from worker.changes.wording import report_document

    document = report_document(report)
    if as_json:
        from cli.reports.json_documents import write_report

        write_report(document, sys.stdout)
    else:
        from cli.console import open_console
        from cli.reports.change_report import render_report

        render_report(document, open_console())
    return _VERIFY_STATUS[document.verdict]
