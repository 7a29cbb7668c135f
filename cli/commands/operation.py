"""The operator's commands: processes, database, domains and keys."""

import contextlib
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from checks.model import Invalid
from cli.account import actor, open_account, open_preflight
from cli.failures import complain, inform, inform_of_more
from cli.options import After, Domain, Json, Limit
from cli.wording import phrase
from cli.wording.errors import spoken, translated

if TYPE_CHECKING:
    from checks.model import Endpoint
    from settings_store.domains import DomainSummary
    from settings_store.removal import Ends
    from worker.service.preflight import Preflight


class Queue(StrEnum):
    """`preflight`: someone is waiting; `health`: nobody is."""

    PREFLIGHT = "preflight"
    HEALTH = "health"


def serve() -> None:
    """Runs the HTTP API, workers and beat in this process."""
    from worker import watchdog

    overruns = watchdog.begin()
    with open_preflight() as preflight, preflight.processes.alone(), contextlib.ExitStack() as stack:
        if overruns:
            preflight.processes.quarantine(overruns)
        config = preflight.config
        if config.web_port is None:
            stack.enter_context(preflight.processes.serving())
        else:
            from web.server import answering_at, listening

            listener = stack.enter_context(listening(config.web_host, config.web_port))
            stack.enter_context(preflight.processes.serving())
            _say_where(preflight, stack.enter_context(answering_at(preflight, listener, translated)))
        preflight.processes.wait()


def web() -> None:
    """Runs the HTTP API of the distributed set-up; as many as you like."""
    with open_preflight() as preflight:
        preflight.processes.require_workers()
        config = preflight.config
        if config.web_port is None:
            raise Invalid("`mail-preflight web` needs a port; set MAIL_PREFLIGHT_WEB_PORT, for example to 8025")
        from web.server import address_of, answer_until_signal, listening

        with listening(config.web_host, config.web_port) as listener, preflight.processes.telling():
            _say_where(preflight, address_of(listener))
            answer_until_signal(preflight, listener, translated)


def _say_where(preflight: "Preflight", url: str) -> None:
    complain(f"the HTTP API answers at {url}")
    if not preflight.has_api_keys():
        complain("nobody has an API key yet; make the first one: `mail-preflight api-keys create NAME`")
    where = (preflight.config.public_url or url).rstrip("/")
    if (secret := preflight.sign_in.first_link()) is None:
        complain(f"the page is at {where}/admin")
    else:
        complain(
            f"nobody can sign in to the page yet; the first one does by this link, once: {where}/admin/set-up/{secret}"
        )


def worker(
    queue: Annotated[Queue, typer.Option(help="The queue to work on.")],
    egress: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Work for domains whose static addresses bear this name, and this host has."),
    ] = None,
) -> None:
    """Runs a worker for one queue of the distributed set-up."""
    from worker import watchdog

    overruns = watchdog.begin()
    with open_preflight(egress) as preflight:
        if overruns:
            preflight.processes.quarantine(overruns)
        preflight.processes.work(queue.value)


def beat() -> None:
    """Runs the clock; exactly one is needed."""
    with open_preflight() as preflight:
        preflight.processes.beat()


def migrate() -> None:
    """Brings the database to this version's schema."""
    from settings_store.db import Database
    from worker.config import load_config

    database = Database(load_config().database_url.get_secret_value())
    try:
        database.migrate(complain)
    finally:
        database.close()
    inform("The database is up to date.")


def domains(context: typer.Context, limit: Limit = 1000, after: After = "", as_json: Json = False) -> None:
    """Lists domains, their settings and mailboxes; `pause` and `resume` set whether one is watched."""
    if context.invoked_subcommand is not None:
        return
    with open_account() as account:
        found = account.domains.page(after.lower(), limit + 1)
    known = inform_of_more(found, limit, "domains", lambda each: each.name)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_document(domain) for domain in known], sys.stdout)
        return
    for domain in known:
        typer.echo(_line(domain))


def _document(domain: "DomainSummary") -> dict[str, object]:
    endpoints = domain.settings.endpoints if domain.settings else ()
    return {
        "domain": domain.name,
        "kind": domain.kind,
        "endpoints": [f"{endpoint} ({', '.join(_how(endpoint))})" for endpoint in endpoints],
        "mailboxes": dict(domain.mailboxes),
        "pending_entries": domain.waiting,
        "needs_approval": domain.needs_approval,
    }


def _how(endpoint: "Endpoint") -> tuple[str, ...]:
    no_login = ("no login",) if endpoint.authentication == "none" else ()
    return (endpoint.security, *no_login)


def _line(domain: "DomainSummary") -> str:
    endpoints = domain.settings.endpoints if domain.settings else ()
    told = (f"{endpoint} (no login)" if "no login" in _how(endpoint) else str(endpoint) for endpoint in endpoints)
    settings = ", ".join(told) or "no settings in force"
    states = ", ".join(f"{count} {state}" for state, count in domain.mailboxes.items() if count)
    waiting = f"; waiting for settings: {domain.waiting}" if domain.waiting else ""
    return f"{domain.name}: {settings}; mailboxes: {states or 'none'}{waiting}"


class Switch(StrEnum):
    """Whether something is wanted."""

    ON = "on"
    OFF = "off"


def approval(
    domain: Domain, wanted: Annotated[Switch, typer.Argument(metavar="on|off", help="Whether it takes one.")]
) -> None:
    """Sets whether changes of a domain need a second person's approval; it is written down who did it."""
    with open_account() as account:
        account.domains.set_approval(domain, needed=wanted is Switch.ON)
    if wanted is Switch.ON:
        inform("From now on a second person approves each change before it is applied.")
    else:
        inform("Changes need no approval any more.")


def remove_domain(
    domain: Domain,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only said what that ends.")] = False,
) -> None:
    """Removes a domain with all there is of it; it is written down who did it."""
    with open_account() as account:
        if not yes:
            raise Invalid(_what_ends(account.domains.what_ends(domain)), "domain")
        ends = account.domains.remove(domain)
    inform(f"Removed: {ends.name}, with {ends.mailboxes} mailboxes and {ends.changes} changes.")


def _what_ends(ends: "Ends") -> str:
    """All of it in one line, and the command that does it."""
    language = spoken()
    counts = {
        "mailboxes": ends.mailboxes,
        "changes": ends.changes,
        "verifying": ends.verifying,
        "incidents": ends.incidents,
        "channels": ends.channels,
        "members": ends.members,
        "webhooks": ends.webhooks,
    }
    told = [phrase(language, "ends.in_force")] if ends.in_force else []
    told += [phrase(language, f"ends.{what}", count=count) for what, count in counts.items() if count]
    listed = language.listed(told or [phrase(language, "ends.nothing")])
    return f"this ends: {listed}; to do it: `mail-preflight domains remove {ends.name} --yes`"


def new_key() -> None:
    """Prints a fresh key for MAIL_PREFLIGHT_SECRET_KEY."""
    from settings_store.secrets import new_key as fresh

    typer.echo(fresh())


def rotate_keys() -> None:
    """Encrypts every stored credential with the first of the keys. Goes on where it was interrupted."""
    with open_preflight() as preflight:
        inform(f"{preflight.rotate_keys(actor())} credentials encrypted with the first key.")


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the report, as without a terminal.")] = False,
) -> None:
    """Verifies a sandbox domain with planted faults, then shows it on the page until Ctrl-C.

    Starts real protocol servers on this machine with about 60 mailboxes; nothing leaves it.
    """
    from cli.console import open_console
    from cli.demo import run_demo

    console = open_console()
    run_demo(console, context.obj, stays=console.is_interactive and not once)
