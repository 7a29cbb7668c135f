"""`python -m tests.flows.alert_kills [--kills N] [--seed N] [--postgres]`: workers die while they send alerts.

A worker process sends to a real SMTP server and a real HTTP server and is killed (SIGKILL) at a random moment, or just
as one of them takes a message: then it was sent, and nobody recorded it. At the end every alert has to be there, and a
receiver that drops the ids it knows sees each once. Exit status: 0 so it is, 1 it is not, or no kill hit that moment.
"""

import contextlib
import multiprocessing
import os
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from multiprocessing.process import BaseProcess
from pathlib import Path

import sqlalchemy as sa

from settings_store import schema
from settings_store.alerts.outbox import kind_of
from settings_store.db import Database
from settings_store.incidents.incidents import Severity
from settings_store.secrets import Vault, new_key
from tests.flows import alert_worker
from tests.flows.kill_command import main
from tests.servers.receivers import Hook, Mailbox, hook, mailbox, wait_until
from tests.settings_store.telling import Office

PATIENCE = 60.0
_KILL_ON_RECEIPT = 0.65
_AFTER_RECEIPT_SECONDS, _AFTER_START_SECONDS = 0.002, 0.12
_MAX_NEW = 8
_PARTS = re.compile(r"^(?:- )?(Broken|Works again): |\b([0-9a-f]{32})\b", re.MULTILINE)

Event = tuple[str, str]  # incident and kind


@dataclass
class Outcome:
    """What came of it. `between`: kills after a receiver had a message, before anybody recorded it as sent."""

    kills: int = 0
    between: int = 0
    messages: int = 0
    repeats: int = 0
    expected: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, and it was tried in earnest."""
        return not self.lost and not self.twice and self.between > 0 and self.repeats > 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.between} of them between sending and recording; {self.expected} alerts in "
            f"{self.messages} messages, {self.repeats} of these repeats with the same id; {len(self.lost)} lost, "
            f"{len(self.twice)} that a receiver would see as two"
        )


class Trial:
    """One database, two receivers, and workers that die."""

    def __init__(self, url: str, seed: int, box: Mailbox, web: Hook) -> None:
        self.url, self.key = url, new_key()
        self.chance = random.Random(seed)  # noqa: S311 - to be repeatable
        self.box, self.web = box, web
        self.received = threading.Event()
        box.on_message = web.on_call = self.received.set
        database = Database(url)
        database.migrate()
        self.office = Office(database, Vault([self.key]))
        self.office.channel("mail", url=f"mailto://127.0.0.1:{box.port}?mode=insecure&from=a@b.example&to=c@d.example")
        self.office.channel("hook", url=f"json://127.0.0.1:{web.port}/")
        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload([alert_worker.__name__])
        self.open: list[str] = []
        self.outcome = Outcome()

    def run(self, kills: int) -> Outcome:
        for number in range(kills):
            self._make_news(number)
            self._kill_one()
        self._finish()
        self._judge()
        self.office.database.close()
        return self.outcome

    def _make_news(self, number: int) -> None:
        """Some incidents open, some that are open end; often enough at once for a digest."""
        self.office.now = time.time()
        for count in range(self.chance.randint(1, _MAX_NEW)):
            severity = self.chance.choice((Severity.CRITICAL, Severity.WARNING))
            self.open.append(self.office.incident(f"endpoint:{number}:{count}", severity, host=""))
        for _ in range(self.chance.randint(0, 2)):
            self.office.resolve(self.open.pop(self.chance.randrange(len(self.open))))

    def _kill_one(self) -> None:
        known, self.outcome.kills = len(self._ids()), self.outcome.kills + 1
        on_receipt = self.chance.random() < _KILL_ON_RECEIPT
        with self._worker() as worker:
            self.received.clear()
            if on_receipt and self.received.wait(5):
                time.sleep(self.chance.uniform(0, _AFTER_RECEIPT_SECONDS))
            elif not on_receipt:
                time.sleep(self.chance.uniform(0, _AFTER_START_SECONDS))
            worker.kill()
            worker.join()
        self.outcome.between += bool(set(self._ids()[known:]) - self._recorded())

    @contextlib.contextmanager
    def _worker(self) -> Iterator[BaseProcess]:
        begun = self.processes.Event()
        worker = self.processes.Process(target=alert_worker.work, args=(self.url, self.key, begun), daemon=True)
        worker.start()
        try:
            assert begun.wait(PATIENCE), "the worker did not begin"
            yield worker
        finally:
            worker.kill()
            worker.join()

    def _finish(self) -> None:
        with self._worker():
            wait_until(self._all_sent, PATIENCE)

    def _all_sent(self) -> bool:
        with self.office.database.read() as conn:
            alerts, deliveries = schema.alerts.c, schema.deliveries.c
            left = sa.select(alerts.event_seq).where(alerts.delivery_id.is_(None), alerts.dropped.is_(None)).limit(1)
            unsent = sa.select(deliveries.id).where(deliveries.state != "sent").limit(1)
            return conn.execute(left).first() is None and conn.execute(unsent).first() is None

    def _recorded(self) -> set[str]:
        with self.office.database.read() as conn:
            sent = sa.select(schema.deliveries.c.id).where(schema.deliveries.c.state == "sent")
            return set(conn.execute(sent).scalars())

    def _ids(self) -> list[str]:
        return [*self.box.ids, *self.web.ids]

    # -- what the receivers have

    def _judge(self) -> None:
        ids = self._ids()
        self.outcome.messages, self.outcome.repeats = len(ids), len(ids) - len(set(ids))
        for name, seen in {"mail": _mail_events(self.box), "hook": _hook_events(self.web)}.items():
            events = Counter(seen)
            self.outcome.twice += [f"{name}: {event}" for event, count in events.items() if count > 1]
            wanted = self._wanted(name)
            self.outcome.expected += len(wanted)
            self.outcome.lost += [f"{name}: {event}" for event in wanted if not events[event]]

    def _wanted(self, channel: str) -> list[Event]:
        """All but what was resolved before it could be told."""
        alerts, channels, events = schema.alerts, schema.alert_channels, schema.events
        query = sa.select(alerts.c.incident_id, events.c.kind).join_from(alerts, channels)
        query = query.join(events, events.c.seq == alerts.c.event_seq)
        with self.office.database.read() as conn:
            rows = conn.execute(query.where(channels.c.name == channel, alerts.c.dropped.is_(None)))
            return [(row.incident_id, kind_of(row.kind)) for row in rows]


def _mail_events(box: Mailbox) -> list[Event]:
    firsts: dict[str, Message] = {}
    for mail in box.mails:
        firsts.setdefault(str(mail["Message-ID"]), mail)
    return [event for mail in firsts.values() for event in _events(str(mail["Subject"]), mail.get_content())]  # type: ignore[attr-defined] # the default policy has it


def _hook_events(web: Hook) -> list[Event]:
    firsts: dict[str, Mapping[str, str]] = {}
    for number, call in enumerate(web.calls):
        firsts.setdefault(call.headers["webhook-id"], web.document(number))
    return [event for told in firsts.values() for event in _events(told["title"], told["message"])]


def _events(subject: str, text: str) -> list[Event]:
    """What a message tells: in a digest, an event and the incident it is about take turns."""
    found = _PARTS.findall(text if text.count("\n- ") else f"{subject}\n{text}")
    kinds = [{"Broken": "opened", "Works again": "resolved"}[kind] for kind, _ in found if kind]
    incidents = [incident for _, incident in found if incident]
    assert len(kinds) == len(incidents) > 0, text
    return list(zip(incidents, kinds, strict=True))


def trial(url: str, kills: int, seed: int) -> Outcome:
    """So many kills on an empty database."""
    with mailbox() as box, hook() as web:
        return Trial(url, seed, box, web).run(kills)


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])  # where the forked workers find their modules
    sys.exit(main("alert_kills", __doc__ or "", trial, sys.argv[1:]))
