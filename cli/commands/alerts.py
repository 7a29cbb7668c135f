"""The commands for alert channels: who is told when something fails."""

import getpass
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.language import Language
from checks.model import Invalid
from cli.account import open_account
from cli.cleaning import clean
from cli.failures import Status, complain, inform
from cli.options import Json

if TYPE_CHECKING:
    from settings_store.alerts.channels import Channel, Subscription
    from worker.service.alerts import Added

_URL_LIMIT = 64 * 1024  # bytes
_NAMED = 3


class Least(StrEnum):
    """The least grave that a channel hears of: an incident's severities, which --help need not load the store for."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


Name = Annotated[str, typer.Argument(metavar="NAME", help="What you call the channel, for example admins.")]


def add(
    context: typer.Context,
    name: Name,
    url_file: Annotated[
        Path | None,
        typer.Option("--url-file", metavar="FILE", help="Where the Apprise URL is; -: standard input."),
    ] = None,
    severity: Annotated[Least, typer.Option(help="The least grave that it hears of.")] = Least.WARNING,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="The only one that it hears of.")] = None,
    language: Annotated[Language | None, typer.Option(help="The language of the messages.")] = None,
    quiet: Annotated[
        str | None, typer.Option(metavar="FROM-UNTIL", help="22:00-07:00: only what is critical is sent then.")
    ] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="Of quiet hours and of times: Europe/Berlin.")
    ] = "UTC",
    operator: Annotated[
        bool, typer.Option("--operator", help="It hears of trouble of the service itself, too.")
    ] = False,
) -> None:
    """Adds a channel that is told of incidents.

    Its Apprise URL holds secrets and is never given on the command line: it is read from --url-file, or asked for.
    """
    subscription = _subscription(severity, language or context.obj, quiet, time_zone, operator=operator)
    with open_account() as account:
        added = account.alerts.add(name, _read_url(url_file), subscription, domain)
    inform(f"{added.channel.name} is told from now on: {added.channel.shown}")
    inform(f"To send a test message: mail-preflight alerts test {added.channel.name}")
    _warn(added)


def _subscription(least: Least, language: Language, quiet: str | None, zone: str, *, operator: bool) -> "Subscription":
    from settings_store.alerts.channels import Subscription
    from settings_store.alerts.quiet_hours import parse_quiet, zone_of
    from settings_store.incidents.incidents import Severity

    zone_of(zone)
    hours = parse_quiet(quiet, zone) if quiet is not None else None
    return Subscription(Severity(least.value), None, language.value, zone, hours, operator)


def _read_url(file: Path | None) -> str:
    """The URL, without what surrounds it. Raises `Invalid`; what was read is never quoted."""
    if file is None:
        text = _ask()
    elif str(file) == "-":
        text = sys.stdin.read(_URL_LIMIT)
    else:
        text = _read_file(file)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise Invalid("the Apprise URL must be one line, such as mailto://... or json://...", "url")
    return lines[0]


def _ask() -> str:
    if not sys.stdin.isatty():
        raise Invalid("give --url-file FILE, or --url-file - to read the Apprise URL from standard input", "url")
    try:
        return getpass.getpass("Apprise URL (is not shown): ")
    except EOFError:
        return ""


def _read_file(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(_URL_LIMIT).decode("utf-8-sig")
    except OSError as error:
        raise Invalid(f"--url-file {file}: cannot be read ({error.strerror})", "url") from None
    except UnicodeDecodeError:
        raise Invalid(f"--url-file {file}: not a text file; give a file with one Apprise URL", "url") from None


def _warn(added: "Added") -> None:
    """Mail about a broken server does not go through it."""
    if not added.own_domains:
        return
    names = ", ".join(added.own_domains[:_NAMED]) + (", ..." if len(added.own_domains) > _NAMED else "")
    complain(
        f"note: {added.own_host} is a mail server of {names} as well. When it fails, this channel is not told of that "
        "before it works again; add a second channel that goes another way"
    )


def list_(as_json: Json = False) -> None:
    """Lists the channels, without the secrets of their URLs."""
    with open_account() as account:
        known = account.alerts.channels()
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_document(channel) for channel in known], sys.stdout)
        return
    for channel in known:
        typer.echo(clean(_line(channel)))
    if not known:
        inform("Nobody is told when something fails. To have somebody told: mail-preflight alerts add NAME")


def _document(channel: "Channel") -> dict[str, object]:
    subscription = channel.subscription
    return {
        "name": channel.name,
        "url": channel.shown,
        "severity": subscription.severity.value,
        "domain": channel.domain,
        "language": subscription.language,
        "time_zone": subscription.zone,
        "quiet": str(subscription.quiet) if subscription.quiet else None,
        "operator": subscription.operator,
    }


def _line(channel: "Channel") -> str:
    subscription = channel.subscription
    parts = [channel.shown, f"from {subscription.severity} on", channel.domain or "all domains", subscription.language]
    parts += [f"quiet {subscription.quiet}"] if subscription.quiet else []
    parts += ["the service itself, too"] if subscription.operator else []
    return f"{channel.name}: {', '.join(parts)}"


def remove(name: Name) -> None:
    """Removes a channel; what was still to be sent to it is not."""
    with open_account() as account:
        account.alerts.remove(name)
    inform(f"{name} is not told any more.")


def test(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Without it: all channels.")] = None,
) -> int:
    """Sends a test message to a channel, or to all of them.

    Exit status: 0 sent, 1 not sent; the reason is printed.
    """
    failed = False
    with open_account() as account:
        for tried in account.alerts.test(name):
            failed = failed or bool(tried.reason)
            typer.echo(clean(f"{tried.name}: not sent: {tried.reason}" if tried.reason else f"{tried.name}: sent"))
    return Status.UNSAFE if failed else Status.SAFE
