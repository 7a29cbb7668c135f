"""`mail-preflight discover`, in this process, against a small Internet on loopback."""

from collections.abc import Iterator

import pytest

from tests.cli.planted import Planted
from tests.cli.reports.test_json_documents import validator
from tests.servers.certificates import CertificateLab
from tests.servers.internet import Internet, autoconfig

DOMAIN = "corp.example"
NAMES = tuple(prefix + DOMAIN for prefix in ("", "autoconfig.", "imap.", "smtp."))
XML = autoconfig([(f"imap.{DOMAIN}", 993, "SSL")], [(f"smtp.{DOMAIN}", 465, "SSL")])
HTTPS = f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml"


@pytest.fixture(scope="module")
def internet(certificates: CertificateLab) -> Iterator[Internet]:
    made = Internet(certificates, NAMES, hosts=set(NAMES))
    made.serve_mail(f"imap.{DOMAIN}:993", f"smtp.{DOMAIN}:465")
    with made.running():
        yield made


@pytest.fixture(autouse=True)
def _reached(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    internet.pages = {HTTPS: (200, {}, XML)}
    internet.stand_in(monkeypatch)


def test_it_says_how_to_go_on(planted: Planted) -> None:
    said = planted.run("discover", DOMAIN)
    assert said.status == 0, said.err
    assert (
        f"mail-preflight verify {DOMAIN} --imap imap.{DOMAIN}:993 --imap-security tls "
        f"--smtp smtp.{DOMAIN}:465 --smtp-security tls --mailboxes FILE" in said.out
    )
    assert "autoconfig of the domain: found something" in said.err


def test_a_host_has_to_be_accepted(planted: Planted, internet: Internet) -> None:
    internet.pages = {HTTPS.replace("https", "http"): (200, {}, XML)}
    said = planted.run("discover", DOMAIN)
    accept = f"mail-preflight discover {DOMAIN} --accept-host imap.{DOMAIN} --accept-host smtp.{DOMAIN}"
    assert (said.status, accept in said.out, "mail-preflight verify" in said.out) == (0, True, False)
    assert "mail-preflight verify" in planted.run(*accept.split()[1:]).out


def test_in_japanese_and_for_programs(planted: Planted) -> None:
    document = planted.run("--language", "ja", "discover", f"ada@{DOMAIN}", "--json").document
    validator("discovery.schema.json").validate(document)
    assert (document["address"], document["proposals"][0]["username"]) == (f"ada@{DOMAIN}", f"ada@{DOMAIN}")
    said = planted.run("--language", "ja", "discover", DOMAIN)
    assert "設定が見つかり" in said.out


def test_nothing_is_there(planted: Planted, internet: Internet) -> None:
    internet.pages = {}
    said = planted.run("discover", "nothing.example")
    assert (said.status, "No settings for nothing.example" in said.out) == (1, True)
    assert planted.run("discover", "no domain").status == 2
    assert planted.run("discover", DOMAIN, "--imap", "nowhere").status == 2


def test_what_works_takes_a_line_and_what_fails_says_why(planted: Planted, internet: Internet) -> None:
    internet.pages = {HTTPS: (200, {}, autoconfig([(f"imap.{DOMAIN}", 993, "SSL")], [("gone.example", 465, "SSL")]))}
    said = planted.run("discover", DOMAIN)
    assert f"IMAP imap.{DOMAIN}:993 (tls): works\n    ✓ The domain itself names this host over HTTPS." in said.out
    assert "dns.not_found" in said.out
    assert "names smtp://gone.example:465, which does not work (dns.not_found)" in said.out
