"""Which proposal comes first, which are the same, and what the admin should know about what is published."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from checks.discovery.model import Candidate, Confidence, Evidence, Finding, FindingKind, LoginName, Password, Source
from checks.discovery.proposals import Offer, Proposal
from checks.model import Endpoint

_ORDER = tuple(Source)
_LEVELS = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)
_SURE = frozenset({Evidence.TYPED, Evidence.PUBLISHED, Evidence.KNOWN, Evidence.DNSSEC})
_UNSURE = frozenset({Evidence.GUESSED, Evidence.OTHER_NAME, Evidence.PLAIN_HTTP})
_OWN = frozenset({Source.PACC, Source.AUTOCONFIG, Source.AUTODISCOVER, Source.SRV})
"""What the mail domain publishes itself: where that fails or differs, its admin should know."""
_QUIET = frozenset({Source.GUESS, Source.AUTOCONFIG_BY_MX, Source.PROVIDER_BY_MX})
"""Whose proposals are no use to anybody unless they work."""


def ranked(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Each once, the best first. What only we have thought of is left out where it does not work."""
    worth = [each for each in proposals if each.works or not _is_quiet(each)]
    merged: dict[tuple[Endpoint, ...], Proposal] = {}
    for each in sorted((replace(each, confidence=confidence(each)) for each in worth), key=_rank):
        servers = tuple(offer.endpoint for offer in each.offers)
        first = merged.setdefault(servers, each)
        if first is not each and each.candidate.source not in {first.candidate.source, *first.also}:
            also = (*first.also, each.candidate.source)
            merged[servers] = replace(first, also=also, candidate=_completed(first.candidate, each.candidate))
    return tuple(sorted((replace(each, confidence=confidence(each)) for each in merged.values()), key=_rank))


def _completed(first: Candidate, other: Candidate) -> Candidate:
    """What the first source does not say of logins, as another one says it that names the same servers."""
    if first.login is LoginName.UNKNOWN:
        first = replace(first, login=other.login, template=other.template)
    if first.password is Password.UNKNOWN:
        first = replace(first, password=other.password)
    return replace(first, provider=first.provider or other.provider, help_url=first.help_url or other.help_url)


def _is_quiet(proposal: Proposal) -> bool:
    return proposal.candidate.source in _QUIET or proposal.candidate.assumed


def _rank(proposal: Proposal) -> tuple[bool, bool, bool, int, int]:
    return (
        not (proposal.works and proposal.complete),
        not proposal.works,
        not proposal.trusted,
        _LEVELS.index(proposal.confidence),
        _ORDER.index(proposal.candidate.source),
    )


def confidence(proposal: Proposal) -> Confidence:
    """How sure it is: by the weakest evidence; another source that says the same counts, but not a guess."""
    if not proposal.works:
        return Confidence.LOW
    level = max(_level(offer) for offer in proposal.offers)
    agreed = bool(set(proposal.also) - _QUIET)
    return _LEVELS[max(0, level - 1) if agreed else level]


def _level(offer: Offer) -> int:
    if offer.evidence in _UNSURE:
        return 2
    return 0 if offer.evidence in _SURE and offer.repair is None else 1


def findings_of(proposals: Sequence[Proposal]) -> tuple[Finding, ...]:
    """What is to be said of the proposals: published and failing, repaired, or not the same at two places."""
    return (*_failing(proposals), *_repairs(proposals), *_differing(proposals))


def _failing(proposals: Sequence[Proposal]) -> Iterable[Finding]:
    for each in proposals:
        for offer in each.offers:
            if each.candidate.source in _OWN and not offer.works:
                facts = {"server": str(offer.endpoint), "code": offer.result.code.value}
                yield Finding(FindingKind.PUBLISHED_FAILS, each.candidate.source, facts)


def _repairs(proposals: Sequence[Proposal]) -> Iterable[Finding]:
    for each in proposals:
        for offer in each.offers:
            if each.candidate.source in _OWN and offer.repair is not None:
                facts = {"named": _shown(offer.repair.named), "instead": _shown(offer.repair.instead)}
                yield Finding(FindingKind.REPAIRED, each.candidate.source, facts)


def _shown(endpoint: Endpoint) -> str:
    return f"{endpoint} ({endpoint.security})"


def _differing(proposals: Sequence[Proposal]) -> Iterable[Finding]:
    """The domain names other hosts for the same protocol at one place than at another."""
    hosts: dict[str, dict[str, Source]] = {}
    for each in proposals:
        if each.candidate.source in _OWN:
            for offer in each.offers:
                hosts.setdefault(offer.endpoint.protocol.value, {}).setdefault(
                    offer.endpoint.host, each.candidate.source
                )
    for protocol, found in hosts.items():
        if len(found) > 1:
            (first, source), (other, another) = list(found.items())[:2]
            facts = {"protocol": protocol, "host": first, "other": other, "source": source.value}
            yield Finding(FindingKind.PUBLISHED_DIFFER, another, facts)
