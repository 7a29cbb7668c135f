"""The tasks of runs: ids in, nothing out. What they do is in `worker.runs.flow`; the database keeps what came of it."""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

from celery import Celery, current_task

from checks.model import Unavailable
from checks.network.static_addresses import egresses
from settings_store.runs import runs
from worker import tracing
from worker.app import EXPIRES_SECONDS, HEALTH, PREFLIGHT, refusals
from worker.egress.egresses import home_of, queue_at
from worker.process import WAKE
from worker.resources import Publish, Resources, TaskName
from worker.runs.flow import Flow
from worker.runs.lane import Lane, RouteCache

log = logging.getLogger(__name__)

PREFIX = "mail_preflight."
P = ParamSpec("P")


def publisher(app: Celery, queue: str = PREFLIGHT) -> Publish:
    """Publishes a task for a run. A broker that is down is logged: the sweep finds what was not published."""

    def publish(name: TaskName, run_id: str) -> None:
        try:
            app.send_task(
                PREFIX + name,
                args=[run_id],
                queue=queue,
                expires=EXPIRES_SECONDS,
                ignore_result=True,
                headers=tracing.carried(),
            )
        except refusals():
            log.warning("the broker does not take it; run %s waits for the sweep", run_id)

    return publish


def spared(step: Callable[P, None]) -> Callable[P, None]:
    """A database that is away, full or read-only is one line: what the step did not do, the sweep finds again."""

    @functools.wraps(step)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            step(*args, **kwargs)
        except Unavailable as error:
            log.warning("%s is put off: %s", step.__name__, error)

    return run


def _traced(step: Callable[P, None]) -> Callable[P, None]:
    """A step of a run, in the trace of whoever asked for it."""

    @functools.wraps(step)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asked = current_task.request.get(tracing.HEADER) if current_task else None
        with tracing.continued({tracing.HEADER: asked or ""}), tracing.span(step.__name__, run=str(args[0])):
            step(*args, **kwargs)

    return run


def _at_its_egress(app: Celery, resources: Resources) -> Callable[[Callable[[str], None]], Callable[[str], None]]:
    """A step of a run whose connections leave from addresses that others have is passed on to their queue, once."""

    def decorate(step: Callable[[str], None]) -> Callable[[str], None]:
        @functools.wraps(step)
        def run(run_id: str) -> None:
            queue = None if current_task.request.get(_PASSED_ON) else _queue_elsewhere(resources, run_id)
            if queue is None:
                step(run_id)
                return
            headers = {**tracing.carried(), _PASSED_ON: resources.config.egress or "any"}
            app.send_task(
                PREFIX + step.__name__,
                args=[run_id],
                queue=queue,
                expires=_PASSED_ON_SECONDS,
                ignore_result=True,
                headers=headers,
            )

        return run

    return decorate


_PASSED_ON = "passed_on_by"
_PASSED_ON_SECONDS = 60  # where nobody takes it, the sweep asks again and again


def _queue_elsewhere(resources: Resources, run_id: str) -> str | None:
    config = resources.config
    if config.embedded or not any(egresses(config.static_addresses)):
        return None
    with resources.database.read() as conn:
        run = runs.load(conn, run_id)
        home = home_of(conn, config, run) if run else config.egress
    if run is None or home == config.egress:
        return None
    return queue_at(PREFLIGHT if run.kind == "preflight" else HEALTH, home)


def register(app: Celery, flow: Flow) -> None:
    """Gives the app the tasks of runs."""
    cache, elsewhere = RouteCache(), _at_its_egress(app, flow.resources)
    # shared=False: a task that closes over one flow must not reach the other apps of this process.

    @app.task(name=PREFIX + "start_run", ignore_result=True, shared=False)
    @spared
    @_traced
    @elsewhere
    def start_run(run_id: str) -> None:
        flow.start_run(run_id)

    @app.task(name=PREFIX + "run_page", ignore_result=True, shared=False)
    @spared
    @_traced
    @elsewhere
    def run_page(run_id: str) -> None:
        Lane(flow, cache, run_id).run()

    @app.task(name=PREFIX + "finish_run", ignore_result=True, shared=False)
    @spared
    @_traced
    @elsewhere
    def finish_run(run_id: str) -> None:
        flow.finish_run(run_id)

    @app.task(name=WAKE, ignore_result=True, shared=False)
    def wake() -> None:
        """Nothing: its coming is all it is for."""
