"""Servers that nobody tuned to: the same comparison with Cyrus and Exim, where shortcuts do not work."""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.compare import Comparison, compare
from bench.curl import Request
from bench.field import Field, Ports, say
from bench.plan import Plan, Void
from bench.service import Backends
from tests.servers.certificates import CertificateLab
from tests.servers.cyrus import CyrusServer
from tests.servers.exim import EximServer
from tests.servers.lab import Mailboxes, lab_users

_CANARIES = 3
_AUTHENTICATED = re.compile(r" A=\w+:(\S+)")


@dataclass
class OtherField(Field):
    """Cyrus and Exim. Only Exim's log can be asked: Cyrus has none outside the system's."""

    exim: EximServer

    @contextlib.contextmanager
    def witnessed(self, count: int) -> Iterator[None]:
        """Raises `Void` unless Exim's log has one login of each of the first `count` mailboxes, a canary's left out.

        It names who logged in only where no sender was tried, and a canary tries its own.
        """
        before = len(self.exim.log_lines())
        yield
        lines = self.exim.log_lines()[before:]
        seen = Counter(_AUTHENTICATED.findall("\n".join(lines)))
        ended = sum("closed by QUIT" in line for line in lines)
        known = {name for name, _ in self.mailboxes(count)}
        if set(seen) - known or max(seen.values()) > 1 or not count <= len(seen) + _CANARIES or ended < count:
            raise Void(f"Exim's log has {seen.total()} logins of {len(seen)} mailboxes, not {count}")


def measure_others(folder: Path, backends: Backends, plan: Plan) -> Comparison:
    """The rounds with a quarter of the plan's mailboxes. Raises `Void`, `ServerError`."""
    count = plan.distant_count
    with _open(folder, count) as area:
        return compare(area, backends, area.near, count, plan.rounds, Request.EXAMINE)


@contextlib.contextmanager
def _open(folder: Path, count: int) -> Iterator[OtherField]:
    say(f"Starting Cyrus and Exim with {count:,} mailboxes ...")
    own = folder / "other-servers"
    certificates, users = CertificateLab(own / "certificates"), lab_users(count)
    leaf = certificates.issue()
    with CyrusServer(own / "cyrus", leaf, users) as cyrus, EximServer(own / "exim", leaf, users) as exim:
        ports = Ports(cyrus.tls_port, exim.tls_port)
        yield OtherField(Mailboxes(certificates=certificates, users=users), own, ports, exim)
