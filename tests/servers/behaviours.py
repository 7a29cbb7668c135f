"""The misbehaviours of `tests.servers.hostile`, by name."""

from collections.abc import Mapping
from dataclasses import replace

from tests.servers.conversation import Behaviour, Conversation, Kind, Script

IMAP_GREETING = "* OK [CAPABILITY IMAP4rev1 SASL-IR{extra} AUTH=PLAIN] Ready"
SMTP_GREETING = "220 mail.lab.example ESMTP"


def imap_script(*rules: tuple[str, str | None], login: str = "{tag} OK Logged in") -> Script:
    """IMAP over implicit TLS that answers as usual, but to `rules` first, and to a login with `login`."""
    usual = (
        ("^\\S+ CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{tag} OK Done"),
        ("^\\S+ (LOGIN|AUTHENTICATE)", login),
        ("^\\S+ (EXAMINE|SELECT)", "* 0 EXISTS\r\n{tag} OK [READ-ONLY] Done"),
        ("^\\S+ LOGOUT", "* BYE Bye\r\n{tag} OK Done"),
    )
    return Script(IMAP_GREETING.format(extra=""), (*rules, *usual))


def smtp_script(*rules: tuple[str, str | None], login: str = "235 2.7.0 Accepted") -> Script:
    """SMTP over implicit TLS that answers as usual, but to `rules` first, and to AUTH with `login`."""
    usual = (
        ("^EHLO", "250-mail.lab.example\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN"),
        ("^AUTH", login),
        ("^QUIT", "221 2.0.0 Bye"),
    )
    return Script(SMTP_GREETING, (*rules, *usual))


def says(text: bytes, close: bool = False) -> Behaviour:
    """Say `text` unasked, then close or say nothing more."""

    def behave(conversation: Conversation) -> None:
        conversation.send(text)
        if not close:
            conversation.hang()

    return behave


def floods(block: bytes) -> Behaviour:
    """Say `block` over and over until the client leaves."""

    def behave(conversation: Conversation) -> None:
        while True:
            conversation.send(block)

    return behave


def drips(text: bytes, seconds: float = 1.0) -> Behaviour:
    """Say `text` over and over, one byte every so many seconds."""

    def behave(conversation: Conversation) -> None:
        while True:
            for byte in text:
                conversation.send(bytes([byte]))
                conversation.pause(seconds)

    return behave


def handshakes(kind: Kind) -> Behaviour:
    """Start TLS of that kind at once, then say nothing."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls(kind)
        conversation.hang()

    return behave


def hangs_in_handshake(conversation: Conversation) -> None:
    """Take the client's first TLS message and never answer: what `silent` is to implicit TLS, for STARTTLS."""
    conversation.send(f"{SMTP_GREETING}\r\n")
    while "STARTTLS" not in conversation.line():
        conversation.send("250-mail.lab.example\r\n250 STARTTLS\r\n")
    conversation.send("220 2.0.0 Ready\r\n")
    conversation.hang()


def _starttls_imap() -> Script:
    return replace(imap_script(), greeting=IMAP_GREETING.format(extra=" STARTTLS"), tls="starttls")


def _starttls_smtp() -> Script:
    offer = ("^EHLO", "250-mail.lab.example\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS")
    return replace(smtp_script(offer), tls="starttls")


def _refusing(script: Script, reply: str) -> Script:
    return replace(script, rules=(("STARTTLS", reply), *script.rules), tls=None)


def _closes(conversation: Conversation) -> None:
    """Close at once."""


def _resets(conversation: Conversation) -> None:
    conversation.reset()


BEHAVIOURS: Mapping[str, Behaviour] = {
    # what is no mail server at all
    "silent": Conversation.hang,
    "close": _closes,
    "reset": _resets,
    "drip": drips(b"* OK " + b"x" * 1000),
    "drip_smtp": drips(b"220-" + b"x" * 60 + b"\r\n"),
    "flood": floods(b"* OK " + b"x" * 65536),
    "flood_imap_lines": floods(b"* OK still greeting\r\n" * 3000),
    "flood_smtp_lines": floods(b"220-still greeting\r\n" * 3000),
    "garbage": says(bytes(range(256)) * 16 + b"\r\n"),
    "ssh": says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    "http": says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", close=True),
    "pop3": says(b"+OK POP3 ready\r\n"),
    # mail servers that do not want to talk
    "imap_bye": says(b"* BYE [UNAVAILABLE] Too many connections from your address\r\n", close=True),
    "smtp_421": says(b"421 4.7.0 mail.lab.example Too many connections, try again later\r\n", close=True),
    "smtp_554": says(b"554 5.7.1 mail.lab.example Your address is blocked\r\n", close=True),
    # mail servers whose STARTTLS is missing, refused or attacked
    "imap_plaintext": replace(imap_script(), tls=None),
    "smtp_plaintext": replace(smtp_script(), tls=None),
    "imap_preauth": replace(_starttls_imap(), greeting="* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] Welcome"),
    "imap_starttls": _starttls_imap(),
    "smtp_starttls": _starttls_smtp(),
    "imap_starttls_refused": _refusing(_starttls_imap(), "{tag} NO TLS is not available"),
    "smtp_starttls_refused": _refusing(_starttls_smtp(), "554 5.7.3 TLS is refused to this client"),
    "smtp_starttls_later": _refusing(_starttls_smtp(), "454 4.7.0 TLS not available due to local problem"),
    "imap_injection": replace(_starttls_imap(), injected="* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Injected\r\n"),
    "smtp_injection": replace(_starttls_smtp(), injected="250-mail.lab.example\r\n250 AUTH PLAIN\r\n"),
    "smtp_starttls_silent": hangs_in_handshake,
    # implicit TLS that cannot come about
    "old_tls": handshakes("old"),
    "no_shared_cipher": handshakes("no_shared_cipher"),
    "client_certificate": replace(imap_script(), kind="client_certificate"),
    "tls_silent": handshakes("good"),
    # mail servers that work, over implicit TLS
    "imap": imap_script(),
    "smtp": smtp_script(),
}
