"""What every mail protocol offers to a check."""

import base64
import functools
import importlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.clients.profile import ClientProfile, TokenMechanism
from checks.codes import Code
from checks.model import Authentication, Credential, CredentialKind, Fault, Protocol
from checks.network.stream import Stream
from checks.protocols.choice import Choice


@dataclass(frozen=True, slots=True)
class Greeting:
    """The server's first words. `capabilities` is None where the greeting did not carry them."""

    words: str
    capabilities: tuple[str, ...] | None = None
    preauth: bool = False


@dataclass(slots=True)
class Habits:
    """What the logins of one route have learned of its server, for the next ones.

    `ahead`: commands may be sent ahead of the answer to the login; None until a login has shown that the server is one
    to try that with. `choice`: of the SASL mechanisms. `senders`: the server judges who may send as whom; None until
    that was asked. `canaries`: the logins may ask on behalf of all. `quiet`: nothing comes unasked after a login; None
    until that was waited for. `inline`: the first response may go with the command though the client would wait to be
    asked. `resume`: TLS sessions may be resumed. `hasty`: nobody need look whether what comes first is clear text; None
    until a handshake has succeeded. `refused`: ways to log in that the server offers and does not know.
    """

    ahead: bool | None = None
    choice: Choice = field(default_factory=Choice)
    senders: bool | None = None
    canaries: bool = False
    quiet: bool | None = None
    inline: bool = True
    resume: bool = True
    hasty: bool | None = None
    refused: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, learned: Mapping[str, str], *, canaries: bool) -> "Habits":
        """With what others have `learned`."""
        choice = Choice(learned.get("mechanism", ""), may_learn=canaries)
        senders = {"judged": True, "not judged": False}.get(learned.get("senders", ""))
        off = learned.get("off", "").split()
        return cls(
            ahead=False if "ahead" in off else None,
            choice=choice,
            senders=senders,
            canaries=canaries,
            inline="inline" not in off,
            resume="resume" not in off,
            refused=set(learned.get("refused", "").split()),
        )

    @property
    def learned(self) -> dict[str, str]:
        """For the logins of other processes, as text."""
        found = {"mechanism": self.choice.works} if self.choice.works else {}
        if self.senders is not None:
            found["senders"] = "judged" if self.senders else "not judged"
        shortcuts = {"ahead": self.ahead is not False, "inline": self.inline, "resume": self.resume}
        if off := [name for name, on in shortcuts.items() if not on]:
            found["off"] = " ".join(off)
        if self.refused:
            found["refused"] = " ".join(sorted(self.refused))
        return found


class Unjudged(Fault):
    """A login with a shortcut ended before the password was judged. It is off now: one more login is no second."""


class Dialect(typing.Protocol):
    """One protocol. All methods talk on an open stream and raise `Fault` or `OSError`; none closes it."""

    @property
    def implicit_ports(self) -> frozenset[int]:
        """Where `auto` means TLS from the first byte."""

    @property
    def starttls_ports(self) -> frozenset[int]:
        """Where `auto` means a start in clear text, then STARTTLS."""

    def greet(self, stream: Stream) -> Greeting:
        """Reads the greeting."""

    def starttls(self, stream: Stream, greeting: Greeting, client: ClientProfile) -> None:
        """Asks for TLS, up to the server's go-ahead. Any byte after it is a fault (STARTTLS injection)."""

    def capabilities(self, stream: Stream, greeting: Greeting, client: ClientProfile) -> tuple[str, ...]:
        """What the server offers, in upper case."""

    def mechanisms(self, capabilities: tuple[str, ...]) -> frozenset[str]:
        """The SASL mechanisms offered, with `LOGIN` for IMAP's LOGIN command."""

    def ways(self, capabilities: tuple[str, ...], kind: CredentialKind, client: ClientProfile) -> tuple[str, ...]:
        """The mechanisms offered that the client would try with such a credential, in its order."""

    def login(
        self,
        stream: Stream,
        credential: Credential,
        greeting: Greeting | None,
        capabilities: tuple[str, ...],
        habits: Habits,
        client: ClientProfile,
    ) -> None:
        """One login as that client logs in, and what proves it. `greeting` is None after STARTTLS.

        No credential is sent after a rejection, but for what `checks.protocols.choice` tells of.
        """

    def farewell(self, stream: Stream) -> None:
        """Says goodbye without waiting for the answer."""


@functools.cache
def dialect_of(protocol: Protocol, authentication: Authentication = Authentication.LOGIN) -> Dialect:
    """The dialect of a protocol: the `DIALECT` in the folder that bears its name, of `relay` where nobody logs in."""
    name = "dialect" if authentication is Authentication.LOGIN else "relay"
    module = importlib.import_module(f"checks.protocols.{protocol}.{name}")
    dialect: Dialect = module.DIALECT
    return dialect


TOKEN_MECHANISMS: tuple[str, ...] = typing.get_args(TokenMechanism)


def lacking(offered: frozenset[str]) -> Fault:
    """Why none of the mechanisms offered will do."""
    names = " ".join(sorted(offered))
    if not offered:
        return Fault(Code.AUTH_NOT_OFFERED, names, names=names)
    oauth_only = offered <= frozenset(TOKEN_MECHANISMS)
    return Fault(Code.AUTH_OAUTH_REQUIRED if oauth_only else Code.AUTH_NO_MECHANISM, names, names=names)


def require_usable(dialect: Dialect, capabilities: tuple[str, ...], client: ClientProfile) -> None:
    """Raises `Fault` when nobody, whatever their credential, could log in with that client."""
    kinds = (CredentialKind.PASSWORD, CredentialKind.OAUTH2_TOKEN)
    if not any(dialect.ways(capabilities, kind, client) for kind in kinds):
        raise lacking(dialect.mechanisms(capabilities))


def initial_response(mechanism: str, credential: Credential) -> bytes:
    """The first client response of a token's mechanism (RFC 7628, Google's XOAUTH2), not yet in base64."""
    name, secret = credential.username, credential.secret
    if mechanism == "XOAUTH2":
        return f"user={name}\1auth=Bearer {secret}\1\1".encode()
    identity = name.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={identity},\1auth=Bearer {secret}\1\1".encode()


def refuse_control_characters(credential: Credential) -> None:
    """A line break in a credential would be a command of its own. Raises `Fault(credential.unreadable)`.

    So is half of a surrogate pair: it has no UTF-8.
    """
    if any(character in "\r\n\0" or "\ud800" <= character <= "\udfff" for character in _characters(credential)):
        raise Fault(Code.CREDENTIAL_UNREADABLE, "the user name or password has a character that cannot be sent")


def _characters(credential: Credential) -> str:
    return credential.username + credential.secret


def challenge_text(encoded: bytes) -> bytes:
    """A SASL challenge without its base64, or as it came where it has none: servers write anything after "+" or 334."""
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return encoded
