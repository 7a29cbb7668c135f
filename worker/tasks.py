"""The tasks: ids in, nothing out. What they do is in `worker.flow`; the database keeps what came of it."""

import logging

from celery import Celery
from kombu.exceptions import OperationalError

from worker.app import EXPIRES_SECONDS, PREFLIGHT
from worker.flow import Flow, Publish, TaskName
from worker.lane import Lane, RouteCache
from worker.process import WAKE
from worker.watch import begin_watches

log = logging.getLogger(__name__)

PREFIX = "mail_preflight."


def publisher(app: Celery, queue: str = PREFLIGHT) -> Publish:
    """Publishes a task for a run. A broker that is down is logged: the sweep finds what was not published."""

    def publish(name: TaskName, run_id: str) -> None:
        try:
            app.send_task(PREFIX + name, args=[run_id], queue=queue, expires=EXPIRES_SECONDS, ignore_result=True)
        except OperationalError:
            log.warning("the broker does not answer; run %s waits for the sweep", run_id)

    return publish


def register(app: Celery, flow: Flow) -> None:
    """Gives the app its tasks."""
    cache = RouteCache()
    # shared=False: a task that closes over one flow must not reach the other apps of this process.

    @app.task(name=PREFIX + "start_run", ignore_result=True, shared=False)
    def start_run(run_id: str) -> None:
        flow.start_run(run_id)

    @app.task(name=PREFIX + "run_page", ignore_result=True, shared=False)
    def run_page(run_id: str) -> None:
        Lane(flow, cache, run_id).run()

    @app.task(name=PREFIX + "finish_run", ignore_result=True, shared=False)
    def finish_run(run_id: str) -> None:
        flow.finish_run(run_id)

    @app.task(name=WAKE, ignore_result=True, shared=False)
    def wake() -> None:
        """Nothing: its coming is all it is for."""

    @app.task(name=PREFIX + "sweep", ignore_result=True, shared=False)
    def sweep() -> None:
        flow.sweep()
        begin_watches(flow)
