"""What disconnected mailboxes have in common: one of them, or those of a domain together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.codes import Code
from checks.model import MailboxState
from settings_store.incidents.evidence import Boxes, Sick
from settings_store.incidents.incidents import Open, Opening, Scope, Severity
from worker.incidents.own_outage import Condition

FEWEST = 3
"""Two people can mistype their password on one day."""
SHARE = 0.2


@dataclass(frozen=True, slots=True)
class MailboxFindings:
    """What to open, and the ids of incidents of single mailboxes that are part of a larger one now."""

    openings: tuple[Opening, ...] = ()
    merged: tuple[str, ...] = ()


def mailbox_findings(sick: Sequence[Sick], boxes: Mapping[int, Boxes], incidents: Sequence[Open]) -> MailboxFindings:
    """One incident for the mailboxes of a domain that fail alike where they are many, else one for each of them.

    `boxes` counts the mailboxes of the domains that are `crowded`.
    """
    groups = _alike(sick)
    subjects = {incident.subject for incident in incidents}
    single = {incident.mailbox_id: incident.id for incident in incidents if incident.scope is Scope.MAILBOX}
    openings: list[Opening] = []
    merged: list[str] = []
    for (domain_id, code), group in groups.items():
        known = subject_of(domain_id, code) in subjects
        if known or (len(group) >= FEWEST and _many(len(group), boxes[domain_id])):
            openings += [] if known else [_together(group)]
            merged += [single[box.mailbox_id] for box in group if box.mailbox_id in single]
        else:
            openings += [_alone(box) for box in group if box.mailbox_id not in single]
    return MailboxFindings(tuple(openings), tuple(merged))


def crowded(sick: Sequence[Sick]) -> set[int]:
    """The domains in which so many mailboxes fail alike that it matters how many there are."""
    return {domain_id for (domain_id, _), group in _alike(sick).items() if len(group) >= FEWEST}


def _alike(sick: Sequence[Sick]) -> Mapping[tuple[int, Code], Sequence[Sick]]:
    groups: dict[tuple[int, Code], list[Sick]] = {}
    for box in sick:
        groups.setdefault((box.domain_id, box.code), []).append(box)
    return groups


def _many(count: int, boxes: Boxes) -> bool:
    """Many of those that were tried; or all that were tried before the run was broken off for it."""
    return count >= SHARE * boxes.tried or boxes.broken_off


def subject_of(domain_id: int, code: Code) -> str:
    """The subject of an incident of a domain's mailboxes."""
    return f"{Scope.MAILBOXES}:{domain_id}:{code}"


def _together(group: Sequence[Sick]) -> Opening:
    first, since = group[0], min(box.since for box in group)
    return Opening(
        Scope.MAILBOXES,
        subject_of(first.domain_id, first.code),
        first.account_id,
        Severity.CRITICAL,
        first.code,
        since,
        domain_ids=frozenset({first.domain_id}),
        mailboxes=len(group),
    )


def _alone(box: Sick) -> Opening:
    return Opening(
        Scope.MAILBOX,
        f"{Scope.MAILBOX}:{box.mailbox_id}",
        box.account_id,
        Severity.WARNING,
        box.code,
        box.since,
        domain_ids=frozenset({box.domain_id}),
        mailbox_id=box.mailbox_id,
        mailboxes=1,
    )


def single_condition(state: MailboxState | None, *, unclear: bool, unwatched: bool) -> Condition:
    """How the mailbox of an incident is; `unclear` where nothing can be told because of its domain.

    One that has another credential is unknown until it was tried.
    """
    if unwatched or state is None:
        return "gone"
    if unclear or state is MailboxState.UNKNOWN:
        return "unclear"
    return "ok" if state is MailboxState.CONNECTED else "bad"


def together_condition(left: int, *, unclear: bool, unwatched: bool) -> Condition:
    """How the mailboxes of an incident are. `left` of them fail still, or have another credential nobody has tried."""
    if unwatched:
        return "gone"
    if unclear:
        return "unclear"
    return "bad" if left >= FEWEST else "ok"
