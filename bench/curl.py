"""The yardstick: one `curl --parallel` that logs the same mailboxes in on the same servers."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from bench.field import HOST, Field, Ports, say
from bench.meter import measure
from bench.plan import AT_ONCE, Void
from bench.sample import Sample


class Request(StrEnum):
    """What curl asks for after an IMAP login. After an SMTP login it is always QUIT.

    With EXAMINE the servers have the same work as with us. But then curl closes the connection later and everything
    waits for the answer to its LOGOUT, one connection after the other. Behind a delay that would be two thirds of
    curl's time, and a flattering comparison; with LOGOUT as the request it is not so.
    """

    EXAMINE = "EXAMINE INBOX"
    LOGOUT = "LOGOUT"


def run_curl(field: Field, ports: Ports, count: int, request: Request) -> Sample:
    """Logs in the first `count` mailboxes. Raises `Void` when curl or the servers' logs miss a login."""
    with field.witnessed(count):
        return _run(field, ports, field.mailboxes(count), request)


def warm_up(field: Field, count: int) -> None:
    """The first login of a mailbox makes the server create it, so that login is not measured."""
    if field.warmed < count:
        say(f"Warming up {count - field.warmed:,} mailboxes ...")
        _run(field, field.near, field.mailboxes(count, field.warmed), Request.EXAMINE)
        field.warmed = count


def _run(field: Field, ports: Ports, mailboxes: list[tuple[str, str]], request: Request) -> Sample:
    file = field.folder / "curl.conf"
    file.touch(mode=0o600)
    file.write_text(_configuration(field.lab.ca_file, ports, mailboxes, request))
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", str(AT_ONCE)]
    usage = measure(["curl", "--disable", *parallel, "--config", str(file)], field.folder)  # no ~/.curlrc
    outcomes = Counter(usage.output.split())
    if usage.status or outcomes != {"0": 2 * len(mailboxes)}:
        raise Void(f"curl exits with {usage.status}; its transfers, by exit status: {dict(outcomes)}")
    return Sample(usage.wall, usage.wall, usage.cpu, 0.0, usage.peak)


def _configuration(ca_file: Path, ports: Ports, mailboxes: Iterable[tuple[str, str]], request: Request) -> str:
    """One section a login; it holds the passwords because every user of the machine can read a command line."""
    asked = ((f"imaps://{HOST}:{ports.imap}/", request.value), (f"smtps://{HOST}:{ports.smtp}/", "QUIT"))
    return "next\n".join(
        f'url = "{url}"\nuser = "{name}:{password}"\nrequest = "{verb}"\ncacert = "{ca_file}"\n'
        'output = "/dev/null"\nwrite-out = "%{exitcode}\\n"\nsilent\nshow-error\n'
        for name, password in mailboxes
        for url, verb in asked
    )
