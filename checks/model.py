"""The words every room shares: endpoints, credentials, faults and what a check returns.

Facts and judgement are apart. A check gathers facts and raises `Fault`; `checks.codes` says whose cause a code is and
whether it lasts; `checks.messages` puts it into words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checks.codes import Code, Verdict

Facts = Mapping[str, str]
"""Named values for the wording of a code (host, date, names). JSON strings, never a secret."""


class Protocol(StrEnum):
    IMAP = "imap"
    SMTP = "smtp"
    HTTPS = "https"

    @property
    def label(self) -> str:
        """The name for people."""
        return "Exchange" if self is Protocol.HTTPS else self.value.upper()


class Security(StrEnum):
    """How TLS starts (RFC 8314). `AUTO` is a request only; a checked endpoint says what was found."""

    AUTO = "auto"
    TLS = "tls"
    STARTTLS = "starttls"


class Authentication(StrEnum):
    """Whether a client logs in. `NONE` is for SMTP: a relay that admits clients by their address."""

    LOGIN = "login"
    NONE = "none"


class Fault(Exception):
    """A cause found by a check.

    `seen` is the server's own words (or the library's), not yet redacted; `facts` are values for the wording. Not a
    frozen dataclass: those break in context managers and in pickling.
    """

    def __init__(self, code: Code, seen: str = "", **facts: str) -> None:
        super().__init__(code, seen, facts)
        self.code = code
        self.seen = seen
        self.facts: dict[str, str] = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.seen}" if self.seen else str(self.code)


class Invalid(ValueError):
    """Input that we cannot use: one clear line that says what to do. `field` names the form field, if there is one."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Unknown(Invalid):
    """Something that is named and that there is not, or not for whoever asks."""


class Unavailable(Exception):
    """The database, or the broker, does not do it now and may later: away, full, read-only, or busy for long.

    Nothing of a transaction was kept. The text is one line for people, without a secret or a value.
    """


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a protocol is served. `host` is an ASCII host name (IDNA) or an IP address without brackets.

    `url` is Exchange's, in canonical form; `typed` what was given for it where that was another text. Both are '' for
    mail.
    """

    protocol: Protocol
    host: str
    port: int
    security: Security = Security.AUTO
    url: str = ""
    typed: str = field(default="", compare=False)
    authentication: Authentication = Authentication.LOGIN

    def __str__(self) -> str:
        if self.url:
            return self.url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"


class CredentialKind(StrEnum):
    """What the secret of a credential is. `OAUTH2_CLIENT` is JSON, see `checks.oauth.client_secret`."""

    PASSWORD = "password"
    OAUTH2_TOKEN = "oauth2_token"
    OAUTH2_CLIENT = "oauth2_client"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a mailbox logs in with. The secret is left out of `repr`; nothing but a login may read it.

    `application`: the token is an application's own, which acts for the mailbox. `address` is that of the mailbox, ''
    where it is the user name.
    """

    username: str
    secret: str = field(repr=False)
    kind: CredentialKind = CredentialKind.PASSWORD
    application: bool = False
    address: str = ""

    @property
    def sender(self) -> str:
        """The address that the mailbox sends as."""
        return self.address or self.username


class Option(StrEnum):
    """What "allow insecure certificate" would do for an endpoint."""

    NEEDED = "needed"
    NOT_NEEDED = "not_needed"
    WOULD_NOT_HELP = "would_not_help"


ALLOWED_BY_OPTION = "; allowed by the option"
"""How what a step has seen ends where "allow insecure certificate" let it pass; worded like all of ours."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a check. `seen` is what it met, in the server's or the network's words, redacted."""

    name: str
    verdict: Verdict
    ms: float
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Warn:
    """Something to know about an endpoint that is no failure."""

    code: Code
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair: a stable `kind`, the words for people, and the facts that `checks.messages` makes such words of."""

    kind: str
    detail: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a presented chain. Names in RFC 4514 form, times in UTC as ISO 8601, SHA-256 in lower hex."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """`version` and `cipher` are None where the handshake was refused before they were agreed.

    `broken` is the place in `chain` of the certificate that the first cause is about; None where there is none, or
    where that certificate was not sent. `openssl` is the library that judged, in its own words, '' where that is not
    known; `x509_strict`: as strict as Python's clients are by default from 3.13 on. `large_hello`: whether a first
    message of several packets `works`, is `blocked`, or was `not_tested`; '' where that is not known.
    """

    version: str | None
    cipher: str | None
    chain: tuple[Certificate, ...]
    broken: int | None = None
    openssl: str = ""
    x509_strict: bool = False
    large_hello: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """The keys that a server had when the option let it in: SHA-256 of the SubjectPublicKeyInfo, in lower hex.

    `leaf` is the server's own, `ca` that of the authority that nobody trusts, where one was met.
    """

    leaf: str
    ca: str | None = None


class Outcome(StrEnum):
    """What one of our addresses met at a mail server."""

    ADMITTED = "admitted"
    REFUSED = "refused"  # an answer that says no: a reset, or an ICMP message
    DROPPED = "dropped"  # no answer at all
    CLOSED = "closed"  # connected, and closed before a word
    SILENT = "silent"  # connected, and nothing more
    BLOCKED = "blocked"  # the server says so in words
    BUSY = "busy"  # the server puts us off in words
    BANNED = "banned"  # admitted first, and then no more
    NO_FAMILY = "no_family"  # the server has no address of this family
    NOT_HERE = "not_here"  # the machine that tests has no such address
    UNREACHABLE = "unreachable"  # no way there from this address


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a mail server admits connections from one of our addresses.

    `source` is as the server sees it, '' where that is not known; `shared`: the one that others of ours leave from too.
    `seen` is redacted.
    """

    source: str
    outcome: Outcome
    shared: bool = False
    seen: str = ""


@dataclass(frozen=True, slots=True)
class EndpointResult:
    """What came of an endpoint check. `endpoint.security` is what was found, `address` the one that answered."""

    endpoint: Endpoint
    verdict: Verdict
    code: Code
    address: str | None = None
    facts: Facts = field(default_factory=dict)
    seen: str = ""
    option: Option | None = None
    fix: Fix | None = None
    warnings: tuple[Warn, ...] = ()
    steps: tuple[Step, ...] = ()
    tls: TlsFacts | None = None
    capabilities: tuple[str, ...] = ()
    insecure: bool = False
    """True where the chain was refused and the option let the check go on."""
    pin: Pin | None = None
    """What was let in, where `insecure`: a login that meets another key sends no credential."""
    learned: Mapping[str, str] = field(default_factory=dict)
    """What logins have learned of the server since, for those of other processes (`Habits.learned`)."""
    client: str = ""
    """The name of the client profile that judged, '' in results of an earlier version."""
    admissions: tuple[Admission, ...] = ()
    """From which of our addresses it was reached; of static addresses only."""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What came of one mailbox on one protocol. `seen` is redacted.

    `services` has the codes of what one login opens, by name (`mail`, `calendar`), where that is more than one thing.
    `wait`: the server wants to be left alone for so many seconds and has judged no credential; 0 where there is nothing
    to wait for.
    """

    verdict: Verdict
    code: Code
    protocol: Protocol
    seen: str = ""
    ms: float = 0.0
    services: Mapping[str, str] | None = None
    wait: float = 0.0


class MailboxState(StrEnum):
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    UNKNOWN = "unknown"
