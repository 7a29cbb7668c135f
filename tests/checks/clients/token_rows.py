"""Servers that take access tokens: one row a server, answered alike whoever asks, and what each client comes to."""

import base64
import json

from checks.codes import Code
from checks.model import CredentialKind
from tests.checks.clients import imap_rows, smtp_rows
from tests.checks.clients.imap_rows import Answer
from tests.checks.helpers import USER
from tests.servers.behaviours import smtp_script
from tests.servers.conversation import Script

TOKEN = "ya29.Planted-token-4711"
_KIND = CredentialKind.OAUTH2_TOKEN
BOTH = "IMAP4rev1 ID SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=PLAIN"
_CANNOT = "{tag} NO [CANNOT] Unsupported authentication mechanism\r\n"
TOKEN_REJECTED, NO_MECHANISM = Code.AUTH_TOKEN_REJECTED, Code.AUTH_NO_MECHANISM


def refusal(status: str) -> str:
    """What a token is refused with, in base64 (RFC 7628, 3.2.2; Google and Microsoft give an HTTP status)."""
    return base64.b64encode(json.dumps({"status": status, "schemes": "bearer", "scope": "mail"}).encode()).decode()


def _imap(
    name: str,
    capabilities: str,
    answers: dict[str, Answer],
    python: Code = Code.OK,
    node: Code = Code.OK,
    user: str = "ada@lab.example",
) -> imap_rows.Row:
    return imap_rows.Row(name, capabilities, answers, python, node, user, TOKEN, _KIND)


def _refusing(status: str, last: str) -> dict[str, Answer]:
    """Asks for the token, or takes it inline; says why it is refused, and ends so, whatever comes then."""

    def respond(said: set[str], _: str) -> str:
        return last if said & {"RESPONSE", "INLINE"} else f"+ {refusal(status)}\r\n"

    return {"INLINE": f"+ {refusal(status)}\r\n", "RESPONSE": respond}


def _only(mechanism: str) -> Answer:
    """Knows one of the two that it offers."""

    def begin(_: set[str], line: str) -> str:
        if mechanism not in line:
            return _CANNOT
        return "{tag} OK Logged in\r\n" if len(line.split(" ")) > 3 else "+ \r\n"

    return begin


def _mine(mechanism: str, user: str) -> dict[str, Answer]:
    """Takes the token of that user only, byte for byte."""
    right = f"user={user}\1" if mechanism == "XOAUTH2" else f"n,a={user},\1"

    def judge(_: set[str], line: str) -> str:
        said = base64.b64decode(line.rpartition(" ")[2]).decode()
        taken = said.startswith(right) and f"\1auth=Bearer {TOKEN}\1\1" in f"\1{said.partition(chr(1))[2]}"
        return "{tag} OK Logged in\r\n" if taken else "{tag} NO [AUTHENTICATIONFAILED] no\r\n"

    return {"INLINE": judge, "RESPONSE": judge}


IMAP = (
    _imap("XOAUTH2", "IMAP4rev1 SASL-IR AUTH=XOAUTH2", _mine("XOAUTH2", "ada@lab.example")),
    _imap("XOAUTH2, no SASL-IR", "IMAP4rev1 AUTH=XOAUTH2", _mine("XOAUTH2", "ada@lab.example")),
    _imap("OAUTHBEARER", "IMAP4rev1 SASL-IR AUTH=OAUTHBEARER", _mine("OAUTHBEARER", "ada@lab.example")),
    _imap("OAUTHBEARER, no SASL-IR", "IMAP4rev1 AUTH=OAUTHBEARER", _mine("OAUTHBEARER", "ada@lab.example")),
    _imap("both, OAUTHBEARER unknown", BOTH, dict.fromkeys(("AUTHENTICATE", "INLINE"), _only("XOAUTH2")),
        node=NO_MECHANISM),
    _imap("both, XOAUTH2 unknown", BOTH, dict.fromkeys(("AUTHENTICATE", "INLINE"), _only("OAUTHBEARER")),
        python=NO_MECHANISM),
    _imap("refused with 400", "IMAP4rev1 SASL-IR AUTH=XOAUTH2",
        _refusing("400", "{tag} NO Invalid SASL argument.\r\n"), TOKEN_REJECTED, TOKEN_REJECTED),
    _imap("refused with invalid_token, no SASL-IR", "IMAP4rev1 AUTH=OAUTHBEARER",
        _refusing("invalid_token", "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"), TOKEN_REJECTED,
        TOKEN_REJECTED),
    _imap("refused at once", "IMAP4rev1 SASL-IR AUTH=XOAUTH2",
        dict.fromkeys(("INLINE", "RESPONSE"), "{tag} NO AUTHENTICATE failed.\r\n"), TOKEN_REJECTED, TOKEN_REJECTED),
    _imap("BAD to the token in the same line", BOTH, {"INLINE": "{tag} BAD Request not ending with \\r\\n\r\n"},
        node=Code.PROTOCOL_ERROR),
    _imap("asked again after the inline response", BOTH, {
        "INLINE": "+ \r\n",
        "RESPONSE": lambda _, line: "{tag} OK in\r\n" if len(line) > 8 else "{tag} NO [AUTHENTICATIONFAILED] no\r\n",
        }, node=TOKEN_REJECTED),
    _imap("silence to the inline response but an end", BOTH, {"INLINE": None}, node=Code.CONNECT_CLOSED),
    _imap("no mechanism for it", "IMAP4rev1 SASL-IR AUTH=PLAIN", {}, NO_MECHANISM, NO_MECHANISM),
    _imap("a user name of other letters, and a token", "IMAP4rev1 AUTH=XOAUTH2", _mine("XOAUTH2", "adä@lab.example"),
        user="adä@lab.example"),
    _imap("a comma in the user name", "IMAP4rev1 AUTH=OAUTHBEARER", _mine("OAUTHBEARER", "a=2Cb=3D@lab.example"),
        user="a,b=@lab.example"),
    _imap("a slash in the user name of a token", "IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED",
        _mine("XOAUTH2", "lab/ada"), user="lab/ada"),
    _imap("taken, but not connected", BOTH,
        dict.fromkeys(("EXAMINE", "NAMESPACE", "LIST"), "{tag} BAD User is authenticated but not connected.\r\n"),
        Code.MAILBOX_NOT_CONNECTED, Code.MAILBOX_NOT_CONNECTED),
)  # fmt: skip


def _offering(offer: str, *rules: tuple[str, str | None], last: str = "535 5.7.8 no") -> Script:
    ehlo = ("^EHLO", f"250-mail.lab.example\r\n250 {offer}")
    return smtp_rows.taking(
        smtp_script(
            ehlo, *rules, ("^QUIT", "221 2.0.0 Bye"), ("^[A-Za-z0-9+/=*]*$", last), login="504 5.5.4 Unrecognized"
        )
    )


def _smtp(
    name: str, script: Script, python: Code = Code.OK, node: Code = Code.OK, *, user: str = USER, without: bool = False
) -> smtp_rows.Row:
    return smtp_rows.Row(name, script, python, node, TOKEN, user=user, kind=_KIND, without_login=without)


def _right(mechanism: str, user: str = USER) -> str:
    said = f"user={user}\1" if mechanism == "XOAUTH2" else f"n,a={user},\1"
    return base64.b64encode(f"{said}auth=Bearer {TOKEN}\1\1".encode()).decode().replace("+", r"\+")


_XOAUTH2 = (f"^AUTH XOAUTH2 {_right('XOAUTH2')}$", "235 2.7.0 Accepted")
_BEARER = (f"^AUTH OAUTHBEARER {_right('OAUTHBEARER')}$", "235 2.7.0 Accepted")

SMTP = (
    _smtp("XOAUTH2", _offering("AUTH LOGIN PLAIN XOAUTH2", _XOAUTH2)),
    _smtp("OAUTHBEARER", _offering("AUTH PLAIN OAUTHBEARER", _BEARER), node=NO_MECHANISM),
    _smtp("OAUTHBEARER, XOAUTH2 is taken", _offering("AUTH PLAIN OAUTHBEARER", _BEARER, _XOAUTH2)),
    _smtp("both", _offering("AUTH OAUTHBEARER XOAUTH2", _BEARER, _XOAUTH2)),
    _smtp("both, XOAUTH2 unknown", _offering("AUTH OAUTHBEARER XOAUTH2", _BEARER), NO_MECHANISM, NO_MECHANISM),
    _smtp("PLAIN and LOGIN only", _offering("AUTH PLAIN LOGIN"), NO_MECHANISM, NO_MECHANISM),
    _smtp("PLAIN and LOGIN only, XOAUTH2 is taken", _offering("AUTH PLAIN LOGIN", _XOAUTH2), NO_MECHANISM),
    _smtp("no AUTH", _offering("8BITMIME"), Code.AUTH_NOT_OFFERED, Code.AUTH_NOT_OFFERED, without=True),
    _smtp("refused with 400", _offering("AUTH XOAUTH2", ("^AUTH", f"334 {refusal('400')}")), TOKEN_REJECTED,
        TOKEN_REJECTED),
    _smtp("refused at once", _offering("AUTH XOAUTH2", ("^AUTH", "535 5.7.3 Authentication unsuccessful")),
        TOKEN_REJECTED, TOKEN_REJECTED),
    _smtp("asked again after the inline response",
        _offering("AUTH XOAUTH2", ("^AUTH", "334 "), (f"^{_right('XOAUTH2')}$", "235 2.7.0 Accepted")),
        node=TOKEN_REJECTED),
    _smtp("250 to it", _offering("AUTH XOAUTH2", ("^AUTH", "250 Ok")), Code.PROTOCOL_ERROR),
    _smtp("a user name of other letters",
        _offering("AUTH XOAUTH2", (f"^AUTH XOAUTH2 {_right('XOAUTH2', 'adä@lab.example')}$", "235 2.7.0 Accepted")),
        Code.AUTH_UNSENDABLE, user="adä@lab.example"),
)  # fmt: skip
