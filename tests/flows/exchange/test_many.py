"""Many mailboxes: what a worker has of memory and sockets does not grow with them. `make bench` has 10,000."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.exchange.site import PASSWORD, VARIABLES, Site, exchange_system
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.servers.postgres import PostgresServer

FEW, MANY = 150, 1_000
AT_ONCE = 20
GROWTH = 8.0  # MB: what allocators and caches differ by
PATIENT = {"LOGIN_SECONDS": "30"}  # a thousand logins on a machine that does other things too
SPARE = 12  # connections to database and broker that a pool opened meanwhile


def addresses(domain: str, count: int) -> dict[str, str]:
    return {f"m{number}@{domain}": PASSWORD for number in range(count)}


@pytest.fixture
def crowd(
    request: pytest.FixtureRequest, server_folder: Path, certificates: CertificateLab, postgres_server: PostgresServer
) -> Iterator[Site]:
    users = addresses("few.example", FEW) | addresses("many.example", MANY)
    folder = Path(tempfile.mkdtemp(prefix=f"exchange-crowd-{request.param}-", dir=server_folder))
    with (
        exchange_system(request.param, folder, postgres_server, VARIABLES | PATIENT) as running,
        ExchangeServer(folder / "exchange", certificates.issue(), users, ("Basic", "NTLM")) as server,
    ):
        yield Site(running, server, certificates.ca_pem, certificates.ca_file)


def workers(site: Site) -> list[int]:
    return [program.pid for program in site.system.workers] or [os.getpid()]


def resident(pids: list[int]) -> float:
    """MB of the largest process (proc(5): the second field of statm, in pages)."""
    pages = max(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def sockets(pids: list[int]) -> int:
    """Open sockets of all processes."""
    return sum(_is_socket(link) for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir())


def _is_socket(link: Path) -> bool:
    with contextlib.suppress(OSError):
        return str(link.readlink()).startswith("socket:")
    return False


@pytest.mark.both_modes
def test_memory_and_sockets_stay_flat(crowd: Site) -> None:
    for domain, count in (("few.example", FEW), ("many.example", MANY)):
        crowd.load(*addresses(domain, count), domain=domain)
    pids = workers(crowd)
    crowd.verify(domain="few.example")
    before, opened = resident(pids), sockets(pids)
    crowd.server.forget()

    found = crowd.verify(domain="many.example", login_seconds=30.0)

    assert found.counts == {"keeps_working": MANY}
    assert resident(pids) - before < GROWTH
    assert sockets(pids) <= opened + SPARE
    assert crowd.server.peak_connections() <= 2 * AT_ONCE  # it learns a moment later that one was closed
    assert crowd.server.open_connections() == 0
    assert crowd.server.logons() == dict.fromkeys(addresses("many.example", MANY), 1)
