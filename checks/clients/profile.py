"""What a client profile says. A profile is data: one file each, and nothing in it talks to a server.

The fields are what differs between clients so that a server answers one and refuses another.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ImapWay = Literal["LOGIN", "AUTH=PLAIN", "AUTH=LOGIN", "AUTH=CRAM-MD5"]
"""`LOGIN` is the command, the others are SASL mechanisms as IMAP's capabilities name them."""
SmtpMechanism = Literal["PLAIN", "LOGIN", "CRAM-MD5"]
TokenMechanism = Literal["XOAUTH2", "OAUTHBEARER"]
HttpScheme = Literal["BASIC", "NTLM", "NEGOTIATE", "DIGEST"]
TlsVersion = Literal["TLSv1.2", "TLSv1.3"]
Ciphers = Literal["python", "openssl"]
"""Whose list of ciphers up to TLS 1.2 a client offers: CPython's, or OpenSSL's default, as Debian's Python does.
TLS 1.3 has ciphers of its own, which are the same for both."""
Charset = Literal["ascii", "latin-1", "utf-8"]


class NextWay(StrEnum):
    """When a client goes on to its next way to log in."""

    NEVER = "never"
    MECHANISM = "mechanism"
    """The server refused the mechanism; the password was not looked at."""
    REFUSAL = "refusal"
    """Any refusal, that of the password too."""


class IdMoment(StrEnum):
    """When a client names itself (RFC 2971) to a server that offers ID."""

    NEVER = "never"
    BEFORE_LOGIN = "before_login"
    AFTER_LOGIN = "after_login"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Text:
    """How a client sends a user name or a password: in which charset, and which characters it cannot send besides."""

    charset: Charset = "utf-8"
    barred: str = ""

    def encode(self, text: str) -> bytes | None:
        """The bytes that go over the wire, None where the client cannot send this. Never raises: errors show text."""
        try:
            encoded = text.encode(self.charset)
        except UnicodeEncodeError:
            return None
        return None if any(character in self.barred for character in text) else encoded


@dataclass(frozen=True, slots=True)
class ImapClient:
    """IMAP. `ways` are in the client's order; it takes the first that the server offers.

    `command_for`: characters in a user name that have it take the LOGIN command whatever else is offered.
    `usual_prompts`: the mechanism LOGIN answers `Username:`, `User Name` and `Password:` only, and cancels at others.
    `login_user` and `login_password` are for the LOGIN command, `sasl` for both in any mechanism.
    `login_quotes_user`: the user name of LOGIN goes in quotes, as the password always does.
    `sasl_ir`: the first response goes with AUTHENTICATE (RFC 4959) where the server offers it.
    `token_mechanisms` are for access tokens, in order, and `token_sasl_ir` is `sasl_ir` for those.
    `bare_line_feed`: lines that end without a carriage return are read.
    `foreign_tag`: an answer to a command that was not sent is passed over.
    `id_fields` are what ID says, as names and values.
    """

    library: str
    ways: tuple[ImapWay, ...]
    next_way: NextWay = NextWay.NEVER
    sasl_ir: bool = False
    login_user: Text = Text()
    login_password: Text = Text()
    login_quotes_user: bool = True
    command_for: str = ""
    usual_prompts: bool = False
    sasl: Text = Text()
    token_mechanisms: tuple[TokenMechanism, ...] = ("XOAUTH2", "OAUTHBEARER")
    token_sasl_ir: bool = False
    bare_line_feed: bool = True
    foreign_tag: bool = True
    id: IdMoment = IdMoment.NEVER
    id_fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SmtpClient:
    """SMTP. `mechanisms` are in the client's order; it takes the first that the server offers.

    `initial_response` names the mechanisms whose first response goes with AUTH (RFC 4954, 4).
    `unoffered` is what it tries where the server offers other mechanisms only.
    `asked_again`: what it sends where the first response of PLAIN, or of a token's mechanism, was not taken.
    `any_success`: any 2xx is one, but for CRAM-MD5. `believes_503`: 503 is taken for one, by any mechanism, and the
    next command shows what it was.
    `token_mechanisms` are for access tokens, in order, and `token_unoffered` is `unoffered` for those.
    `user` and `password` hold for all mechanisms. `ehlo_name`: '' for the connection's own address, as a literal.
    """

    library: str
    mechanisms: tuple[SmtpMechanism, ...]
    next_mechanism: NextWay = NextWay.NEVER
    initial_response: tuple[SmtpMechanism, ...] = ("PLAIN",)
    unoffered: SmtpMechanism | None = None
    asked_again: Literal["response", "nothing"] = "response"
    any_success: bool = False
    believes_503: bool = False
    token_mechanisms: tuple[TokenMechanism, ...] = ("XOAUTH2", "OAUTHBEARER")
    token_unoffered: TokenMechanism | None = None
    user: Text = Text()
    password: Text = Text()
    ehlo_name: str = ""
    bare_line_feed: bool = True


@dataclass(frozen=True, slots=True)
class EwsClient:
    """Exchange Web Services. `schemes` are in the client's order; it takes the first that the server offers.

    `basic` is for user name and password of Basic. `channel_binding`: NTLM is bound to the TLS connection (RFC 5929).
    `impersonation`: one account with rights acts for all mailboxes.
    """

    library: str
    schemes: tuple[HttpScheme, ...]
    basic: Text = Text()
    channel_binding: bool = True
    impersonation: bool = False


@dataclass(frozen=True, slots=True)
class TlsClient:
    """TLS, the same for every protocol; the host is named in the first message always (SNI).

    `strict`: chains are read by the rules that Python adds from 3.13 on. `ciphers`: whose list is offered up to TLS
    1.2. None where that is for MAIL_PREFLIGHT_X509_STRICT and MAIL_PREFLIGHT_TLS_CIPHERS to say. `names`: by whose rule
    a certificate covers an IMAP or SMTP host, OpenSSL's or that of Node's `tls.checkServerIdentity`.
    """

    minimum: TlsVersion = "TLSv1.2"
    strict: bool | None = None
    ciphers: Ciphers | None = None
    names: Literal["openssl", "node"] = "openssl"


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """One client, by the name that reports give it."""

    name: str
    imap: ImapClient
    smtp: SmtpClient
    ews: EwsClient
    tls: TlsClient = TlsClient()
