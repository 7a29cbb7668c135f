"""The rows of a settings page by command, from first to last, with real servers: see `tests/test_settings_page.py`."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo.directory import Directory
from cli.demo.sandbox import MailServer, Sandbox, running_sandbox
from cli.failures import Status
from tests.cli.commands.test_connecting import PASSWORD, connect
from tests.cli.planted import EXCHANGE, Planted

DOMAIN = "demo.example"
RIGHT = {f"ada@{DOMAIN}": PASSWORD}
CONCERNS = re.compile(rf"these settings concern every mailbox of {DOMAIN}: (\d+)")


@pytest.fixture(scope="module")
def servers() -> Iterator[Sandbox]:
    level = logging.getLogger("mail.log").level
    with running_sandbox(Directory(RIGHT, {}), Directory(RIGHT, {})) as sandbox:
        yield sandbox
    logging.getLogger("mail.log").setLevel(level)


def options(server: MailServer, folder: Path | None) -> list[str]:
    """The settings of a server; with a folder also its CA, which nobody else trusts."""
    given = ["--imap", f"127.0.0.1:{server.imap_port}", "--imap-security", server.imap_security.value]
    given += ["--smtp", f"127.0.0.1:{server.smtp_port}", "--smtp-security", "starttls"]
    if folder is None:
        return given
    ca = folder / f"{server.imap_port}.pem"
    ca.write_text(server.ca_pem)
    return [*given, "--ca-file", str(ca)]


def test_imap_settings_are_added_and_edited_and_mailboxes_inherit_them(
    planted: Planted, servers: Sandbox, tmp_path: Path
) -> None:
    """Given settings in force, when somebody connects, then that mailbox is tried with every later edit."""
    first = planted.run("verify", DOMAIN, *options(servers.old, tmp_path), "--json")
    assert CONCERNS.search(first.err) is None, "it has no mailbox yet"
    planted.run("apply", first.document["change_id"], "--watch-minutes", "0")

    status, out, err = connect(planted, "connect", f"ada@{DOMAIN}")
    assert (status, "has the settings of its domain from now on" in out) == (Status.SAFE, True)
    assert f"Filled in (mail): imap://127.0.0.1:{servers.old.imap_port}, " in err, "before the password is asked for"

    edited = planted.run("verify", DOMAIN, *options(servers.new, tmp_path), "--json")
    assert CONCERNS.findall(edited.err) == ["1"]
    assert (edited.status, edited.document["counts"]["keeps_working"]) == (Status.SAFE, 1)
    planted.run("apply", edited.document["change_id"], "--watch-minutes", "0")
    (known,) = planted.run("domains", "--json").document
    assert known["endpoints"][0] == f"imap://127.0.0.1:{servers.new.imap_port} (tls)"
    assert known["mailboxes"]["connected"] == 1
    japanese = planted.run("--language", "ja", *("verify", DOMAIN, *options(servers.old, tmp_path)))
    assert f"適用すると、{DOMAIN} のすべてのメールボックスに影響します：1 件" in japanese.err


def test_the_insecure_option(planted: Planted, servers: Sandbox) -> None:
    without = planted.run("verify", DOMAIN, *options(servers.new, None), "--json")
    assert (without.status, without.document["endpoints"][0]["allow_insecure_certificate"]) == (Status.UNSAFE, "needed")
    given = planted.run("verify", DOMAIN, *options(servers.new, None), "--allow-insecure-certificate", "--json")
    assert [each["verdict"] for each in given.document["endpoints"]] == ["ok", "ok"]


def test_exchange_is_added_and_edited_and_takes_the_place_of_imap(planted: Planted) -> None:
    planted.mailboxes(planted.domain(), 3)
    for typed in ("127.0.0.1:9", "https://127.0.0.1:9/EWS/Exchange.asmx?x"):
        said = planted.run("verify", DOMAIN, "--exchange", typed)
        assert (said.status, CONCERNS.findall(said.err)) == (Status.UNSAFE, ["3"])
    newest, older, *_ = planted.run("changes", DOMAIN, "--json").document
    assert {tuple(each["endpoints"]) for each in (newest, older)} == {("https://127.0.0.1:9/EWS/Exchange.asmx",)}
    both = planted.run("verify", DOMAIN, "--exchange", "127.0.0.1:9", "--imap", "127.0.0.1:9")
    assert (both.status, "a domain has one of them" in both.err) == (Status.USAGE, True)
    (known,) = planted.run("domains", "--json").document
    assert known["kind"] == "imap", "nothing is in force before it is applied"


class TestPrefill:
    def test_imap(self, planted: Planted) -> None:
        planted.domain()
        found = planted.run("prefill", DOMAIN, "--json").document
        how = {"security": "tls", "authentication": "login"}
        assert found == {
            "domain": DOMAIN,
            "kind": "imap",
            "serves": ["mail"],
            "servers": [
                {"protocol": "imap", "host": "imap.demo.example", "port": 993, **how},
                {"protocol": "smtp", "host": "smtp.demo.example", "port": 465, **how},
            ],
            "hint": None,
        }
        said = planted.run("prefill", DOMAIN)
        assert said.out == "Filled in (mail): imap://imap.demo.example:993, smtp://smtp.demo.example:465\n"

    def test_exchange_for_mail_and_calendar(self, planted: Planted) -> None:
        planted.domain(settings=EXCHANGE)
        found = planted.run("prefill", DOMAIN, "--json").document
        assert (found["kind"], found["serves"]) == ("exchange", ["mail", "calendar"])
        assert found["servers"] == [{"protocol": "https", "url": EXCHANGE.url}]
        assert "（メール、カレンダー）" in planted.run("--language", "ja", "prefill", DOMAIN).out

    def test_the_hint_and_nothing_else(self, planted: Planted) -> None:
        found = planted.run("prefill", "gmail.com", "--json").document
        assert (found["kind"], found["servers"], found["hint"]["wants"]) == (None, [], "app_password")
        first, hint = planted.run("prefill", "gmail.com").out.splitlines()
        assert (first, found["hint"]["message"]) == ("Nothing is filled in: gmail.com has no settings yet.", hint)


def test_a_role_is_changed_and_it_is_written_down(planted: Planted) -> None:
    planted.domain()
    planted.run("users", "add", "mia", "--role", "account_access")
    said = planted.run("users", "role", "mia", "--role", "member", "--domain", DOMAIN)
    assert (said.status, said.out) == (Status.SAFE, "From now on mia is member.\n")
    assert planted.run("users", "list").out == f"mia: member of {DOMAIN}\n"
    assert planted.run("users", "role", "nobody", "--role", "member", "--domain", DOMAIN).status == Status.USAGE
    assert planted.run("users", "role", "mia", "--role", "operator").status == Status.USAGE
