"""The command line: which commands there are, and how a call of one becomes an exit status."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from checks.language import Language
from checks.model import Invalid, Unavailable
from cli.commands import (
    access,
    accounts,
    alerts,
    connecting,
    discovery,
    egress,
    health,
    mailboxes,
    maintenance,
    operation,
    prefill,
    verification,
)
from cli.commands.changes import changes, history, letters
from cli.failures import Commands, Status, complain, discard_output, report_internal
from cli.help import Command, Group
from cli.naming import choose
from cli.wording.errors import chosen, speak

NAME = "mail-preflight"

# Plain help: Rich's costs 0.1 s at every start. Pretty tracebacks would show locals; `run` words every exception.
app = typer.Typer(cls=Commands, name=NAME, rich_markup_mode=None, pretty_exceptions_enable=False)
_mailboxes = typer.Typer(cls=Group, rich_markup_mode=None, help="The mailboxes of a domain.")
_domains = typer.Typer(
    cls=Group, rich_markup_mode=None, help="Lists domains, sets whether one is watched, removes one."
)
_alerts = typer.Typer(cls=Group, rich_markup_mode=None, help="Who is told when something fails.")
_pending = typer.Typer(cls=Group, rich_markup_mode=None, help="Who waits for the settings of a domain.")
_maintenance = typer.Typer(cls=Group, rich_markup_mode=None, help="When nothing is checked and nobody told.")
_accounts = typer.Typer(cls=Group, rich_markup_mode=None, help="Whose domains are apart from each other.")
_connection_ips = typer.Typer(
    cls=Group, rich_markup_mode=None, help="Lists the addresses that connections come from, and what to do with them."
)
_api_keys = typer.Typer(cls=Group, rich_markup_mode=None, help="The keys of programs that use the HTTP API.")
_users = typer.Typer(cls=Group, rich_markup_mode=None, help="Who may use the HTTP API, and as what.")
_keys = typer.Typer(cls=Group, rich_markup_mode=None, help="The keys that encrypt credentials.")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{NAME} {version(NAME)}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    language: Annotated[
        Language, typer.Option(envvar="MAIL_PREFLIGHT_LANGUAGE", help="The language of reports.")
    ] = Language.EN,
    account: Annotated[
        str, typer.Option(metavar="NAME", envvar="MAIL_PREFLIGHT_ACCOUNT", help="The account to work in.")
    ] = "default",
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Tests a domain's mail-server settings before they take effect and says which mailboxes would disconnect.

    Exit status: 0 nobody would disconnect, 1 somebody would, 2 wrong usage, 3 could not tell, 4 our own failure, 5 the
    database or the broker is not available.
    """
    context.obj = language
    choose(account)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(Status.USAGE)


app.command(cls=Command)(verification.check)
app.command(cls=Command)(discovery.discover)
app.command(cls=Command)(verification.verify)
app.command(cls=Command)(verification.report)
app.command(cls=Command)(letters.letters)
app.command(cls=Command)(changes.apply)
app.command(cls=Command)(changes.approve)
app.command(cls=Command)(changes.watch)
app.command(cls=Command)(changes.rollback)
app.command(cls=Command)(changes.again)
app.command(cls=Command)(changes.resume)
app.command(cls=Command)(changes.cancel)
app.command(cls=Command)(changes.discard)
app.command(cls=Command)(changes.reopen)
app.command("changes", cls=Command)(history.changes)
app.command(cls=Command)(history.history)
app.command(cls=Command)(health.health)
app.command(cls=Command)(operation.demo)
app.command(cls=Command)(operation.serve)
app.command(cls=Command)(operation.web)
app.command(cls=Command)(operation.worker)
app.command(cls=Command)(operation.beat)
app.command(cls=Command)(operation.migrate)
app.command(cls=Command)(prefill.prefill)
app.command(cls=Command)(connecting.connect)
_pending.callback(invoke_without_command=True)(connecting.pending)
_pending.command(cls=Command)(connecting.complete)
_pending.command(cls=Command)(connecting.dismiss)
_mailboxes.command("import", cls=Command)(mailboxes.import_mailboxes)
_mailboxes.command("list", cls=Command)(mailboxes.list_)
_mailboxes.command(cls=Command)(mailboxes.remove)
_mailboxes.command(cls=Command)(mailboxes.retry)
_domains.callback(invoke_without_command=True)(operation.domains)
_domains.command(cls=Command)(maintenance.pause)
_domains.command(cls=Command)(maintenance.resume)
_domains.command(cls=Command)(operation.approval)
_domains.command("remove", cls=Command)(operation.remove_domain)
_alerts.command(cls=Command)(alerts.add)
_alerts.command("list", cls=Command)(alerts.list_)
_alerts.command(cls=Command)(alerts.remove)
_alerts.command(cls=Command)(alerts.test)
_maintenance.command(cls=Command)(maintenance.add)
_maintenance.command("list", cls=Command)(maintenance.list_)
_maintenance.command(cls=Command)(maintenance.remove)
_accounts.command(cls=Command)(accounts.add)
_accounts.command("list", cls=Command)(accounts.list_)
_accounts.command(cls=Command)(accounts.remove)
_api_keys.command(cls=Command)(access.create)
_api_keys.command("list", cls=Command)(access.list_keys)
_api_keys.command(cls=Command)(access.revoke)
_users.command("add", cls=Command)(access.add_user)
_users.command("role", cls=Command)(access.set_role)
_users.command("list", cls=Command)(access.list_users)
_users.command("remove", cls=Command)(access.remove_user)
_connection_ips.callback(invoke_without_command=True)(egress.connection_ips)
_connection_ips.command(cls=Command)(egress.request)
_connection_ips.command(cls=Command)(egress.use)
_keys.command("new", cls=Command)(operation.new_key)
_keys.command("rotate", cls=Command)(operation.rotate_keys)
app.add_typer(_domains, name="domains")
app.add_typer(_pending, name="pending")
app.add_typer(_mailboxes, name="mailboxes")
app.add_typer(_alerts, name="alerts")
app.add_typer(_maintenance, name="maintenance")
app.add_typer(_accounts, name="accounts")
app.add_typer(_api_keys, name="api-keys")
app.add_typer(_users, name="users")
app.add_typer(_connection_ips, name="connection-ips")
app.add_typer(_keys, name="keys")


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit status. Never raises; what went wrong is one line on stderr."""
    speak(chosen(arguments, os.environ))
    try:
        status = app(args=list(arguments), prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except (Invalid, typer.TyperException) as error:
        complain(" ".join(_message(error).split()))
        return Status.USAGE
    except BrokenPipeError:
        discard_output()
        return Status.PIPE_CLOSED
    except Unavailable as error:
        complain(f"{error}; nothing that was stored is lost")
        return Status.UNAVAILABLE
    except (KeyboardInterrupt, typer.Abort):
        return Status.INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the last place: a traceback would print values nobody may see
        report_internal(error)
        return Status.INTERNAL
    return int(status or 0)


def _message(error: Invalid | typer.TyperException) -> str:
    if isinstance(error, typer.TyperException):
        return f"{error.format_message()} (see `{NAME} --help`)"
    return str(error)


def main() -> NoReturn:
    """The entry point of the `mail-preflight` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # another encoding must not end the report
    status = run(sys.argv[1:])
    if status == Status.INTERRUPTED:
        os._exit(status)  # Python would wait for logins in threads; a run survives even kill -9
    sys.exit(status)
