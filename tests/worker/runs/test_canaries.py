"""Whose fault a rejection is, and which cause stops a run. Pure."""

import pytest

from checks.codes import Code, Verdict
from checks.model import Protocol
from settings_store.mailboxes.correlation import BACKEND_AWAY, IMAP_ACCEPTED, NONE_ACCEPTED, WORKED_BEFORE, Judged
from worker.runs.canaries import evidence_of, like_failure

IMAP, SMTP, HTTPS = Protocol.IMAP, Protocol.SMTP, Protocol.HTTPS
REJECTED = (Verdict.FAIL, Code.AUTH_REJECTED)
CLOSED = (Verdict.INCONCLUSIVE, Code.CONNECT_CLOSED)
DOWN = (Verdict.INCONCLUSIVE, Code.AUTH_TEMPORARY)


def judged(
    rejected: int,
    accepted: int = 0,
    let_in: int = 0,
    connected: int = 0,
    protocol: Protocol = IMAP,
    away: int = 0,
    elsewhere: int = 0,
) -> Judged:
    return Judged(
        protocol=protocol,
        rejected=rejected,
        accepted=accepted,
        let_in=let_in,
        in_all=rejected + elsewhere,
        connected=connected,
        away=away,
        anybody=bool(accepted or let_in),
    )


@pytest.mark.parametrize(
    ("case", "evidence"),
    [
        # IMAP has just taken the same password
        (judged(5, let_in=5, protocol=SMTP), IMAP_ACCEPTED),
        (judged(1, let_in=1, protocol=SMTP), IMAP_ACCEPTED),
        (judged(19, accepted=1, let_in=19, protocol=SMTP), IMAP_ACCEPTED),
        (judged(2, accepted=8, let_in=2, protocol=SMTP), ""),  # two without SMTP among ten
        # it worked at the last check
        (judged(5, connected=5), WORKED_BEFORE),
        (judged(2, connected=2), WORKED_BEFORE),
        (judged(1, connected=1), ""),  # its owner may have changed it
        (judged(5, accepted=20, connected=5), ""),
        # the server could not check others
        (judged(1, away=4, elsewhere=4), BACKEND_AWAY),
        (judged(1, away=1), BACKEND_AWAY),
        (judged(2, away=0), ""),
        (judged(1, accepted=9, away=1), ""),
        # nobody got in at all
        (judged(5), NONE_ACCEPTED),
        (judged(3), NONE_ACCEPTED),
        (judged(2), ""),  # two wrong new passwords
        (judged(1), ""),
        (judged(2, protocol=HTTPS), NONE_ACCEPTED),
        (judged(1, protocol=HTTPS), ""),
        (judged(0), ""),
    ],
)
def test_what_speaks_for_the_credentials(case: Judged, evidence: str) -> None:
    assert evidence_of(case) == evidence


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([(*REJECTED, 5)], Code.AUTH_REJECTED),
        ([(*REJECTED, 1), (*CLOSED, 4)], Code.CONNECT_CLOSED),  # the cause of most, not of the one
        ([(*REJECTED, 4), (*CLOSED, 1)], Code.AUTH_REJECTED),
        ([(*REJECTED, 2), (*CLOSED, 2)], Code.AUTH_REJECTED),
        ([(*DOWN, 5)], Code.AUTH_TEMPORARY),
        ([(*DOWN, 3), (*CLOSED, 2)], None),
        ([(*REJECTED, 3), (Verdict.FAIL, Code.AUTH_LOCKED, 2)], None),
        ([(*REJECTED, 4), (Verdict.OK, Code.OK, 1)], None),
        ([], None),
    ],
)
def test_the_cause_of_most_stops_a_run(results: list[tuple[Verdict, Code, int]], code: Code | None) -> None:
    assert like_failure(results) is code
