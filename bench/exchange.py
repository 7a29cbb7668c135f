"""Exchange: a verification beside a plain `requests` loop that sends the same requests, and how memory grows."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.field import HOST, say
from bench.meter import measure
from bench.plan import AT_ONCE, Plan, Void
from bench.sample import Sample
from bench.service import COMMAND, Backends, Service, distributed, embedded
from bench.verify import check_report, run_seconds
from tests.servers.certificates import CertificateLab
from tests.servers.delay import DelayProxy
from tests.servers.exchange.kinds import Scheme
from tests.servers.exchange.server import ExchangeServer

ROUND_TRIP = 0.020
"""Seconds."""
SCHEMES: tuple[Scheme, ...] = ("Basic", "NTLM")
GROWTH = (1_000, 10_000)
PROGRAM = Path(__file__).with_name("exchange_program.py")
_DOMAIN = "lab.example"


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of each party with one scheme."""

    loop: list[Sample] = field(default_factory=list)
    embedded: list[Sample] = field(default_factory=list)
    distributed: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grown:
    """A worker's peak in MB, and the most connections that the server had open at once."""

    peak: float
    connections: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was measured: `count` mailboxes by scheme, and growth by the number of mailboxes."""

    count: int
    rounds: dict[str, Rounds] = field(default_factory=dict)
    growth: dict[int, Grown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Site:
    """A stand-in Exchange behind a delay, and the file of its mailboxes."""

    server: ExchangeServer
    port: int
    ca_file: Path
    csv: Path
    folder: Path
    addresses: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/EWS/Exchange.asmx"

    @contextlib.contextmanager
    def witnessed(self) -> Iterator[None]:
        """Raises `Void` unless each mailbox logs on once."""
        self.server.forget()
        yield
        good, bad = self.server.logons(), self.server.bad_logons()
        if good != dict.fromkeys(self.addresses, 1) or bad:
            raise Void(f"Exchange has seen {good.total()} logons of {len(good)} mailboxes and {bad.total()} bad ones")


def measure_exchange(folder: Path, backends: Backends, plan: Plan) -> Exchange:
    """All parties in turn with each scheme, then growth with Basic and no delay. Raises `Void` and `ServerError`."""
    found = Exchange(plan.count)
    for scheme in SCHEMES:
        with _open(folder / f"exchange-{scheme}", scheme, plan.count, ROUND_TRIP / 2) as site:
            found.rounds[scheme] = _rounds(site, backends, plan.rounds)
    for size in (size for size in GROWTH if size <= 5 * plan.count):
        with _open(folder / f"exchange-growth-{size}", "Basic", size, 0.0) as site:
            found.growth[size] = _grown(site, backends)
            say(f"  {size:,} mailboxes: {found.growth[size]}")
    return found


def _rounds(site: _Site, backends: Backends, rounds: int) -> Rounds:
    found = Rounds()
    for number in range(1, rounds + 1):
        found.loop.append(_run_loop(site))
        with embedded(site.folder) as service:
            found.embedded.append(_run_verify(site, service))
        with distributed(site.folder, backends) as service:
            found.distributed.append(_run_verify(site, service))
        told = (f"{name} {samples[-1].run:.2f} s" for name, samples in _parties(found))
        say(f"  round {number}: {', '.join(told)}")
    return found


def _parties(found: Rounds) -> tuple[tuple[str, list[Sample]], ...]:
    return ("requests", found.loop), ("one process", found.embedded), ("two workers", found.distributed)


def _grown(site: _Site, backends: Backends) -> Grown:
    with distributed(site.folder, backends) as service:
        sample = _run_verify(site, service)
    return Grown(sample.peak, site.server.peak_connections())


def _run_loop(site: _Site) -> Sample:
    scheme = site.folder.name.rpartition("-")[2]
    values = [site.url, str(site.ca_file), str(site.csv), scheme, str(AT_ONCE)]
    with site.witnessed():
        usage = measure([sys.executable, str(PROGRAM), *values], site.folder)
    if usage.status:
        raise Void(f"the requests loop exits with {usage.status}: {usage.errors.strip()[-500:]}")
    return Sample(json.loads(usage.output)["seconds"], usage.wall, usage.cpu, 0.0, usage.peak)


def _run_verify(site: _Site, service: Service) -> Sample:
    files = ["--ca-file", str(site.ca_file), "--mailboxes", str(site.csv)]
    before = service.cpu()
    with site.witnessed():
        command = [str(COMMAND), "verify", _DOMAIN, "--exchange", site.url, *files, "--json"]
        usage = measure(command, site.folder, service.environment)
        behind = service.cpu() - before
    check_report(usage, len(site.addresses))
    run = run_seconds(service, _DOMAIN)
    if service.embedded:
        return Sample(run, usage.wall, usage.cpu, 0.0, usage.peak)
    return Sample(run, usage.wall, behind, usage.cpu, service.peak())


@contextlib.contextmanager
def _open(folder: Path, scheme: Scheme, count: int, delay: float) -> Iterator[_Site]:
    say(f"Starting an Exchange that offers {scheme}, with {count:,} mailboxes ...")
    folder.mkdir()
    users = {f"m{number:05}@{_DOMAIN}": f"Sesame-{number}-open" for number in range(count)}
    authority = CertificateLab(folder / "authority")
    csv = folder / "mailboxes.csv"
    csv.write_text("address,password\n" + "".join(f"{name},{password}\n" for name, password in users.items()))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ExchangeServer(folder / "server", authority.issue(), users, (scheme,)))
        port = stack.enter_context(DelayProxy(folder / "delay", server.port, delay)).port if delay else server.port
        yield _Site(server, port, authority.ca_file, csv, folder, tuple(users))
