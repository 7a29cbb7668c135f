"""`mail-preflight demo`: a sandbox domain moves from its old mail server to a new one, and what comes of it."""

import contextlib
import secrets
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console

from checks.language import Language
from checks.model import Endpoint, Invalid, Protocol, Security
from checks.settings import ImapSettings
from cli.console import open_console, say, say_command
from cli.demo.cast import DOMAIN, Cast, make_cast
from cli.reports.change_report import render_report
from cli.reports.progress import follow_progress
from cli.wording import phrase

if TYPE_CHECKING:
    from cli.demo.sandbox import MailServer
    from worker.config import Config
    from worker.service.account import Account
    from worker.service.preflight import Preflight

_USER = "demo"


def run_demo(console: Console, language: Language = Language.EN, *, stays: bool = False) -> None:
    """Prints the demo on `console`, progress on standard error. Takes some seconds and leaves nothing behind.

    `stays`: the page shows it then, until SIGINT or SIGTERM.

    Raises `Invalid` where the packages of the sandbox are not installed.
    """
    try:
        from cli.demo.sandbox import running_sandbox
    except ModuleNotFoundError as error:
        raise Invalid(f"the demo needs the package {error.name}: pipx install '.[demo]'") from None
    from settings_store.audit import SERVICE
    from worker.service.preflight import Preflight

    cast = make_cast()
    with (
        TemporaryDirectory(prefix="mail-preflight-demo-") as folder,
        running_sandbox(cast.old_directory(), cast.new_directory()) as sandbox,
        Preflight.open(_config(Path(folder))) as preflight,
        preflight.processes.serving() if stays else preflight.processes.working(),
    ):
        account = preflight.account(actor=SERVICE)
        prepare(account, cast, sandbox.old, Path(folder))
        say(console, phrase(language, "demo.sandbox", domain=DOMAIN, count=len(cast.passwords)))
        say(console, phrase(language, "demo.begin"))
        console.print()
        _verify(account, sandbox.new, console, language)
        if stays:
            _stay(preflight, console, language)
        else:
            _conclude(console, language)


def _stay(preflight: "Preflight", console: Console, language: Language) -> None:
    """Answers at the address that `serve` would have, or at any other that is free."""
    from cli.wording.errors import translated
    from web.server import answering_at, listening

    password = _first_user(preflight)
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(listening("127.0.0.1", preflight.config.web_port or 0))
        except Invalid:
            listener = stack.enter_context(listening("127.0.0.1", 0))
        url = stack.enter_context(answering_at(preflight, listener, translated))
        console.print()
        say(console, phrase(language, "demo.page"))
        say_command(console, f"{url}/admin", indent=4)
        say(console, phrase(language, "demo.sign_in", user=_USER, password=password))
        say(console, phrase(language, "demo.stays"))
        preflight.processes.wait()


def _first_user(preflight: "Preflight") -> str:
    """Makes the one who signs in to the page. Returns the password, new in every demo."""
    from worker.service.access.sign_in import Browser

    password = "-".join(secrets.token_hex(2) for _ in range(3))
    link = preflight.sign_in.first_link()
    assert link is not None  # noqa: S101 -- nobody has a password in a store that was just made
    preflight.sign_in.set_up(link, _USER, password, Browser("127.0.0.1"))
    return password


def _config(folder: Path) -> "Config":
    """The embedded mode on a database of its own, whatever the environment says."""
    from pydantic import SecretStr

    from settings_store.secrets import new_key
    from worker.config import EMBEDDED_BROKER, Config

    return Config(
        database_url=SecretStr(f"sqlite:///{folder / 'demo.db'}"),
        broker_url=SecretStr(EMBEDDED_BROKER),
        secret_key=SecretStr(new_key()),
        allow_networks=None,
        source_address=(),
    )


def settings_of(server: "MailServer", *, allow_insecure_certificate: bool, ca_pem: str = "") -> ImapSettings:
    from cli.demo.sandbox import HOST

    return ImapSettings(
        Endpoint(Protocol.IMAP, HOST, server.imap_port, server.imap_security),
        Endpoint(Protocol.SMTP, HOST, server.smtp_port, Security.STARTTLS),
        allow_insecure_certificate,
        ca_pem,
    )


def prepare(account: "Account", cast: Cast, old: "MailServer", folder: Path) -> None:
    """Imports the mailboxes and puts the old server's settings in force, with those it refuses already."""
    mailboxes = folder / "mailboxes.csv"
    cast.write_csv(mailboxes)
    account.mailboxes.import_file(DOMAIN, mailboxes)
    saved = account.changes.save(DOMAIN, settings_of(old, allow_insecure_certificate=False, ca_pem=old.ca_pem))
    for _ in account.runs.follow(saved.run_id):
        pass
    account.changes.apply(saved.change_id, account.changes.report(saved.change_id).counts["will_disconnect"])


def _verify(account: "Account", new: "MailServer", console: Console, language: Language) -> None:
    from worker.changes.wording import report_document

    saved = account.changes.save(DOMAIN, settings_of(new, allow_insecure_certificate=True))
    follow_progress(account.runs, saved.run_id, lambda: open_console(stderr=True), language)
    render_report(report_document(account.changes.report(saved.change_id, language)), console)


def _conclude(console: Console, language: Language) -> None:
    command = "mail-preflight" if shutil.which("mail-preflight") else sys.argv[0]
    console.print()
    say(console, phrase(language, "demo.end"))
    say(console, phrase(language, "demo.own"))
    server = "--imap mail.example.com:993 --smtp mail.example.com:587"
    say_command(console, f"{command} verify example.com {server} --mailboxes mailboxes.csv", indent=4)
