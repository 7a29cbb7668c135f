"""Published configurations of public providers, restated as facts in `corpus.csv`: each is served, and found right.

`how` is the way in which the row is served. Around what is to be found stands what is published beside it: POP3, and
the same servers with STARTTLS.
"""

import base64
import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks.discovery.model import Password, Source, Subject
from checks.discovery.run import discover
from checks.discovery.sources.provider_table import PROVIDERS, Provider
from checks.messages.providers import Wants, hint_for
from tests.servers.certificates import CertificateLab
from tests.servers.internet import Internet, Page

Place = tuple[str, int, str]
HOW = {
    "autoconfig": Source.AUTOCONFIG,
    "pacc": Source.PACC,
    "srv": Source.SRV,
    "autodiscover": Source.AUTODISCOVER,
    "provider": Source.PROVIDER,
}
USERNAMES = {"address": "%EMAILADDRESS%", "local_part": "%EMAILLOCALPART%", "unknown": "%USERNAME%"}
WAYS = {"password": ("OAuth2", "password-cleartext"), "oauth2": ("OAuth2",)}
SOCKETS = {"tls": "SSL", "starttls": "STARTTLS"}
SERVICES = {
    ("imap", "tls"): "_imaps",
    ("imap", "starttls"): "_imap",
    ("smtp", "tls"): "_submissions",
    ("smtp", "starttls"): "_submission",
}


@dataclass(frozen=True)
class Row:
    """One provider."""

    provider: str
    domain: str
    how: str
    imap: Place
    smtp: Place
    login: str
    password: str
    source: str
    read: str


def place(text: str) -> Place:
    host, port, security = text.split(":")
    return host, int(port), security


def rows() -> list[Row]:
    with Path(__file__).with_name("corpus.csv").open(encoding="utf-8") as file:
        return [
            Row(**(line | {"imap": place(line["imap"]), "smtp": place(line["smtp"])}))  # type: ignore[arg-type] # text
            for line in csv.DictReader(file)
        ]


ROWS = rows()


def server(tag: str, kind: str, at: Place, row: Row) -> str:
    host, port, security = at
    host = host.replace(row.domain, "%EMAILDOMAIN%") if row.domain == "inbox.lv" else host
    ways = "".join(f"<authentication>{way}</authentication>" for way in WAYS[row.password])
    return (
        f'<{tag} type="{kind}"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{SOCKETS[security]}</socketType><username>{USERNAMES[row.login]}</username>{ways}</{tag}>"
    )


def autoconfig(row: Row) -> dict[str, Page]:
    incoming, outgoing = "incomingServer", "outgoingServer"
    servers = (
        server(incoming, "pop3", (row.imap[0], 995, "tls"), row),
        server(incoming, "imap", row.imap, row),
        server(incoming, "imap", (row.imap[0], 143, "starttls"), row),
        server(outgoing, "smtp", row.smtp, row),
        server(outgoing, "smtp", (row.smtp[0], 587, "starttls"), row),
    )
    provider = f"<domain>{row.domain}</domain><displayName>{row.provider.replace('&', '&amp;')}</displayName>"
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version="1.1"><emailProvider id="{row.domain}">'
    document += f"{provider}{''.join(servers)}</emailProvider><webMail/></clientConfig>"
    return {f"https://autoconfig.{row.domain}/mail/config-v1.1.xml": (200, {}, document.encode())}


def pacc_document(row: Row) -> bytes:
    protocols = {"imap": {"host": row.imap[0]}, "smtp": {"host": row.smtp[0]}, "jmap": {"url": "https://x.example/"}}
    authentication = {"oauth-public": {"issuer": "https://x.example"}, "password": True}
    return json.dumps({"protocols": protocols, "authentication": authentication}).encode()


def pacc(row: Row) -> dict[str, Page]:
    url = f"https://ua-auto-config.{row.domain}/.well-known/user-agent-configuration.json"
    return {url: (200, {"Content-Type": "application/json"}, pacc_document(row))}


def autodiscover(row: Row) -> dict[str, Page]:
    protocols = "".join(
        f"<Protocol><Type>{kind}</Type><Server>{host}</Server><Port>{port}</Port><SSL>on</SSL>"
        f"<LoginName>postmaster@{row.domain}</LoginName></Protocol>"
        for kind, (host, port, _) in (("IMAP", row.imap), ("SMTP", row.smtp))
    )
    schema = "http://schemas.microsoft.com/exchange/autodiscover"
    body = (
        f'<?xml version="1.0"?><Autodiscover xmlns="{schema}/responseschema/2006"><Response '
        f'xmlns="{schema}/outlook/responseschema/2006a"><Account><AccountType>email</AccountType>{protocols}</Account>'
        "</Response></Autodiscover>"
    )
    return {f"https://autodiscover.{row.domain}/autodiscover/autodiscover.xml": (200, {}, body.encode())}


def zone(row: Row) -> dict[tuple[str, str], list[str]]:
    if row.how == "pacc":
        digest = base64.b64encode(hashlib.sha256(pacc_document(row)).digest()).decode()
        return {(f"_ua-auto-config.{row.domain}", "TXT"): [f'"v=UAAC1; a=sha256; d={digest}"']}
    if row.how == "srv":
        return {
            (f"{SERVICES[kind, at[2]]}._tcp.{row.domain}", "SRV"): [f"5 0 {at[1]} {at[0]}."]
            for kind, at in (("imap", row.imap), ("smtp", row.smtp))
        }
    return {}


@pytest.fixture(scope="module")
def internet(certificates: CertificateLab) -> Iterator[Internet]:
    """All of the providers at once."""
    hosts = {name for row in ROWS for name in (row.imap[0], row.smtp[0])}
    webs = [
        f"{prefix}{row.domain}" for row in ROWS for prefix in ("", "autoconfig.", "autodiscover.", "ua-auto-config.")
    ]
    made = Internet(certificates, tuple(sorted({*webs, *hosts})))
    for row in ROWS:
        made.zone = {**made.zone, **zone(row)}
        serves = {"autoconfig": autoconfig, "pacc": pacc, "autodiscover": autodiscover}.get(row.how)
        made.pages |= serves(row) if serves else {}
        made.mail |= {row.imap[:2], row.smtp[:2]}
        if row.smtp[1:] == (587, "tls"):
            made.exceptions[row.smtp[:2]] = 465
    with made.running():
        yield made


def test_there_are_fifty() -> None:
    assert len(ROWS) >= 50
    assert len({row.domain for row in ROWS}) == len(ROWS)
    assert all(row.source and row.read for row in ROWS)
    assert all(row.source and row.read for row in PROVIDERS)


@pytest.mark.parametrize("row", ROWS, ids=[row.domain for row in ROWS])
def test_every_row_is_right(internet: Internet, row: Row) -> None:
    found = discover(Subject(row.domain), internet.outside(3.0), internet.check, seconds=10)
    best = found.proposals[0]
    offers = [(offer.endpoint.host, offer.endpoint.port, offer.endpoint.security.value) for offer in best.offers]
    assert offers == [row.imap, row.smtp]
    assert (best.candidate.login, best.candidate.password) == (row.login, row.password)
    assert (best.works, best.complete) == (True, True)
    assert HOW[row.how] in {best.candidate.source, *best.also}
    assert best.trusted, "the certificate of all of them is one for the mail domain, too"


_WANTED = {
    Wants.APP_PASSWORD: {Password.APP_PASSWORD},
    Wants.APP_PASSWORD_WITH_TWO_STEPS: {Password.APP_PASSWORD, Password.UNKNOWN},
    Wants.NO_PASSWORD: {Password.OAUTH2},
}


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_what_is_proposed_and_what_a_member_is_told_agree(provider: Provider) -> None:
    hint = hint_for("example.com", (provider.imap[0], provider.smtp[0]))
    assert hint is None or provider.password in _WANTED[hint.wants]


def test_most_who_want_another_password_have_a_hint() -> None:
    without = {each.name for each in PROVIDERS if hint_for("example.com", (each.imap[0],)) is None}
    assert {each.name for each in PROVIDERS if each.password is not Password.NORMAL} - without >= {"Google", "Yandex"}
