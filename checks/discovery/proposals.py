"""What becomes of a candidate that was tried: servers that may or may not be trusted with a credential."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from checks.codes import Verdict
from checks.discovery.model import Candidate, Confidence, Evidence, Finding, LoginName, Source, SourceReport, Subject
from checks.model import Endpoint, EndpointResult, Invalid, Protocol
from checks.settings import ExchangeSettings, ImapSettings, Settings


@dataclass(frozen=True, slots=True)
class Repair:
    """Why another endpoint is proposed than the one that was named; tried before it is. `kind` is stable."""

    kind: str
    named: Endpoint
    instead: Endpoint


@dataclass(frozen=True, slots=True)
class Offer:
    """One server of a proposal, checked. Callers send no credential to its host unless it is `trusted`."""

    result: EndpointResult
    evidence: Evidence
    repair: Repair | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it is; `security` is what was found."""
        return self.result.endpoint

    @property
    def trusted(self) -> bool:
        """Whether a credential may go there without the admin's word."""
        return self.evidence.trusted

    @property
    def works(self) -> bool:
        """Whether the endpoint passed its check."""
        return self.result.verdict is Verdict.OK


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings that a source proposes, each server checked. `also` are other sources that say the same."""

    candidate: Candidate
    offers: tuple[Offer, ...]
    confidence: Confidence
    also: tuple[Source, ...] = ()

    @property
    def kind(self) -> str:
        """`imap` or `exchange`, as settings have it."""
        return "exchange" if self.candidate.exchange else "imap"

    @property
    def works(self) -> bool:
        """Whether every server passed its check."""
        return all(offer.works for offer in self.offers)

    @property
    def complete(self) -> bool:
        """Whether it is all that settings need: Exchange, or IMAP with SMTP."""
        return self.kind == "exchange" or {offer.endpoint.protocol for offer in self.offers} == _MAIL

    @property
    def trusted(self) -> bool:
        """Whether credentials may go to all of its hosts without the admin's word."""
        return all(offer.trusted for offer in self.offers)

    @property
    def hosts_to_accept(self) -> tuple[str, ...]:
        """The hosts that an admin must accept, each by name, before a credential goes there."""
        return tuple(dict.fromkeys(offer.endpoint.host for offer in self.offers if not offer.trusted))

    def settings(self, accepted: Collection[str] = ()) -> Settings:
        """The settings, for whoever will log in with them. `accepted` are the hosts that the admin has accepted.

        Raises `Invalid` where a host is neither trusted nor accepted, or something is missing.
        """
        missing = [host for host in self.hosts_to_accept if host not in set(accepted)]
        if missing:
            raise Invalid(f"nothing vouches for {', '.join(missing)}; accept these very hosts first", "accepted_hosts")
        if not self.complete:
            raise Invalid("the proposal lacks a server; give both IMAP and SMTP", "settings")
        found = {offer.endpoint.protocol: offer.endpoint for offer in self.offers}
        if self.kind == "exchange":
            return ExchangeSettings(found[Protocol.HTTPS].url)
        return ImapSettings(found[Protocol.IMAP], found[Protocol.SMTP])


_MAIL = {Protocol.IMAP, Protocol.SMTP}


@dataclass(frozen=True, slots=True)
class Discovery:
    """What came of it, the best proposal first. `unfinished` are the sources that did not end in time."""

    subject: Subject
    proposals: tuple[Proposal, ...]
    reports: tuple[SourceReport, ...]
    findings: tuple[Finding, ...]
    unfinished: tuple[Source, ...]
    seconds: float


def username(candidate: Candidate, address: str) -> str:
    """The user name of an address; '' where the source does not say what it is, or no address is known."""
    local, at, domain = address.rpartition("@")
    if not at:
        return ""
    if candidate.login is LoginName.OTHER:
        values = {"{address}": address, "{local}": local, "{domain}": domain}
        return _PLACE.sub(lambda found: values[found[0]], candidate.template)
    return {LoginName.ADDRESS: address, LoginName.LOCAL_PART: local}.get(candidate.login, "")


_PLACE = re.compile(r"\{(?:address|local|domain)\}")
