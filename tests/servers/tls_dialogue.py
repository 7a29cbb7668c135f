"""What mail and web servers say: before STARTTLS, after it, and what may go astray on the way."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.servers.conversation import Behaviour, Conversation
from tests.servers.tls_conversation import TlsConversation

Mail = Literal["imap", "smtp"]
Rules = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """How a protocol greets, offers STARTTLS, begins it, and refuses what it does not know.

    `rules`: pattern -> reply, the first that is found in the client's line; `{tag}` is the line's first word.
    """

    greeting: str
    preauth: str
    refuses: str
    unknown: str
    offers_tls: Rules
    begins_tls: Rules
    rules: Rules


MAIL: Mapping[Mail, Words] = {
    "imap": Words(
        greeting="* OK Ready",
        preauth="* PREAUTH Welcome",
        refuses="{tag} NO TLS is not available",
        unknown="{tag} BAD Unknown command",
        offers_tls=(("CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR STARTTLS LOGINDISABLED\r\n{tag} OK Done"),),
        begins_tls=(("STARTTLS", "{tag} OK Begin TLS"),),
        rules=(
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{tag} OK Done"),
            ("LOGIN|AUTHENTICATE", "{tag} OK Logged in"),
            ("EXAMINE|SELECT", "* 0 EXISTS\r\n{tag} OK [READ-ONLY] Done"),
            ("LOGOUT", "* BYE Bye\r\n{tag} OK Done"),
        ),
    ),
    "smtp": Words(
        greeting="220 mail.lab.example ESMTP",
        preauth="220 mail.lab.example ESMTP",
        refuses="554 5.7.3 TLS is refused to this client",
        unknown="500 5.5.1 Unknown command",
        offers_tls=(("EHLO", "250-mail.lab.example\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS"),),
        begins_tls=(("STARTTLS", "220 2.0.0 Ready to start TLS"),),
        rules=(
            ("EHLO", "250-mail.lab.example\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN"),
            ("AUTH", "235 2.7.0 Accepted"),
            ("QUIT", "221 2.0.0 Bye"),
        ),
    ),
}
_INJECTED: Mapping[Mail, str] = {
    "imap": "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Injected\r\n",
    "smtp": "250-mail.lab.example\r\n250 AUTH PLAIN\r\n",
}


def greets_and_serves(protocol: Mail) -> Behaviour:
    """An ordinary session, in whatever the connection is by now. Logins are accepted."""

    def behave(conversation: Conversation) -> None:
        conversation.send(MAIL[protocol].greeting + "\r\n")
        serves(protocol)(conversation)

    return behave


def serves(protocol: Mail) -> Behaviour:
    """A session without its greeting: what comes after STARTTLS."""
    return lambda conversation: _talk(conversation, MAIL[protocol], MAIL[protocol].rules)


def starttls(protocol: Mail, then: Behaviour, *, injected: bool = False, preauth: bool = False) -> Behaviour:
    """Offer STARTTLS and agree to it; `then` begins with the handshake. What is `injected` follows in one segment."""
    words = MAIL[protocol]
    behind = _INJECTED[protocol] if injected else ""

    def behave(conversation: Conversation) -> None:
        conversation.send((words.preauth if preauth else words.greeting) + "\r\n")
        _talk(conversation, words, (*words.begins_tls, *words.offers_tls, *words.rules), "STARTTLS", behind)
        then(conversation)

    return behave


def refuses_starttls(protocol: Mail) -> Behaviour:
    """Offer STARTTLS and take it back."""
    words = MAIL[protocol]

    def behave(conversation: Conversation) -> None:
        conversation.send(words.greeting + "\r\n")
        _talk(conversation, words, (("STARTTLS", words.refuses), *words.offers_tls, *words.rules))

    return behave


def in_tls(then: Behaviour) -> Behaviour:
    """A handshake first."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        then(conversation)

    return behave


def https(conversation: Conversation) -> None:
    """One request, answered as Exchange answers whoever has not logged in."""
    assert isinstance(conversation, TlsConversation)
    length = 0
    while line := conversation.line():
        header, _, value = line.partition(":")
        length = int(value) if header.lower() == "content-length" else length
    conversation.take(length)
    conversation.send(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n"
        'WWW-Authenticate: Basic realm="mail.lab.example"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    )


def http_refuses_tls(conversation: Conversation) -> None:
    """What a web server without TLS says to a ClientHello."""
    assert isinstance(conversation, TlsConversation)
    conversation.take(1)
    conversation.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _talk(conversation: Conversation, words: Words, rules: Rules, last: str = "", behind: str = "") -> None:
    """Answer until the client leaves, or until it has said `last`, whose answer is followed by `behind`."""
    while True:
        line = conversation.line()
        reply = _reply(line, words, rules).replace("{tag}", (line.split() or ["*"])[0])
        ended = bool(last) and last in line.upper().split()
        conversation.send(f"{reply}\r\n" + (behind if ended else ""))
        if ended:
            return


def _reply(line: str, words: Words, rules: Rules) -> str:
    matching = (reply for pattern, reply in rules if re.search(rf"\b({pattern})\b", line, re.IGNORECASE))
    return next(matching, words.unknown)
