"""What must be true after a run, whatever happened to it, read from the database and from the mail server's log."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.flows.chaos.seen import Known, Login, Outage, Snapshot

IMAP, SMTP = "imap", "smtp"
_STOPPED_SECONDS = 0.9  # a server has ended by then, and whoever was told BYE has not yet come again


@dataclass(frozen=True, slots=True)
class Report:
    """A run's report as far as it can be compared: `impacts` maps an address to its impact and code."""

    counts: Mapping[str, int]
    checksum: str
    impacts: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a run: what was stored just before a fault, and when the fault had happened.

    `under_way`: so many logins could not be called back, for their process was stopped in the middle of them.
    `late`: so many seconds after the fault there may still be answers to what was sent before it.
    """

    before: Snapshot
    after: float
    loses: bool
    under_way: int = 0
    late: float = 0.0


def judge_report(found: Report, expected: Report, excused: Collection[str] | None) -> Iterator[str]:
    """The report is that of a quiet run; but for the addresses that were under way while the mail server was down.

    `excused` are those, None where it never was.
    """
    if found.impacts.keys() != expected.impacts.keys():
        yield f"{len(found.impacts)} mailboxes in the report instead of {len(expected.impacts)}"
    if excused is not None:
        wrong = [
            address
            for address, told in found.impacts.items()
            if told != expected.impacts.get(address) and not (told[0] == "cannot_tell" and address in excused)
        ]
        if wrong:
            yield (
                f"{len(wrong)} mailboxes told wrong, {wrong[0]} as {found.impacts[wrong[0]]}; "
                f"{len(excused)} were under way while the mail server was down"
            )
    elif (found.counts, found.checksum) != (expected.counts, expected.checksum):
        differing = [(told, expected.impacts.get(name)) for name, told in found.impacts.items()]
        kinds = Counter(pair for pair in differing if pair[0] != pair[1])
        yield f"another report than a quiet run's: {dict(found.counts)}; (found, expected): {kinds.most_common(3)}"


def judge_verdicts(marks: Sequence[Mark], final: Snapshot, mailboxes: int) -> Iterator[str]:
    """Every mailbox has one verdict, and one that was stored stays as it was."""
    if len(final.known) != mailboxes:
        yield f"{len(final.known)} mailboxes with a verdict instead of {mailboxes}"
    for number, mark in enumerate(marks):
        changed = [user for user, known in mark.before.known.items() if not _same(known, final.known.get(user))]
        if changed:
            yield f"fault {number} of the run: {len(changed)} stored verdicts lost or changed, {changed[0]}"


def _same(then: Known, now: Known | None) -> bool:
    if now is None or (then.verdict, then.code) != (now.verdict, now.code):
        return False
    return then.baseline_verdict is None or then.baseline_verdict == now.baseline_verdict


def judge_logins(
    logins: Sequence[Login],
    marks: Sequence[Mark],
    final: Snapshot,
    complete_log: bool,
    excused: int = 0,
    outages: Sequence[Outage] = (),
) -> Iterator[str]:
    """One login a mailbox and endpoint, unless its result was lost: never one of somebody whose result was stored.

    `excused` logins were under way in lanes that were too slow for their lease, on a machine that is very busy. A
    server that stops takes a password and says BYE in place of its answer: such a mailbox comes up once more, a second
    later.
    """
    for mark in marks:
        later = {login.user for login in logins if login.at > mark.before.at}
        again = sorted(user for user in later if (known := mark.before.known.get(user)) and known.complete)
        if len(again) > mark.under_way:
            yield f"{len(again)} mailboxes logged in although their result was stored, {again[0]}"
    twice = [key for key, most in _most(logins, marks, outages).items() if most > _phases(final.known.get(key[0]))]
    if len(twice) > excused:
        when = _story(logins, marks, twice[0])
        yield f"{len(twice)} mailboxes logged in twice although nothing was lost, {twice[0]}: {when}"
    if complete_log:
        accepted = {
            service: {login.user for login in logins if login.accepted and login.service == service}
            for service in (IMAP, SMTP)
        }
        good = {user for user, known in final.known.items() if known.verdict == "ok"}
        if unproven := [user for user in good if any(user not in accepted[service] for service in (IMAP, SMTP))]:
            yield f"{len(unproven)} mailboxes ok without a login, {unproven[0]}"


def _most(logins: Sequence[Login], marks: Sequence[Mark], outages: Sequence[Outage]) -> dict[tuple[str, str], int]:
    """How often each user logged in to each service, at most, between two faults that lose results."""
    ends = [mark.after + mark.late for mark in marks if mark.loses]
    ends += [outage.down + _STOPPED_SECONDS for outage in outages]
    found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for login in logins:
        found[login.user, login.service][sum(end < login.at for end in ends)] += 1
    return {key: max(counts.values()) for key, counts in found.items()}


def _story(logins: Sequence[Login], marks: Sequence[Mark], key: tuple[str, str]) -> str:
    """When a user logged in and when something was lost, in seconds since the run's first login."""
    begun = logins[0].at
    mine = [f"{login.at - begun:.2f}" for login in logins if (login.user, login.service) == key]
    lost = [f"{mark.after - begun:.2f}" for mark in marks if mark.loses]
    return f"at {' '.join(mine)} s, lost at {' '.join(lost)} s"


def _phases(known: Known | None) -> int:
    return 2 if known and known.baseline else 1
