"""`python -m bench [--short] [--only SECTION] [--count N] [--rounds N]`: Markdown on stdout, progress on stderr.

Exit status: 0 measured (missed targets included: they are in the table), 1 a login was missing or a result wrong,
2 the servers cannot run here.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench import table
from bench.compare import Comparison, compare
from bench.curl import Request
from bench.discovery import discovery_table, measure_discovery
from bench.endpoint import endpoint_table, measure_endpoint
from bench.exchange import measure_exchange
from bench.exchange_table import exchange_table
from bench.field import Field, UsualField, open_field, say
from bench.growth import Growth, measure_growth
from bench.health import health_table, measure_health
from bench.hostile import hostile_table, measure_hostile
from bench.latency import Latency, measure_latency
from bench.mailbox_import import import_table, measure_import
from bench.mailbox_upsert import measure_upserts, upsert_table
from bench.other_servers import measure_others
from bench.page import measure_page, page_table
from bench.plan import SHORT_PAGE, Plan, Void
from bench.prefill import measure_prefill, prefill_table
from bench.report_pages import measure_pages, pages_table
from bench.saves import measure_saves, saves_table
from bench.service import Backends, open_backends
from bench.start import measure_start, start_table
from bench.watchers import measure_watchers, watchers_table
from tests.servers.process import ServerError, scratch_folder

SECTIONS = (
    "wall",
    "start",
    "delay",
    "others",
    "growth",
    "latency",
    "exchange",
    "endpoint",
    "discovery",
    "health",
    "import",
    "upsert",
    "hostile",
    "pages",
    "page",
    "prefill",
    "saves",
    "watchers",
)
_LONG = {"delay", "others", "growth", "hostile", "saves", "page"}
SHORT = tuple(section for section in SECTIONS if section not in _LONG)
"""Those that take long are left out of the short form."""
_MAIL = {"wall", "delay", "growth", "hostile", "saves"}


def main(arguments: Sequence[str]) -> int:
    """Measures and prints. Returns the exit status."""
    options = _parser().parse_args(arguments)
    sections = tuple(options.only or (SHORT if options.short else SECTIONS))
    try:
        with scratch_folder() as folder:
            _measure(folder, _plan(options), sections, options.curl)
    except Void as void:
        say(f"The bench is void: {void}.")
        return 1
    except ServerError as error:
        say(str(error))
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Verification beside curl --parallel.")
    parser.add_argument("--short", action="store_true", help="80 mailboxes, one round: does it still work?")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section; may be given again")
    parser.add_argument("--count", type=_positive, help="mailboxes; the delay takes a quarter, growth five times it")
    parser.add_argument("--rounds", type=_positive, help="rounds of all parties in turn")
    parser.add_argument(
        "--curl",
        choices=[request.name.lower() for request in Request],
        help="curl's request after an IMAP login (examine; logout with the delay)",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number above 0")
    return number


def _plan(options: argparse.Namespace) -> Plan:
    base = (
        Plan(
            count=80,
            few=20,
            rounds=1,
            saves=2,
            steps=(50, 200),
            domains=60,
            watchers=20,
            watched_seconds=4.0,
            page=SHORT_PAGE,
        )
        if options.short
        else Plan()
    )
    return replace(base, count=options.count or base.count, rounds=options.rounds or base.rounds)


def _measure(folder: Path, plan: Plan, sections: Sequence[str], curl: str | None) -> None:
    with contextlib.ExitStack() as stack:
        backends = stack.enter_context(open_backends(folder))
        near = few = distant = strange = growth = latency = None
        if "latency" in sections:
            say(f"Latency: {plan.saves} saves in each mode")
            latency = measure_latency(folder, backends, plan.saves)
        if "others" in sections:
            strange = measure_others(folder, backends, plan)
        others = list(_others(folder, backends, plan, sections))
        if _MAIL & set(sections):
            area = stack.enter_context(open_field(folder, _most(plan, sections)))
            if "wall" in sections:
                near = _near(area, backends, plan, plan.count, curl)
                few = _near(area, backends, plan, plan.few, curl)
            if "delay" in sections:
                distant = _distant(area, backends, plan, curl)
            if "growth" in sections:
                say(f"Growth over {', '.join(f'{size:,}' for size in plan.sizes)} mailboxes")
                growth = measure_growth(area, backends, plan)
            if "hostile" in sections:
                say(f"Hostile servers beside {plan.distant_count:,} mailboxes, {plan.rounds} rounds")
                others.append(hostile_table(measure_hostile(area, backends, plan.distant_count, plan.rounds)))
            if "saves" in sections:
                say(f"Saves beside a run of {plan.count:,} mailboxes")
                others.append(saves_table(measure_saves(area, backends, plan.count)))
    _print(table.Comparisons(near, few, distant, strange), growth, latency)
    for lines in others:
        table.print_lines(["", *lines])


def _others(folder: Path, backends: Backends, plan: Plan, sections: Sequence[str]) -> Iterator[Iterable[str]]:
    """The tables of the sections that have servers of their own."""
    if "exchange" in sections:
        say(f"Exchange: {plan.count:,} mailboxes, {plan.rounds} rounds")
        yield exchange_table(measure_exchange(folder, backends, plan))
    if "start" in sections:
        say(f"Start of the command: {plan.saves} times")
        yield start_table(measure_start(folder, plan.saves))
    if "endpoint" in sections:
        say("Endpoint check beside a bare handshake")
        yield endpoint_table(measure_endpoint(folder))
    if "discovery" in sections:
        say("Discovery with every source far away")
        yield discovery_table(measure_discovery(folder))
    if "health" in sections:
        say(f"Health: {plan.domains:,} domains due at once")
        yield health_table(measure_health(folder, backends, plan.domains))
    if "import" in sections:
        say(f"Import: {5 * plan.count:,} mailboxes")
        yield import_table(measure_import(folder, backends, 5 * plan.count))
    if "upsert" in sections:
        say(f"Upsert by the API: {50 * plan.count:,} mailboxes, {plan.rounds} rounds")
        yield upsert_table(measure_upserts(folder, 50 * plan.count, plan.rounds))
    yield from _read(folder, backends, plan, sections)


def _read(folder: Path, backends: Backends, plan: Plan, sections: Sequence[str]) -> Iterator[Iterable[str]]:
    """Those of who reads, by the API or on the page."""
    if "pages" in sections:
        say(f"Pages of a report of {50 * plan.count:,} mailboxes")
        yield pages_table(measure_pages(folder, backends, 50 * plan.count))
    if "page" in sections:
        say("The page in Chromium")
        yield page_table(measure_page(folder, plan.page))
    if "prefill" in sections:
        say(f"Prefill: {2 * plan.count:,} members")
        yield prefill_table(measure_prefill(folder, backends, 2 * plan.count))
    if "watchers" in sections:
        say(f"Events: {plan.watchers} watchers of one run")
        yield watchers_table(measure_watchers(folder, backends, plan.watchers, plan.watched_seconds))


def _most(plan: Plan, sections: Sequence[str]) -> int:
    """The most mailboxes that any section needs."""
    return max(plan.count, plan.distant_count, *(plan.sizes if "growth" in sections else ()))


def _near(area: Field, backends: Backends, plan: Plan, count: int, curl: str | None) -> Comparison:
    say(f"Wall, CPU and memory: {count:,} mailboxes, {plan.rounds} rounds")
    request = Request[(curl or "examine").upper()]
    return compare(area, backends, area.near, count, plan.rounds, request)


def _distant(area: UsualField, backends: Backends, plan: Plan, curl: str | None) -> Comparison:
    say(f"With the delay: {plan.distant_count:,} mailboxes, {plan.rounds} rounds")
    request = Request[(curl or "logout").upper()]
    return compare(area, backends, area.distant, plan.distant_count, plan.rounds, request)


def _print(found: table.Comparisons, growth: Growth | None, latency: Latency | None) -> None:
    lines = [table.machine(), *table.notes(found.near, found.distant), ""]
    if found or latency:
        lines += [*table.comparison_table(found, latency), ""]
    if growth:
        lines += table.growth_table(growth)
    table.print_lines(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
