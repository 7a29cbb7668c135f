"""What the use cases of API, page and command take: each is asked for some domains in turn, as its users ask for it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import requests

from settings_store.access.api_keys import KeyRequest
from tests.flows.harness import ROOT, account_of
from tests.flows.size.store import name_of
from web.server import answering
from worker.alerts import delivery as alerts
from worker.health.endpoint_lane import tick
from worker.incidents.judge import judge
from worker.metrics.gauges import StoreCollector
from worker.metrics.readiness import readiness
from worker.service.access.sign_in import Browser
from worker.service.preflight import Preflight
from worker.webhooks import delivery as webhooks

PASSWORD = "a few words that nobody guesses"
_SECONDS = 300.0
_ROUNDS = {"API": 12, "page": 12, "command": 4, "in the background": 8}

Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds by use case, the lower quartile of some rounds, by who asks: what others do here is not in it."""

    of: Mapping[str, Mapping[str, float]]


def ask_all(preflight: Preflight, url: str, key: str) -> Times:
    """Asks each use case some times, each time of another domain."""
    found: dict[str, dict[str, float]] = {}
    with answering(preflight, "127.0.0.1", 0) as address:
        api, page = _api(preflight, address), _page(preflight, address)
        everybody: dict[str, Callable[[int], Sequence[tuple[str, Step]]]] = {
            "API": lambda n: _of_api(api, n),
            "page": lambda n: _of_page(page, n),
            "command": lambda n: _of_command(url, key, n),
            "in the background": lambda _: _of_background(preflight),
        }
        for who, steps in everybody.items():
            taken: dict[str, list[float]] = {}
            for number in range(_ROUNDS[who] + 1):  # what is only done once is not measured
                for name, step in steps(number):
                    begun = time.perf_counter()
                    step()
                    taken.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
            found[who] = {name: sorted(each[1:])[(len(each) - 1) // 4] for name, each in taken.items()}
    return Times(found)


def domain_of(number: int) -> str:
    """Small ones, far from each other: none has 200 mailboxes or more, and none has an incident."""
    return name_of(13 + 40 * number)


# -- by HTTP


def _api(preflight: Preflight, address: str) -> Callable[[str], object]:
    key = account_of(preflight).access.create_key(KeyRequest("size"))[1].text
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    return lambda path: _asked(session, address + path)


def _page(preflight: Preflight, address: str) -> Callable[[str], object]:
    link = preflight.sign_in.first_link()
    if link is not None:
        preflight.sign_in.set_up(link, "size", PASSWORD, Browser("127.0.0.1"))
    session = requests.Session()
    fields, headers = {"name": "size", "password": PASSWORD}, {"Sec-Fetch-Site": "same-origin"}
    session.post(f"{address}/admin/sign-in", fields, headers=headers, timeout=_SECONDS).raise_for_status()
    return lambda path: _asked(session, f"{address}/admin{path}")


def _asked(session: requests.Session, url: str) -> requests.Response:
    answer = session.get(url, timeout=_SECONDS)
    answer.raise_for_status()
    return answer


def _of_api(get: Callable[[str], object], number: int) -> Sequence[tuple[str, Step]]:
    domain = f"/v1/domains/{domain_of(number)}"
    change = f"/v1/changes/{_newest_change(get, domain)}"
    return [
        (name, partial(get, path))
        for name, path in (
            ("domains", "/v1/domains?limit=100"),
            ("a domain", domain),
            ("its changes", f"{domain}/changes"),
            ("its mailboxes", f"{domain}/mailboxes"),
            ("its health", f"{domain}/health"),
            ("a change", change),
            ("a change's report", f"{change}/report"),
            ("a report's mailboxes", f"{change}/report/mailboxes"),
            ("a change's history", f"{change}/history"),
            ("health of all", "/v1/health?limit=100"),
            ("incidents that are open", "/v1/incidents"),
            ("all incidents", "/v1/incidents?state=all"),
            ("incidents of a domain", f"/v1/incidents?state=all&domain={domain_of(number)}"),
            ("audit", "/v1/audit"),
            ("audit of one actor", "/v1/audit?actor=admin7"),
            ("audit of one kind", "/v1/audit?type=domain.removed"),
            ("audit until half a year ago", f"/v1/audit?until={_half_a_year_ago()}"),
            ("events", "/v1/events"),
            ("events of a domain", f"/v1/events?domain={domain_of(number)}"),
            ("events of a rare kind", "/v1/events?type=domain.removed"),
            ("pending entries", "/v1/pending-entries"),
            ("connection IPs", "/v1/connection-ips"),
            ("readiness", "/readyz"),
        )
    ]


def _newest_change(get: Callable[[str], object], domain: str) -> str:
    answer = get(f"{domain}/changes?limit=1")
    assert isinstance(answer, requests.Response)
    return str(answer.json()["items"][0]["id"])


def _half_a_year_ago() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 182 * 86400))


def _of_page(get: Callable[[str], object], number: int) -> Sequence[tuple[str, Step]]:
    domain, name = f"/domains/{domain_of(number)}", domain_of(number)
    shown = get(domain)
    assert isinstance(shown, requests.Response)
    change = f"/changes/chg_{shown.text.partition('/changes/chg_')[2][:32]}"
    return [
        (name_, partial(get, path))
        for name_, path in (
            ("domains", "/domains"),
            ("domains, a later page", f"/domains?after={name}"),
            ("domains, searched for one", f"/domains?text={name}"),
            ("domains with an incident", "/domains?failing=yes"),
            ("a domain", domain),
            ("form of settings", f"{domain}/settings"),
            ("history", f"{domain}/history"),
            ("mailboxes", f"{domain}/mailboxes"),
            ("a change", change),
            ("report", f"{change}/report"),
            ("watch", f"{change}/watch"),
            ("alerts", "/alerts"),
            ("connection IPs", "/connection-ips"),
        )
    ]


# -- by command


def _of_command(url: str, key: str, number: int) -> Sequence[tuple[str, Step]]:
    domain = domain_of(number)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAIL_PREFLIGHT_")}
    environment |= {"MAIL_PREFLIGHT_DATABASE_URL": url, "MAIL_PREFLIGHT_SECRET_KEY": key}

    def run(*arguments: str) -> Step:
        command = [sys.executable, "-c", "from mail_preflight import main; main()", *arguments]
        return lambda: _run(command, environment)

    return (
        ("domains", run("domains")),
        ("health", run("health")),
        ("health DOMAIN", run("health", domain)),
        ("changes DOMAIN", run("changes", domain)),
        ("history DOMAIN", run("history", domain)),
        ("mailboxes list DOMAIN", run("mailboxes", "list", domain)),
        ("accounts list", run("accounts", "list")),
    )


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, timeout=_SECONDS, check=False)
    if done.returncode not in {0, 1, 3}:
        raise AssertionError(done.stderr.decode(errors="replace")[-500:])


# -- what beat asks for every few seconds


def _of_background(preflight: Preflight) -> Sequence[tuple[str, Step]]:
    resources = preflight.flow.resources
    collector = StoreCollector(preflight.database)
    return (
        ("schedule", lambda: tick(resources)),
        ("incidents judged", lambda: judge(resources)),
        ("alerts", lambda: alerts.send_due(resources)),
        ("webhooks", lambda: webhooks.make_deliveries(resources)),
        ("metrics", lambda: list(collector.collect())),
        ("readiness", lambda: readiness(preflight.database, None)),
    )
