"""What it costs to put many mailboxes into a domain by the HTTP API, beside the command that imports the same rows."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests
from pydantic import SecretStr

from bench.field import say
from bench.meter import measure, peak_megabytes
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
class Upserts:
    """Seconds of each round for `count` mailboxes: the command with a CSV file, and a request in each form.

    `start` is a command of the same kind with one mailbox. `peak` is the most memory of the web process (MB).
    """

    count: int
    start: float
    command: list[float]
    requests: Mapping[str, list[float]]
    peak: float


def measure_upserts(folder: Path, count: int, rounds: int) -> Upserts:
    """Command and requests in turn, each into an empty SQLite. Raises `Void` where one counts otherwise."""
    files = _files(folder, count)
    one = _files(folder / "one", 1)
    start = min(_by_command(folder, one["csv"]) for _ in range(rounds))
    command: list[float] = []
    taken: dict[str, list[float]] = {form: [] for form in _MEDIA}
    peak = 0.0
    for number in range(1, rounds + 1):
        command.append(_by_command(folder, files["csv"]))
        for form, times in taken.items():
            seconds, megabytes = _by_request(folder, files[form], form, count)
            times.append(seconds)
            peak = max(peak, megabytes)
        told = ", ".join(f"{form} {times[-1]:.2f} s" for form, times in taken.items())
        say(f"  round {number}: command {command[-1]:.2f} s, {told}")
    return Upserts(count, start, command, taken, peak)


def _files(folder: Path, count: int) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
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


def _by_command(folder: Path, file: Path) -> float:
    with embedded(folder) as service:
        usage = measure([str(COMMAND), "mailboxes", "import", _DOMAIN, str(file)], folder, service.environment)
    if usage.status:
        raise Void(f"an import ended with status {usage.status}: {usage.errors}")
    return usage.wall


def _by_request(folder: Path, file: Path, form: str, count: int) -> tuple[float, float]:
    """Seconds of a request, and the most memory that the process ever had that answered it."""
    with embedded(folder) as service:
        environment = {**service.environment, "MAIL_PREFLIGHT_SECRET_KEY": new_key()}
        headers = {"Authorization": f"Bearer {_key(service, environment)}", "Content-Type": _MEDIA[form]}
        with _web(environment) as (url, pid), file.open("rb") as body:
            begun = time.perf_counter()
            answer = requests.put(f"{url}/v1/domains/{_DOMAIN}/mailboxes", data=body, headers=headers, timeout=600)
            seconds, peak = time.perf_counter() - begun, peak_megabytes([pid])
    if answer.status_code != requests.codes.ok or answer.json()["added"] != count:
        raise Void(f"a request was answered with {answer.status_code}: {answer.text[:300]}")
    return seconds, peak


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
    yield f"| {found.count:,} mailboxes into an empty domain | time | to the command | without its start | target |"
    yield "|---|---:|---:|---:|---|"
    whole = median(found.command)
    yield f"| `mailboxes import`, CSV | {whole:.2f} s | – | {whole - found.start:.2f} s | |"
    for form, times in found.requests.items():
        name = "CSV" if form == "csv" else form.upper()
        ratio = median(taken / command for taken, command in zip(times, found.command, strict=True))
        bare = median(taken / (command - found.start) for taken, command in zip(times, found.command, strict=True))
        yield (
            f"| `PUT /v1/domains/{{domain}}/mailboxes`, {name} | {median(times):.2f} s | {_held(ratio, RATIO)} "
            f"| {bare:.2f} | ≤ {RATIO:.2f} |"
        )
    yield ""
    peak = f"{found.peak:.0f} MB" if found.peak <= MEMORY_MB else f"**{found.peak:.0f} MB, missed**"
    yield f"The process that answered had {peak} at its peak (target: ≤ {MEMORY_MB:.0f} MB)."


def _held(value: float, limit: float) -> str:
    return f"{value:.2f}" if value <= limit else f"**{value:.2f}, missed**"
