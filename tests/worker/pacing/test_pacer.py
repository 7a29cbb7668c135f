"""Both pacers are one: they answer the same calls alike, and never allow more than the limit together."""

import os
import signal
import threading
from collections.abc import Callable
from itertools import count

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.receivers import wait_until
from tests.servers.redis import RedisServer
from worker.pacing.pacer import FORGET_SECONDS, SLOT_SECONDS, LocalPacer, Pacer, renew_all, start_of
from worker.pacing.redis_pacer import RedisPacer

OWNERS, SERVERS = ("a", "b", "c"), ("one", "two")
_numbers = count()

renewals = st.tuples(
    st.just("renew"), st.sampled_from(SERVERS), st.sampled_from(OWNERS), st.integers(0, 12), st.integers(0, 6)
)
# An owner is a lane or a check, never both.
entries = st.tuples(st.just("enter"), st.sampled_from(SERVERS), st.sampled_from(("x", "y")), st.just(60.0))
leavings = st.tuples(st.just("renew"), st.sampled_from(SERVERS), st.sampled_from(("x", "y")), st.just(0), st.just(0))
troubles = st.tuples(st.just("trouble"), st.sampled_from(SERVERS))
goods = st.tuples(st.just("fine"), st.sampled_from(SERVERS), st.integers(0, 30))
sequences = st.lists(st.one_of(renewals, renewals, entries, leavings, troubles, goods), max_size=25)


def play(pacer: Pacer, step: tuple[object, ...], prefix: str) -> object:
    name, server, *rest = step
    method: Callable[..., object] = getattr(pacer, str(name))
    return method(f"{prefix}{server}", *rest)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 25), steps=sequences)
def test_local_and_redis_answer_alike(redis_url: str, limit: int, steps: list[tuple[object, ...]]) -> None:
    local, shared = LocalPacer(limit), RedisPacer(redis_url, limit)
    prefix = f"{next(_numbers)}-"
    for step in steps:
        assert play(local, step, prefix) == play(shared, step, prefix), step


@settings(max_examples=200, deadline=None)
@given(limit=st.integers(1, 25), steps=sequences)
def test_never_above_the_limit_together(limit: int, steps: list[tuple[object, ...]]) -> None:
    """Owners that are busy with no more than they were given never have more than the limit under way together."""
    pacer = LocalPacer(limit)
    given_to: dict[tuple[object, object], int] = {}
    for step in steps:
        if step[0] == "renew":
            _, server, owner, want, _ = step
            # All that a lane had is still under way; a check gives its slot back when it is over.
            busy = given_to.get((server, owner), 0) if owner in OWNERS else 0
            granted = pacer.renew(str(server), str(owner), int(str(want)), busy)
            given_to[server, owner] = max(granted, busy)
        elif step[0] == "enter":
            _, server, owner, seconds = step
            if not given_to.get((server, owner)):  # a check that is in does not ask again
                given_to[server, owner] = int(pacer.enter(str(server), str(owner), float(str(seconds))))
        else:
            play(pacer, step, "")
        for name in SERVERS:
            assert sum(held for (server, _), held in given_to.items() if server == name) <= limit


@pytest.fixture(params=["local", "redis"])
def pacer(request: pytest.FixtureRequest) -> Pacer:
    """A pacer of at most 20."""
    return LocalPacer(20) if request.param == "local" else RedisPacer(request.getfixturevalue("redis_url"), 20)


def test_begins_with_half_and_is_given_more_while_all_goes_well(pacer: Pacer) -> None:
    assert pacer.renew("one", "a", 20) == start_of(20) == 10
    pacer.fine("one", 6)
    assert pacer.renew("one", "a", 20) == 16
    pacer.fine("one", 60)
    assert pacer.renew("one", "a", 50) == 20


def test_trouble_halves_and_what_follows_is_slow(pacer: Pacer) -> None:
    pacer.trouble("one")
    assert pacer.renew("one", "a", 20) == 5
    pacer.fine("one", 39)
    assert pacer.renew("one", "a", 20) == 5
    pacer.fine("one", 2)
    assert pacer.renew("one", "a", 20) == 6
    for _ in range(9):
        pacer.trouble("one")
    assert pacer.renew("one", "a", 20) == 1
    assert pacer.renew("two", "a", 20) == 10


def test_who_waits_in_line_gets_a_share(pacer: Pacer) -> None:
    """Given one who has all, when another asks, then it gets nothing yet, and half when the first makes room."""
    assert pacer.renew("one", "a", 10) == 10
    assert pacer.renew("one", "b", 10) == 0
    assert pacer.renew("one", "a", 10, busy=10) == 5
    assert pacer.renew("one", "b", 10) == 0  # the logins of the first are still under way
    assert pacer.renew("one", "a", 10, busy=5) == 5
    assert pacer.renew("one", "b", 10) == 5
    assert pacer.renew("one", "b", 0) == 0
    assert pacer.renew("one", "a", 10, busy=5) == 10


def test_a_check_is_the_next_to_be_served(pacer: Pacer) -> None:
    """Given lanes that have all, when a check asks, then it has the first slot that comes free, and gives it back."""
    assert [pacer.renew("one", lane, 1) for lane in "abcdefghij"] == [1] * 10
    assert not pacer.enter("one", "check", 60)
    assert not pacer.enter("one", "another", 60)
    assert pacer.renew("one", "a", 1, busy=1) == 0  # what it has under way is its last for now
    assert not pacer.enter("one", "check", 60)
    assert pacer.renew("one", "a", 1) == 0  # and now it is over
    assert pacer.enter("one", "check", 60)
    assert pacer.renew("one", "a", 1) == 0
    assert not pacer.enter("one", "another", 60)
    assert pacer.renew("one", "check", 0) == 0
    assert pacer.enter("one", "another", 60)
    assert pacer.renew("one", "another", 0) == 0
    assert pacer.renew("one", "a", 1) == 1


def test_slots_of_the_dead_lapse_and_servers_are_forgotten() -> None:
    now = [0.0]
    pacer = LocalPacer(20, lambda: now[0])
    pacer.trouble("one")
    assert pacer.renew("one", "dead", 20) == 5
    assert pacer.renew("one", "a", 20) == 0
    now[0] = SLOT_SECONDS + 1
    assert pacer.renew("one", "a", 20) == 5
    assert not pacer.enter("one", "dead check", 60)
    assert pacer.renew("one", "a", 20, busy=5) == 4
    now[0] += SLOT_SECONDS + 1
    assert pacer.renew("one", "a", 20) == 5
    now[0] += FORGET_SECONDS + 1
    assert pacer.renew("one", "a", 20) == 10


def test_the_tightest_of_several_servers_decides_and_the_others_keep_no_more(pacer: Pacer) -> None:
    for _ in range(2):
        pacer.trouble("two")
    assert renew_all(pacer, ["two", "one"], "a", 10) == 2
    assert pacer.renew("one", "b", 10) == 5  # of ten, and only two are taken


def test_a_redis_that_does_not_answer_leaves_one_login() -> None:
    pacer = RedisPacer("redis://127.0.0.1:1/0", 20)
    assert pacer.renew("one", "a", 10) == 1
    assert pacer.renew("one", "a", 0) == 0
    assert pacer.enter("one", "a", 60)
    pacer.trouble("one")
    pacer.fine("one", 3)


def test_a_call_that_is_sent_again_counts_once(redis_url: str, redis_server: RedisServer) -> None:
    """Given a Redis that stands still for longer than the client waits, when it gets the call twice, it halves once."""
    pacer = RedisPacer(redis_url, 20)
    pacer.trouble("another")  # the script is known from here on
    os.kill(redis_server.pid, signal.SIGSTOP)
    timer = threading.Timer(1.5, os.kill, (redis_server.pid, signal.SIGCONT))
    timer.start()
    pacer.trouble("one")
    timer.join()

    with redis.Redis.from_url(redis_url) as client:
        calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert calls >= 3  # one, and the same one again, or this has tested nothing
    assert pacer.renew("one", "a", 20) == 5


def test_redis_holds_no_name_of_a_server(redis_url: str) -> None:
    pacer = RedisPacer(redis_url, 20)
    pacer.renew("mail.secret.example", "a", 10)
    with redis.Redis.from_url(redis_url) as client:
        assert [b"secret" in key for key in client.scan_iter()] == [False]


def test_a_redis_that_was_started_anew_gets_the_scripts_again(redis_url: str) -> None:
    pacer = RedisPacer(redis_url, 20)
    assert pacer.enter("mail.lab.example:993", "one", 10)
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert pacer.renew("mail.lab.example:993", "one", 3) == 3


def test_a_thread_that_ends_leaves_no_connection(redis_url: str) -> None:
    """Given threads that have asked, when they end, then Redis has their connections no longer."""
    pacer = RedisPacer(redis_url, 20)
    with redis.Redis.from_url(redis_url) as client:
        before = len(client.client_list())
        asking = [threading.Thread(target=pacer.enter, args=("here", f"owner-{number}", 10)) for number in range(4)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        wait_until(lambda: len(client.client_list()) <= before)
