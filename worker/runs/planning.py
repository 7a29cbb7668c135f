"""A run is planned once its endpoints are known: what they settle is settled, and the rest is laid out for logins."""

from sqlalchemy import Connection

from checks.model import EndpointResult
from checks.runner import unfit_credentials
from settings_store.mailboxes import rejections
from settings_store.runs import outcomes, pages, planning, runs
from settings_store.runs.runs import CANDIDATE, Run
from worker.resources import Resources
from worker.runs.endpoints import decisive, endpoint_results, servers_of


def plan_mailboxes(resources: Resources, run: Run) -> None:
    """Lays the run's mailboxes out, or settles them all where an endpoint decides."""
    results = endpoint_results(resources, run.id, CANDIDATE)
    settling = decisive(results)
    known_since = resources.now() - resources.config.state_hours * 3600
    with resources.database.begin() as conn:

        def without_login() -> None:
            if settling is None:
                outcomes.settle_without_credential(conn, run.id)
                for result in results:
                    _settle_unfit(conn, run.id, result)
                rejections.recall(conn, run.id, servers_of(results), CANDIDATE, resources.now())

        planning.plan(conn, run, resources.config.canaries, resources.config.page_size, without_login, known_since)
        if settling:
            protocol = settling.endpoint.protocol.value
            outcomes.settle(conn, run.id, settling.verdict, settling.code, protocol, settling.seen)
            pages.close(conn, run.id, CANDIDATE)
        else:
            pages.close_idle(conn, run.id, CANDIDATE)
        runs.move(conn, run.id, ("endpoints",), "mailboxes" if settling else "canaries", resources.now())


def _settle_unfit(conn: Connection, run_id: str, result: EndpointResult) -> None:
    """Mailboxes whose kind of credential the endpoint does not take fail by that fact, and nothing is sent."""
    for kind, fault in unfit_credentials(result).items():
        outcomes.settle_kind(conn, run_id, kind, fault.code, result.endpoint.protocol.value, fault.seen)
