"""The document of one endpoint, worded in a language: what a command, a page or a letter shows, and the `check` JSON.

Whoever shows it needs nothing else. `checks.messages.endpoints` makes it of a result; the schema of its JSON is
`docs/schema/check.schema.json`.
"""

from dataclasses import asdict, dataclass

from checks.codes import Blame, Code, Verdict
from checks.language import Language
from checks.model import Authentication, Endpoint, Option, Outcome, TlsFacts

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class StepDocument:
    """One step of the check. `label` is its name for people, `seen` what it met, redacted; `ms` are milliseconds."""

    name: str
    label: str
    verdict: Verdict
    ms: float
    seen: str

    def as_json(self) -> Json:
        """`ms` to a tenth of one."""
        return asdict(self) | {"verdict": self.verdict.value, "ms": round(self.ms, 1)}


@dataclass(frozen=True, slots=True)
class WarningDocument:
    """Something to know that is no failure."""

    code: Code
    sentence: str

    def as_json(self) -> Json:
        """The sentence is called `message`."""
        return {"code": self.code.value, "message": self.sentence}


@dataclass(frozen=True, slots=True)
class FixDocument:
    """A repair that would work: a stable `kind`, and the words for people."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class AdmissionDocument:
    """What one of our addresses met. `source` is '' where nobody knows what the server sees of it.

    `label` names the address to people, `sentence` says what it met; `sign` is that as a verdict. `seen` is redacted.
    """

    source: str
    shared: bool
    outcome: Outcome
    sign: Verdict
    label: str
    sentence: str
    seen: str

    def as_json(self) -> Json:
        """The sentence is called `message`, and the sign is told by the outcome."""
        return {
            "source": self.source or None,
            "shared": self.shared,
            "outcome": self.outcome.value,
            "message": self.sentence,
            "seen": self.seen,
        }


@dataclass(frozen=True, slots=True)
class EndpointDocument:
    """What came of the check of one endpoint.

    `label` and `place` name it to people, `state` is the verdict in words, `typed` says what was made of a URL that was
    typed differently ('' where it was not). `seen` are the words that the cause was told in: the server's own where
    `server_said`, else those of the network or the library. `field` is the form field to look at. `option` is what
    "allow insecure certificate" would do, None where it could not be told; `option_sentence` the words for it where it
    is on or needed, else ''.
    `judged` says who judged the certificates, and how strictly; `untested` what could not be tested of TLS.
    `client` is the name of the client profile that judged, '' where that is not known. `admissions` are of static
    addresses: which of them the server admits.
    """

    language: Language
    endpoint: Endpoint
    address: str | None
    label: str
    place: str
    state: str
    typed: str
    verdict: Verdict
    code: Code
    sentence: str
    advice: str
    blame: Blame
    who_acts: str
    field: str | None
    seen: str
    server_said: bool
    option: Option | None
    option_sentence: str
    fix: FixDocument | None
    warnings: tuple[WarningDocument, ...]
    steps: tuple[StepDocument, ...]
    tls: TlsFacts | None
    judged: str = ""
    untested: str = ""
    client: str = ""
    admissions: tuple[AdmissionDocument, ...] = ()

    @property
    def headline(self) -> str:
        """Which endpoint, and whether it works."""
        return f"{self.label} {self.place}: {self.state}"

    def as_json(self) -> Json:
        """The `check` document."""
        return {
            "endpoint": self._endpoint(),
            "headline": self.headline,
            "verdict": self.verdict.value,
            "code": self.code.value,
            "message": self.sentence,
            "advice": self.advice,
            "blame": self.blame.value,
            "who_acts": self.who_acts,
            "field": self.field,
            "seen": self.seen,
            "allow_insecure_certificate": self.option.value if self.option else None,
            "option_message": self.option_sentence,
            "fix": asdict(self.fix) if self.fix else None,
            "warnings": [warning.as_json() for warning in self.warnings],
            "steps": [step.as_json() for step in self.steps],
            "tls": self._tls(),
            "judged": self.judged,
            "untested": self.untested,
            "client": self.client or None,
            "admissions": [admission.as_json() for admission in self.admissions],
        }

    def _endpoint(self) -> Json:
        endpoint = self.endpoint
        place: Json = {
            "protocol": endpoint.protocol.value,
            "host": endpoint.host,
            "port": endpoint.port,
            "security": endpoint.security.value,
            "address": self.address,
        }
        if endpoint.authentication is Authentication.NONE:
            place["authentication"] = endpoint.authentication.value
        # Exchange's URL, and what was typed for it: the same text where nothing had to be changed.
        return place | ({"url": endpoint.url, "typed": endpoint.typed or endpoint.url} if endpoint.url else {})

    def _tls(self) -> Json | None:
        if self.tls is None:
            return None
        tls = self.tls
        return {
            "version": tls.version,
            "cipher": tls.cipher,
            "chain": [asdict(certificate) for certificate in tls.chain],
            "broken": tls.broken,
            "openssl": tls.openssl or None,
            "x509_strict": tls.x509_strict,
            "large_hello": tls.large_hello or None,
        }
