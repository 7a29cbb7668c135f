"""What the canaries say: whether they all came to the same bad end, and why; and whose fault it is to be rejected."""

from collections.abc import Sequence

from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import Protocol
from settings_store.mailboxes import correlation
from settings_store.mailboxes.correlation import BACKEND_AWAY, IMAP_ACCEPTED, NONE_ACCEPTED, WORKED_BEFORE, Judged
from settings_store.runs import runs
from settings_store.runs.outcomes import REJECTED
from settings_store.runs.runs import CANDIDATE
from worker.resources import Resources
from worker.runs.endpoints import endpoint_results, servers_of

NEARLY_ALL = 0.9
"""So many of those that a server judged must be rejected, for the rejections to be one matter."""
ENOUGH = 3
"""So many rejections speak for themselves where no mailbox got in at all."""
ENOUGH_IN_EXCHANGE = 2  # one sign-on for mail and calendar, and Extended Protection, reject everybody by design


def like_failure(results: Sequence[tuple[Verdict, Code, int]]) -> Code | None:
    """The cause of canaries that came to the same bad end: the one that most of them met, of `results` with counts.

    One that could not be told does not make them differ; two lasting causes do.
    """
    lasting = [code for verdict, code, _ in results if verdict is Verdict.FAIL]
    works = any(verdict is Verdict.OK for verdict, _, _ in results)
    if works or not results or len(lasting) > 1 or (not lasting and len(results) > 1):
        return None
    return max(results, key=lambda result: (result[2], result[0] is Verdict.FAIL))[1]


def evidence_of(judged: Judged) -> str:
    """What speaks for the credentials that a server rejected; '' where it is their owners' matter.

    All, or nearly all, must have met it alike. The same password that IMAP took a moment ago is proof for one mailbox
    already, and so is a server that could not check as many others. Of one that worked before, the owner may have
    changed it, so it takes two; and where nobody got in at all, a few may all be wrong.
    """
    if not judged.rejected or judged.rejected < NEARLY_ALL * (judged.rejected + judged.accepted):
        return ""
    if 2 * judged.let_in > judged.rejected:
        return IMAP_ACCEPTED
    if not judged.anybody and 2 * judged.away >= judged.in_all:
        return BACKEND_AWAY
    if judged.in_all > 1 and 2 * judged.connected > judged.in_all:
        return WORKED_BEFORE
    enough = ENOUGH_IN_EXCHANGE if judged.protocol is Protocol.HTTPS else ENOUGH
    return NONE_ACCEPTED if not judged.anybody and judged.in_all >= enough else ""


def correlate(resources: Resources, conn: Connection, run_id: str) -> Code | None:
    """Looks at a run's rejections together, before anybody is blamed. The code of what it found out, if anything."""
    code = None
    for judged in correlation.judged(conn, run_id):
        if evidence := evidence_of(judged):
            servers = servers_of(endpoint_results(resources, run_id, CANDIDATE))
            server = servers[judged.protocol.value]
            code = correlation.clear(conn, run_id, judged.protocol, evidence, server)
    return code


def suspected(resources: Resources, conn: Connection, run_id: str, code: Code) -> Code:
    """Why no more mailboxes are tried, where all canaries failed with `code`."""
    return (correlate(resources, conn, run_id) if code in REJECTED else None) or code


def settle_rejections(resources: Resources, conn: Connection, run_id: str) -> None:
    """The same for all mailboxes of a run, once they have been tried: the run's stop is told by what was found out."""
    runs.lock(conn, run_id)
    code, run = correlate(resources, conn, run_id), runs.load(conn, run_id)
    if code and run and (run.stop_code is None or run.stop_code in REJECTED):
        runs.stop(conn, run_id, code, run.stop_detail or "0")
