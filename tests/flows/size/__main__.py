"""`python -m tests.flows.size [--mailboxes N] [--domains N] [--only SECTION]`: what the service makes of large numbers.

The section `scale` takes an hour and 40 GB below /tmp, and is done only where it is asked for: `--only scale`.

Prints a line for each number. Exit status: 0, or 2 where the servers cannot run here. What has to hold is asserted by
`test_size.py`, in the short form.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.flows.chaos.trial import say
from tests.flows.harness import MODES, Mode
from tests.flows.size.cases import HISTORY, Taken, take
from tests.flows.size.crowd import Crowd, gather
from tests.flows.size.scale import measure_scale
from tests.flows.size.store import add_history, fill, open_store
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerError, scratch_folder

SECTIONS = ("runs", "wrong", "store", "scale")
ROUNDS = 10


def main(arguments: Sequence[str]) -> int:
    """Measures. Returns the exit status."""
    options = _parser().parse_args(arguments)
    sections: dict[str, Callable[[Path], None]] = {
        "runs": lambda folder: _in_both_modes(folder, options.mailboxes, measure_runs),
        "wrong": lambda folder: _in_both_modes(folder, options.mailboxes, measure_wrong),
        "store": lambda folder: measure_store(folder, options.domains or 5_000),
        "scale": lambda folder: measure_scale(folder, options.domains or 100_000, say),
    }
    try:
        for name in SECTIONS[:-1] if options.only is None else (options.only,):
            with scratch_folder() as folder:
                sections[name](folder)
    except ServerError as error:
        say(str(error))
        return 2
    return 0


def _in_both_modes(folder: Path, mailboxes: int, measure: Callable[[Crowd, int], None]) -> None:
    with mail_lab(folder / "lab", mailboxes, DovecotOptions(fast=True)) as lab:
        for mode in MODES:
            _measure_in(folder, mode, lab, lambda crowd: measure(crowd, mailboxes))


def _measure_in(folder: Path, mode: Mode, lab: MailLab, measure: Callable[[Crowd], None]) -> None:
    with gather(folder / mode, mode, lab) as crowd:
        say(f"-- {mode}")
        measure(crowd)


def measure_runs(crowd: Crowd, mailboxes: int) -> None:
    """A tenth of the mailboxes, all of them, and all of them again until the run is cancelled."""
    for domain, count in (("few.example", mailboxes // 10), ("many.example", mailboxes)):
        crowd.load(domain, count)
        seen = crowd.watch(domain)
        say(f"{count} mailboxes: {dict(seen.outcome.counts)} in {seen.seconds:.1f} s")
        say(f"  first count {seen.planned:.2f} s after the save, longest time without news {seen.gap:.2f} s")
        if crowd.workers:
            say(f"  peak memory of a worker so far {crowd.peak_megabytes:.0f} MB")
    crowd.lab.forget()
    met = crowd.cancel("many.example", mailboxes // 4)
    say(f"cancelled with {met.done} done: ended {met.ended:.2f} s later, last login {met.last:.2f} s later")


def measure_wrong(crowd: Crowd, mailboxes: int) -> None:
    """An SMTP server that is not there, all passwords wrong, and one in a hundred."""
    crowd.load("wrong.example", mailboxes, frozenset(range(mailboxes)))
    _tell_wrong(crowd, "SMTP server not there", "wrong.example", elsewhere=True)
    _tell_wrong(crowd, "all passwords wrong", "wrong.example")
    broken = frozenset(range(50, mailboxes, 100))
    crowd.load("some.example", mailboxes, broken)
    reported = _tell_wrong(crowd, "1 % wrong", "some.example")
    exactly = {f"box{number:03}@some.example" for number in broken}
    say(f"  reported are exactly the {len(broken)} with a wrong password: {reported == exactly}")


def _tell_wrong(crowd: Crowd, what: str, domain: str, *, elsewhere: bool = False) -> set[str]:
    crowd.lab.forget()
    seen = crowd.watch(domain, crowd.unreachable() if elsewhere else None)
    server = crowd.lab.dovecot
    accepted, rejected = server.logins(), server.rejections() + server.rejections("smtp")
    say(f"{what}: {dict(seen.outcome.counts)} in {seen.seconds:.1f} s, IMAP accepted {accepted.total()}")
    say(f"  rejected {rejected.total()}, most of one mailbox {max(rejected.values(), default=0)}")
    for cause in seen.outcome.report.causes()[:3]:
        say(f"  {cause.count} {cause.impact}: {cause.code} ({cause.protocol or 'no server'})")
    codes = seen.outcome.codes
    return {address for address, code in codes.items() if code == "auth.rejected"}


def measure_store(folder: Path, count: int) -> None:
    """The use cases in both databases, without a history and with one."""
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(folder / "postgres"))
        for name, url in (("SQLite", f"sqlite:///{folder}/size.db"), ("PostgreSQL", postgres.new_database())):
            preflight = stack.enter_context(open_store(url, folder / name))
            fill(preflight, count)
            before = take(preflight, ROUNDS)
            add_history(preflight, count // 10, 20)
            say(f"-- {name}, {count} domains; ms without and with {count * 2} changes and {count * 22} runs of history")
            _tell_store(before, take(preflight, ROUNDS))


def _tell_store(before: Taken, after: Taken) -> None:
    for name, milliseconds in before.times.items():
        say(f"{name:12} {milliseconds:8.1f} {after.times[name]:8.1f}")
    for statement, line in after.scans.items():
        say(f"reads all of one of {', '.join(HISTORY)}: {line} <- {statement[:200]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.flows.size", description="Large numbers, measured.")
    parser.add_argument("--mailboxes", type=int, default=10_000)
    parser.add_argument("--domains", type=int, default=None)
    parser.add_argument("--only", choices=SECTIONS)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
