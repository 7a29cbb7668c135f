"""A run whose results are written as its lanes write them, though nobody logs in: what looks on is what is measured."""

import time
from pathlib import Path

import sqlalchemy as sa

from bench.field import HOST
from bench.plan import Void
from checks.codes import Code, Verdict
from checks.model import Endpoint, LoginResult, Protocol, Security
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.audit import SERVICE
from settings_store.changes import changes
from settings_store.events import events, settled
from settings_store.events.kinds import ChangeResumed
from settings_store.runs import outcomes, planning, runs
from settings_store.runs.outcomes import Done
from worker.service.preflight import Preflight

DOMAIN = "lab.example"
_PAGE = 25
_STEP = 0.1  # seconds between two pages of results: 250 mailboxes a second
_TOLD_EVERY = 10  # pages between two events that are stored


def written_in(seconds: float) -> int:
    """How many mailboxes have results after so long."""
    return int(seconds / _STEP) * _PAGE


class WrittenRun:
    """A run of so many mailboxes of `DOMAIN` whose results come page by page.

    `committed` are the numbers of mailboxes that were done by then, each with when it was committed (`time.time`).
    """

    def __init__(self, preflight: Preflight, total: int, folder: Path) -> None:
        self._database, self.total = preflight.database, total
        self.committed: list[tuple[int, float]] = []
        path = folder / "boxes.csv"
        path.write_text("address,password\n" + "".join(f"box{n}@{DOMAIN},password\n" for n in range(total)))
        account = preflight.account(actor=SERVICE)
        account.mailboxes.import_file(DOMAIN, path)
        imap, smtp = (Endpoint(protocol, HOST, 1, Security.TLS) for protocol in (Protocol.IMAP, Protocol.SMTP))
        with self._database.begin() as conn:
            self._account_id = domains.find_account(conn, "default")
            domain = domains.find_domain(conn, self._account_id, DOMAIN)
            saved = changes.save(conn, domain.id, ImapSettings(imap, smtp), self._database.now())
            run = runs.load(conn, saved.run_id)
            if run is None:
                raise Void("the run that was saved is not there")
            planning.plan(conn, run, 2, _PAGE)
            boxes = sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.domain_id == domain.id)
            self._open = list(conn.execute(boxes).scalars())
        self.change_id, self._run_id = saved.change_id, saved.run_id

    def go_on(self, seconds: float, told_every: int = _TOLD_EVERY) -> dict[int, float]:
        """Results for so long, with a stored event every so many pages (0: none).

        Returns the numbers of these events, with when they were committed (`time.monotonic`).
        """
        result = LoginResult(Verdict.OK, Code.OK, Protocol.IMAP)
        told: dict[int, float] = {}
        for number in range(int(seconds / _STEP)):
            tells = bool(told_every) and number % told_every == 0
            page, self._open = self._open[:_PAGE], self._open[_PAGE:]
            with self._database.begin() as conn:
                outcomes.save(conn, self._run_id, runs.CANDIDATE, [Done(box, result) for box in page])
                if tells:
                    at = self._database.now()
                    resumed = ChangeResumed(subject=self.change_id, at=at, account_id=self._account_id)
                    events.record(conn, resumed)
            self.committed.append((self.total - len(self._open), time.time()))
            if tells:
                told[settled.look(self._database).last] = time.monotonic()
            time.sleep(_STEP)
        return told
