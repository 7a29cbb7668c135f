"""The turn of a login that somebody waits for: one slot at each of its servers, before those who log in many."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from worker.pacing.pacer import Pacer

PATIENCE_SECONDS = 20.0
_ASK_SECONDS = 0.02
_MARGIN_SECONDS = 5.0  # for what logins take beyond their deadline


@contextmanager
def turn_at(pacer: Pacer, servers: Sequence[str], seconds: float) -> Iterator[bool]:
    """Whether a slot came at every server, for `seconds` at most; they are given back at the end.

    In the same order for everybody, so no two wait for each other.
    """
    owner, asked = uuid.uuid4().hex, sorted(set(servers))
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        yield all(_entered(pacer, server, owner, seconds + _MARGIN_SECONDS, end) for server in asked)
    finally:
        for server in asked:
            pacer.renew(server, owner, 0)


def _entered(pacer: Pacer, server: str, owner: str, seconds: float, end: float) -> bool:
    while not pacer.enter(server, owner, seconds):
        if time.monotonic() > end:
            return False
        time.sleep(_ASK_SECONDS)
    return True
