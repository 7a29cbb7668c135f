"""The health of all domains for people: one line each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from checks.messages import Language
from cli.console import mark, say
from cli.reports.health_report import SIGNS, listed
from cli.wording.report_phrases import phrase

if TYPE_CHECKING:
    from worker.health.view import Line


def render_list(lines: "Sequence[Line]", console: Console, language: Language) -> None:
    """One line a domain, the worst first, and at the end how many are in which state."""
    if not lines:
        say(console, phrase(language, "health.no_domains"))
        return
    for line in lines:
        sign = mark(console, SIGNS.get(line.state, "inconclusive"))
        say(console, sign, " ", (line.standing.domain, "bold"), ": ", "; ".join(_line(line, language)))
    states = Counter(line.state for line in lines)
    parts = (f"{count} {phrase(language, f'health.short.{state}')}" for state, count in states.items())
    say(console, phrase(language, "health.total", count=len(lines), states=listed(parts, language)))


def _line(line: "Line", language: Language) -> Iterable[str]:
    standing = line.standing
    yield phrase(language, f"health.short.{line.state}")
    if standing.incidents:
        yield phrase(language, "health.line.incidents", count=standing.incidents)
    if standing.notices:
        yield phrase(language, "health.line.notices", count=standing.notices)
    counts = phrase(language, "health.mailboxes", **{state.value: n for state, n in standing.mailboxes.items()})
    yield phrase(language, "health.line.mailboxes", counts=counts)
