"""What is to be told ahead of time, once for each account and cause: notices of many endpoints in, incidents out. Pure.

A certificate that several domains share expires once, and so does a service that many of them use.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from checks.codes import Code
from settings_store.incidents.evidence import Known
from settings_store.incidents.incidents import Open, Opening, Scope, Severity
from worker.health.notices import Notice, change_notice
from worker.incidents.lifecycle import together
from worker.incidents.own_outage import Condition

CHANGE_SECONDS = 86400.0
"""For so long a changed certificate is news."""
_INFO = frozenset({Code.TLS_OPTION_NOT_NEEDED, Code.TLS_CERTIFICATE_CHANGED})
_EVERYWHERE = frozenset({Code.EXCHANGE_ONLINE, Code.EXCHANGE_ONLINE_SMTP})  # whatever the host is called


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One notice of one endpoint."""

    subject: str
    row: Known
    notice: Notice
    since: float


def foreseen(rows: Iterable[Known], now: float) -> list[Foreseen]:
    """The notices of endpoints; those of resting domains and of settings that are not in force are left out."""
    telling = [row for row in rows if row.in_force and not row.resting]
    by_domain: dict[int, list[Known]] = {}
    for row in telling:
        by_domain.setdefault(row.domain_id, []).append(row)
    return [
        Foreseen(_subject(row, notice), row, notice, since)
        for row in telling
        for notice, since in _notices(row, now)
        if notice.code is not Code.TLS_OPTION_NOT_NEEDED or all(map(_without_option, by_domain[row.domain_id]))
    ]


def _notices(row: Known, now: float) -> Iterable[tuple[Notice, float]]:
    for item in row.notices:
        yield Notice(Code(item["code"]), item["facts"]), row.checked_at
    if row.key_change and row.key_changed_at is not None and now - row.key_changed_at < CHANGE_SECONDS:
        yield change_notice(row.key_change), row.key_changed_at


def _without_option(row: Known) -> bool:
    """The option is one for all endpoints of a domain: it can go when none of them needs it."""
    return any(item["code"] == Code.TLS_OPTION_NOT_NEEDED.value for item in row.notices)


def _subject(row: Known, notice: Notice) -> str:
    return f"{Scope.NOTICE}:{row.account_id}:{notice.code}:{_what(row, notice)}"


def _what(row: Known, notice: Notice) -> str:
    """What tells one notice from another of the same code: with another date it is another certificate."""
    if notice.code is Code.TLS_OPTION_NOT_NEEDED:
        return str(row.domain_id)
    if notice.code is Code.TLS_CERTIFICATE_CHANGED:
        return f"{row.host}:{notice.facts.get('sha256', '')}"
    date = notice.facts.get("date", "")
    return date if notice.code in _EVERYWHERE else f"{row.host}:{date}"


def to_open(found: Sequence[Foreseen], open_subjects: Collection[str]) -> list[Opening]:
    """The incidents for what is not told yet, one a subject."""
    groups: dict[str, list[Foreseen]] = {}
    for item in found:
        if item.subject not in open_subjects:
            groups.setdefault(item.subject, []).append(item)
    return [_opening(items) for items in groups.values()]


def once(opening: Opening) -> bool:
    """Whether it is told once only: what was, not what is."""
    return opening.code is Code.TLS_CERTIFICATE_CHANGED


def _opening(items: Sequence[Foreseen]) -> Opening:
    first = items[0]
    severity = Severity.INFO if first.notice.code in _INFO else Severity.WARNING
    return Opening(
        Scope.NOTICE,
        first.subject,
        first.row.account_id,
        severity,
        first.notice.code,
        min(item.since for item in items),
        _facts(items),
        domain_ids=frozenset(item.row.domain_id for item in items),
    )


def _facts(items: Sequence[Foreseen]) -> Mapping[str, str]:
    """Those of the first, with the number of mailboxes of all, each domain counted once."""
    concerned = {
        item.row.domain_id: item.notice.facts["concerned"] for item in items if "concerned" in item.notice.facts
    }
    facts = dict(items[0].notice.facts)
    return facts | ({"concerned": str(sum(map(int, concerned.values())))} if concerned else {})


def to_extend(found: Sequence[Foreseen], incidents: Iterable[Open]) -> dict[str, frozenset[int]]:
    """Incident -> the domains of which the same is to be told."""
    concerned: dict[str, set[int]] = {}
    for item in found:
        concerned.setdefault(item.subject, set()).add(item.row.domain_id)
    more = {
        incident.id: frozenset(concerned.get(incident.subject, set())) - incident.domain_ids for incident in incidents
    }
    return {incident_id: domain_ids for incident_id, domain_ids in more.items() if domain_ids}


def notice_condition(
    incident: Open,
    found: Collection[tuple[str, int]],
    rows: Mapping[int, Sequence[Known]],
    unwatched: Collection[int],
    now: float,
) -> Condition:
    """How things are with what was told. `found` has the subject and domain of what holds now, `rows` are by domain."""
    if incident.code is Code.TLS_CERTIFICATE_CHANGED:
        return "bad" if now - incident.opened_at < CHANGE_SECONDS else "gone"
    return together(_of_domain(incident, domain_id, found, rows, unwatched) for domain_id in incident.domain_ids)


def _of_domain(
    incident: Open,
    domain_id: int,
    found: Collection[tuple[str, int]],
    rows: Mapping[int, Sequence[Known]],
    unwatched: Collection[int],
) -> Condition:
    if domain_id in unwatched:
        return "gone"
    if (incident.subject, domain_id) in found:
        return "bad"
    own = rows.get(domain_id, ())
    return "unclear" if not own or any(row.resting or not row.in_force for row in own) else "ok"
