"""What servers that misbehave cost: us, and a healthy domain that the same workers verify at the same time."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.field import HOST, Field, say
from bench.latency import config_of
from bench.sample import Sample, middle, ratio
from bench.service import Backends, Service, distributed
from bench.verify import run_verify
from checks.context import CheckContext
from checks.model import Endpoint, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.runner import check_endpoint
from checks.settings import ImapSettings
from checks.trust import Trust
from settings_store.audit import SERVICE
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.hostile import HostileServer
from worker.service.preflight import Preflight

BESIDE, CPU, MEMORY_MB = 1.3, 1.2, 130.0
_KINDS = (
    *(
        "silent",
        "reset",
        "drip",
        "drip_smtp",
        "flood",
        "flood_imap_lines",
        "flood_smtp_lines",
        "garbage",
        "ssh",
        "http",
    ),
    *("smtp_421", "imap_preauth", "imap_starttls", "imap_injection", "no_shared_cipher", "tls_silent"),
)
_NEIGHBOURS = ("silent", "reset", "drip", "flood", "flood_imap_lines", "garbage", "tls_silent", "imap_preauth")
_MAILBOXES = 10  # of each hostile domain
_ROUNDS = 5
_DEADLINE = 2.0


@dataclass(frozen=True, slots=True)
class Hostile:
    """The rounds of a healthy domain of `count` mailboxes alone, and beside hostile ones; CPU seconds of one check.

    `normal` is the CPU of the check of a server that works; `kinds` that of each kind that does not.
    """

    count: int
    alone: Sequence[Sample]
    beside: Sequence[Sample]
    normal: float
    kinds: dict[str, float]


def measure_hostile(area: Field, backends: Backends, count: int, rounds: int) -> Hostile:
    """Alone and beside in turn. Raises `Void` where the healthy domain's report is wrong."""
    certificates = CertificateLab(_folder(area.folder, "hostile-authority"))
    leaf = certificates.issue()
    normal, *costs = (_cost(kind, leaf, certificates.ca_pem) for kind in ("imap", *_KINDS))
    alone: list[Sample] = []
    beside: list[Sample] = []
    for number in range(1, rounds + 1):
        alone.append(_verify(area, backends, count, ()))
        beside.append(_verify(area, backends, count, _NEIGHBOURS, leaf))
        say(f"  round {number}: alone {alone[-1].run:.2f} s, beside hostile domains {beside[-1].run:.2f} s")
    return Hostile(count, alone, beside, normal, dict(zip(_KINDS, costs, strict=True)))


def _folder(folder: Path, name: str) -> Path:
    own = folder / name
    own.mkdir(mode=0o755, exist_ok=True)
    return own


def _cost(kind: str, leaf: CertificateFiles, ca_pem: str) -> float:
    """CPU of the checking thread: the server's is another one."""
    context = CheckContext(Trust(ca_pem), AddressPolicy(allow_all=True), deadline_seconds=_DEADLINE)
    taken = []
    with HostileServer(kind, leaf) as server:
        endpoint = Endpoint(Protocol.SMTP if "smtp" in kind else Protocol.IMAP, HOST, server.port, _security(kind))
        for _ in range(_ROUNDS):
            begun = time.thread_time()
            check_endpoint(endpoint, context)
            taken.append(time.thread_time() - begun)
    return median(taken)


def _security(kind: str) -> Security:
    """Those that talk before any TLS are met where that is read."""
    return Security.TLS if kind in {"imap", "no_shared_cipher", "tls_silent"} else Security.STARTTLS


def _verify(
    area: Field, backends: Backends, count: int, kinds: Sequence[str], leaf: CertificateFiles | None = None
) -> Sample:
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(distributed(area.folder, backends))
        ports = [stack.enter_context(HostileServer(kind, leaf)).port for kind in kinds]
        _save(area, service, backends.redis.url, ports)
        return run_verify(area, service, area.near, count)


def _save(area: Field, service: Service, broker_url: str, ports: Sequence[int]) -> None:
    """A change of a domain at each hostile server, for the workers to begin with."""
    key = service.environment["MAIL_PREFLIGHT_SECRET_KEY"]
    with Preflight.open(config_of(service, key, broker_url)) as preflight:
        account = preflight.account(actor=SERVICE)
        for number, port in enumerate(ports):
            domain = f"hostile{number}.example"
            account.mailboxes.import_file(domain, _csv(area.folder / "hostile.csv", domain))
            imap, smtp = (Endpoint(protocol, HOST, port, Security.TLS) for protocol in (Protocol.IMAP, Protocol.SMTP))
            account.changes.save(domain, ImapSettings(imap, smtp))


def _csv(path: Path, domain: str) -> Path:
    rows = [f"box{number}@{domain},box{number}@{domain},password" for number in range(_MAILBOXES)]
    path.write_text("\n".join(["address,username,password", *rows]) + "\n")
    return path


def hostile_table(found: Hostile) -> Iterator[str]:
    """The lines of the table, and what one check costs."""
    domains = f"beside {len(_NEIGHBOURS)} hostile domains"
    yield f"| {found.count:,} mailboxes of a healthy domain, two workers | alone | {domains} | ratio | target |"
    yield "|---|---:|---:|---:|---|"
    alone, beside = (f"{middle(samples, _run):.2f} s" for samples in (found.alone, found.beside))
    times = _held(ratio(found.beside, found.alone, _run), BESIDE, "{:.2f}")
    yield f"| the run, from save to report | {alone} | {beside} | {times} | ≤ {BESIDE} |"
    most = _held(max(map(_peak, found.beside)), MEMORY_MB, "{:.0f} MB")
    yield f"| peak memory of a worker | {middle(found.alone, _peak):.0f} MB | {most} | – | ≤ {MEMORY_MB:.0f} MB |"
    yield ""
    costs = (f"{kind} {_held(cost / found.normal, CPU, '{:.2f}')}" for kind, cost in found.kinds.items())
    yield (
        f"CPU of one endpoint check: {found.normal * 1000:.1f} ms where the server works; where it does not, "
        f"in times of that: {', '.join(costs)} (target: ≤ {CPU})."
    )


def _held(value: float, limit: float, form: str) -> str:
    told = form.format(value)
    return told if value <= limit else f"**{told}, missed**"


def _run(sample: Sample) -> float:
    return sample.run


def _peak(sample: Sample) -> float:
    return sample.peak
