"""What a discovery came to, worded in a language: what the command and the API show, and the JSON of both.

The schema is `docs/schema/discovery.schema.json`.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass

from checks.codes import Verdict
from checks.discovery.model import Attempt, Evidence, Finding, FindingKind, LoginName, Source, SourceReport
from checks.discovery.proposals import Discovery, Offer, Proposal, Repair, username
from checks.document import EndpointDocument, Json
from checks.language import Language
from checks.messages.discovery import PHRASES
from checks.messages.endpoints import endpoint_document
from checks.model import Authentication, Endpoint


@dataclass(frozen=True, slots=True)
class ServerDocument:
    """One server of a proposal. No credential may go to it unless it is `trusted`, or its host was accepted."""

    check: EndpointDocument
    trusted: bool
    evidence: Evidence
    reason: str
    repair: str
    repair_kind: str

    def as_json(self) -> Json:
        """The `check` document is within."""
        repair = {"kind": self.repair_kind, "message": self.repair} if self.repair else None
        return {
            "trusted": self.trusted,
            "evidence": self.evidence.value,
            "reason": self.reason,
            "repair": repair,
            "check": self.check.as_json(),
        }


@dataclass(frozen=True, slots=True)
class ProposalDocument:
    """One proposal. `settings` are there only where credentials may go to all of its hosts."""

    proposal: Proposal
    source: str
    also: tuple[str, ...]
    confidence: str
    login: str
    username: str
    password: str
    servers: tuple[ServerDocument, ...]
    settings: Json | None

    def as_json(self) -> Json:
        """Keys and their words."""
        candidate = self.proposal.candidate
        return {
            "kind": self.proposal.kind,
            "source": candidate.source.value,
            "source_message": self.source,
            "also": [source.value for source in self.proposal.also],
            "place": candidate.place,
            "provider": candidate.provider or None,
            "confidence": self.proposal.confidence.value,
            "works": self.proposal.works,
            "complete": self.proposal.complete,
            "trusted": self.proposal.trusted,
            "hosts_to_accept": list(self.proposal.hosts_to_accept),
            "login_name": candidate.login.value,
            "login_name_message": self.login,
            "username": self.username or None,
            "password": candidate.password.value,
            "password_message": self.password,
            "help_url": candidate.help_url or None,
            "servers": [server.as_json() for server in self.servers],
            "settings": self.settings,
        }


@dataclass(frozen=True, slots=True)
class AttemptDocument:
    """One thing that was tried."""

    what: str
    outcome: str
    message: str
    seen: str


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One source, what it tried and how long that took."""

    source: Source
    label: str
    found: bool
    seconds: float
    attempts: tuple[AttemptDocument, ...]

    def as_json(self) -> Json:
        """Seconds to a thousandth."""
        return {
            "source": self.source.value,
            "message": self.label,
            "found": self.found,
            "seconds": round(self.seconds, 3),
            "attempts": [asdict(attempt) for attempt in self.attempts],
        }


@dataclass(frozen=True, slots=True)
class DiscoveryDocument:
    """The whole of it, the best proposal first."""

    language: Language
    domain: str
    address: str
    headline: str
    verdict: str
    proposals: tuple[ProposalDocument, ...]
    findings: tuple[Json, ...]
    sources: tuple[SourceDocument, ...]
    unfinished: tuple[str, ...]
    seconds: float

    def as_json(self) -> Json:
        """The `discovery` document."""
        return {
            "domain": self.domain,
            "address": self.address or None,
            "headline": self.headline,
            "verdict": self.verdict,
            "proposals": [proposal.as_json() for proposal in self.proposals],
            "findings": list(self.findings),
            "sources": [source.as_json() for source in self.sources],
            "unfinished": list(self.unfinished),
            "seconds": round(self.seconds, 3),
        }


def discovery_document(
    found: Discovery, language: Language = Language.EN, accepted: Collection[str] = ()
) -> DiscoveryDocument:
    """The document of a discovery. `accepted` are the hosts that the admin has accepted, each by name."""
    proposals = tuple(_proposal(each, found, language, accepted) for each in found.proposals)
    verdict, headline = _headline(found, language, accepted)
    return DiscoveryDocument(
        language,
        found.subject.domain,
        found.subject.address,
        headline,
        verdict,
        proposals,
        tuple(_finding(each, language) for each in found.findings),
        tuple(source_document(each, language) for each in found.reports),
        tuple(source.value for source in found.unfinished),
        found.seconds,
    )


def source_document(report: SourceReport, language: Language = Language.EN) -> SourceDocument:
    """What one source came to."""
    attempts = tuple(_attempt(each, language) for each in report.attempts)
    label = PHRASES(language, f"source.{report.source}")
    return SourceDocument(report.source, label, bool(report.candidates), report.seconds, attempts)


def _attempt(attempt: Attempt, language: Language) -> AttemptDocument:
    words = PHRASES(language, f"outcome.{attempt.outcome}")
    return AttemptDocument(attempt.what, attempt.outcome.value, words, attempt.seen)


def _headline(found: Discovery, language: Language, accepted: Collection[str]) -> tuple[str, str]:
    """`ok` where a proposal works as a whole, `fail` where none does, `inconclusive` where that cannot be told."""
    best = next(iter(found.proposals), None)
    hosts = [host for host in best.hosts_to_accept if host not in set(accepted)] if best else []
    if best is not None and best.works:
        kind = ("accept" if hosts else "trusted") if best.complete else "partial"
        verdict = "ok" if best.complete else "fail"
    elif best is None:
        kind, verdict = ("unfinished", "inconclusive") if found.unfinished else ("nothing", "fail")
    else:
        unclear = any(offer.result.verdict is Verdict.INCONCLUSIVE for offer in best.offers)
        kind, verdict = "fails", "inconclusive" if unclear else "fail"
    words = PHRASES(language, f"headline.{kind}", domain=found.subject.domain, hosts=language.listed(hosts))
    return verdict, words


def _proposal(each: Proposal, found: Discovery, language: Language, accepted: Collection[str]) -> ProposalDocument:
    candidate = each.candidate
    template = candidate.template if candidate.login is LoginName.OTHER else ""
    return ProposalDocument(
        each,
        PHRASES(language, f"source.{candidate.source}"),
        tuple(PHRASES(language, f"source.{source}") for source in each.also),
        PHRASES(language, f"confidence.{each.confidence}"),
        PHRASES(language, f"login.{candidate.login}", template=template),
        username(candidate, found.subject.address),
        PHRASES(language, f"password.{candidate.password}"),
        tuple(_server(offer, language) for offer in each.offers),
        _settings(each, accepted),
    )


def _server(offer: Offer, language: Language) -> ServerDocument:
    return ServerDocument(
        endpoint_document(offer.result, language),
        offer.trusted,
        offer.evidence,
        PHRASES(language, f"evidence.{offer.evidence}"),
        _repair(offer.repair, language) if offer.repair else "",
        offer.repair.kind if offer.repair else "",
    )


def _repair(repair: Repair, language: Language) -> str:
    named, instead = repair.named, repair.instead
    return PHRASES(
        language,
        f"repair.{repair.kind}",
        host=named.host,
        port=named.port,
        instead_host=instead.host,
        instead_port=instead.port,
        security=PHRASES(language, f"security.{instead.security}"),
    )


def _settings(each: Proposal, accepted: Collection[str]) -> Json | None:
    """As the API takes them for a change; None where a host is neither trusted nor accepted, or something is missing.

    `Proposal.settings` is the same rule for whoever goes on in Python.
    """
    if not (each.works and each.complete) or set(each.hosts_to_accept) - set(accepted):
        return None
    if each.kind == "exchange":
        return {"kind": "exchange", "exchange_url": each.offers[0].endpoint.url}
    servers: Json = {offer.endpoint.protocol.value: _place(offer.endpoint) for offer in each.offers}
    return {"kind": "imap"} | servers


def _place(endpoint: Endpoint) -> Json:
    place: Json = {"host": endpoint.host, "port": endpoint.port, "security": endpoint.security.value}
    none = endpoint.authentication is Authentication.NONE
    return place | ({"authentication": endpoint.authentication.value} if none else {})


def _finding(finding: Finding, language: Language) -> Json:
    facts = dict(finding.facts) | {"source": PHRASES(language, f"source.{finding.source}")}
    if finding.kind is FindingKind.PUBLISHED_DIFFER:
        facts["first_source"] = PHRASES(language, f"source.{finding.facts['source']}")
    words = PHRASES(language, f"finding.{finding.kind}", **facts)
    return {"kind": finding.kind.value, "source": finding.source.value, "message": words}
