"""What is sent through Apprise arrives at real servers, once and with its id, goes nowhere else and tells no secret."""

import json
import logging
import socket
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import nullcontext
from ipaddress import ip_network
from urllib.parse import quote

import pytest

from checks.model import Invalid
from checks.network.address_policy import AddressPolicy
from tests.servers.receivers import Hook, Mailbox, hook, mailbox
from worker.alerts import apprise_sender
from worker.alerts.egress_guard import NotAllowed, guarded
from worker.alerts.message import Message, NotSent

EVERYWHERE = AddressPolicy(allow_all=True)
PUBLIC_ONLY = AddressPolicy()
MESSAGE = Message("0a1b2c3d", "Broken: IMAP of müller.example", "Zeile eins\n日本語\n", "failure")
SECRET = "pl4nted-s3cret"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as receiver:
        yield receiver


def mail_url(box: Mailbox, extra: str = "", user: str = "") -> str:
    return f"mailto://{user}127.0.0.1:{box.port}?mode=insecure&from=alerts@sender.example&to=admin@lab.example{extra}"


def refusal(url: str) -> str:
    with pytest.raises(Invalid) as caught:
        apprise_sender.accept(url)
    assert "\n" not in str(caught.value) and caught.value.field == "url"
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            f"mailto://user:{SECRET}@mail.example:2525?from=a@b.example&to=x@y.example&mode=starttls",
            "mailto: x@y.example by mail.example:2525",
        ),
        (f"mailtos://someone:{SECRET}@gmail.com", "mailtos: someone@gmail.com by smtp.gmail.com:587"),
        (f"jsons://user:{SECRET}@hooks.example/{SECRET}?+Authorization={SECRET}", "jsons://hooks.example/..."),
        (f"json://hooks.example:8080/{SECRET}?-token={SECRET}", "json://hooks.example:8080/..."),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a", "slack://... (Slack)"),
        ("tgram://123456789:abcdefg_hijklmnop/lead2gold/", "tgram://... (Telegram)"),
        (f"ntfy://{SECRET}", "ntfy://... (ntfy)"),
    ],
)
def test_a_channel_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert apprise_sender.accept(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        *("", "admin@example.com", "https//x", "mailto:admin@example.com", "json://h/\nx", "json://" + "x" * 3000),
        *("nothing://x", "file:///etc/passwd", "python://x", "://x"),
    ],
)
def test_what_is_no_url_of_a_service_is_refused(url: str) -> None:
    assert "https://appriseit.com/services/" in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "syslog://",
            "rsyslog://host",
            "dbus://",
            "kde://",
            "qt://",
            "glib://",
            "gnome://",
            "macosx://",
            "windows://",
        ),
        *("blink1://", "growl://host", "irc://host/#x", "mqtt://host/topic", "xmpp://u:p@host", "amqp://host/queue"),
        "vapid://me@example.com/you@example.com?keyfile=/etc/passwd",
    ],
)
def test_services_of_this_machine_and_with_files_of_their_own_are_refused(url: str) -> None:
    assert "cannot be used here" in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a?template=/etc/passwd",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?template=/etc/passwd",
        "workflows://host.example/a/b/?template=/etc/passwd",
        "fcm://project@key/device/?keyfile=/etc/passwd",
        "mailtos://someone:password@gmail.com?pgp=sign&pgpprv=/etc/passwd",
    ],
)
def test_urls_that_name_a_file_are_refused(url: str) -> None:
    assert "names a file" in refusal(url)


@pytest.mark.parametrize(
    "url", ["mailto://", "json://", "slack://a", "tgram://x", f"mailto://{SECRET}", "mailtos://u:p@gmail.com?to=nobody"]
)
def test_an_incomplete_url_is_refused_without_being_quoted(url: str) -> None:
    assert "is not usable" in refusal(url) and SECRET not in refusal(url)


@pytest.mark.parametrize("schema", ["json", "mailto", "mailtos"])
def test_a_password_with_an_at_sign_is_not_taken_for_a_host(schema: str) -> None:
    words = refusal(f"{schema}://user:pass@{SECRET}@mail.example/?from=a@b.example&to=x@y.example&mode=starttls")
    assert "%40" in words and SECRET not in words
    fine = apprise_sender.accept(
        f"{schema}://user:pass%40{SECRET}@mail.example/?from=a@b.example&to=x@y.example&mode=starttls"
    )
    assert "mail.example" in fine and SECRET not in fine


@pytest.mark.parametrize(
    "place", ["from=A%0d%0aBcc:z@z.example<a@b.example>", "smtp=a%0d%0ab", "+X=b%0D%0ABcc:z@z.example", "name=a%00b"]
)
def test_control_characters_are_refused_in_any_writing(place: str) -> None:
    assert "an alert channel needs a URL" in refusal(
        f"mailtos://u:p@mail.example?from=a@b.example&to=x@y.example&{place}"
    )


def test_a_long_message_to_a_webhook_is_one_call(receiver: Hook) -> None:
    """A second one would have the same id, and be taken for a repeat."""
    long = Message("0a1b2c3d", "subject", "word " * 20_000)
    apprise_sender.send(f"json://127.0.0.1:{receiver.port}/?overflow=split&retry=2", long, EVERYWHERE)
    assert receiver.ids == ["0a1b2c3d"]


@pytest.mark.parametrize("extra", ["to=x@y.example,z@y.example", "to=x@y.example&cc=z@y.example", "bcc=z@y.example"])
def test_several_recipients_are_refused(extra: str) -> None:
    assert "one channel for each" in refusal(f"mailtos://someone:password@gmail.com?{extra}")


@pytest.mark.parametrize("host", ["mail.example", "10.0.0.1"])
def test_a_password_that_would_go_out_unencrypted_is_refused(host: str) -> None:
    ending = "from=a@b.example&to=x@y.example"
    assert "mailtos://" in refusal(f"mailto://user:{SECRET}@{host}?{ending}")
    assert apprise_sender.accept(f"mailtos://user:{SECRET}@{host}?{ending}")
    assert apprise_sender.accept(f"mailto://{host}?{ending}"), "there is no password"
    assert apprise_sender.accept(f"mailto://user:{SECRET}@127.0.0.1?{ending}"), "it stays on this machine"


def test_a_password_that_is_rejected_was_sent_once() -> None:
    with mailbox(("teller", "right")) as box:
        with pytest.raises(NotSent, match="rejected the login: 535"):
            apprise_sender.send(mail_url(box, user="teller:wrong@"), MESSAGE, EVERYWHERE)
        assert box.logins == [(b"teller", b"wrong")]
        apprise_sender.send(mail_url(box, user="teller:right@"), MESSAGE, EVERYWHERE)
        assert box.ids == [MESSAGE.id]


def test_a_password_with_other_letters_than_ascii_is_sent_as_utf8() -> None:
    with mailbox(("zähler", "größe-日本")) as box:
        apprise_sender.send(mail_url(box, user=f"{quote('zähler')}:{quote('größe-日本')}@"), MESSAGE, EVERYWHERE)
        assert box.ids == [MESSAGE.id]


def test_a_login_that_is_refused_with_503_is_no_success() -> None:
    """Exim refuses so where its `acl_smtp_auth` says no; smtplib takes it for "logged in already"."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_refuse_login, args=(listening, said))
        thread.start()
        url = f"mailto://teller:right@127.0.0.1:{listening.getsockname()[1]}?mode=insecure&from=a@b.example&to=x@y.example"
        with pytest.raises(NotSent, match=r"rejected the login: 503 5\.5\.1 not from here"):
            apprise_sender.send(url, MESSAGE, EVERYWHERE)
        thread.join()
    assert [line.upper() for line in said] == [b"EHLO [127.0.0.1]\r\n"], "an address literal"


def _refuse_login(listening: socket.socket, said: list[bytes]) -> None:
    client, _ = listening.accept()
    with client, client.makefile("rwb", buffering=0) as lines:
        lines.write(b"220 lab ESMTP\r\n")
        said.append(lines.readline())
        lines.write(b"250-lab\r\n250 AUTH PLAIN\r\n")
        lines.readline()
        lines.write(b"503 5.5.1 not from here\r\n")
        lines.readline()


def test_mail_arrives_with_the_id_exactly_once(box: Mailbox) -> None:
    for _ in range(2):
        apprise_sender.send(mail_url(box, "&+Message-ID=<other@sender.example>"), MESSAGE, EVERYWHERE)
    first, again = box.mails
    assert first.get_all("Message-ID") == ["<0a1b2c3d@mail-preflight.sender.example>"]
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Subject"] == MESSAGE.subject
    assert first["Auto-Submitted"] == "auto-generated"
    assert (first["To"], first["From"]) == ("admin@lab.example", "alerts@sender.example")
    assert box.text().splitlines() == ["Zeile eins", "日本語"]
    assert first.get_content_type() == "text/plain"


@pytest.mark.parametrize("schema", ["json", "xml", "form"])
def test_a_webhook_arrives_with_the_id(receiver: Hook, schema: str) -> None:
    apprise_sender.send(f"{schema}://127.0.0.1:{receiver.port}/hook?+Webhook-Id=other&+X-Own=1", MESSAGE, EVERYWHERE)
    (call,) = receiver.calls
    assert (call.method, call.path, call.headers["webhook-id"], call.headers["x-own"]) == (
        *("POST", "/hook", "0a1b2c3d", "1"),
    )
    if schema == "json":
        document = json.loads(call.body)
        assert (document["title"], document["message"]) == (MESSAGE.subject, MESSAGE.text.rstrip("\n"))
        assert document["type"] == "failure"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver: Hook, status: int) -> None:
    with hook() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": f"http://127.0.0.1:{elsewhere.port}/"}
        with pytest.raises(NotSent, match=f"HTTP status {status}"):
            apprise_sender.send(f"json://127.0.0.1:{receiver.port}/?redirect=yes", MESSAGE, EVERYWHERE)
        assert not elsewhere.calls


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost", "169.254.169.254", "10.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0x7f000001"])
def test_a_host_that_is_not_allowed_is_not_connected_to(receiver: Hook, host: str) -> None:
    with pytest.raises(NotSent, match=r"is not public|no connection"):
        apprise_sender.send(f"json://{host}:{receiver.port}/", MESSAGE, PUBLIC_ONLY)
    assert not receiver.calls


def test_a_mail_server_that_is_not_allowed_is_not_connected_to(box: Mailbox) -> None:
    with pytest.raises(NotSent, match="the address is not public"):
        apprise_sender.send(mail_url(box), MESSAGE, PUBLIC_ONLY)
    apprise_sender.send(mail_url(box), MESSAGE, AddressPolicy(networks=(ip_network("127.0.0.0/8"),)))
    assert len(box.mails) == 1


def test_a_name_that_changes_its_mind_is_judged_by_where_the_connection_goes(
    receiver: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(NotSent, match="is not public"):
        apprise_sender.send(f"json://rebound.example:{receiver.port}/", MESSAGE, PUBLIC_ONLY)
    assert not receiver.calls


@pytest.mark.parametrize(("status", "words"), [(500, "HTTP status 500"), (404, "404"), (410, "410"), (401, "401")])
def test_a_webhook_that_does_not_accept_is_not_sent(receiver: Hook, status: int, words: str) -> None:
    receiver.status = status
    with pytest.raises(NotSent, match=words):
        apprise_sender.send(f"json://127.0.0.1:{receiver.port}/", MESSAGE, EVERYWHERE)


def test_a_status_is_not_taken_for_that_of_the_next_one(receiver: Hook) -> None:
    receiver.status = 500
    with pytest.raises(NotSent, match="500"):
        apprise_sender.send(f"json://127.0.0.1:{receiver.port}/", MESSAGE, EVERYWHERE)
    with pytest.raises(NotSent, match="no connection"):
        apprise_sender.send(f"json://127.0.0.1:{unused_port()}/", MESSAGE, EVERYWHERE)


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("answer", ["451 later", "550 5.7.1 no", "421 closing"])
def test_mail_that_is_refused_is_not_sent(box: Mailbox, answer: str) -> None:
    box.answer = answer
    with pytest.raises(NotSent, match=f"the mail server refused the message: {answer}"):
        apprise_sender.send(mail_url(box), MESSAGE, EVERYWHERE)


def test_no_mail_server_there() -> None:
    with pytest.raises(NotSent, match="could not be used: Connection refused"):
        apprise_sender.send(mail_url(Mailbox(unused_port())), MESSAGE, EVERYWHERE)


@pytest.mark.parametrize(
    "url", ["json://127.0.0.1:{port}/", "mailto://127.0.0.1:{port}?mode=insecure&from=a@b.example"]
)
def test_one_that_never_answers_ends_in_time(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        begun = time.monotonic()
        with pytest.raises(NotSent, match="no answer within 1 seconds"):
            apprise_sender.send(url.format(port=server.getsockname()[1]), MESSAGE, EVERYWHERE, seconds=1)
        assert time.monotonic() - begun < 3
    wait_for_threads()


@pytest.mark.parametrize("status", [200, 500])
def test_one_that_drips_ends_in_time_and_leaves_no_thread(receiver: Hook, status: int) -> None:
    """What it says first counts."""
    receiver.drip, receiver.status = True, status
    begun = time.monotonic()
    with nullcontext() if status == 200 else pytest.raises(NotSent, match="no answer within 1 seconds"):
        apprise_sender.send(f"json://127.0.0.1:{receiver.port}/", MESSAGE, EVERYWHERE, seconds=1)
    assert time.monotonic() - begun < 3
    wait_for_threads()


def wait_for_threads() -> None:
    end = time.monotonic() + 5
    while any(thread.name == "guarded" for thread in threading.enumerate()):
        assert time.monotonic() < end, "a thread goes on"
        time.sleep(0.01)


def test_what_was_accepted_counts_even_where_the_goodbye_fails() -> None:
    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rwb", buffering=0) as file:
            file.write(b"220 hello\r\n")
            while not (line := file.readline().upper()).startswith(b"QUIT"):
                file.write(b"354 go\r\n" if line.startswith(b"DATA") else b"250 ok\r\n")
                while line.startswith(b"DATA") and file.readline() != b".\r\n":
                    pass
                if line.startswith(b"DATA"):
                    file.write(b"250 kept\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        apprise_sender.send(mail_url(Mailbox(server.getsockname()[1])), MESSAGE, EVERYWHERE)


def test_no_secret_in_any_word(box: Mailbox, receiver: Hook, caplog: pytest.LogCaptureFixture) -> None:
    """Planted in every place of a URL; looked for in errors, their traces, logs of every level and objects' text."""
    caplog.set_level(1)
    receiver.status = 500
    box.answer = f"550 {SECRET} is not good"
    urls = [
        f"json://{SECRET}:{SECRET}@127.0.0.1:{receiver.port}/{SECRET}?+X={SECRET}&-y={SECRET}",
        f"json://{SECRET}:{SECRET}@127.0.0.1:{unused_port()}/{SECRET}?+X={SECRET}&-y={SECRET}",
        f"xml://{SECRET}:{SECRET}@127.0.0.1:{receiver.port}/{SECRET}",
        f"form://127.0.0.1:{receiver.port}/{SECRET}?redirect=yes",
        mail_url(box, user=f"{SECRET}:{SECRET}@"),
        mail_url(box),
        f"slack://{SECRET}",
        f"mailto://user:{SECRET}@",
        f"gotify://127.0.0.1:{receiver.port}/{SECRET}",
    ]
    words = []
    for url in urls:
        with pytest.raises((NotSent, Invalid)) as caught:
            apprise_sender.accept(url)
            apprise_sender.send(url, MESSAGE, EVERYWHERE)
        words += [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value, chain=True)]
    said = "\n".join([*words, caplog.text]).replace("sending.send(url", "")
    without_the_test = "\n".join(line for line in said.splitlines() if 'f"' not in line)
    relevant = without_the_test.replace(f"550 {SECRET}", "550 ")  # the server's own words on a channel with no secret
    assert SECRET not in relevant
    assert not [record for record in caplog.records if record.name.startswith("apprise")]


def test_the_password_is_taken_out_of_a_mail_servers_words() -> None:
    with mailbox(("someone", "right")) as box:
        with pytest.raises(NotSent, match="rejected the login: 535") as caught:
            apprise_sender.send(mail_url(box, user=f"someone:{SECRET}@"), MESSAGE, EVERYWHERE)
        assert SECRET not in str(caught.value)
        apprise_sender.send(mail_url(box, user="someone:right@"), MESSAGE, EVERYWHERE)
        assert len(box.mails) == 1


def test_logs_of_others_are_left_alone(caplog: pytest.LogCaptureFixture, receiver: Hook) -> None:
    caplog.set_level(logging.DEBUG)
    apprise_sender.send(f"json://127.0.0.1:{receiver.port}/{SECRET}", MESSAGE, EVERYWHERE)
    logging.getLogger("urllib3.connectionpool").debug("about a mail server")
    assert "about a mail server" in caplog.text and SECRET not in caplog.text


@pytest.mark.parametrize("deed", ["process", "path", "datagram"])
def test_what_is_guarded_gets_nowhere_else(deed: str) -> None:
    def do() -> bool:
        if deed == "process":
            return subprocess.run(["true"], check=False).returncode == 0
        if deed == "path":
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect("/run/nothing")
        if deed == "datagram":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"x", ("10.0.0.1", 514))
        return True

    with pytest.raises(NotAllowed):
        guarded(do, PUBLIC_ONLY, 5)
    assert subprocess.run(["true"], check=False).returncode == 0  # others still may


def test_the_mail_server_of_a_channel() -> None:
    assert apprise_sender.mail_host("mailto://u:p@Mail.Example?from=a@b.example&smtp=SMTP.Example.") == "smtp.example"
    assert apprise_sender.mail_host("mailtos://u:p@gmail.com") == "smtp.gmail.com"
    assert apprise_sender.mail_host("json://mail.example/") is None
