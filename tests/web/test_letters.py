"""`/v1/changes/{id}/letters`, and that a password which a mail server quotes is in none of them."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.codes import Code, Verdict
from cli.failures import Status
from cli.main import run
from tests.servers.certificates import CertificateLab
from tests.servers.conversation import Conversation, Script
from tests.servers.hostile import HostileServer
from tests.web.api import Api, running
from tests.web.planted_changes import Box, plant

PASSWORD = "plantedPassword8731"
RECIPIENTS = ["owners", "mail_admin", "firewall", "ticket"]
SMTP = Script(
    "220 mail ESMTP", (("^EHLO", "250-mail\r\n250 AUTH PLAIN LOGIN"), ("^AUTH", "535 5.7.8 no"), ("^QUIT", None))
)


def quoting(conversation: Conversation) -> None:
    """An IMAP server that rejects every login, and quotes what it was sent."""
    conversation.start_tls("good")
    conversation.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n")
    while True:
        line = conversation.line()
        tag, _, said = line.partition(" ")
        if said.upper().startswith(("LOGIN", "AUTHENTICATE")):
            conversation.send(f"{tag} NO [AUTHENTICATIONFAILED] no such login: {_plain(said)} ({said})\r\n")
        elif said.upper().startswith("CAPABILITY"):
            conversation.send(f"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n{tag} OK done\r\n")
        else:
            conversation.send(f"{tag} OK done\r\n")


def _plain(said: str) -> str:
    last = said.split()[-1]
    return base64.b64decode(last).replace(b"\0", b" ").decode() if said.upper().startswith("AUTHENTICATE") else last


def test_each_recipient_gets_a_letter_in_the_language_asked_for(shared_api: Api) -> None:
    boxes = (
        Box("ada@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", "NO no"),
        Box("bob@x", Verdict.INCONCLUSIVE, Code.MAILBOX_IN_USE, "imap", "NO [INUSE] busy"),
        *(Box(f"works{number}@x") for number in range(5)),
    )
    change = plant(shared_api, "verified", boxes, fails=Code.CONNECT_REFUSED)

    answer = shared_api.ask("GET", f"{change.path}/letters?lang=ja")
    english = shared_api.ask("GET", f"{change.path}/letters", headers={"Accept-Language": "en"})

    assert (answer.status, answer.headers["Content-Language"], english.headers["Content-Language"]) == (200, "ja", "en")
    assert [item["to"] for item in answer.body["items"]] == RECIPIENTS
    assert [item["addresses"] for item in answer.body["items"]] == [["ada@x"], [], [], []]
    assert "お世話になっております" in answer.body["items"][0]["body"]
    assert "NO [INUSE] busy" in english.body["items"][1]["body"]
    assert "port 993 (IMAP)" in english.body["items"][2]["body"]


def test_those_to_one_recipient(shared_api: Api) -> None:
    change = plant(shared_api, "verified", (Box("ada@x"),))
    assert shared_api.ask("GET", f"{change.path}/letters?to=owners").body["items"] == []
    (ticket,) = shared_api.ask("GET", f"{change.path}/letters?to=ticket").body["items"]
    assert "mail-preflight" not in ticket["body"], "whoever reads it has no command"
    wrong = shared_api.ask("GET", f"{change.path}/letters?to=everybody")
    assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (422, "query:to")


def test_there_are_none_without_a_report(shared_api: Api) -> None:
    answer = shared_api.ask("GET", f"{plant(shared_api, 'verifying').path}/letters")
    assert (answer.status, answer.body["reason"]) == (409, "no_report")


@pytest.fixture(scope="module")
def rejected(tmp_path_factory: pytest.TempPathFactory, certificates: CertificateLab) -> Iterator[tuple[Api, str, Path]]:
    """A change whose mailbox was really tried, at a server that quoted its password."""
    folder = tmp_path_factory.mktemp("letters")
    leaf = certificates.issue("127.0.0.1")
    with HostileServer(quoting, leaf) as imap, HostileServer(SMTP, leaf) as smtp, running(folder, working=True) as api:
        settings = {
            "kind": "imap",
            "imap": {"host": "127.0.0.1", "port": imap.port, "security": "tls"},
            "smtp": {"host": "127.0.0.1", "port": smtp.port, "security": "tls"},
            "ca_pem": certificates.ca_pem,
        }
        boxes = [{"address": f"{name}@letters.example", "password": f"{PASSWORD}-{name}"} for name in ("ada", "bob")]
        saved = api.ask("POST", "/v1/domains/letters.example/changes", {"settings": settings, "mailboxes": boxes})
        assert saved.status == 201, saved.text
        path = saved.headers["Location"]
        assert api.ask("GET", f"{path}?wait=30").body["state"] == "verified"
        assert PASSWORD.encode() in imap.received
        yield api, path, folder


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_password_that_a_server_quotes_is_in_no_letter(rejected: tuple[Api, str, Path], language: str) -> None:
    api, path, _ = rejected
    answer = api.ask("GET", f"{path}/letters?lang={language}")
    assert "no such login" in answer.text, "its other words are kept"
    assert "ada@letters.example" in answer.text
    for secret in (PASSWORD, base64.b64encode(f"\0ada@letters.example\0{PASSWORD}-ada".encode()).decode()):
        assert secret not in answer.text


def test_the_command_writes_them_and_sends_nothing(
    rejected: tuple[Api, str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api, path, _ = rejected
    config = api.preflight.config
    assert config.secret_key is not None
    monkeypatch.setenv("MAIL_PREFLIGHT_DATABASE_URL", config.database_url.get_secret_value())
    monkeypatch.setenv("MAIL_PREFLIGHT_SECRET_KEY", config.secret_key.get_secret_value())
    change = path.rpartition("chg_")[2]
    for arguments, told in ((["--to", "ticket"], "Checksum"), (["--to", "ticket", "--language", "ja"], "チェックサム")):
        assert run(["letters", change, *arguments]) == Status.SAFE
        written = capsys.readouterr()
        assert told in written.out
        assert "no such login" in written.out
        assert PASSWORD not in written.out + written.err
