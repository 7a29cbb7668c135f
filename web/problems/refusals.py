"""What is refused to be done with a change, in the words of the API: it has no commands to name."""

from collections.abc import Mapping, Sequence

from settings_store.changes.lifecycle import Reason, Refused
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem

WORDS: Mapping[Reason, str] = {
    Reason.WRONG_STATE: "the change is {state} and cannot be {what}",
    Reason.NO_REPORT: "the change has no report: it is {state}",
    Reason.RACED: "the change was changed by somebody else just now",
    Reason.NOTHING_LEFT: "the change has no mailbox left untried",
    Reason.NOT_IN_FORCE: "the change is not in force any more: a later one is rolled back first",
    Reason.SETTINGS_CHANGED: "the settings of the domain were changed since the change was saved; verify it again",
    Reason.MAILBOXES_CHANGED: "{mailboxes} mailboxes were added or changed since the report; verify the change again",
    Reason.REPORT_OLD: "the report is {minutes} minutes old and may be out of date; verify the change again",
    Reason.REPORT_AHEAD: "the report is {minutes} minutes ahead of the clock, so nobody knows its age; verify it again",
    Reason.OTHER_REPORT: "the report is not the one that was reviewed: its checksum is another; read it again",
    Reason.CHECKSUM_TOO_SHORT: "give at least {least} characters of the checksum",
    Reason.INCOMPLETE: "the report is incomplete: {mailboxes} mailboxes were not tried; resume the verification",
    Reason.SERVER_FAILS: "a server of these settings does not work; accept_disconnects {accept_disconnects} accepts it",
    Reason.AWAITS_APPROVAL: "a second person has to approve the change before it is applied",
    Reason.NO_APPROVAL_NEEDED: "changes of the domain need no approval; the change can be applied",
    Reason.NOT_A_PERSON: "a change is approved by a person, not by a program: use the key of a user",
    Reason.SAME_PERSON: "whoever saved or approved the change cannot be the second person that it takes",
    Reason.WOULD_DISCONNECT: "the number of mailboxes that would disconnect is {accept_disconnects}",
}
_CODES: Mapping[Reason, ProblemCode] = {
    Reason.RACED: ProblemCode.CONFLICT,
    Reason.OTHER_REPORT: ProblemCode.REPORT_MOVED,
    Reason.SERVER_FAILS: ProblemCode.WRONG_ACCEPT_DISCONNECTS,
    Reason.WOULD_DISCONNECT: ProblemCode.WRONG_ACCEPT_DISCONNECTS,
}
"""A state that is not the right one, where nothing else is said."""


def of_refused(refused: Refused, actions: Sequence[str] | None = None) -> Problem:
    """The problem, with the reason and its numbers as members. `actions` are those that would be accepted now."""
    code = _CODES.get(refused.reason, ProblemCode.WRONG_STATE)
    detail = WORDS[refused.reason].format_map(_Facts(refused.facts))
    errors = []
    if code is ProblemCode.WRONG_ACCEPT_DISCONNECTS:
        errors.append(FieldProblem(pointer="/accept_disconnects", code=refused.reason, detail=detail))
    numbers = {name: value for name, value in refused.facts.items() if isinstance(value, int)}
    allowed = {"allowed_actions": list(actions)} if actions is not None else {}
    extensions = {"reason": refused.reason.value, **numbers, **allowed}
    return Problem(code, detail, errors=errors, extensions=extensions, said=str(refused))


class _Facts(dict[str, int | str]):
    def __missing__(self, name: str) -> str:
        return "another"
