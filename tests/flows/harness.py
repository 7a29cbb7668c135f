"""A whole system to run flows on, in either mode: a database, a broker, workers, and the command beside them."""

import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

import sqlalchemy as sa
from pydantic import SecretStr

from checks.model import Endpoint, Protocol, Security
from checks.settings import ImapSettings, Settings
from settings_store import schema
from settings_store.audit import SERVICE
from settings_store.changes.changes import Saved
from settings_store.runs import runs
from settings_store.secrets import new_key
from tests.flows import warm
from tests.servers.lab import MailLab
from worker.changes.report import MailboxLine, Report
from worker.config import Config
from worker.service.account import Account
from worker.service.preflight import Preflight

Mode = Literal["embedded", "distributed"]
MODES: tuple[Mode, ...] = ("embedded", "distributed")
ROOT = Path(__file__).parents[2]
NETWORKS = "127.0.0.0/8,::1/128"
PATIENCE = 60.0
OTHERS_REJECT = frozenset({2, 3, 4})
"""The users whose password the other lab does not take."""


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox to import. `username` is who logs in: one mail server's users can be mailboxes of any domain."""

    address: str
    password: str = field(repr=False)
    username: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it has to be."""
        return json.loads(self.out)


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Waits until `condition()` is true. Fails naming `what`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


class Program:
    """One `mail-preflight` process in the background; its output goes to files. Killed at the end of the block."""

    def __init__(
        self, arguments: Iterable[str], environment: Mapping[str, str], output: Path, *, cold: bool = False
    ) -> None:
        self.arguments = list(arguments)
        begin = _from_nothing if cold else warm.start
        self.out, self.err = output.with_suffix(".out"), output.with_suffix(".err")
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = begin(self.arguments, environment, out, err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """As a power cut would."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def terminate(self) -> float:
        """SIGTERM; how many seconds the process took to end. It must end well."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(45) == 0, self.words
        return time.monotonic() - begun

    def wait(self, seconds: float = PATIENCE) -> Result:
        """Waits for the process to end by itself."""
        status = self.process.wait(seconds)
        return Result(status, self.out.read_text(), self.err.read_text())

    @property
    def pid(self) -> int:
        """The process that works: a worker has one that looks after it (`worker.watchdog`)."""
        pid = self.process.pid
        below = Path(f"/proc/{pid}/task/{pid}/children")
        return int(([*below.read_text().split(), str(pid)] if below.exists() else [str(pid)])[0])

    @property
    def words(self) -> str:
        """All it said so far."""
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    @property
    def cpu_ticks(self) -> int:
        """How much it has worked so far (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])


def _from_nothing(
    arguments: Sequence[str], environment: Mapping[str, str], stdout: BinaryIO, stderr: BinaryIO
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.flows.quick", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=stdout, stderr=stderr)


@dataclass
class System:
    """One database and broker. What runs on it is started by the test, but for the workers of `shared`.

    Processes begin with everything imported (`tests.flows.warm`), but for `cold`: where their memory is measured.
    """

    mode: Mode
    folder: Path
    database_url: str
    broker_url: str
    key: str = field(default_factory=new_key, repr=False)
    log_level: str = "WARNING"
    workers: tuple[Program, ...] = ()
    cold: bool = False
    _count: int = 0

    # -- the command

    def environment(self, **variables: str | None) -> dict[str, str]:
        """What a process has in its environment, and nothing of ours. `variables`: MAIL_PREFLIGHT_*, None unsets."""
        given = {
            "DATABASE_URL": self.database_url,
            "BROKER_URL": self.broker_url,
            "SECRET_KEY": self.key,
            "ALLOW_NETWORKS": NETWORKS,
            "LOG_LEVEL": self.log_level,
            "WEB_PORT": "0",  # tests run beside each other, and most ask nothing of the API
            **variables,
        }
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "data")}
        return (
            inherited | home | {f"MAIL_PREFLIGHT_{name}": value for name, value in given.items() if value is not None}
        )

    def command(self, *arguments: str, **variables: str | None) -> Result:
        """Runs a command to its end."""
        with self.start(*arguments, **variables) as program:
            return program.wait()

    def start(self, *arguments: str, **variables: str | None) -> Program:
        """Starts a command."""
        self._count += 1
        output = self.folder / f"{arguments[0]}-{self._count}"
        return Program(arguments, self.environment(**variables), output, cold=self.cold)

    @contextlib.contextmanager
    def working(self, count: int = 2, **variables: str) -> Iterator[tuple[Program, ...]]:
        """Worker processes of the distributed mode, once they are ready."""
        with contextlib.ExitStack() as stack:
            started = tuple(
                stack.enter_context(self.start("worker", "--queue", "preflight", **variables)) for _ in range(count)
            )
            for program in started:
                wait_for(lambda program=program: is_ready(program), f"the worker starts: {program.words}")  # type: ignore[misc]
            yield started

    # -- in this process

    def config(self, **changes: Any) -> Config:
        """The configuration that `environment` describes."""
        values: dict[str, Any] = {
            "database_url": SecretStr(self.database_url),
            "broker_url": SecretStr(self.broker_url),
            "secret_key": SecretStr(self.key),
            "allow_networks": tuple(map(ip_network, NETWORKS.split(","))),
        }
        return Config(**(values | changes))

    @contextlib.contextmanager
    def open(self, **changes: Any) -> Iterator[Preflight]:
        """The service in this process; `changes` are fields of `Config`."""
        with Preflight.open(self.config(**changes)) as preflight:
            yield preflight

    def load(self, domain: str, boxes: Sequence[Box]) -> None:
        """Imports mailboxes; an empty file would be refused."""
        if not boxes:
            return
        with self.open() as preflight:
            account_of(preflight).mailboxes.import_file(domain, write_csv(self.folder / f"{domain}.csv", boxes))

    def verify(self, domain: str, settings: Settings, **changes: Any) -> "Outcome":
        """Saves a change and waits for its report."""
        with self.open(**changes) as preflight, preflight.processes.working():
            saved = account_of(preflight).changes.save(domain, settings)
            return outcome(preflight, saved)

    def apply(self, domain: str, settings: Settings, **changes: Any) -> "Outcome":
        """Verifies a change and puts it in force, whatever it breaks."""
        found = self.verify(domain, settings, **changes)
        with self.open(**changes) as preflight:
            account_of(preflight).changes.apply(found.saved.change_id, found.counts["will_disconnect"])
        return found


def is_ready(worker: Program) -> bool:
    """Whether a worker takes messages: it has subscribed to its queue."""
    assert worker.process.poll() is None, f"the worker has ended: {worker.words}"
    return has_connection(worker.pid)


def has_connection(pid: int) -> bool:
    """Whether a process has an established TCP connection over IPv4 (proc(5), net/tcp): a worker to its broker."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes |= set(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    lines = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
    return sum(line[3] == "01" and line[9] in inodes for line in lines) > 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report, read to its end."""

    saved: Saved
    report: Report
    lines: Mapping[str, MailboxLine]

    @property
    def counts(self) -> Counter[str]:
        """How many mailboxes have each impact, without zeros."""
        return Counter({impact: count for impact, count in self.report.counts.items() if count})

    @property
    def impacts(self) -> dict[str, str]:
        """Address -> impact."""
        return {address: str(line.impact) for address, line in self.lines.items()}

    @property
    def codes(self) -> dict[str, str]:
        """Address -> code."""
        return {address: str(line.code) for address, line in self.lines.items()}


def account_of(preflight: Preflight) -> Account:
    """The use cases of the default account, as the service itself."""
    return preflight.account(actor=SERVICE)


def outcome(preflight: Preflight, saved: Saved) -> Outcome:
    """Waits for a run and reads its report."""
    for _ in account_of(preflight).runs.follow(saved.run_id, timeout=PATIENCE):
        pass
    report = account_of(preflight).changes.report(saved.change_id)
    return Outcome(saved, report, {line.address: line for line in report.mailboxes()})


def write_csv(path: Path, boxes: Iterable[Box]) -> Path:
    """A file as `mailboxes import` takes it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["address", "password", "username"])
        writer.writerows((box.address, box.password, box.username) for box in boxes)
    return path


def user_of(number: int) -> str:
    """The name of a lab's user."""
    return f"user{number:03}@lab.example"


def boxes_of(lab: MailLab, domain: str, count: int, wrong: Iterable[int] = ()) -> list[Box]:
    """The lab's first users as mailboxes `boxNNN` of another domain; those in `wrong` have a wrong password."""
    broken = set(wrong)
    users = list(lab.users.items())[:count]
    return [
        Box(f"box{number:03}@{domain}", f"not-it-{password}" if number in broken else password, user)
        for number, (user, password) in enumerate(users)
    ]


def settings_of(
    lab: MailLab,
    *,
    host: str = "localhost",
    imap: int = 0,
    smtp: int = 0,
    ca: bool = True,
    allow_insecure: bool = False,
) -> ImapSettings:
    """Settings that reach the lab over implicit TLS, or other ports where they are given."""
    return ImapSettings(
        imap=Endpoint(Protocol.IMAP, host, imap or lab.dovecot.imaps_port, Security.TLS),
        smtp=Endpoint(Protocol.SMTP, host, smtp or lab.postfix.smtps_port, Security.TLS),
        allow_insecure_certificate=allow_insecure,
        ca_pem=lab.certificates.ca_pem if ca else "",
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the mail servers' own log says: how often which user was accepted or rejected over which protocol."""

    imap: Counter[str]
    smtp: Counter[str]
    imap_rejected: Counter[str]
    smtp_rejected: Counter[str]

    @property
    def attempts(self) -> Counter[str]:
        """IMAP logins, whatever became of them: every mailbox that is tried begins with one."""
        return self.imap + self.imap_rejected


def seen(lab: MailLab) -> Seen:
    """Reads the log. Each of the four waits until the log is quiet, so they do it together."""
    server = lab.dovecot
    asks = [(ask, service) for ask in (server.logins, server.rejections) for service in ("imap", "smtp")]
    with ThreadPoolExecutor(len(asks)) as pool:
        return Seen(*pool.map(lambda item: item[0](item[1]), asks))


def stored(preflight: Preflight, run_id: str) -> set[str]:
    """The user names of the mailboxes that have a result by now."""
    row, box = schema.run_mailboxes, schema.mailboxes
    query = sa.select(box.c.username).join(row, row.c.mailbox_id == box.c.id)
    with preflight.database.read() as conn:
        return set(conn.execute(query.where(row.c.run_id == run_id, row.c.verdict.is_not(None))).scalars())


def newest_run(preflight: Preflight) -> runs.Run | None:
    """The run that was saved last."""
    query = sa.select(schema.runs.c.id).order_by(schema.runs.c.created_at.desc()).limit(1)
    with preflight.database.read() as conn:
        run_id = conn.execute(query).scalar()
        return runs.load(conn, run_id) if run_id else None
