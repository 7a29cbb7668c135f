"""What runs rest on: leases that one owner has, results that the first one writes, stages that move once."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, pairwise

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import Endpoint, LoginResult, MailboxState, Protocol
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.changes import changes
from settings_store.changes.changes import Saved
from settings_store.db import Database
from settings_store.runs import endpoints, outcomes, pages, planning, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.pages import CANARY_PAGE
from settings_store.runs.runs import BASELINE, CANDIDATE

SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.example.com", 993), Endpoint(Protocol.SMTP, "smtp.example.com", 465)
)
COUNT, CANARIES, PAGE_SIZE = 12, 3, 4
NOW = 1_000_000.0


@dataclass
class Planned:
    """A planned run."""

    database: Database
    saved: Saved
    domain_id: int

    @property
    def run_id(self) -> str:
        return self.saved.run_id

    def begin(self) -> AbstractContextManager[sa.Connection]:
        return self.database.begin()

    def plan(self) -> None:
        with self.begin() as conn:
            run = runs.load(conn, self.run_id)
            assert run is not None
            planning.plan(conn, run, CANARIES, PAGE_SIZE)

    def claim(self, owner: str, *, now: float = NOW, canaries: bool = False) -> int | None:
        with self.begin() as conn:
            return pages.claim(conn, self.run_id, CANDIDATE, owner, now, now + 30, canaries=canaries)

    def take(self, conn: sa.Connection, abandoned: dict[int, float]) -> int | None:
        times = NOW + 31, NOW + 61
        return pages.claim(conn, self.run_id, CANDIDATE, "b", *times, canaries=True, abandoned=abandoned)

    def work(self, number: int) -> list[int]:
        with self.begin() as conn:
            return [work.mailbox_id for work in pages.work(conn, self.run_id, CANDIDATE, number)]

    def save(self, mailbox_ids: list[int], code: Code = Code.OK, verdict: Verdict = Verdict.OK) -> None:
        results = [Done(one, LoginResult(verdict, code, Protocol.IMAP, "said", 1.5)) for one in mailbox_ids]
        with self.begin() as conn:
            outcomes.save(conn, self.run_id, CANDIDATE, results)

    def move(self, *stages: runs.Stage) -> None:
        for source, target in pairwise(stages):
            with self.begin() as conn:
                assert runs.move(conn, self.run_id, (source,), target, NOW)

    def rows(self) -> list[outcomes.Row]:
        with self.database.read() as conn:
            return list(outcomes.rows(conn, self.run_id))


@pytest.fixture
def run(database: Database) -> Planned:
    with database.begin() as conn:
        domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), "lab.example")
        conn.execute(
            schema.mailboxes.insert(),
            [
                {
                    "domain_id": domain_id,
                    "address": f"box{n:02}@lab.example",
                    "username": f"box{n:02}",
                    "credential": b"x",
                }
                for n in range(COUNT)
            ],
        )
        saved = changes.save(conn, domain_id, SETTINGS, NOW)
    planned = Planned(database, saved, domain_id)
    planned.plan()
    return planned


def together(*jobs: Callable[[], object]) -> list[object]:
    """What the jobs return when they are let go at the same moment."""
    results: list[object] = [None] * len(jobs)
    start = threading.Barrier(len(jobs))

    def work(place: int, job: Callable[[], object]) -> None:
        start.wait(10)
        results[place] = job()

    threads = [threading.Thread(target=work, args=item) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


class TestPlan:
    def test_every_mailbox_is_on_one_page_and_canaries_on_the_first(self, run: Planned) -> None:
        pages = [run.work(number) for number in range(4)]

        assert len(pages[CANARY_PAGE]) == CANARIES
        assert len(set(chain(*pages))) == sum(map(len, pages)) == COUNT
        assert all(len(page) <= PAGE_SIZE for page in pages)

    def test_a_second_plan_changes_nothing(self, run: Planned) -> None:
        before = [run.work(number) for number in range(4)]
        run.plan()
        assert [run.work(number) for number in range(4)] == before

    def test_mailboxes_of_another_domain_stay_out(self, run: Planned) -> None:
        with run.begin() as conn:
            other = domains.ensure_domain(conn, domains.ensure_account(conn), "other.example")
            saved = changes.save(conn, other, SETTINGS, NOW)
        elsewhere = Planned(run.database, saved, other)
        elsewhere.plan()
        assert elsewhere.rows() == []
        assert len(run.rows()) == COUNT


class TestRunLease:
    def test_one_owner_at_a_time(self, run: Planned) -> None:
        def claim(owner: str) -> Callable[[], bool]:
            def job() -> bool:
                with run.begin() as conn:
                    return runs.claim(conn, run.run_id, owner, NOW, NOW + 90)

            return job

        assert sorted(map(bool, together(*map(claim, "abcd")))) == [False, False, False, True]

    def test_free_again_after_release_and_after_its_time(self, run: Planned) -> None:
        with run.begin() as conn:
            assert runs.claim(conn, run.run_id, "a", NOW, NOW + 90)
            runs.release(conn, run.run_id, "b")  # not b's to give back
            assert not runs.claim(conn, run.run_id, "b", NOW + 1, NOW + 90)
            runs.release(conn, run.run_id, "a")
            assert runs.claim(conn, run.run_id, "b", NOW + 2, NOW + 90)
            assert runs.claim(conn, run.run_id, "c", NOW + 91, NOW + 200)

    def test_not_after_the_end(self, run: Planned) -> None:
        with run.begin() as conn:
            assert runs.finish(conn, run.run_id, {"keeps_working": 0}, "sum", NOW)
            assert not runs.claim(conn, run.run_id, "a", NOW, NOW + 90)
            assert not runs.finish(conn, run.run_id, {"keeps_working": 9}, "another", NOW)
            found = runs.load(conn, run.run_id)
        assert found is not None
        assert (found.counts, found.checksum) == ({"keeps_working": 0}, "sum")


class TestPages:
    def test_each_page_goes_to_one_owner(self, run: Planned) -> None:
        taken = together(*(lambda owner=owner: run.claim(owner) for owner in "abcdef"))

        numbers = [number for number in taken if number is not None]
        assert len(numbers) == len(set(numbers))
        # PostgreSQL gives every one of the four away; so does SQLite, one after the other
        assert sorted(map(str, numbers)) == ["0", "1", "2", "3"]

    def test_canaries_only(self, run: Planned) -> None:
        assert run.claim("a", canaries=True) == CANARY_PAGE
        assert run.claim("b", canaries=True) is None
        assert run.claim("b") == 1

    def test_a_lease_runs_out_unless_it_is_renewed(self, run: Planned) -> None:
        assert run.claim("a") == 0
        with run.begin() as conn:
            assert pages.renew(conn, run.run_id, CANDIDATE, "a", NOW + 20, NOW + 50) == "queued"
        assert run.claim("b", now=NOW + 40) == 1
        assert run.claim("c", now=NOW + 51, canaries=True) == 0

    def test_what_nobody_ever_had_comes_before_what_lapsed(self, run: Planned) -> None:
        assert run.claim("a") == 0
        assert [run.claim("b", now=NOW + 31) for _ in range(4)] == [1, 2, 3, 0]

    def test_a_lapsed_lease_is_taken_only_as_it_was_seen(self, run: Planned) -> None:
        """Given a lease that lapsed, when it was renewed since it was looked at, then it is not taken."""
        assert run.claim("a") == 0
        with run.begin() as conn:
            seen = pages.lapsed(conn, run.run_id, CANDIDATE, NOW + 31, canaries=True)
            assert seen == {0: NOW + 30}
            assert run.take(conn, {0: NOW + 29}) is None
            assert run.take(conn, seen) == 0

    def test_a_clock_that_was_put_back_leaves_no_lease_for_hours(self, run: Planned) -> None:
        assert run.claim("a") == 0
        assert run.claim("b", now=NOW - 3600, canaries=True) == 0

    def test_an_owner_who_lost_a_page_does_not_get_it_back_by_renewing(self, run: Planned) -> None:
        assert run.claim("a") == 0
        assert run.claim("b", now=NOW + 31, canaries=True) == 0
        with run.begin() as conn:
            pages.renew(conn, run.run_id, CANDIDATE, "a", NOW + 40, NOW + 70)
            pages.close_own(conn, run.run_id, CANDIDATE, "a")
            assert pages.free(conn, run.run_id, CANDIDATE, NOW + 60) == 3  # b's is not free before NOW + 61
            assert pages.count_open(conn, run.run_id, CANDIDATE) == 4

    def test_closing_ends_finished_pages_and_frees_the_others(self, run: Planned) -> None:
        assert [run.claim("a"), run.claim("a")] == [0, 1]
        run.save(run.work(0))
        run.save(run.work(1)[:-1])  # of the canaries, some may come from this page: one is left in any case
        with run.begin() as conn:
            pages.close_own(conn, run.run_id, CANDIDATE, "a")
            assert pages.count_open(conn, run.run_id, CANDIDATE) == 3
            assert pages.free(conn, run.run_id, CANDIDATE, NOW) == 3
        left = run.work(1)
        assert run.claim("b") == 1
        assert len(left) > 0

    def test_work_is_what_has_no_result(self, run: Planned) -> None:
        first, *others = run.work(1)
        run.save([first])
        assert run.work(1) == others

    def test_a_mailbox_without_credential_is_no_work(self, run: Planned) -> None:
        first, *others = run.work(1)
        with run.begin() as conn:
            conn.execute(schema.mailboxes.update().where(schema.mailboxes.c.id == first).values(credential=None))
            outcomes.settle_without_credential(conn, run.run_id)
        assert run.work(1) == others
        assert [row.code for row in run.rows()].count(Code.CREDENTIAL_MISSING) == 1


class TestResults:
    def test_the_first_result_stays(self, run: Planned) -> None:
        mailboxes = [one for number in range(4) for one in run.work(number)]
        run.save(mailboxes[:2])
        run.save(mailboxes, Code.AUTH_REJECTED, Verdict.FAIL)

        codes = [row.code for row in run.rows()]
        assert codes.count(Code.OK) == 2
        assert codes.count(Code.AUTH_REJECTED) == len(mailboxes) - 2

    def test_two_owners_at_once_leave_one_result_each(self, run: Planned) -> None:
        mailboxes = [one for number in range(4) for one in run.work(number)]
        together(
            lambda: run.save(mailboxes),
            lambda: run.save(mailboxes, Code.AUTH_REJECTED, Verdict.FAIL),
        )

        codes = {(row.verdict, row.code) for row in run.rows()}
        assert codes <= {(Verdict.OK, Code.OK), (Verdict.FAIL, Code.AUTH_REJECTED)}
        with run.database.read() as conn:
            tally = outcomes.tally(conn, run.run_id)
        assert tally.ok + tally.fail == tally.total == COUNT

    def test_settling_spares_what_is_known(self, run: Planned) -> None:
        run.save(run.work(CANARY_PAGE), Code.AUTH_REJECTED, Verdict.FAIL)
        with run.begin() as conn:
            assert (
                outcomes.settle(conn, run.run_id, Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED, None, "")
                == COUNT - CANARIES
            )
            assert outcomes.settle(conn, run.run_id, Verdict.OK, Code.OK, None, "") == 0
            assert outcomes.of_page(conn, run.run_id, CANDIDATE, CANARY_PAGE) == [
                (Verdict.FAIL, Code.AUTH_REJECTED, CANARIES)
            ]

    def test_rows_come_by_address_with_all_that_is_known(self, run: Planned) -> None:
        (first, *_) = run.work(1)
        run.save([first], Code.AUTH_LOCKED, Verdict.FAIL)

        rows = run.rows()
        assert [row.address for row in rows] == sorted(row.address for row in rows)
        (known,) = (row for row in rows if row.verdict)
        assert (known.verdict, known.code, known.protocol, known.seen) == (Verdict.FAIL, "auth.locked", "imap", "said")
        assert {row.before for row in rows} == {MailboxState.CONNECTED}  # nothing is in force: the cautious reading

    def test_an_endpoint_s_first_document_stays(self, run: Planned) -> None:
        with run.begin() as conn:
            endpoints.save(conn, run.run_id, CANDIDATE, "imap", {"n": 1})
            endpoints.save(conn, run.run_id, CANDIDATE, "imap", {"n": 2})
            endpoints.save(conn, run.run_id, BASELINE, "imap", {"n": 3})
            assert endpoints.documents(conn, run.run_id, CANDIDATE) == {"imap": {"n": 1}}


class TestStages:
    def test_one_of_two_moves(self, run: Planned) -> None:
        run.move("queued", "endpoints", "canaries")

        def move() -> bool:
            with run.begin() as conn:
                return runs.move(conn, run.run_id, ("canaries",), "mailboxes", NOW)

        assert sorted(map(bool, together(move, move, move))) == [False, False, True]

    def test_the_newer_change_cancels_the_older_run_for_good(self, run: Planned) -> None:
        with run.begin() as conn:
            newer = changes.save(conn, run.domain_id, SETTINGS, NOW + 1)
            assert not runs.finish(conn, run.run_id, {}, "late", NOW + 2)
            changes.mark_verified(conn, run.saved.change_id, NOW + 2)
            assert changes.load(conn, run.saved.change_id).state == "superseded"
            assert changes.load(conn, newer.change_id).state == "verifying"

    def test_two_changes_saved_at_once_leave_one_open(self, run: Planned) -> None:
        def save() -> Saved:
            with run.begin() as conn:
                return changes.save(conn, run.domain_id, SETTINGS, NOW + 1)

        together(save, save, save)

        query = sa.select(schema.changes.c.state, sa.func.count()).group_by(schema.changes.c.state)
        with run.database.read() as conn:
            counts = {row[0]: row[1] for row in conn.execute(query)}
        assert counts == {"superseded": 3, "verifying": 1}


class TestStalled:
    def found(self, run: Planned, now: float) -> list[str]:
        with run.begin() as conn:
            return [one.id for one in runs.stalled(conn, now, 10, 50)]

    def test_only_when_it_was_quiet_for_long_enough(self, run: Planned) -> None:
        assert self.found(run, NOW + 9) == []
        assert self.found(run, NOW + 11) == [run.run_id]

    def test_not_while_a_page_is_leased(self, run: Planned) -> None:
        run.claim("a")
        assert self.found(run, NOW + 29) == []
        assert self.found(run, NOW + 31) == [run.run_id]

    def test_not_while_the_run_itself_is(self, run: Planned) -> None:
        with run.begin() as conn:
            runs.claim(conn, run.run_id, "a", NOW, NOW + 90)
        assert self.found(run, NOW + 89) == []
        assert self.found(run, NOW + 91) == [run.run_id]

    def test_not_after_the_end_and_not_twice(self, run: Planned) -> None:
        with run.begin() as conn:
            runs.touch(conn, run.run_id, NOW + 20)
        assert self.found(run, NOW + 29) == []
        with run.begin() as conn:
            runs.finish(conn, run.run_id, {}, "", NOW)
        assert self.found(run, NOW + 100) == []
