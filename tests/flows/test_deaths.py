"""Processes and the broker die in the middle: the report stays the same, and no stored result is asked for twice."""

import contextlib
import signal
from collections.abc import Iterator

import pytest

from settings_store.changes.changes import Saved
from tests.flows.harness import (
    Outcome,
    System,
    account_of,
    boxes_of,
    newest_run,
    outcome,
    seen,
    settings_of,
    stored,
    wait_for,
    write_csv,
)
from tests.servers.lab import MailLab
from tests.servers.redis import RedisServer
from worker.service.preflight import Preflight

DOMAIN = "deaths.example"
COUNT, WRONG = 120, frozenset(range(0, 120, 12))
MIDDLE = range(30, 100)
SLOW = {"PAGE_SIZE": "5", "LOGINS_AT_ONCE": "8", "LANES": "4"}  # a run long enough to have a middle


@contextlib.contextmanager
def saved_run(system: System, lab: MailLab) -> Iterator[tuple[Preflight, Saved]]:
    """A run that has been saved, and nobody in this process who works on it."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=WRONG))
    with system.open() as preflight:
        with preflight.database.begin() as conn:
            # the canaries are good ones: a run that is stopped has no middle
            conn.exec_driver_sql(
                "UPDATE mailboxes SET state = 'connected' WHERE address < 'box012' AND address > 'box001'"
            )
        yield preflight, account_of(preflight).changes.save(DOMAIN, settings_of(lab))


def wait_for_the_middle(preflight: Preflight, run_id: str) -> set[str]:
    """The user names whose results are stored when some are and many are not."""
    wait_for(lambda: len(stored(preflight, run_id)) >= MIDDLE.start, "some results are stored")
    known = stored(preflight, run_id)
    assert len(known) in MIDDLE, "the run was too quick to be disturbed in its middle"
    return known


def assert_as_ever(found: Outcome) -> None:
    """The report that a quiet run has."""
    assert found.counts == {"keeps_working": COUNT - len(WRONG), "will_disconnect": len(WRONG)}, found.report.endpoints
    wrong = {address for address, impact in found.impacts.items() if impact == "will_disconnect"}
    assert wrong == {f"box{number:03}@{DOMAIN}" for number in WRONG}


def assert_nobody_twice(lab: MailLab, known: set[str], most: int = 2) -> None:
    """Whoever had a result was left alone; whoever was lost on the way was tried `most` times at most."""
    log = seen(lab)
    assert len(log.attempts) == COUNT
    assert {log.attempts[user] for user in known} == {1}
    assert max(log.attempts.values()) <= most
    assert {log.smtp[user] for user in known} <= {0, 1}
    assert not log.smtp_rejected


def test_a_worker_is_killed(own_system: System, lab: MailLab) -> None:
    with own_system.working(2, **SLOW) as workers, saved_run(own_system, lab) as (preflight, saved):
        begin = {worker: worker.cpu_ticks for worker in workers}
        known = wait_for_the_middle(preflight, saved.run_id)
        busiest = max(workers, key=lambda worker: worker.cpu_ticks - begin[worker])
        busiest.kill()

        found = outcome(preflight, saved)

    assert_as_ever(found)
    assert_nobody_twice(lab, known)


def test_redis_loses_everything(own_system: System, lab: MailLab, redis_server: RedisServer) -> None:
    with own_system.working(2, **SLOW), saved_run(own_system, lab) as (preflight, saved):
        known = wait_for_the_middle(preflight, saved.run_id)
        redis_server.restart(lose_data=True)

        found = outcome(preflight, saved)

    assert_as_ever(found)
    assert_nobody_twice(lab, known, most=1)  # nobody died


def test_redis_loses_the_message_before_anybody_has_it(
    own_system: System, lab: MailLab, redis_server: RedisServer
) -> None:
    with saved_run(own_system, lab) as (preflight, saved):
        redis_server.restart(lose_data=True)
        with own_system.working(1), own_system.start("beat"):
            wait_for(
                lambda: account_of(preflight).runs.progress(saved.run_id).stage == "finished",
                "beat's sweep finds the run",
            )
        found = outcome(preflight, saved)

    assert_as_ever(found)


def test_a_worker_is_asked_to_stop(own_system: System, lab: MailLab, caplog: pytest.LogCaptureFixture) -> None:
    """It ends what it has begun and leaves the rest to the other, who need not wait for any lease."""
    with own_system.working(2, **SLOW) as workers, saved_run(own_system, lab) as (preflight, saved):
        begin = {worker: worker.cpu_ticks for worker in workers}
        known = wait_for_the_middle(preflight, saved.run_id)
        busiest = max(workers, key=lambda worker: worker.cpu_ticks - begin[worker])

        assert busiest.terminate() < 10
        found = outcome(preflight, saved)

    assert_as_ever(found)
    assert_nobody_twice(lab, known, most=1)  # whatever had begun was stored
    assert "stalled" not in caplog.text  # no sweep was needed


def test_the_only_worker_is_asked_to_stop_and_another_comes(own_system: System, lab: MailLab) -> None:
    with saved_run(own_system, lab) as (preflight, saved):
        with own_system.working(1, **SLOW) as (first,):
            known = wait_for_the_middle(preflight, saved.run_id)
            assert first.terminate() < 10
            assert len(stored(preflight, saved.run_id)) < COUNT
        with own_system.working(1):
            found = outcome(preflight, saved)

    assert_as_ever(found)
    assert_nobody_twice(lab, known, most=1)


def verify_arguments(system: System, lab: MailLab) -> list[str]:
    csv = write_csv(system.folder / "boxes.csv", boxes_of(lab, DOMAIN, COUNT, wrong=WRONG))
    return [
        *("verify", DOMAIN, "--mailboxes", str(csv), "--json", "--ca-file", str(lab.ca_file)),
        *("--imap", f"localhost:{lab.dovecot.imaps_port}", "--imap-security", "tls"),
        *("--smtp", f"localhost:{lab.postfix.smtps_port}", "--smtp-security", "tls"),
    ]


def test_ctrl_c_leaves_a_change_that_resume_goes_on_with(embedded_system: System, lab: MailLab) -> None:
    """Logins under way are finished and kept; the command that was named goes on, and nobody logs in twice."""
    with embedded_system.open() as preflight:
        with embedded_system.start(*verify_arguments(embedded_system, lab), **SLOW) as command:
            wait_for(lambda: newest_run(preflight) is not None, "the change is saved")
            run = newest_run(preflight)
            assert run is not None
            assert run.change_id is not None
            wait_for_the_middle(preflight, run.id)
            command.process.send_signal(signal.SIGINT)
            said = command.wait()
        known = stored(preflight, run.id)

    assert said.status == 130
    assert f"`mail-preflight resume {run.change_id}` goes on with it" in said.err
    assert len(known) < COUNT
    gone_on = embedded_system.command("resume", run.change_id, "--json")
    assert gone_on.status == 1, gone_on.err
    assert gone_on.document["counts"]["will_disconnect"] == len(WRONG)
    assert gone_on.document["counts"]["keeps_working"] == COUNT - len(WRONG)
    assert_nobody_twice(lab, known, most=1)


def kill_verify_in_the_middle(system: System, lab: MailLab, preflight: Preflight) -> tuple[Saved, set[str]]:
    """The embedded command dies. Returns its change and run, and who had a result by then."""
    # so many canaries that a good one is among them for sure
    slow = SLOW | {"LOGINS_AT_ONCE": "4", "CANARIES": str(len(WRONG) + 1)}
    with system.start(*verify_arguments(system, lab), **slow) as command:
        wait_for(lambda: newest_run(preflight) is not None, "the run is saved")
        run = newest_run(preflight)
        assert run is not None
        assert run.change_id is not None
        known = wait_for_the_middle(preflight, run.id)
        command.kill()
    return Saved(run.change_id, run.id), known


def test_the_embedded_command_is_killed_and_serve_goes_on(embedded_system: System, lab: MailLab) -> None:
    with embedded_system.open() as preflight:
        saved, known = kill_verify_in_the_middle(embedded_system, lab, preflight)
        with embedded_system.start("serve") as serve:
            wait_for(
                lambda: account_of(preflight).runs.progress(saved.run_id).stage == "finished",
                "serve's sweep finds the run",
            )
            serve.terminate()
        told = embedded_system.command("report", saved.change_id, "--json")
        found = outcome(preflight, saved)

    assert told.status == 1
    assert told.document["counts"] == found.report.counts
    assert_as_ever(found)
    assert_nobody_twice(lab, known)


def test_the_embedded_command_is_killed_and_asked_again(embedded_system: System, lab: MailLab) -> None:
    with embedded_system.open() as preflight:
        saved, _ = kill_verify_in_the_middle(embedded_system, lab, preflight)

        again = embedded_system.command(*verify_arguments(embedded_system, lab))

        assert account_of(preflight).runs.progress(saved.run_id).stage == "cancelled"
    assert again.status == 1, again.err
    assert again.document["counts"]["will_disconnect"] == len(WRONG)
    assert again.document["counts"]["keeps_working"] == COUNT - len(WRONG)
