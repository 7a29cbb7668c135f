"""What it costs to put many mailboxes into a domain by the HTTP API, beside the command that imports the same rows."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests
from pydantic import SecretStr

from bench.field import say
from bench.meter import cpu_seconds, measure, peak_megabytes
from bench.plan import Void
from bench.service import COMMAND, Service, embedded
from settings_store.access.api_keys import KeyRequest
from settings_store.actors import Actor
from settings_store.secrets import new_key
from worker.config import Config
from worker.service.preflight import Preflight

RATIO, MEMORY_MB = 1.2, 150.0
_DOMAIN = "upsert.example"
_MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and seconds of CPU of the process that did it."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Upserts:
    """What each round took for `count` mailboxes: the command with a CSV file, and a request in each form.

    `peak` is the most memory of the web process (MB).
    """

    count: int
    command: list[Cost]
    requests: Mapping[str, list[Cost]]
    peak: float


def measure_upserts(folder: Path, count: int, rounds: int) -> Upserts:
    """Command and requests in turn, each into an empty SQLite. Raises `Void` where one counts otherwise."""
    files = _files(folder, count)
    command: list[Cost] = []
    taken: dict[str, list[Cost]] = {form: [] for form in _MEDIA}
    peak = 0.0
    for number in range(1, rounds + 1):
        command.append(_by_command(folder, files["csv"]))
        for form, times in taken.items():
            cost, megabytes = _by_request(folder, files[form], form, count)
            times.append(cost)
            peak = max(peak, megabytes)
        told = ", ".join(f"{form} {times[-1].wall:.2f} s" for form, times in taken.items())
        say(f"  round {number}: command {command[-1].wall:.2f} s, {told}")
    return Upserts(count, command, taken, peak)


def _files(folder: Path, count: int) -> dict[str, Path]:
    rows = [(f"mailbox{number}@{_DOMAIN}", f"secret-{number}") for number in range(count)]
    objects = [json.dumps({"address": address, "password": password}) for address, password in rows]
    texts = {
        "csv": "address,password\n" + "".join(f"{address},{password}\n" for address, password in rows),
        "ndjson": "\n".join(objects),
        "json": '{"items": [' + ",".join(objects) + "]}",
    }
    files = {form: folder / f"upsert.{form}" for form in texts}
    for form, text in texts.items():
        files[form].write_text(text)
    return files


def _by_command(folder: Path, file: Path) -> Cost:
    with embedded(folder) as service:
        usage = measure([str(COMMAND), "mailboxes", "import", _DOMAIN, str(file)], folder, service.environment)
    if usage.status:
        raise Void(f"an import ended with status {usage.status}: {usage.errors}")
    return Cost(usage.wall, usage.cpu)


def _by_request(folder: Path, file: Path, form: str, count: int) -> tuple[Cost, float]:
    """What a request took, and the most memory that the process ever had that answered it."""
    with embedded(folder) as service:
        environment = {**service.environment, "MAIL_PREFLIGHT_SECRET_KEY": new_key()}
        headers = {"Authorization": f"Bearer {_key(service, environment)}", "Content-Type": _MEDIA[form]}
        with _web(environment) as (url, pid), file.open("rb") as body:
            begun, spent = time.perf_counter(), cpu_seconds([pid])
            answer = requests.put(f"{url}/v1/domains/{_DOMAIN}/mailboxes", data=body, headers=headers, timeout=600)
            cost = Cost(time.perf_counter() - begun, cpu_seconds([pid]) - spent)
            peak = peak_megabytes([pid])
    if answer.status_code != requests.codes.ok or answer.json()["added"] != count:
        raise Void(f"a request was answered with {answer.status_code}: {answer.text[:300]}")
    return cost, peak


def _key(service: Service, environment: Mapping[str, str]) -> str:
    config = Config(
        database_url=SecretStr(service.database_url), secret_key=SecretStr(environment["MAIL_PREFLIGHT_SECRET_KEY"])
    )
    with Preflight.open(config) as preflight:
        access = preflight.account(actor=Actor("bench", "local")).access
        return access.create_key(KeyRequest("bench"))[1].text


@contextlib.contextmanager
def _web(environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """A process that answers; where, and its id."""
    command = [sys.executable, "-m", "bench.web_program"]
    inherited = {"PYTHONPATH": os.pathsep.join(sys.path), **environment}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=inherited) as process:
        assert process.stdin is not None  # noqa: S101 -- as asked for above
        assert process.stdout is not None  # noqa: S101 -- as above
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.stdin.close()


def upsert_table(found: Upserts) -> Iterator[str]:
    """The lines of the table."""
    yield f"| {found.count:,} mailboxes into an empty domain | time | to the command | CPU | to the command | target |"
    yield "|---|---:|---:|---:|---:|---|"
    wall, cpu = _middle(found.command, _wall), _middle(found.command, _cpu)
    yield f"| `mailboxes import` with CSV, with its start | {wall:.2f} s | – | {cpu:.2f} s | – | |"
    for form, costs in found.requests.items():
        time_, cpu_ = (_held(_ratio(costs, found.command, pick), RATIO) for pick in (_wall, _cpu))
        yield (
            f"| `PUT /v1/domains/{{domain}}/mailboxes`, {form.upper()} | {_middle(costs, _wall):.2f} s | {time_} "
            f"| {_middle(costs, _cpu):.2f} s | {cpu_} | ≤ {RATIO} |"
        )
    yield ""
    peak = f"{found.peak:.0f} MB" if found.peak <= MEMORY_MB else f"**{found.peak:.0f} MB, missed**"
    yield f"The process that answered had {peak} at its peak (target: ≤ {MEMORY_MB:.0f} MB)."


def _held(value: float, limit: float) -> str:
    return f"{value:.2f}" if value <= limit else f"**{value:.2f}, missed**"


def _ratio(costs: Sequence[Cost], command: Sequence[Cost], pick: Callable[[Cost], float]) -> float:
    """The median of the ratios within each round."""
    return median(pick(ours) / pick(theirs) for ours, theirs in zip(costs, command, strict=True))


def _middle(costs: Sequence[Cost], pick: Callable[[Cost], float]) -> float:
    return median(map(pick, costs))


def _wall(cost: Cost) -> float:
    return cost.wall


def _cpu(cost: Cost) -> float:
    return cost.cpu
