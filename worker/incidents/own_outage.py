"""Whether it is us: everything fails at once, or nearly nothing works from one of our connection IPs. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from settings_store.incidents.evidence import Probe
from settings_store.incidents.incidents import Open, Opening, Scope, Severity

SERVICE = "service"
FEWEST_SERVERS = 3
"""Two servers that fail at once are a coincidence; so few say nothing about us."""
NEARLY_ALL = 0.8
RECENT_SECONDS = 900.0
UNUSED_SECONDS = 86400.0


Condition = Literal["bad", "ok", "unclear", "gone"]
"""How things are with what an incident is about. `gone`: it is not watched any more, or fails from another cause."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`fails` in a row are certain, `retry_seconds` lie between them.

    A check that is older than `fresh_seconds`, or from before `not_before`, when all failed together, is history.
    """

    fails: int
    retry_seconds: float
    fresh_seconds: float
    not_before: float = 0.0

    @property
    def certain_after(self) -> float:
        """How long it takes to be certain, in seconds."""
        return (self.fails - 1) * self.retry_seconds

    @property
    def patience(self) -> float:
        """How long a failure waits for what may show that it is a greater one, in seconds."""
        return self.certain_after + 2 * self.retry_seconds


def service_failure(probes: Sequence[Probe], by_source: Sequence[Probe], limits: Limits, now: float) -> Opening | None:
    """Everything fails at once: nearly all servers that were looked at since it began, several of them for certain.

    From every connection IP, that is: where one was not used since, nobody knows yet.
    """
    began = _began(probes, limits, now, certain=True)
    if began is None:
        return None
    looked_at = servers(probe for probe in probes if probe.checked_at >= began)
    if not nearly_all(looked_at) or not all(_from_there(by_source, began).values()):
        return None
    return _ours(Scope.SERVICE, SERVICE, looked_at, probes, began, {})


def _from_there(probes: Sequence[Probe], began: float) -> Mapping[str, bool]:
    """Connection IP -> whether nearly nothing works from there, as far as was looked since it began."""
    found = {}
    for source in {probe.source for probe in probes}:
        there = servers(probe for probe in probes if probe.source == source and probe.checked_at >= began)
        found[source] = bool(there) and _bad(there) >= NEARLY_ALL * len(there)
    return found


def source_failures(probes: Sequence[Probe], limits: Limits, now: float) -> tuple[Opening, ...]:
    """Connection IPs from which nearly nothing works, while nearly everything does from the others."""
    found = []
    for source in sorted({probe.source for probe in probes}):
        mine = [probe for probe in probes if probe.source == source]
        began = _began(mine, limits, now, certain=False)
        if began is None or now - began < limits.certain_after:
            continue
        there = servers(probe for probe in mine if probe.checked_at >= began)
        others = servers(probe for probe in probes if probe.source != source and probe.checked_at >= began)
        if nearly_all(there) and _nearly_none(others):
            found.append(_ours(Scope.SOURCE, f"source:{source}", there, mine, began, {"source": source}))
    return tuple(found)


def _began(probes: Sequence[Probe], limits: Limits, now: float, *, certain: bool) -> float | None:
    """When the third last of the failing servers began to fail: what worked before then does not count against it."""
    least = limits.fails if certain else 1
    first: dict[str, float] = {}
    for probe in probes:
        if probe.bad >= least and probe.first_bad_at is not None:
            first[probe.host] = max(first.get(probe.host, 0.0), min(probe.first_bad_at, now))
    if len(first) < FEWEST_SERVERS:
        return None
    return max(sorted(first.values())[-FEWEST_SERVERS], now - RECENT_SECONDS)


def servers(probes: Iterable[Probe]) -> Mapping[str, int]:
    """Host -> the failures in a row of the worst of its endpoints."""
    worst: dict[str, int] = {}
    for probe in probes:
        worst[probe.host] = max(worst.get(probe.host, 0), probe.bad)
    return worst


def _bad(worst: Mapping[str, int]) -> int:
    return sum(1 for bad in worst.values() if bad)


def nearly_all(worst: Mapping[str, int]) -> bool:
    """Whether nearly all of several servers fail. `worst` is what `servers` returns."""
    return _bad(worst) >= FEWEST_SERVERS and _bad(worst) >= NEARLY_ALL * len(worst)


def _nearly_none(worst: Mapping[str, int]) -> bool:
    return len(worst) >= FEWEST_SERVERS and _bad(worst) <= (1 - NEARLY_ALL) * len(worst)


def _ours(
    scope: Scope,
    subject: str,
    worst: Mapping[str, int],
    probes: Sequence[Probe],
    began: float,
    facts: Mapping[str, str],
) -> Opening:
    codes = Counter(probe.code for probe in probes if probe.bad)
    counts = {"count": str(_bad(worst)), "total": str(len(worst))}
    return Opening(scope, subject, None, Severity.CRITICAL, codes.most_common(1)[0][0], began, {**counts, **facts})


def ours_condition(
    incident: Open, failing: Collection[str], probes: Sequence[Probe], by_source: Sequence[Probe], now: float
) -> Condition:
    """How things are with an incident of our own. `failing` has the subjects of what fails now.

    Nothing is known where nothing works and nothing was looked at.
    """
    if SERVICE in failing or incident.subject in failing:
        return "bad"
    source = incident.facts.get("source")
    mine = probes if source is None else [probe for probe in by_source if probe.source == source]
    if any(probe.bad == 0 for probe in mine):
        return "ok"
    # A connection IP may be idle for a while; after a day it is one that nobody uses any more.
    unused = source is not None and not mine and now - incident.opened_at > UNUSED_SECONDS
    return "gone" if unused else "unclear"
