"""IMAP servers as they were met: one row a server, answered alike whoever asks, and what each client comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from checks.codes import Code
from checks.model import Credential, CredentialKind
from tests.servers.conversation import Behaviour, Conversation

PASSWORD = "right-Horse-4711"
LETTERS = 'pä"ss\\wörd'
Answer = str | Callable[[set[str], str], str] | None
"""What is sent, `{tag}` and line ends in it; None closes. A function is given what was said before, and the line."""

_USUAL: Mapping[str, Answer] = {
    "LOGIN": "{tag} OK Logged in\r\n",
    "AUTHENTICATE": "+ \r\n",
    "INLINE": "{tag} OK Logged in\r\n",
    "RESPONSE": "{tag} OK Logged in\r\n",
    "EXAMINE": "* 0 EXISTS\r\n{tag} OK [READ-ONLY] Done\r\n",
    "ID": '* ID ("name" "lab" "version" "1")\r\n{tag} OK Done\r\n',
    "LOGOUT": "* BYE Bye\r\n{tag} OK Done\r\n",
    "LIST": '* LIST () "/" INBOX\r\n{tag} OK Done\r\n',
    "NAMESPACE": '* NAMESPACE (("" "/")) NIL NIL\r\n{tag} OK Done\r\n',
}


@dataclass(frozen=True)
class Row:
    """`python` and `node` are what our login with that profile is to come to: a client that gets in is `Code.OK`."""

    name: str
    capabilities: str
    answers: Mapping[str, Answer]
    python: Code = Code.OK
    node: Code = Code.OK
    user: str = "ada@lab.example"
    secret: str = field(default=PASSWORD, repr=False)
    kind: CredentialKind = CredentialKind.PASSWORD

    @property
    def token(self) -> bool:
        """Whether the secret is an access token."""
        return self.kind is CredentialKind.OAUTH2_TOKEN

    @property
    def credential(self) -> Credential:
        return Credential(self.user, self.secret, self.kind)


def serves(row: Row) -> Behaviour:
    """The server of a row, over implicit TLS."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        conversation.send(f"* OK [CAPABILITY {row.capabilities}] ready\r\n")
        tag, said = "*", set[str]()
        while True:
            line = conversation.line()
            first, _, rest = line.partition(" ")
            command = rest.split(" ")[0].upper()
            if command:
                tag = first
            kind = "RESPONSE" if not command else "INLINE" if _is_inline(rest) else command
            answer = _answer(row, kind, said, line)
            said.add(kind)
            if answer is None:
                return
            conversation.send(answer.replace("{tag}", tag))

    return behave


def _is_inline(rest: str) -> bool:
    return rest.upper().startswith("AUTHENTICATE ") and len(rest.split(" ")) > 2


def _answer(row: Row, kind: str, said: set[str], line: str) -> str | None:
    if kind == "CAPABILITY":
        return f"* CAPABILITY {row.capabilities}\r\n{{tag}} OK Done\r\n"
    answer = row.answers.get(kind, _USUAL.get(kind, "{tag} BAD Unknown command\r\n"))
    return answer(said, line) if callable(answer) else answer


def _unsafe_until(moment: str) -> Answer:
    """Netease: EXAMINE is refused until the client has named itself, after the login or at any time."""

    def examine(said: set[str], _: str) -> str:
        named = "named after login" in said or (moment == "ever" and "ID" in said)
        return str(_USUAL["EXAMINE"]) if named else "{tag} NO EXAMINE Unsafe Login. Please contact kefu@lab.example\r\n"

    return examine


def _named(said: set[str], _: str) -> str:
    if said & {"LOGIN", "RESPONSE", "INLINE"}:
        said.add("named after login")
    return "* ID NIL\r\n{tag} OK Done\r\n"


def _takes_utf8(_: set[str], line: str) -> str:
    quoted = LETTERS.replace("\\", "\\\\").replace('"', '\\"')
    return "{tag} OK Logged in\r\n" if line.endswith(f'"{quoted}"') else "{tag} NO [AUTHENTICATIONFAILED] no\r\n"


def _takes_two_words(_: set[str], line: str) -> str:
    return "{tag} OK Logged in\r\n" if len(line.split(" ")) == 4 else "{tag} BAD Too many arguments\r\n"


def _asks_on(prompt: str) -> Answer:
    """The SASL mechanism LOGIN, with a prompt of its own for the password."""

    def respond(said: set[str], line: str) -> str:
        if line == "*":
            return "{tag} BAD Cancelled\r\n"
        return "{tag} OK Logged in\r\n" if "RESPONSE" in said else f"+ {prompt}\r\n"

    return respond


PLAIN = "IMAP4rev1 ID LITERAL+ UIDPLUS AUTH=PLAIN SASL-IR"
_CAPABLE = "{tag} OK [CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE] Logged in\r\n"
_REFUSED = {"AUTHENTICATE": "{tag} NO AUTHENTICATE mechanism not supported, mate\r\n"}
_REFUSED_TOO = {**_REFUSED, "INLINE": _REFUSED["AUTHENTICATE"]}

ROWS = (
    # PLAIN is offered and refused
    Row("BAD to the inline response", PLAIN, {"INLINE": "{tag} BAD Request not ending with \\r\\n\r\n"}),
    Row(
        "BAD to its arguments",
        PLAIN,
        {"INLINE": "{tag} BAD Error in IMAP command AUTHENTICATE: Too many arguments\r\n"},
    ),
    Row("silence to it but an end", PLAIN, {"INLINE": None}),
    Row("asked again after it", PLAIN, {"INLINE": "+ \r\n", "RESPONSE": "{tag} OK Logged in\r\n"}),
    Row("no such mechanism", f"{PLAIN} AUTH=LOGIN IDLE", _REFUSED_TOO, node=Code.AUTH_NO_MECHANISM),
    Row(
        "no such mechanism, by a code",
        PLAIN,
        dict.fromkeys(("AUTHENTICATE", "INLINE"), "{tag} NO [CANNOT] Unsupported authentication mechanism\r\n"),
        node=Code.AUTH_NO_MECHANISM,
    ),
    Row(
        "no such command",
        PLAIN,
        dict.fromkeys(("AUTHENTICATE", "INLINE"), "{tag} BAD Command unknown: AUTHENTICATE\r\n"),
        node=Code.PROTOCOL_ERROR,
    ),
    Row(
        "a rejection by PLAIN alone",
        PLAIN,
        dict.fromkeys(("RESPONSE", "INLINE"), "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"),
        node=Code.AUTH_REJECTED,
    ),
    # LOGIN is not forbidden and refused
    Row("LOGIN unknown", PLAIN, {"LOGIN": "{tag} BAD Command unknown: LOGIN\r\n"}, python=Code.PROTOCOL_ERROR),
    Row(
        "LOGIN rejected",
        PLAIN,
        {"LOGIN": "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
        python=Code.AUTH_REJECTED,
    ),
    Row("LOGIN forbidden", f"{PLAIN} LOGINDISABLED", {"LOGIN": "{tag} NO LOGIN is disabled\r\n"}),
    Row(
        "only the SASL mechanism LOGIN",
        "IMAP4rev1 AUTH=LOGIN",
        {
            "AUTHENTICATE": "+ VXNlcm5hbWU6\r\n",
            "RESPONSE": (lambda said, _: "{tag} OK Logged in\r\n" if "RESPONSE" in said else "+ UGFzc3dvcmQ6\r\n"),
        },
    ),
    Row(
        "only the SASL mechanism LOGIN, prompts of others",
        "IMAP4rev1 AUTH=LOGIN",
        {
            "AUTHENTICATE": "+ VXNlciBOYW1lAA==\r\n",
            "RESPONSE": (lambda said, _: "{tag} OK Logged in\r\n" if "RESPONSE" in said else "+ UGFzc3dvcmQA\r\n"),
        },
    ),
    Row(
        "only the SASL mechanism LOGIN, other prompts",
        "IMAP4rev1 AUTH=LOGIN",
        {"AUTHENTICATE": "+ RW50ZXIgbG9naW46\r\n", "RESPONSE": _asks_on("UGFzczo=")},
        node=Code.AUTH_NO_MECHANISM,
    ),
    Row(
        "only the SASL mechanism LOGIN, another second prompt",
        "IMAP4rev1 AUTH=LOGIN",
        {"AUTHENTICATE": "+ VXNlcm5hbWU6\r\n", "RESPONSE": _asks_on("UGFzczo=")},
        node=Code.AUTH_NO_MECHANISM,
    ),
    Row(
        "only the SASL mechanism LOGIN, no prompts",
        "IMAP4rev1 AUTH=LOGIN",
        {"AUTHENTICATE": "+ \r\n", "RESPONSE": _asks_on("")},
        node=Code.AUTH_NO_MECHANISM,
    ),
    Row(
        "only the SASL mechanism LOGIN, a bare plus",
        "IMAP4rev1 AUTH=LOGIN",
        {"AUTHENTICATE": "+\r\n", "RESPONSE": _asks_on("UGFzc3dvcmQ6")},
    ),
    # how it is asked for
    Row("a bare plus", "IMAP4rev1 AUTH=PLAIN LOGIN", {"AUTHENTICATE": "+\r\n"}),
    Row("a bare plus, LOGIN forbidden", "IMAP4rev1 AUTH=PLAIN LOGINDISABLED", {"AUTHENTICATE": "+\r\n"}),
    Row("a plus with words", "IMAP4rev1 AUTH=PLAIN", {"AUTHENTICATE": "+ Go ahead\r\n"}),
    # answers to somebody else
    Row(
        "OK to LOGIN after the answer to HAProxy's PROXY",
        "IMAP4rev1",
        {"LOGIN": "PROXY BAD Error in IMAP command received by server.\r\n{tag} OK in\r\n"},
        python=Code.PROTOCOL_FOREIGN_TAG,
    ),
    # line ends
    Row(
        "OK to LOGIN with a bare line feed",
        "IMAP4rev1",
        {"LOGIN": "{tag} OK in\n"},
        python=Code.PROTOCOL_BARE_LINE_FEED,
    ),
    Row(
        "OK after PLAIN with a bare line feed, LOGIN forbidden",
        "IMAP4rev1 AUTH=PLAIN LOGINDISABLED",
        {"RESPONSE": "{tag} OK in\n"},
        python=Code.PROTOCOL_BARE_LINE_FEED,
    ),
    Row("OK after PLAIN with a bare line feed", "IMAP4rev1 AUTH=PLAIN", {"RESPONSE": "{tag} OK in\n"}),
    Row(
        "bare line feeds in EXAMINE",
        "IMAP4rev1",
        {"EXAMINE": "* 0 EXISTS\n{tag} OK Done\r\n"},
        python=Code.PROTOCOL_ERROR,
    ),
    # letters
    Row("UTF-8 in quotes", "IMAP4rev1", {"LOGIN": _takes_utf8}, python=Code.AUTH_UNSENDABLE, secret=LETTERS),
    Row("UTF-8 by PLAIN", PLAIN, {}, python=Code.AUTH_UNSENDABLE, secret=LETTERS),
    Row("UTF-8 by PLAIN, LOGIN forbidden", f"{PLAIN} LOGINDISABLED", {}, secret=LETTERS),
    Row("a user name of other letters", PLAIN, {}, python=Code.AUTH_UNSENDABLE, user="adä@lab.example"),
    Row("a domain before the user name", "IMAP4rev1", {"LOGIN": _takes_two_words}, user="LAB\\ada"),
    Row(
        "a domain before the user name, PLAIN offered and rejecting",
        PLAIN,
        dict.fromkeys(("RESPONSE", "INLINE"), "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"),
        user="LAB\\ada",
    ),
    Row(
        "a domain before the user name, LOGIN rejecting",
        PLAIN,
        {"LOGIN": "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
        python=Code.AUTH_REJECTED,
        node=Code.AUTH_REJECTED,
        user="LAB\\ada",
    ),
    Row(
        "a slash in the user name, LOGIN forbidden",
        f"{PLAIN} LOGINDISABLED",
        {},
        node=Code.AUTH_UNSENDABLE,
        user="lab/ada",
    ),
    Row("quotes and backslashes in a password", "IMAP4rev1", {}, secret='a "b" \\c {3}'),
    # ID
    Row(
        "ID wanted after the login",
        "IMAP4rev1 ID",
        {"ID": _named, "EXAMINE": _unsafe_until("after the login")},
        python=Code.AUTH_ID_REQUIRED,
    ),
    Row(
        "ID wanted at any time",
        "IMAP4rev1 ID",
        {"ID": _named, "EXAMINE": _unsafe_until("ever")},
        python=Code.AUTH_ID_REQUIRED,
    ),
    Row(
        "unsafe with ID too",
        "IMAP4rev1 ID",
        {"EXAMINE": "{tag} NO EXAMINE Unsafe Login\r\n"},
        python=Code.PROTOCOL_ERROR,
        node=Code.PROTOCOL_ERROR,
    ),
    # after the login
    Row(
        "authenticated, but not connected",
        PLAIN,
        dict.fromkeys(("EXAMINE", "NAMESPACE", "LIST"), "{tag} BAD User is authenticated but not connected.\r\n"),
        python=Code.MAILBOX_NOT_CONNECTED,
        node=Code.MAILBOX_NOT_CONNECTED,
    ),
    Row(
        "no inbox",
        PLAIN,
        {"EXAMINE": "{tag} NO [NONEXISTENT] Unknown Mailbox: INBOX\r\n"},
        python=Code.MAILBOX_NO_INBOX,
        node=Code.MAILBOX_NO_INBOX,
    ),
    Row("an end after the login", PLAIN, {"EXAMINE": None}, python=Code.CONNECT_CLOSED, node=Code.CONNECT_CLOSED),
    Row("capabilities with the login", PLAIN, {"LOGIN": _CAPABLE, "RESPONSE": _CAPABLE, "INLINE": _CAPABLE}),
    Row(
        "unsafe, and no ID",
        "IMAP4rev1",
        {"EXAMINE": "{tag} NO EXAMINE Unsafe Login\r\n"},
        python=Code.PROTOCOL_ERROR,
        node=Code.PROTOCOL_ERROR,
    ),
)
