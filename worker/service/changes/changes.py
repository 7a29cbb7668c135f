"""The use cases of changes: saved, verified, put in force, taken back, given up, taken up again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from checks.language import Language
from checks.model import Invalid, Unknown
from checks.settings import Settings, normalise_domain
from settings_store import audit, domains
from settings_store.audit import Entry
from settings_store.changes import applying, approval, changes, credentials
from settings_store.changes.changes import Change, Saved
from settings_store.changes.lifecycle import UNAPPLIED, Reason, Refused, has_no_report, refusal
from settings_store.changes.watches import Watch
from settings_store.connecting import waiting
from settings_store.mailboxes import correlation
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.rows import MailboxRow, given_rows
from settings_store.runs import endpoints, runs
from settings_store.runs.runs import Run
from worker import tracing
from worker.changes import report_rows
from worker.changes.report import MailboxLine, Report, with_findings
from worker.changes.report_rows import Wanted
from worker.runs.endpoints import results_of
from worker.service.bound_to import Binding
from worker.service.changes.change_view import Live, Looked, endpoints_of, looked_at
from worker.service.changes.staleness import Stale, stale_of


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that took effect."""

    domain: str
    settings: Settings
    will_disconnect: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A change of a domain as it is listed. `ways` are the commands that would be accepted for it now."""

    id: str
    short_id: str
    state: str
    saved_at: float
    saved_by: str
    settings: Settings
    ways: list[str]


@dataclass(frozen=True, slots=True)
class Changes:
    """Of one account. Each raises `Invalid` for a change that the account does not have."""

    _to: Binding

    @property
    def watch_minutes(self) -> float:
        """How long the mailboxes are watched after applying, unless it is said otherwise."""
        return self._to.config.watch_minutes

    @tracing.step("save")
    def save(
        self,
        domain: str,
        settings: Settings,
        mailboxes: Path | Sequence[Mapping[str, str]] | None = None,
        *,
        corrects: str | None = None,
    ) -> Saved:
        """Saves a change with its run, then asks for the run. Saving never fails because a server is down.

        `mailboxes` are credentials that come with the change: they are tried with it, and in force when it is. A CSV
        file, or values by the names of its columns. Members who wait for settings come with it. Raises `Invalid` that
        names row and field, and nothing is saved.

        `corrects`: an unapplied change of the domain, whose credentials come with this one instead.
        """
        to = self._to
        if settings.static_addresses and not to.config.static_addresses:
            raise Invalid(
                "this service has no static addresses; its operator sets MAIL_PREFLIGHT_STATIC_ADDRESSES",
                "settings/static_addresses",
            )
        rows = _rows(mailboxes, normalise_domain(domain)) if mailboxes else None
        with to.database.begin() as conn:
            now, domain_id = to.database.now(), domains.ensure_domain(conn, to.account_id, domain)
            source = self._unapplied(conn, corrects, domain_id) if corrects is not None else None
            saved = changes.save(conn, domain_id, settings, now, to.actor)
            if source is not None:
                credentials.carry_over(conn, source.id, saved.change_id, now)
                credentials.settle_known(conn, saved.change_id, domain_id)
            if rows is not None:
                proposed = credentials.propose(conn, saved.change_id, domain_id, rows, to.vault, now)
                saved = replace(saved, proposed=proposed)
            waiting.accompany(conn, saved.change_id, domain_id, now)
            credentials.recall_rejections(conn, saved.change_id, domain_id)
        to.publish("start_run", saved.run_id)
        return saved

    def domain_of(self, change_id: str) -> str:
        """The domain that a change is of. Raises `Unknown`."""
        with self._to.database.read() as conn:
            return changes.get(conn, self._to.account_id, change_id).domain

    def _unapplied(self, conn: Connection, change_id: str, domain_id: int) -> Change:
        change = changes.get(conn, self._to.account_id, change_id)
        if change.domain_id != domain_id:
            raise Unknown(f"there is no change {change_id!r} of this domain", "change_id")
        if change.state not in UNAPPLIED:
            raise refusal(change.state, "corrected", change.id)
        return change

    def stale(self, change_id: str) -> Stale:
        """Why the change's report may not say what is true any more, and what has moved meanwhile.

        Raises `Refused` where there is no report.
        """
        to = self._to
        with to.database.read() as conn:
            change = changes.get(conn, to.account_id, change_id)
            run = self._finished(conn, change)
            return stale_of(conn, change, run, to.database.now(), to.config.report_minutes * 60)

    def checksum(self, change_id: str) -> str:
        """That of the change's report. Raises `Refused` where there is none."""
        with self._to.database.read() as conn:
            change = changes.get(conn, self._to.account_id, change_id)
            return self._finished(conn, change).checksum or ""

    def mailboxes(
        self, change_id: str, wanted: Wanted, after: str, limit: int, checksum: str | None = None
    ) -> list[MailboxLine]:
        """At most `limit` mailboxes of the change's report by address, of those after that address.

        Raises `Refused` where there is no report, or where it is not the one with `checksum`.
        """
        with self._to.database.read() as conn:
            run = self._finished(conn, changes.get(conn, self._to.account_id, change_id))
            if checksum is not None and checksum != run.checksum:
                raise Refused("the report is another one by now", Reason.OTHER_REPORT)
            return report_rows.page(conn, run, wanted, after, limit)

    def _finished(self, conn: Connection, change: Change) -> Run:
        run = runs.of_change(conn, change.id)
        if run is None or run.counts is None:
            raise has_no_report(change.state, change.id)
        return run

    def report(self, change_id: str, language: Language = Language.EN) -> Report:
        """The report of a change. Raises `Invalid` for a run that has not finished, too."""
        with self._to.database.read() as conn:
            change = changes.get(conn, self._to.account_id, change_id)
            return self._report(conn, change, self._finished(conn, change), language)

    def reviewed(self, change_id: str, language: Language = Language.EN) -> tuple[Looked, Report | None]:
        """A change as it is now with its report, None where there is none."""
        to = self._to
        with to.database.read() as conn:
            change, now, max_age = changes.get(conn, to.account_id, change_id), *self._age
            run = runs.of_change(conn, change.id)
            if run is None or run.counts is None:
                return looked_at(conn, change, now, max_age, to.actor), None
            report = self._report(conn, change, run, language)
            return looked_at(conn, change, now, max_age, to.actor, report.step), report

    @property
    def _age(self) -> tuple[float, float]:
        """Now, and for how many seconds a report may be acted upon."""
        return self._to.database.now(), self._to.config.report_minutes * 60

    def _report(self, conn: Connection, change: Change, run: Run, language: Language) -> Report:
        to = self._to
        results = results_of(endpoints.documents(conn, run.id, runs.CANDIDATE))
        results = with_findings(results, correlation.found(conn, run.id), sum((run.counts or {}).values()))
        return Report(
            change_id=change.id,
            run_id=run.id,
            domain=change.domain,
            endpoints=results,
            counts=run.counts or {},
            checksum=run.checksum or "",
            stop_code=run.stop_code,
            stop_detail=run.stop_detail,
            database=to.database,
            language=language,
            step=applying.next_step(conn, change, *self._age),
            short_id=changes.short_id(conn, to.account_id, change),
            ticked=domains.load_settings(conn, run.settings_id).allow_insecure_certificate,
            reported_at=run.finished_at or 0.0,
        )

    def apply(
        self,
        change_id: str,
        accept_disconnects: int | None = None,
        *,
        checksum: str | None = None,
        watch: Watch | None = None,
    ) -> Applied:
        """Puts a change in force, or raises `Refused` with the reason and leaves all as it was.

        Afterwards the mailboxes are watched for the configured time, unless `watch` says otherwise.
        """
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            count = applying.apply(
                conn,
                change,
                accept_disconnects,
                to.database.now(),
                to.config.report_minutes * 60,
                checksum=checksum,
                actor=to.actor,
                watch=watch or Watch(self.watch_minutes * 60),
            )
            return Applied(change.domain, domains.load_settings(conn, change.settings_id), count)

    def approve(self, change_id: str, checksum: str | None = None) -> Change:
        """Approves a change, as the second person whom its domain asks for, by its report's `checksum`.

        Raises `Refused`.
        """
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            max_age = to.config.report_minutes * 60
            return approval.approve(conn, change, checksum, to.database.now(), max_age, to.actor)

    def roll_back(self, change_id: str) -> Change:
        """Puts the settings in force again that were before the change. Raises `Refused`."""
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            return applying.roll_back(conn, change, to.database.now(), to.actor)

    def discard(self, change_id: str) -> Change:
        """Gives an unapplied change up. Raises `Refused`."""
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            return changes.discard(conn, change, to.database.now(), to.actor)

    def cancel(self, change_id: str) -> Change:
        """Ends a verification under way. Raises `Refused`."""
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            return changes.cancel(conn, change, to.database.now(), to.actor)

    def reopen(self, change_id: str) -> Change:
        """Takes a superseded or discarded change up again. Raises `Refused`."""
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            return changes.reopen(conn, change, to.database.now(), to.actor)

    def verify_again(self, change_id: str) -> Saved:
        """Verifies a change anew. Raises `Refused`."""
        to = self._to
        with to.database.begin() as conn:
            change = changes.get(conn, to.account_id, change_id)
            now = to.database.now()
            run_id = changes.verify(conn, change, now, to.actor)
            waiting.accompany(conn, change.id, change.domain_id, now)
        to.publish("start_run", run_id)
        return Saved(change.id, run_id)

    def resume(self, change_id: str) -> Saved:
        """Goes on with a change's run: where it was interrupted, or with the mailboxes that it has left untried.

        Raises `Refused` where there are none.
        """
        to, config = self._to, self._to.config
        with to.database.begin() as conn:
            change, now = changes.get(conn, to.account_id, change_id), to.database.now()
            run = changes.resume(conn, change, config.canaries, now, config.report_minutes * 60, to.actor)
        to.advance(run.id)
        return Saved(change.id, run.id)

    def look(self, change_id: str) -> Looked:
        """A change as it is now."""
        to = self._to
        with to.database.read() as conn:
            change = changes.get(conn, to.account_id, change_id)
            return looked_at(conn, change, to.database.now(), to.config.report_minutes * 60, to.actor)

    def live(self, change_id: str, language: Language) -> Live:
        """A change, with how far its verification is by now, in words."""
        from worker.events import following

        to, found = self._to, self.look(change_id)
        with to.database.read() as conn:
            run = runs.of_change(conn, found.id)
            ticked = found.settings.allow_insecure_certificate
            worded = endpoints_of(conn, run, language, ticked=ticked)
            begun_at = runs.begun_at(conn, run.id) if run else None
        return Live(found, worded, following.standing(to.database, [found.id], {})[found.id], begun_at)

    def page(self, domain: str, limit: int, before: tuple[float, str] | None = None) -> list[Looked]:
        """At most `limit` of a domain's changes as they are now, the newest first, of those saved before (time, id)."""
        to, max_age = self._to, self._to.config.report_minutes * 60
        with to.database.read() as conn:
            found = domains.find_domain(conn, to.account_id, domain)
            listed = changes.page_of_domain(conn, found.id, limit, before)
            return [looked_at(conn, change, to.database.now(), max_age, to.actor) for change in listed]

    def of_domain(self, domain: str, limit: int, after: str = "") -> list[Listed]:
        """A domain's changes, the newest first, with what can be done with each now: at most `limit`, of those that
        were saved before the change `after`. Raises `Invalid`.
        """
        to = self._to
        with to.database.read() as conn:
            found = domains.find_domain(conn, to.account_id, domain)
            last = changes.get(conn, to.account_id, after) if after else None
            before = (last.created_at, last.id) if last else None
            return [self._listed(conn, each) for each in changes.page_of_domain(conn, found.id, limit, before)]

    def _listed(self, conn: Connection, change: Change) -> Listed:
        to = self._to
        first = next(audit.of_change(conn, change.id), None)
        short = changes.short_id(conn, to.account_id, change)
        found = applying.ways(conn, change, to.database.now(), to.config.report_minutes * 60)
        return Listed(
            change.id,
            short,
            change.state.value,
            first.at if first else 0.0,
            first.actor.name if first else "",
            domains.load_settings(conn, change.settings_id),
            [f"mail-preflight {way.format(id=short)}" for way in found],
        )

    def history(self, change_id: str) -> tuple[Change, list[Entry]]:
        """A change and its log."""
        with self._to.database.read() as conn:
            change = changes.get(conn, self._to.account_id, change_id)
            return change, list(audit.of_change(conn, change.id))


def _rows(mailboxes: Path | Sequence[Mapping[str, str]], domain: str) -> Iterator[MailboxRow]:
    return read_csv(mailboxes, domain) if isinstance(mailboxes, Path) else given_rows(mailboxes, domain)
