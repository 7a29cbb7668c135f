"""A chain from root to leaf: planned, forged, sent as a server sends it, and repaired.

A `Plan` says what the chain shall be; defects change it (`tests.servers.pki.defects`); `Plan.build` makes a `Chain`.
All chains share one trust store (`trust_pem`), so that clients need one context for all of them.
"""

import contextlib
import functools
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.servers.pki.recipe import Issued, Recipe, authority, issue

HOST = "mail.lab.example"
OTHER_HOST = "imap.lab.example"
ROOT_DAYS, CA_DAYS, LEAF_DAYS = (-2000.0, 3650.0), (-365.0, 1000.0), (-1.0, 90.0)

ROOT = authority("Lab Root", ROOT_DAYS)
PRIVATE_ROOT = authority("Private Root", ROOT_DAYS)
TRUSTED_ROOTS = {
    "good": ROOT,
    "expired": replace(authority("Lab Root Expired"), days=(-2000.0, -5.0)),
    "not_yet_valid": replace(authority("Lab Root Of Tomorrow"), days=(5.0, 3650.0)),
    "no_usage": replace(authority("Lab Root Without Usage", ROOT_DAYS), usage=None),
    "no_identifiers": replace(authority("Lab Root Without Identifiers", ROOT_DAYS), identifiers=False),
    "path_length": replace(authority("Lab Root For Leaves Only", ROOT_DAYS), path_length=0),
    "weak_key": replace(authority("Lab Root With Weak Key", ROOT_DAYS), kind="rsa1024"),
    "constrained": replace(authority("Lab Root Constrained", ROOT_DAYS), permitted=("other.example",)),
}

Sender = Callable[["Chain"], Sequence[Issued]]
"""What a server sends instead of leaf and intermediates; `chain.path` is all there is."""
AiaUrls = Callable[[Issued], Sequence[str]]
"""The caIssuers URLs for a certificate issued by the given one."""

issued_root = functools.cache(issue)


@functools.cache
def trust_pem() -> str:
    """The lab's roots in PEM: with certifi's, the trust store of every client of the lab."""
    return "".join(issued_root(recipe).pem for recipe in TRUSTED_ROOTS.values())


def no_aia(_: Issued) -> Sequence[str]:
    return ()


@dataclass(slots=True)
class Plan:
    """A chain to be. `intermediates` go from the root downwards. A `self_signed` leaf has no issuers at all.

    `trusted`: certificates that the client trusts beside the lab's roots. `senders` are applied one after the other.
    """

    root: Recipe = ROOT
    intermediates: list[Recipe] = field(default_factory=list)
    leaf: Recipe = field(default_factory=lambda: Recipe(HOST, names=(HOST,)))
    host: str = HOST
    self_signed: bool = False
    aia: AiaUrls = no_aia
    senders: list[Sender] = field(default_factory=list)
    trusted: tuple[Issued, ...] = ()

    @property
    def issuing(self) -> Recipe:
        """The intermediate that signs the leaf."""
        return self.intermediates[-1]

    @issuing.setter
    def issuing(self, recipe: Recipe) -> None:
        self.intermediates[-1] = recipe

    def build(self) -> "Chain":
        """The chain, signed."""
        chain = Chain(self, tuple(self._path()), (), self.host, self.trusted)
        chain = replace(chain, sent=chain.path[: max(1, len(chain.path) - 1)])
        for sender in self.senders:
            chain = replace(chain, sent=tuple(sender(chain)))
        return chain

    def _path(self) -> Sequence[Issued]:
        if self.self_signed:
            return [issue(self.leaf)]
        path = [issued_root(self.root)]
        for recipe in (*self.intermediates, self.leaf):
            urls = tuple(self.aia(path[0]))
            path.insert(0, issue(replace(recipe, aia=urls) if urls else recipe, path[0]))
        return path

    def renewed(self) -> "Plan":
        """The same plan with every certificate in the middle of its life, and its root trusted again if it was."""
        root = replace(self.root, days=ROOT_DAYS)
        known = self.root in TRUSTED_ROOTS.values()
        return replace(
            self,
            root=root,
            intermediates=[replace(recipe, days=CA_DAYS) for recipe in self.intermediates],
            leaf=replace(self.leaf, days=LEAF_DAYS),
            trusted=(*self.trusted, issued_root(root)) if known and root != self.root else self.trusted,
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain as it is: `path` from leaf to root, `sent` as the server sends it, `host` as the client calls it."""

    plan: Plan = field(repr=False)
    path: tuple[Issued, ...]
    sent: tuple[Issued, ...]
    host: str = HOST
    trusted: tuple[Issued, ...] = ()

    @property
    def leaf(self) -> Issued:
        return self.path[0]

    @property
    def ca_pem(self) -> str:
        """What the client trusts beside certifi, in PEM."""
        return trust_pem() + "".join(issued.pem for issued in self.trusted)

    def __str__(self) -> str:
        sent = ", ".join(map(str, self.sent))
        return f"{' -> '.join(map(str, reversed(self.path)))}; sent: {sent}; asked for {self.host}"

    @contextlib.contextmanager
    def file(self) -> Iterator[Path]:
        """Key and sent certificates in one PEM file, for as long as the block runs."""
        with tempfile.NamedTemporaryFile("w", suffix=".pem", dir=_memory()) as file:
            file.write(self.leaf.keys.pem + "".join(issued.pem for issued in self.sent))
            file.flush()
            yield Path(file.name)

    def load_into(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """The server's context with this chain in it; OpenSSL's own objections to weak keys are switched off first."""
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.file() as file:
            context.load_cert_chain(file)
        return context

    def server_context(self) -> ssl.SSLContext:
        """A server's context without quirks: TLS 1.2 and 1.3."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return self.load_into(context)

    def repaired(self, kind: str, host: str = "") -> "Chain":
        """What becomes of the chain when a fix of that kind is applied; `host` is the name that `use_host` advises.

        `trust_ca` is the client's to apply: it shows in `ca_pem`. Raises `ValueError` for a kind that is not the
        chain's to apply.
        """
        repairs: dict[str, Callable[[], Chain]] = {
            "install_intermediate": lambda: replace(self, sent=(self.leaf, *self._present_intermediates())),
            "use_host": lambda: replace(self, host=host),
            "trust_ca": lambda: replace(self, trusted=(*self.trusted, self.path[-1])),
            "replace_certificate": lambda: replace(good_chain(self.host), trusted=self.trusted),
            "renew": self._renewed,
            "wait_or_fix_clock": self._renewed,
        }
        if kind not in repairs:
            raise ValueError(f"{kind} does not change the chain")
        return repairs[kind]()

    def _present_intermediates(self) -> Iterator[Issued]:
        """As their authorities publish them today: the same names and keys, but not expired."""
        for number in range(1, len(self.path) - 1):
            issued = self.path[number]
            current = issued.recipe.days[0] < 0 < issued.recipe.days[1]
            yield issued if current else issue(replace(issued.recipe, days=CA_DAYS), self.path[number + 1])

    def _renewed(self) -> "Chain":
        return replace(self.plan.renewed().build(), host=self.host)


def plan(host: str = HOST, depth: int = 1) -> Plan:
    """A plan without any fault: the lab's root, `depth` intermediates (0 is possible), and a leaf for `host`."""
    intermediates = [authority("Lab Intermediate" + f" {number}" * (depth > 1)) for number in range(1, depth + 1)]
    return Plan(intermediates=intermediates, leaf=Recipe(host, key="leaf", names=(host,)), host=host)


def good_chain(host: str = HOST, depth: int = 1) -> Chain:
    """A chain that every strict client accepts."""
    return plan(host, depth).build()


@functools.cache
def _memory() -> str | None:
    """A folder that is held in memory, where the system has one: 2,000 chains need not touch the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the file is made by `tempfile`, mode 0600
