"""The commands for connecting a mailbox, and for those who wait until their domain has settings."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from checks.language import Language
from checks.model import Authentication, Invalid, Security
from cli.account import open_account, open_connecting
from cli.cleaning import clean
from cli.commands.prefill import prefill_lines
from cli.failures import Status, inform
from cli.naming import as_typed
from cli.options import Exchange, Json, verify_settings
from cli.wording import phrase

if TYPE_CHECKING:
    from checks.settings import Settings
    from settings_store.connecting.attempts import Attempt
    from worker.service.domains.connecting import Connected

EntryId = Annotated[str, typer.Argument(metavar="ENTRY_ID", help="As printed by `pending`.")]
Imap = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The IMAP server, for a domain without settings.")]
Smtp = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The SMTP server, for a domain without settings.")]

_PREFIX = "con_"
_STATUS: Mapping[str, Status] = {"connected": Status.SAFE, "stored": Status.SAFE, "failed": Status.UNSAFE}


def connect(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of the mailbox.")],
    username: Annotated[str, typer.Option(metavar="NAME", help="What it logs in as. Without it: the address.")] = "",
    imap: Imap = None,
    smtp: Smtp = None,
    exchange: Exchange = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="Store it also where nobody can tell whether the login works.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Connects one mailbox: tries its login once, and stores it where it works.

    The password is asked for, or read from standard input. Exit status: 0 it is stored, 1 its login was rejected, 3
    could not tell, or it waits for settings.
    """
    domain = address.rpartition("@")[2]
    if "@" not in address or not domain:
        raise Invalid("give the whole address, like ada@example.com", "address")
    language: Language = context.obj
    typed = _settings(imap, smtp, exchange)
    with open_connecting() as connecting:
        for line in prefill_lines(connecting.prefill(domain), language):
            typer.echo(as_typed(line), err=True)
        login = {"address": address, "username": username, "password": _password(username or address, language)}
        found = connecting.connect(domain, login, typed, insist=insist)
    _tell(found, language, as_json=as_json)
    return _STATUS.get(found.attempt.state, Status.CANNOT_TELL)


def _settings(imap: str | None, smtp: str | None, exchange: str | None) -> "Settings | None":
    if imap is None and smtp is None and exchange is None:
        return None
    return verify_settings(
        (imap, Security.AUTO),
        (smtp, Security.AUTO),
        exchange,
        smtp_authentication=Authentication.LOGIN,
        allow_insecure_certificate=False,
        ca_file=None,
    )


def _password(username: str, language: Language) -> str:
    """The first line of standard input; from a terminal without an echo."""
    if sys.stdin is None or sys.stdin.closed:
        raise Invalid("the password is read from standard input or a terminal; there is neither", "password")
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"{phrase(language, 'connect.password', username=username)}: ")
    return sys.stdin.readline().rstrip("\n")


def _tell(found: "Connected", language: Language, *, as_json: bool) -> None:
    from worker.connecting.document import facts_of, words_of

    attempt, words = found.attempt, None
    if attempt.code is not None:
        facts = facts_of(attempt.code, attempt.protocol, found.endpoints, attempt.settings)
        words = words_of(attempt.code, facts, language)
    if as_json:
        from cli.reports.json_documents import write_document

        more = {"message": words.message, "advice": words.advice} if words else {}
        write_document({**_document(attempt), **more}, sys.stdout)
        return
    lines = [phrase(language, f"connect.{attempt.state}", address=attempt.address)]
    if attempt.state == "pending":
        lines.append(phrase(language, f"connect.pending.{'kept' if attempt.kept else 'not_kept'}"))
    if words is not None and attempt.code != "ok":
        lines += [words.message, words.advice]
        lines += [f"{phrase(language, 'seen.server')} {attempt.seen}"] if attempt.seen else []
    for line in lines:
        typer.echo(clean(as_typed(line)))


def pending(
    context: typer.Context,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Without it: of every domain.")] = None,
    as_json: Json = False,
) -> None:
    """Lists who wants to connect a mailbox in a domain without settings, and what became of it."""
    if context.invoked_subcommand is not None:
        return
    with open_account() as account:
        known = account.pending.page(_MOST, domain=domain)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_document(entry) for entry in known], sys.stdout)
        return
    for entry in known:
        typer.echo(clean(_line(entry)))
    if not known:
        inform("Nobody waits for settings.")


_MOST = 1000


def complete(
    entry_id: EntryId,
    imap: Imap = None,
    smtp: Smtp = None,
    exchange: Exchange = None,
) -> None:
    """Saves settings for the domain of one who waits: those that were typed, unless others are given.

    They are a change like any other, with the logins of all who wait in the domain.
    """
    with open_account() as account:
        saved = account.pending.complete(entry_id.removeprefix(_PREFIX), _settings(imap, smtp, exchange))
    inform(f"Saved as change {saved.change_id}. To verify and see it: mail-preflight resume {saved.change_id}")


def dismiss(entry_id: EntryId) -> None:
    """Forgets one who waits, with what was kept of them."""
    with open_account() as account:
        entry = account.pending.dismiss(entry_id.removeprefix(_PREFIX))
    inform(f"Dismissed: {entry.address} does not wait any more.")


def _document(attempt: "Attempt") -> dict[str, object]:
    settings = attempt.settings
    return {
        "id": f"{_PREFIX}{attempt.id}",
        "domain": attempt.domain,
        "address": attempt.address,
        "username": attempt.username,
        "state": attempt.state,
        "by": attempt.actor,
        "at": attempt.at,
        "servers": [str(endpoint) for endpoint in settings.endpoints] if settings else [],
        "login_kept": attempt.kept,
        "verdict": attempt.verdict,
        "code": attempt.code,
        "protocol": attempt.protocol,
        "seen": attempt.seen,
    }


def _line(attempt: "Attempt") -> str:
    from cli.times import local

    servers = ", ".join(str(endpoint) for endpoint in attempt.settings.endpoints) if attempt.settings else "no server"
    met = f"; {attempt.code}" if attempt.code else ""
    kept = "; login kept" if attempt.kept else ""
    when, who = local(attempt.at), attempt.actor
    return f"{_PREFIX}{attempt.id}: {attempt.address} at {servers}{met}{kept}; {who}, {when}"
