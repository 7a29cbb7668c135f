"""What a change means for a mailbox. Pure: what was before and what would be after in, impact out."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

from checks.codes import Verdict
from checks.model import MailboxState


class Impact(StrEnum):
    KEEPS_WORKING = "keeps_working"
    WILL_DISCONNECT = "will_disconnect"
    WILL_RECONNECT = "will_reconnect"
    ALREADY_DISCONNECTED = "already_disconnected"
    CANNOT_TELL = "cannot_tell"


Safety = Literal["safe", "unsafe", "cannot_tell"]

_BEFORE = {
    Verdict.OK: MailboxState.CONNECTED,
    Verdict.FAIL: MailboxState.DISCONNECTED,
}

_IMPACT: Mapping[tuple[MailboxState, Verdict], Impact] = {
    (MailboxState.CONNECTED, Verdict.OK): Impact.KEEPS_WORKING,
    (MailboxState.DISCONNECTED, Verdict.OK): Impact.WILL_RECONNECT,
    # It works afterwards, whatever it did before: nothing is lost.
    (MailboxState.UNKNOWN, Verdict.OK): Impact.KEEPS_WORKING,
    (MailboxState.CONNECTED, Verdict.FAIL): Impact.WILL_DISCONNECT,
    (MailboxState.DISCONNECTED, Verdict.FAIL): Impact.ALREADY_DISCONNECTED,
    # It fails afterwards and may have worked before: neither blame nor all-clear would be the truth.
    (MailboxState.UNKNOWN, Verdict.FAIL): Impact.CANNOT_TELL,
}


def before_of(known: MailboxState, baseline: Verdict | None) -> MailboxState:
    """The state under the settings in force: as the baseline found it, else as last known."""
    if baseline is None or baseline is Verdict.INCONCLUSIVE:
        return known
    return _BEFORE[baseline]


def impact_of(before: MailboxState, after: Verdict | None) -> Impact:
    """The impact of a change on one mailbox. A time-out is never a disconnect."""
    return _IMPACT.get((before, after or Verdict.INCONCLUSIVE), Impact.CANNOT_TELL)


def met_with(impact: Impact) -> list[tuple[MailboxState, Verdict | None, Verdict | None]]:
    """All that a mailbox of that impact may have met: what it was, what it came to, what the baseline said."""
    verdicts = (None, *Verdict)
    return [
        (known, after, baseline)
        for known in MailboxState
        for after in verdicts
        for baseline in verdicts
        if impact_of(before_of(known, baseline), after) is impact
    ]


def safety_of(counts: Mapping[str, int], endpoints: Sequence[Verdict]) -> Safety:
    """The verdict on the whole change: one mailbox that would disconnect makes it unsafe.

    So does an endpoint that fails where nobody is left to disconnect: whoever connects next would get these settings.
    Where no mailbox is known, none was tried, and nobody can tell.
    """
    if counts[Impact.WILL_DISCONNECT] or Verdict.FAIL in endpoints:
        return "unsafe"
    unclear = counts[Impact.CANNOT_TELL] or Verdict.INCONCLUSIVE in endpoints or not any(counts.values())
    return "cannot_tell" if unclear else "safe"
