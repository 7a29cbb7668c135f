"""What failing endpoints have in common: one endpoint, one server, one connection IP of ours, or everything.

Pure: what checks found in, incidents to be opened or extended out. The more it is us, the fewer are told: where
everything fails at once only the operator is, and where it may be, nobody before it is clear.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from checks.codes import Code
from settings_store.incidents.evidence import Known, Probe
from settings_store.incidents.incidents import ALSO, ENDPOINTS, Open, Opening, Scope, Severity
from worker.incidents.own_outage import (
    FEWEST_SERVERS,
    RECENT_SECONDS,
    SERVICE,
    Limits,
    nearly_all,
    servers,
    service_failure,
    source_failures,
)


@dataclass(frozen=True, slots=True)
class Extension:
    """Failing endpoints that belong to an incident that is open already."""

    incident: Open
    rows: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What to open and what to extend. `service` and `sources` hold what fails of our own side, open or not."""

    service: Opening | None = None
    sources: tuple[Opening, ...] = ()
    openings: tuple[Opening, ...] = ()
    extensions: tuple[Extension, ...] = ()

    @property
    def ours(self) -> tuple[Opening, ...]:
        """What fails of our own side."""
        return (self.service, *self.sources) if self.service else self.sources


def correlate(
    rows: Sequence[Known],
    probes: Sequence[Probe],
    by_source: Sequence[Probe],
    incidents: Sequence[Open],
    limits: Limits,
    now: float,
) -> Findings:
    """Finds the causes behind the failing `rows`. `probes` are the newest checks of all endpoints.

    `by_source` are those of each connection IP, where there are several.
    `incidents` are the open ones. Nothing is opened for a row that one of them is about, that is stale, or that fails
    together with our own side. Times are UTC seconds since 1970.
    """
    service = service_failure(probes, by_source, limits, now)
    sources = () if service else source_failures(by_source, limits, now)
    ours_open = {incident.subject for incident in incidents if incident.account_id is None}
    if service or SERVICE in ours_open:
        return Findings(service, sources)
    dead = {opening.facts["source"] for opening in sources}
    dead |= {subject.removeprefix("source:") for subject in ours_open if subject.startswith("source:")}
    fresh = [row for row in rows if _counts(row, limits, now) and row.source not in dead]
    extensions, rest = _extensions([row for row in fresh if row.bad], incidents, limits)
    groups = _groups(rest, [row for row in fresh if not row.bad])
    opened = [_opening(group) for group in groups if _ripe(group, probes, limits, now)]
    return Findings(None, sources, tuple(opened), tuple(extensions))


def covers(incident: Open, row: Known) -> bool:
    """Whether an incident is about this very endpoint."""
    return row.domain_id in incident.domain_ids and place(row) in incident.endpoints


def place(row: Known) -> str:
    """An endpoint's name within its domain."""
    return f"{row.protocol}@{row.server}"


def _counts(row: Known, limits: Limits, now: float) -> bool:
    """Whether a row says something today; one that is not judged yet does where it falls silent."""
    telling = row.stirring if row.bad else row.silent >= limits.fails and row.fails == 0
    fresh = limits.not_before <= row.checked_at and now - row.checked_at <= limits.fresh_seconds
    return telling and fresh and row.in_force and not row.resting


# -- servers and endpoints


def _extensions(
    rows: Sequence[Known], incidents: Sequence[Open], limits: Limits
) -> tuple[list[Extension], list[Known]]:
    """What belongs to an open incident and is news to it, and what belongs to none."""
    about = [incident for incident in incidents if incident.scope in (Scope.ENDPOINT, Scope.SERVER)]
    joining: dict[str, list[Known]] = {}
    rest = []
    for row in rows:
        known = next((incident for incident in about if covers(incident, row)), None)
        same = known or next((incident for incident in about if _same_cause(incident, row, limits)), None)
        if same is None:
            rest.append(row)
        elif known is None or _graver(same, row):
            joining.setdefault(same.id, []).append(row)
    return [Extension(item, tuple(joining[item.id])) for item in about if item.id in joining], rest


def _graver(incident: Open, row: Known) -> bool:
    """Whether what was silent fails for certain now."""
    return incident.severity is Severity.WARNING and row.state == "fail"


def _same_cause(incident: Open, row: Known, limits: Limits) -> bool:
    """The same server of the same account fails alike, or with another endpoint of a domain at the same time.

    An incident of one endpoint takes in its own domain only.
    """
    if incident.account_id != row.account_id or incident.host != row.host:
        return False
    if incident.scope is Scope.ENDPOINT and row.domain_id not in incident.domain_ids:
        return False
    if row.state == "silent" or incident.code == row.code or incident.severity is Severity.WARNING:
        return True
    at_once = abs(_first_bad(row) - incident.since) <= limits.patience
    return at_once and row.domain_id in incident.domain_ids and place(row) not in incident.endpoints


def _groups(rows: Sequence[Known], falling_silent: Sequence[Known]) -> list[tuple[Known, ...]]:
    """Rows that fail alike at one host of one account. Silent ones go with those that fail there.

    Those about to be silent go with a group: they are judged a little later, and the cause is one.
    """
    at = lambda row: (row.account_id, row.host)  # noqa: E731 # sorting and grouping need the same small key
    ordered = sorted(rows, key=at)
    soon = {key: list(group) for key, group in groupby(sorted(falling_silent, key=at), key=at)}
    return [cause for key, group in groupby(ordered, key=at) for cause in _causes(list(group), soon.get(key, []))]


def _causes(rows: Sequence[Known], falling_silent: Sequence[Known]) -> list[tuple[Known, ...]]:
    failing: dict[Code, list[Known]] = {}
    for row in rows:
        if row.state == "fail":
            failing.setdefault(row.code, []).append(row)
    silent = [row for row in rows if row.state == "silent"]
    if not failing:
        return [(*silent, *falling_silent)]
    first, *others = _one_death(sorted(failing.values(), key=len, reverse=True))
    return [(*first, *silent), *map(tuple, others)]


def _one_death(by_code: Sequence[Sequence[Known]]) -> list[list[Known]]:
    """The groups, but for those that are one: IMAP and SMTP of a server may die with a code each.

    So they do where they have a domain in common, and no endpoint: one that fails in two ways has two causes.
    """
    joined: list[list[Known]] = []
    for group in by_code:
        domains, places = {row.domain_id for row in group}, {place(row) for row in group}
        for other in joined:
            if domains & {row.domain_id for row in other} and not places & {place(row) for row in other}:
                other.extend(group)
                break
        else:
            joined.append(list(group))
    return joined


def _opening(rows: Sequence[Known]) -> Opening:
    """One incident for rows of one cause: that of the server, where several domains share it."""
    first = min(rows, key=lambda row: (row.state != "fail", row.since, row.domain_id, row.protocol))
    domain_ids = frozenset(row.domain_id for row in rows)
    severity = Severity.CRITICAL if first.state == "fail" else Severity.WARNING
    since = min(map(_first_bad, rows))
    scope, subject = Scope.ENDPOINT, f"endpoint:{first.domain_id}:{place(first)}"
    if len(domain_ids) > 1:
        scope, subject = Scope.SERVER, f"server:{first.account_id}:{first.host}:{first.code}"
    facts = {"host": first.host, "port": first.server.rpartition(":")[2], "protocol": first.protocol.label}
    facts |= also_of(rows, first.code)
    facts |= {"worked": "yes"} if all(row.last_ok_at is not None for row in rows) else {}
    return Opening(
        scope,
        subject,
        first.account_id,
        severity,
        first.code,
        since,
        facts | endpoints_of(rows),
        first.seen,
        domain_ids,
    )


def also_of(rows: Iterable[Known], code: Code, known: str = "") -> dict[str, str]:
    """The fact that names those that fail for another cause than the incident's, with that; none where none do."""
    others = {f"{place(row)}={row.code}" for row in rows if row.state == "fail" and row.code is not code}
    listed = " ".join(sorted(others | set(known.split())))
    return {ALSO: listed} if listed else {}


def endpoints_of(rows: Iterable[Known], more: frozenset[str] = frozenset()) -> dict[str, str]:
    """The fact that names endpoints."""
    return {ENDPOINTS: " ".join(sorted({place(row) for row in rows} | more))}


# -- whether it is clear


def _ripe(group: Sequence[Known], probes: Sequence[Probe], limits: Limits, now: float) -> bool:
    """Whether a failure may be told: nothing is about to show that it is more than this, or that took too long.

    Silence is judged so late that everything else is known by then.
    """
    began = min(min(_first_bad(row), now) for row in group)
    seen = servers(probe for probe in probes if probe.checked_at >= max(began, now - RECENT_SECONDS))
    if nearly_all(seen):
        return now - began > 2 * RECENT_SECONDS  # it is us, as it seems, but that is not certain for so long
    silent = all(row.state != "fail" for row in group)
    return silent or now - began >= limits.patience or not (_too_few(seen, probes) or _undecided(group, probes, began))


def _too_few(seen: Mapping[str, int], probes: Sequence[Probe]) -> bool:
    """Nothing that works was seen since it began, but there are others to look at."""
    return all(seen.values()) and len({probe.host for probe in probes}) >= FEWEST_SERVERS


def _undecided(group: Sequence[Known], probes: Sequence[Probe], began: float) -> bool:
    """Whether another endpoint of the host has begun to fail, or was not looked at since this one did."""
    at_host = [probe for probe in probes if probe.host == group[0].host and not probe.judged_bad]
    return any(probe.bad or probe.checked_at < began for probe in at_host)


def _first_bad(row: Known) -> float:
    return row.since if row.first_bad_at is None else row.first_bad_at
