"""The words of this room: what a source proposes, and how it was found."""

from dataclasses import dataclass, field
from enum import StrEnum

from checks.model import Endpoint, Facts, Invalid
from checks.settings import normalise_domain


class Source(StrEnum):
    """Who proposes. In the order in which they are believed, all else being equal."""

    TYPED = "typed"
    PACC = "pacc"
    AUTOCONFIG = "autoconfig"
    AUTODISCOVER = "autodiscover"
    PROVIDER = "provider"
    SRV = "srv"
    PROVIDER_BY_MX = "provider_by_mx"
    AUTOCONFIG_BY_MX = "autoconfig_by_mx"
    GUESS = "guess"


class Evidence(StrEnum):
    """How a host was found: the reason why it is trusted, or not."""

    TYPED = "typed"
    """The admin named this very host."""
    PUBLISHED = "published"
    """The mail domain named it over HTTPS, all the way, with an accepted certificate."""
    KNOWN = "known_provider"
    """It is that of a provider whose domains we know."""
    DNSSEC = "dnssec"
    """The mail domain named it in the DNS, and DNSSEC vouches for that."""
    CERTIFICATE = "certificate"
    """The DNS named it, and it has an accepted certificate for the mail domain (RFC 6186, 6)."""
    DNS = "dns_alone"
    """The DNS named it, and nothing vouches for that."""
    PLAIN_HTTP = "plain_http"
    """It was found over plain HTTP: anybody on the way could have said it."""
    NO_DIGEST = "digest_missing"
    """A PACC document without the digest in the DNS that is part of it."""
    OTHER_NAME = "name_of_certificate"
    """A server's certificate named it, and nobody else."""
    GUESSED = "guessed"
    """Nobody named it."""

    @property
    def trusted(self) -> bool:
        """Whether a credential may go to a host that was found like this."""
        return self in _TRUSTED


_TRUSTED = frozenset({Evidence.TYPED, Evidence.PUBLISHED, Evidence.KNOWN, Evidence.DNSSEC, Evidence.CERTIFICATE})


class Confidence(StrEnum):
    """How sure it is that these are the settings of the domain."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class LoginName(StrEnum):
    """What the user name is. `OTHER`: told by a template of its own."""

    ADDRESS = "address"
    LOCAL_PART = "local_part"
    OTHER = "other"
    UNKNOWN = "unknown"


class Password(StrEnum):
    """Which secret logs in, as far as a source says."""

    NORMAL = "password"
    APP_PASSWORD = "app_password"  # noqa: S105 - the name of a kind
    OAUTH2 = "oauth2"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose settings are looked for: a domain in ASCII, and an address of it, or ''."""

    domain: str
    address: str = ""

    @classmethod
    def of(cls, text: str) -> "Subject":
        """What was typed: a domain, or an address of it. Raises `Invalid`."""
        local, at, domain = text.strip().rpartition("@")
        name = normalise_domain(domain)
        if not at:
            return cls(name)
        if not local or len(local) > 64 or not local.isprintable() or set(local) & set(' "<>@'):
            raise Invalid(f"{text[:80]!r} is not an address; give it like ada@example.com", "address")
        return cls(name, f"{local}@{name}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings as a source has them, not yet tried.

    `place` says where they were found: a URL, a name in the DNS, a row of a table. `imap` and `smtp` are in order of
    preference. `template` is the user name where `login` is OTHER, with `{address}`, `{local}` and `{domain}`.
    `assumed`: the source leads to the host, and that the service is there is our conclusion.
    """

    source: Source
    evidence: Evidence
    place: str
    imap: tuple[Endpoint, ...] = ()
    smtp: tuple[Endpoint, ...] = ()
    exchange: Endpoint | None = None
    login: LoginName = LoginName.UNKNOWN
    template: str = ""
    password: Password = Password.UNKNOWN
    provider: str = ""
    help_url: str = ""
    assumed: bool = False

    @property
    def servers(self) -> tuple[tuple[Endpoint, ...], ...]:
        """For each protocol its endpoints in order of preference."""
        return tuple(filter(None, (self.imap, self.smtp, (self.exchange,) if self.exchange else ())))


class Outcome(StrEnum):
    """What came of one thing that was tried."""

    FOUND = "found"
    NOTHING = "nothing"
    NO_ANSWER = "no_answer"
    BAD_CERTIFICATE = "bad_certificate"
    NOT_ALLOWED = "not_allowed"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried: a URL, a question to the DNS, a server. `seen` is what it met, redacted."""

    source: Source
    what: str
    outcome: Outcome
    seen: str = ""


class FindingKind(StrEnum):
    """What the admin of the domain should know, whatever is proposed."""

    PACC_DIGEST_DIFFERS = "pacc.digest_differs"
    PACC_DIGEST_MISSING = "pacc.digest_missing"
    PACC_DOCUMENT_MISSING = "pacc.document_missing"
    SRV_DECLINED = "srv.declined"
    MX_DECLINED = "mx.declined"
    PUBLISHED_FAILS = "published.fails"
    PUBLISHED_DIFFER = "published.differ"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them, with the values for its words."""

    kind: FindingKind
    source: Source
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source came to. `seconds` is how long it took."""

    source: Source
    candidates: tuple[Candidate, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
