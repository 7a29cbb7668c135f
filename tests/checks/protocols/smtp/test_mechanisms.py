"""Which mechanisms are tried, in which order, and that a rejected password is sent again by one canary only."""

import base64
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Credential, Protocol
from checks.protocols.dialect import Habits
from checks.protocols.login import Route
from checks.runner import check_mailbox
from tests.checks.helpers import SECRET, USER, route_to
from tests.servers.behaviours import smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Script
from tests.servers.hostile import HostileServer

NO = "535 5.7.8 Error: authentication failed"
CHALLENGE = base64.b64encode(b"<1896.697170952@mail.lab.example>").decode()
_USER, _SECRET = (base64.b64encode(text.encode()).decode() for text in (USER, SECRET))


def server(offer: str, *, cram: str = "504", plain: str = "504", login: str = "504", other: str = NO) -> Script:
    """What each mechanism answers: "ok" where it takes the right password (and says `other` else), or a refusal."""
    digest = hmac.new(SECRET.encode(), base64.b64decode(CHALLENGE), "md5").hexdigest()
    right = base64.b64encode(f"{USER} {digest}".encode()).decode()
    rules: list[tuple[str, str | None]] = [("^EHLO", f"250-mail.lab.example\r\n250 AUTH {offer}")]
    if cram == "ok":
        rules += [("^AUTH CRAM-MD5$", f"334 {CHALLENGE}"), (f"^{right}$", "235 2.7.0 Accepted")]
    else:
        rules += [("^AUTH CRAM-MD5", cram)]
    blob = base64.b64encode(f"\0{USER}\0{SECRET}".encode()).decode()
    rules += [(f"^AUTH PLAIN {blob}$", "235 2.7.0 Accepted" if plain == "ok" else plain)]
    rules += [("^AUTH PLAIN", other if plain == "ok" else plain)]
    if login == "ok":
        rules += [(f"^AUTH LOGIN {_USER}$", "334 UGFzc3dvcmQ6"), ("^AUTH LOGIN$", "334 VXNlcm5hbWU6")]
        rules += [(f"^{_USER}$", "334 UGFzc3dvcmQ6"), (f"^{_SECRET}$", "235 2.7.0 Accepted")]
    else:
        rules += [("^AUTH LOGIN", login)]
    return smtp_script(*rules, ("^[A-Za-z0-9+/=]+$", other))


def commands(received: bytes) -> list[str]:
    """The mechanisms of the AUTH commands that came."""
    return [line.split()[1].decode() for line in received.split(b"\r\n") if line.startswith(b"AUTH ")]


REFUSALS = (
    "535 5.7.8 Error: authentication failed: no mechanism available",
    "535 5.7.8 Error: authentication failed: Invalid authentication mechanism",
    "502 Invalid input",
    "502 5.5.1 Command not implemented",
    "504 5.5.4 Unrecognized authentication type",
    "504 5.7.4 Unrecognized authentication type",
    "500 5.5.1 unrecognized command",
    "501 5.5.2 Cannot decode the response",
    "534 5.7.9 mechanism is too weak",
    "538 5.7.11 Encryption required for requested authentication mechanism",
)


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize(("secret", "code"), [(SECRET, Code.OK), ("another", Code.AUTH_REJECTED)])
def test_a_refused_mechanism_is_followed_by_the_next(
    refusal: str, secret: str, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    with HostileServer(server("PLAIN LOGIN", plain=refusal, login="ok"), leaf) as hostile:
        assert _log_in(route_to(hostile.port, context, Protocol.SMTP), context, secret) is code
    assert commands(hostile.received) == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize(
    ("script", "order"),
    [
        (server("PLAIN LOGIN CRAM-MD5", plain=REFUSALS[0], login="ok"), ["CRAM-MD5", "PLAIN", "LOGIN"]),
        (server("LOGIN PLAIN XOAUTH XOAUTH2", plain=REFUSALS[2], login="ok"), ["PLAIN", "LOGIN"]),
        (server("CRAM-MD5 DIGEST-MD5", cram="ok"), ["CRAM-MD5"]),
        (server("LOGIN CRAM-MD5 PLAIN", cram="ok", plain="ok", login="ok"), ["CRAM-MD5"]),
        (server("DIGEST-MD5 PLAIN SCRAM-SHA-256", plain="ok"), ["PLAIN"]),
        (server("LOGIN NTLM", login="ok"), ["LOGIN"]),
        (server("CRAM-MD5 LOGIN", login="ok"), ["CRAM-MD5", "LOGIN"]),
    ],
)
def test_the_order_is_the_clients(
    script: Behaviour, order: list[str], leaf: CertificateFiles, context: CheckContext
) -> None:
    """Given a server that refuses mechanisms, when a second mailbox comes, then it begins with the one that works."""
    with HostileServer(script, leaf) as hostile:
        route = route_to(hostile.port, context, Protocol.SMTP)
        assert _log_in(route, context) is _log_in(route, context) is Code.OK
    assert commands(hostile.received) == [*order, order[-1]]


def test_all_mechanisms_refused(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(server("PLAIN LOGIN"), leaf) as hostile:
        assert _log_in(route_to(hostile.port, context, Protocol.SMTP), context) is Code.AUTH_NO_MECHANISM
    assert commands(hostile.received) == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize(
    "refusal",
    [
        NO,
        "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
        "535 Incorrect authentication data",
        "502 5.7.0 Authentication failed",
        "454 4.7.0 Temporary authentication failure: generic failure",
        "534 5.7.9 Application-specific password required",
        "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
    ],
)
def test_a_rejected_password_is_not_sent_by_another_mechanism(
    refusal: str, leaf: CertificateFiles, context: CheckContext
) -> None:
    with HostileServer(server("PLAIN LOGIN", plain=refusal, login="ok"), leaf) as hostile:
        assert _log_in(route_to(hostile.port, context, Protocol.SMTP), context) is not Code.OK
    assert commands(hostile.received) == ["PLAIN"]


@pytest.mark.parametrize(
    ("script", "first"),
    [
        (server("PLAIN LOGIN", plain=NO, login="ok"), ["PLAIN", "LOGIN"]),
        (server("CRAM-MD5 PLAIN", cram=NO, plain="ok"), ["CRAM-MD5", "PLAIN"]),
        (server("CRAM-MD5 PLAIN LOGIN", cram=NO, plain=REFUSALS[0], login="ok"), ["CRAM-MD5", "PLAIN", "LOGIN"]),
        (server("CRAM-MD5 LOGIN", cram="535 Incorrect authentication data", login="ok"), ["CRAM-MD5", "LOGIN"]),
    ],
)
def test_one_canary_finds_out_for_all(
    script: Behaviour, first: list[str], leaf: CertificateFiles, context: CheckContext
) -> None:
    """Given a server that rejects by one mechanism, when a canary came in by another, then all others begin with it."""
    with HostileServer(script, leaf) as hostile:
        route = _of_canaries(hostile.port, context)
        assert _log_in(route, context) is _log_in(route, context) is Code.OK
        elsewhere = replace(route, habits=Habits.begin(route.learned, canaries=False))
        assert _log_in(elsewhere, context) is Code.OK
    assert commands(hostile.received) == [*first, first[-1], first[-1]]


def test_a_wrong_password_is_sent_twice_once_a_run(leaf: CertificateFiles, context: CheckContext) -> None:
    """Given canaries with wrong passwords, then one of them meets two mechanisms, the others one each."""
    with HostileServer(server("PLAIN LOGIN", plain="ok", login="ok"), leaf) as hostile:
        route = _of_canaries(hostile.port, context)
        assert {_log_in(route, context, "wrong") for _ in range(3)} == {Code.AUTH_REJECTED}
        assert _log_in(route, context) is Code.OK
    assert commands(hostile.received) == ["PLAIN", "LOGIN", "LOGIN", "PLAIN", "LOGIN"]
    assert _times("wrong", hostile.received) == 4


def test_once_one_works_a_rejection_is_final(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(server("PLAIN LOGIN", plain="ok", login="ok"), leaf) as hostile:
        route = _of_canaries(hostile.port, context)
        assert _log_in(route, context) is Code.OK
        assert _log_in(route, context, "wrong") is Code.AUTH_REJECTED
    assert commands(hostile.received) == ["PLAIN", "PLAIN"]


@pytest.mark.parametrize("second", ["421 4.7.0 Too many errors", None, "454 4.7.0 later", "535 no"])
def test_a_rejection_stays_one_whatever_the_second_mechanism_meets(
    second: str | None, leaf: CertificateFiles, context: CheckContext
) -> None:
    rules = (("^EHLO", "250-mail.lab.example\r\n250 AUTH PLAIN LOGIN"), ("^AUTH PLAIN", NO), ("^AUTH LOGIN", second))
    with HostileServer(smtp_script(*rules), leaf) as hostile:
        result = check_mailbox(_of_canaries(hostile.port, context), Credential(USER, SECRET), context)
    assert (result.code, result.verdict) == (Code.AUTH_REJECTED, verdict_of(Code.AUTH_REJECTED))


@pytest.mark.parametrize("challenge", ["334 ", "334 Z28gb24=", "334 !"])
def test_challenges_without_end_are_cancelled(challenge: str, leaf: CertificateFiles, context: CheckContext) -> None:
    script = smtp_script((r"^\*$", "501 5.7.0 cancelled"), ("^[A-Za-z0-9+/=]*$", challenge), login=challenge)
    with HostileServer(script, leaf) as hostile:
        assert _log_in(route_to(hostile.port, context, Protocol.SMTP), context) is Code.PROTOCOL_ERROR
    assert b"*\r\nQUIT\r\n" in hostile.received


def test_the_password_is_not_in_a_cram_md5_login(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(server("CRAM-MD5", cram="ok"), leaf) as hostile:
        assert _log_in(route_to(hostile.port, context, Protocol.SMTP), context) is Code.OK
    assert _SECRET.rstrip("=").encode() not in hostile.received
    assert SECRET.encode() not in hostile.received


def _of_canaries(port: int, context: CheckContext) -> Route:
    return replace(route_to(port, context, Protocol.SMTP), habits=Habits.begin({}, canaries=True))


def _log_in(route: Route, context: CheckContext, secret: str = SECRET) -> Code:
    route = replace(route, capabilities=("AUTH PLAIN LOGIN CRAM-MD5",))
    return check_mailbox(route, Credential(USER, secret), context).code


def _times(secret: str, received: bytes) -> int:
    def said() -> Iterator[bytes]:
        for line in received.split(b"\r\n"):
            try:
                yield base64.b64decode(line.split()[-1] if line else b"")
            except ValueError:
                continue

    return sum(secret.encode() in text for text in said())


class TestOtherClients:
    """The same servers, asked as another client asks them."""

    def test_nodemailer_takes_the_first_mechanism_only(self, leaf: CertificateFiles, context: CheckContext) -> None:
        node = replace(context, client=NODE)
        with HostileServer(server("PLAIN LOGIN CRAM-MD5", plain=REFUSALS[0], login="ok"), leaf) as hostile:
            assert _log_in(route_to(hostile.port, context, Protocol.SMTP), node) is Code.AUTH_NO_MECHANISM
        assert commands(hostile.received) == ["PLAIN"]

    def test_nodemailer_sends_no_user_name_with_auth_login(self, leaf: CertificateFiles, context: CheckContext) -> None:
        node = replace(context, client=NODE)
        with HostileServer(server("LOGIN", login="ok"), leaf) as hostile:
            assert _log_in(route_to(hostile.port, context, Protocol.SMTP), node) is Code.OK
        assert b"AUTH LOGIN\r\n" in hostile.received

    @pytest.mark.parametrize("secret", ["pässword", "пароль", "pass\N{NO-BREAK SPACE}word", "密码"])
    def test_letters(self, secret: str, leaf: CertificateFiles, context: CheckContext) -> None:
        blob = base64.b64encode(f"\0{USER}\0{secret}".encode()).decode()
        script = smtp_script((f"^AUTH PLAIN {re.escape(blob)}$", "235 2.7.0 Accepted"), login=NO)
        with HostileServer(script, leaf) as hostile:
            route = route_to(hostile.port, context, Protocol.SMTP)
            ours = check_mailbox(route, Credential(USER, secret), context)
            theirs = check_mailbox(route, Credential(USER, secret), replace(context, client=NODE))
        assert (ours.code, ours.verdict, theirs.code) == (Code.AUTH_UNSENDABLE, Verdict.FAIL, Code.OK)
        assert secret not in ours.seen
        assert commands(hostile.received) == ["PLAIN"]
