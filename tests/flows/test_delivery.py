"""Messages come twice, in any order, late, or not at all: the report and the logins stay the same.

There is no broker here. The test is the broker: it keeps what is published and delivers it as it likes.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection

from checks.model import Unavailable
from settings_store.changes.changes import Saved
from settings_store.runs import outcomes, pages
from settings_store.runs.runs import Phase
from tests.flows.harness import Outcome, System, account_of, boxes_of, outcome, seen, settings_of, user_of
from tests.servers.lab import MailLab
from worker.finished_runs import finish
from worker.resources import Resources, TaskName
from worker.runs.flow import Flow
from worker.runs.lane import Lane, RouteCache
from worker.service.preflight import Preflight

DOMAIN = "delivery.example"
COUNT, WRONG = 30, (3, 8, 21)
TASKS: tuple[TaskName, ...] = ("start_run", "run_page", "finish_run")


@dataclass
class Post:
    """A run whose messages are in our hands. `late` is how many seconds our clock is ahead."""

    preflight: Preflight
    saved: Saved
    late: float = 0.0
    waiting: list[TaskName] = field(default_factory=list)
    cache: RouteCache = field(default_factory=RouteCache)

    def __post_init__(self) -> None:
        parts = self.preflight
        resources = Resources(parts.database, parts.vault, parts.config, self._publish, lambda: time.time() + self.late)
        self.flow = Flow(resources, finish)
        self.waiting.append("start_run")

    def _publish(self, name: TaskName, run_id: str) -> None:
        assert run_id == self.saved.run_id
        self.waiting.append(name)

    def deliver(self, name: TaskName) -> None:
        """Does what a worker does with a message."""
        if name == "run_page":
            Lane(self.flow, self.cache, self.saved.run_id).run()
        elif name == "start_run":
            self.flow.start_run(self.saved.run_id)
        else:
            self.flow.finish_run(self.saved.run_id)

    def finish(self) -> Outcome:
        """Delivers what waits, in order, until nothing does."""
        for _ in range(200):
            if not self.waiting:
                return outcome(self.preflight, self.saved)
            self.deliver(self.waiting.pop(0))
        raise AssertionError(f"messages without end: {self.waiting}")

    def sweep(self) -> int:
        """A sweep after everything has been quiet for long enough."""
        self.late += 100
        return self.flow.sweep()

    @property
    def stage(self) -> str:
        with self.preflight.database.read() as conn:
            return outcomes.tally(conn, self.saved.run_id).stage


@pytest.fixture
def post(database_system: System, lab: MailLab) -> Iterator[Post]:
    database_system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=WRONG))
    with database_system.open(page_size=4) as preflight:
        # none of the canaries is among the wrong, so that every path is taken in every run of the tests
        with preflight.database.begin() as conn:
            conn.exec_driver_sql("UPDATE mailboxes SET state = 'connected' WHERE address > 'box022'")
        preflight.flow.resources.publish = lambda *_: None
        yield Post(preflight, account_of(preflight).changes.save(DOMAIN, settings_of(lab)))


def assert_as_ever(found: Outcome, lab: MailLab) -> None:
    """The report is right and each mailbox has logged in once."""
    assert found.counts == {"keeps_working": COUNT - len(WRONG), "will_disconnect": len(WRONG)}
    assert sum(found.counts.values()) == COUNT
    log = seen(lab)
    assert log.imap == log.smtp
    assert sorted(log.imap_rejected) == [user_of(number) for number in WRONG]
    assert len(log.attempts) == log.attempts.total() == COUNT
    assert not log.smtp_rejected


@pytest.mark.both_modes
def test_in_order(post: Post, lab: MailLab) -> None:
    assert_as_ever(post.finish(), lab)


@pytest.mark.both_modes
def test_every_message_twice(post: Post, lab: MailLab) -> None:
    for _ in range(200):
        if not post.waiting:
            break
        name = post.waiting.pop(0)
        post.deliver(name)
        post.deliver(name)
    assert_as_ever(post.finish(), lab)


def test_a_page_that_cannot_be_claimed(post: Post, lab: MailLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a database that takes no claim while mailboxes are under way, then those get their result all the same."""
    real, refused = pages.claim, list[int]()

    def claim(conn: Connection, run_id: str, phase: Phase, owner: str, *rest: Any, **options: Any) -> int | None:
        number = real(conn, run_id, phase, owner, *rest, **options)
        if number is not None and pages.held(conn, run_id, phase, owner) > 1 and len(refused) < 3:
            refused.append(number)
            raise Unavailable("the disk is full")
        return number

    monkeypatch.setattr(pages, "claim", claim)
    assert_as_ever(post.finish(), lab)
    assert len(refused) == 3


@pytest.mark.parametrize("name", ["finish_run", "run_page"])
def test_a_late_step_before_the_first(post: Post, lab: MailLab, name: TaskName) -> None:
    """Nothing is planned yet, and "nothing left to do" must not be read out of that."""
    post.deliver(name)

    assert post.stage == "queued"
    assert_as_ever(post.finish(), lab)


@pytest.mark.parametrize("seed", range(2))
def test_any_message_at_any_time(post: Post, lab: MailLab, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a shuffle that can be repeated, no secret
    for _ in range(12):
        post.deliver(chance.choice(TASKS))
        chance.shuffle(post.waiting)
        if post.waiting and chance.random() < 0.5:
            post.deliver(post.waiting.pop())
    assert_as_ever(post.finish(), lab)


def test_after_the_end_nothing_changes(post: Post, lab: MailLab) -> None:
    before = post.finish()

    for name in TASKS:
        post.deliver(name)

    assert post.waiting == []
    after = outcome(post.preflight, post.saved)
    assert (after.report.checksum, after.lines) == (before.report.checksum, before.lines)
    assert_as_ever(after, lab)


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_lost_message_is_made_up_for_by_the_sweep(post: Post, lab: MailLab, lost: int) -> None:
    for _ in range(lost):
        post.deliver(post.waiting.pop(0))
    post.waiting.clear()
    assert post.stage != "finished"

    assert post.sweep() == 1

    assert_as_ever(post.finish(), lab)


def test_the_sweep_leaves_alone_what_is_at_work_or_done(post: Post) -> None:
    assert post.flow.sweep() == 0  # saved this very moment
    post.finish()
    assert post.sweep() == 0


@pytest.mark.both_modes
def test_two_sweeps_at_once_publish_once(post: Post) -> None:
    post.waiting.clear()
    assert [post.sweep(), post.flow.sweep()] == [1, 0]
    assert post.waiting == ["start_run"]


def test_a_second_lane_while_the_canaries_are_out_does_not_go_round_in_circles(post: Post) -> None:
    """Given canaries that another worker has, when a message comes twice, then it is not answered by yet another."""
    post.deliver("start_run")
    post.waiting.clear()
    now = time.time()
    with post.preflight.database.begin() as conn:
        page = pages.claim(conn, post.saved.run_id, "candidate", "another", now, now + 60, canaries=True)
    assert page == pages.CANARY_PAGE

    post.deliver("run_page")

    assert post.waiting == []


@pytest.mark.both_modes
def test_a_page_that_another_worker_has_is_left_to_it(post: Post, lab: MailLab) -> None:
    post.deliver("start_run")
    now = time.time()
    with post.preflight.database.begin() as conn:
        pages.claim(conn, post.saved.run_id, "candidate", "another", now, now + 60, canaries=False)

    post.deliver("run_page")

    assert post.stage == "canaries"
    assert not lab.dovecot.logins()


def test_a_worker_that_is_told_to_stop_passes_its_message_on(post: Post, lab: MailLab) -> None:
    """Given a worker that ends, when it still gets a message, then the message is there for another one."""
    post.deliver("start_run")
    post.waiting.clear()
    post.flow.resources.stopping.set()

    post.deliver("run_page")

    assert post.waiting == ["run_page"]
    assert not lab.dovecot.logins()
    post.flow.resources.stopping.clear()
    assert_as_ever(post.finish(), lab)


def test_an_unknown_run_is_nobody_s_business(post: Post) -> None:
    post.waiting.clear()
    post.saved = Saved("no-change", "no-run")
    for name in TASKS:
        post.deliver(name)
    assert post.waiting == []


@pytest.mark.both_modes
def test_a_death_between_the_canaries_and_their_judgement(
    database_system: System, lab: MailLab, other_lab: MailLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a domain of canaries only and settings in force, when the worker dies then, the baseline is still asked.

    Both are unknown to the proposed server, too few to blame it; one of them works with those in force.
    """
    database_system.load(DOMAIN, boxes_of(lab, DOMAIN, 104, wrong=[102])[102:])
    with database_system.open() as preflight:
        preflight.flow.resources.publish = lambda *_: None
        first = Post(preflight, account_of(preflight).changes.save(DOMAIN, settings_of(lab)))
        first.finish()
        account_of(preflight).changes.apply(first.saved.change_id, 1)
        with preflight.database.begin() as conn:
            conn.exec_driver_sql("UPDATE mailboxes SET state = 'unknown'")
        post = Post(preflight, account_of(preflight).changes.save(DOMAIN, settings_of(other_lab, host="127.0.0.1")))
        post.deliver(post.waiting.pop(0))
        monkeypatch.setattr(post.flow, "judge_canaries", _die)
        with pytest.raises(SystemError):
            post.deliver(post.waiting.pop(0))
        monkeypatch.undo()
        post.sweep()
        found = post.finish()

    assert set(found.codes.values()) == {"auth.rejected"}
    assert found.counts == {"will_disconnect": 1, "already_disconnected": 1}


def _die(run_id: str) -> None:
    raise SystemError(run_id)
