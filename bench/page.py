"""The admin page in Chromium: what it transfers, how soon news is on the screen, and what a long report costs it.

The first and the long pages are of a server that only answers; for the first verdict it works on runs, too.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page
from pydantic import SecretStr

from bench.field import say
from bench.page_browser import Verdict, chromium, first_verdict, make_user, painted, signed_in, transferred
from bench.page_store import DEMO, PLACES, Sandbox, plant_domains, sandbox_domain
from bench.plan import PagePlan, Void
from bench.report_pages import plant
from bench.web_service import serving
from bench.written_run import WrittenRun
from settings_store.runs import endpoints, runs
from settings_store.secrets import new_key
from worker.config import Config
from worker.service.preflight import Preflight

BYTES, VERDICT_SECONDS, TIMES, STALE_SECONDS = 60_000, 0.3, 1.5, 1.0
_SETTINGS = {"ALLOW_NETWORKS": "127.0.0.0/8", "WEB_RATE_EXPENSIVE": "0", "WEB_RATE_SIGN_IN": "0"}
_DOMAINS, _SHORT_REPORT = 100, 100


@dataclass(frozen=True, slots=True)
class Costs:
    """Of the report of `mailboxes`: seconds to the first paint, of itself and once it is filtered."""

    mailboxes: int
    paint: float
    filtered: float


@dataclass(frozen=True, slots=True)
class PageCosts:
    """`verdicts` are seconds beyond the check, by where the server is; `stale`: until each count was on the screen.

    `watched` is the number of mailboxes of the run that `stale` is of, and `load` what waited for a core at the end.
    """

    size: int
    requests: int
    verdicts: Mapping[str, Sequence[float]]
    reports: tuple[Costs, Costs]
    stale: Sequence[float]
    watched: int
    load: float


def measure_page(folder: Path, plan: PagePlan) -> PageCosts:
    """Raises `Void` where the page does not show what it is to show."""
    own = folder / "page"
    own.mkdir()
    with chromium() as browser:
        verdicts = _verdicts(browser, own, plan.saves)
        url, key = f"sqlite:///{own}/page.db", new_key()
        with Preflight.open(_config(url, key)) as preflight:
            make_user(preflight)
            plant_domains(preflight, _DOMAINS)
            short, long = (plant(preflight, f"box{n}.example", n, n // 10) for n in (_SHORT_REPORT, plan.mailboxes))
            with (
                serving("bench.watchers_program", url, key, **_SETTINGS) as (_, address),
                signed_in(browser, address) as page,
            ):
                size, requests = transferred(page, "/admin/domains")
                say(f"  first page: {size:,} bytes in {requests} requests")
                costs = _reports(page, {_SHORT_REPORT: short, plan.mailboxes: long}, plan.loads)
                stale = _stale(page, WrittenRun(preflight, plan.mailboxes, own), plan.seconds)
    return PageCosts(size, requests, verdicts, costs, stale, plan.mailboxes, os.getloadavg()[0])


def _config(url: str, key: str) -> Config:
    return Config(database_url=SecretStr(url), secret_key=SecretStr(key), allow_networks=None)


def _verdicts(browser: Browser, folder: Path, saves: int) -> dict[str, list[float]]:
    url, key = f"sqlite:///{folder}/verdicts.db", new_key()
    with Preflight.open(_config(url, key)) as preflight, sandbox_domain(preflight, folder) as sandbox:
        make_user(preflight)
        found = {}
        for place in PLACES:
            sandbox.put_in_force(place)
            with serving("bench.page_program", url, key, **_SETTINGS) as (_, address):
                found[place] = each = _verdicts_of(browser, sandbox, address, saves)
            say(f"  first verdict, {place}: {median(each) * 1000:.0f} ms beyond the check, p95 {p95(each):.3f} s")
    return found


def _verdicts_of(browser: Browser, sandbox: Sandbox, address: str, saves: int) -> list[float]:
    with signed_in(browser, address) as page:
        first_verdict(page, DEMO)  # what is only done once is not measured
        return [_beyond(sandbox.preflight, first_verdict(page, DEMO)) for _ in range(saves)]


def p95(values: Sequence[float]) -> float:
    """The 95th percentile: what is among the values, not between them."""
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]


def _beyond(preflight: Preflight, shown: Verdict) -> float:
    """Without the steps of the endpoint that was on the screen first."""
    with preflight.database.read() as conn:
        run = runs.of_change(conn, shown.change_id)
        if run is None:
            raise Void("the change that was verified has no run")
        document = endpoints.documents(conn, run.id, runs.CANDIDATE)[("imap", "smtp")[shown.server - 1]]
    return shown.seconds - sum(float(step["ms"]) for step in document["steps"]) / 1000


def _reports(page: Page, changes: dict[int, str], loads: int) -> tuple[Costs, Costs]:
    """Both reports in turn, in the same tab."""
    first: dict[int, list[float]] = {count: [] for count in changes}
    filtered: dict[int, list[float]] = {count: [] for count in changes}
    for _ in range(loads):
        for count, change_id in changes.items():
            page.goto(f"/admin/changes/chg_{change_id}/report")
            first[count].append(painted(page))
            page.select_option("[name='impact']", "will_disconnect")
            page.fill("[name='text']", "box00000")
            page.click(".filter button")
            page.wait_for_url("**impact=will_disconnect**")
            filtered[count].append(painted(page))
            if page.locator(".boxes tbody tr").count() != min(10, count // 10):
                raise Void("the filtered report has other mailboxes")
    short, long = (Costs(count, median(first[count]), median(filtered[count])) for count in changes)
    say(f"  report: {short.paint * 1000:.0f} and {long.paint * 1000:.0f} ms to the first paint")
    return short, long


def _stale(page: Page, run: WrittenRun, seconds: float) -> list[float]:
    """How old each number of mailboxes was when it, or a later one, came on the screen."""
    page.goto(f"/admin/changes/chg_{run.change_id}")
    page.wait_for_selector(".progress progress")
    time.sleep(STALE_SECONDS)
    run.go_on(seconds, told_every=0)
    time.sleep(2 * STALE_SECONDS)
    shown = [(value, at) for value, at in page.evaluate("shownCounts")]
    if not shown or shown[-1][0] != run.committed[-1][0]:
        raise Void("the page does not show how far the run is")
    ages = [next(when for value, when in shown if value >= done) - at for done, at in run.committed]
    say(f"  counts: {median(ages) * 1000:.0f} ms old, at most {max(ages) * 1000:.0f} ms")
    return ages


def page_table(found: PageCosts) -> Iterator[str]:
    """The lines of the table."""
    yield f"| the page in Chromium, load {found.load:.1f} on {os.cpu_count()} cores | median | worst | target |"
    yield "|---|---:|---:|---|"
    size = _held(found.size, BYTES, f"{found.size / 1000:.1f} kB")
    name = f"{_DOMAINS} domains with an empty cache, {found.requests} requests"
    yield f"| {name} | – | {size} | ≤ {BYTES // 1000} kB |"
    for place, each in found.verdicts.items():
        worst = _held(p95(each), VERDICT_SECONDS, f"{p95(each) * 1000:.0f} ms (p95)")
        name = f"*Verify* to the first verdict, beyond the check; server {place}"
        yield f"| {name} | {median(each) * 1000:.0f} ms | {worst} | ≤ {VERDICT_SECONDS * 1000:.0f} ms |"
    stale = _held(max(found.stale), STALE_SECONDS, f"{max(found.stale) * 1000:.0f} ms")
    yield (
        f"| age of the counts during a run of {found.watched:,} mailboxes | {median(found.stale) * 1000:.0f} ms "
        f"| {stale} | ≤ {STALE_SECONDS:.0f} s |"
    )
    yield ""
    short, long = found.reports
    yield f"| a report to its first paint | {short.mailboxes:,} mailboxes | {long.mailboxes:,} | ratio | target |"
    yield "|---|---:|---:|---:|---|"
    for name, few, many in (("opened", short.paint, long.paint), ("filtered", short.filtered, long.filtered)):
        ratio = _held(many / few, TIMES, f"{many / few:.2f}")
        yield f"| {name} | {few * 1000:.0f} ms | {many * 1000:.0f} ms | {ratio} | ≤ {TIMES} |"


def _held(value: float, limit: float, told: str) -> str:
    return told if value <= limit else f"**{told}, missed**"
