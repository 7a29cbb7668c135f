"""The baseline: what the settings in force say of the mailboxes that fail with the proposed ones."""

from checks.codes import CODES, Blame, Verdict
from checks.model import Protocol
from settings_store import domains
from settings_store.mailboxes import rejections
from settings_store.runs import baseline, pages, runs
from settings_store.runs.runs import BASELINE, Run
from worker.resources import Resources
from worker.runs.endpoints import check_endpoints, decisive, endpoint_results, servers_of
from worker.runs.same_failure import same_failure


def begin_baseline(resources: Resources, run: Run, baseline_settings_id: int) -> None:
    """What the settings in force would say, first by what is known already, then by logins."""
    with resources.database.begin() as conn:
        runs.lock(conn, run.id)
        proposed = domains.load_settings(conn, run.settings_id)
        in_force = domains.load_settings(conn, baseline_settings_id)
        for protocol, code, _ in baseline.failures(conn, run.id):
            if protocol and same_failure(proposed, in_force, Protocol(protocol), code):
                mailbox = CODES[code].blame is Blame.MAILBOX  # of a proposed credential: it says nothing of the stored
                baseline.settle(conn, run.id, Verdict.FAIL, code, failed=(protocol, code), stored_only=mailbox)
    if not _needed(resources, run):
        return
    settling = decisive(check_endpoints(resources, run, BASELINE, baseline_settings_id))
    with resources.database.begin() as conn:
        runs.lock(conn, run.id)
        if settling:
            baseline.settle(conn, run.id, settling.verdict, settling.code)
        elif baseline.plan(conn, run.id, resources.config.page_size):
            servers = servers_of(endpoint_results(resources, run.id, BASELINE))
            rejections.recall(conn, run.id, servers, BASELINE, resources.now())
            pages.close_idle(conn, run.id, BASELINE)


def _needed(resources: Resources, run: Run) -> bool:
    with resources.database.read() as conn:
        return baseline.needed(conn, run.id)
