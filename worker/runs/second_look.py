"""A second look at the firewall when the logins of a run are done: who was let in before may be banned since."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from checks.codes import Verdict
from checks.context import CheckContext
from checks.egress.admissions import banned_since, judged
from checks.egress.survey import knock_from_all
from checks.model import EndpointResult, Outcome
from checks.serialize import dump_endpoint_result
from settings_store import domains
from settings_store.runs import endpoints
from settings_store.runs.runs import CANDIDATE, Run
from worker.resources import Resources
from worker.runs.endpoints import context_of, endpoint_results
from worker.sandbox import script_of


def look_again(resources: Resources, run: Run) -> None:
    """One knock from each static address that an endpoint of the run admitted; what changed is kept with the endpoint.

    Nothing where the settings have no static addresses, or where nobody has logged in.
    """
    results = [
        result
        for result in endpoint_results(resources, run.id, CANDIDATE)
        if result.admissions and result.verdict is Verdict.OK
    ]
    if not results:
        return
    with resources.database.read() as conn:
        settings = domains.load_settings(conn, run.settings_id)
        script = script_of(conn, run.settings_id, resources.now())
    context = context_of(resources.config, settings, script=script)
    with ThreadPoolExecutor(len(results), thread_name_prefix="second-look") as pool:
        again = list(pool.map(lambda result: _again(result, context), results))
    _keep(resources, run, [new for new, old in zip(again, results, strict=True) if new != old])


def _again(result: EndpointResult, context: CheckContext) -> EndpointResult:
    let_in = {each.source for each in result.admissions if each.outcome is Outcome.ADMITTED}
    static = [each for each in context.static or () if each.public in let_in]
    now = knock_from_all(result.endpoint, context, static, shared=False)
    admissions = banned_since(result.admissions, now)
    return result if admissions == result.admissions else judged(replace(result, admissions=()), admissions)


def _keep(resources: Resources, run: Run, changed: Sequence[EndpointResult]) -> None:
    with resources.database.begin() as conn:
        for result in changed:
            endpoints.save_again(conn, run.id, CANDIDATE, result.endpoint.protocol, dump_endpoint_result(result))
