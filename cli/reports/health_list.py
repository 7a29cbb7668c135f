"""The health of all domains for people: one line each."""

from rich.console import Console

from cli.console import mark, say
from cli.reports.health_report import SIGNS
from cli.wording import phrase
from worker.health.document import ListDocument


def render_list(found: ListDocument, console: Console) -> None:
    """One line a domain, the worst first, and at the end how many are in which state."""
    if not found.lines:
        say(console, phrase(found.language, "health.no_domains"))
        return
    for line in found.lines:
        sign = mark(console, SIGNS.get(line.state, "inconclusive"))
        say(console, sign, " ", (line.domain, "bold"), ": ", line.words)
    say(console, found.total)
