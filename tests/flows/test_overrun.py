"""A check that computes for ever costs one process of a worker, and no other run."""

import pytest

from tests.flows.harness import System, account_of, boxes_of, outcome, settings_of, wait_for
from tests.servers.lab import MailLab
from tests.servers.process import free_port

HOSTILE, HEALTHY = "hostile.example", "healthy.example"


@pytest.mark.parametrize("how", ["python", "c"])
def test_one_process_is_lost_and_the_endpoint_left_alone(own_system: System, lab: MailLab, how: str) -> None:
    """Given a server whose check does not end, when it has cost a process, then it costs no other; the rest goes on."""
    port = free_port()
    own_system.load(HOSTILE, boxes_of(lab, HOSTILE, 3))
    own_system.load(HEALTHY, boxes_of(lab, HEALTHY, 6, wrong=[2]))
    with (
        own_system.working(1, BUSY=f"{how} check localhost:{port}", ENDPOINT_SECONDS="1") as (worker,),
        own_system.start("beat"),
        own_system.open() as preflight,
    ):
        hostile = account_of(preflight).changes.save(HOSTILE, settings_of(lab, imap=port))
        wait_for(lambda: "computes beyond its deadline" in worker.words, "somebody notices")
        healthy = account_of(preflight).changes.save(HEALTHY, settings_of(lab))
        found = outcome(preflight, healthy)
        left_alone = outcome(preflight, hostile)
        words = worker.words

    assert found.counts == {"keeps_working": 5, "will_disconnect": 1}
    assert left_alone.counts == {"cannot_tell": 3}
    imap = left_alone.report.endpoints[0]
    assert (str(imap.code), imap.seen) == (
        "internal.error",
        "endpoint check computed beyond its deadline; not checked for an hour",
    )
    assert words.count("computes beyond its deadline") == 1


def test_a_login_that_does_not_end_is_not_tried_by_the_next_worker(own_system: System, lab: MailLab) -> None:
    where = f"127.0.0.1:{lab.dovecot.imaps_port}"
    own_system.load(HOSTILE, boxes_of(lab, HOSTILE, 3))
    with (
        own_system.working(1, BUSY=f"c login {where}", LOGIN_SECONDS="3") as (worker,),
        own_system.start("beat"),
        own_system.open() as preflight,
    ):
        found = outcome(preflight, account_of(preflight).changes.save(HOSTILE, settings_of(lab, host="127.0.0.1")))
        words = worker.words

    assert found.counts == {"cannot_tell": 3}
    assert set(found.codes.values()) == {"run.not_tried"}
    assert str(found.report.stop_code) == "internal.error"
    assert words.count("login of ") == 1
