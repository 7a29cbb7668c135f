"""The tasks of health, of alerts and webhooks, and the sweep. They carry nothing: the database says what is due."""

import logging
import threading
from collections.abc import Sequence

from celery import Celery

from settings_store import heartbeats
from settings_store.access.answers import forget_old
from worker.alerts.delivery import ROUNDS, send_due
from worker.app import HEALTH, HEALTH_SECONDS, refusals
from worker.changes.watch import begin_watches
from worker.egress.egresses import queues_of
from worker.health.endpoint_lane import LANES, EndpointLane, tick
from worker.health.retention import forget_old as forget_old_health
from worker.incidents.judge import judge
from worker.resources import Resources
from worker.runs.flow import Flow
from worker.tasks import PREFIX, spared
from worker.webhooks import delivery as webhook_delivery

log = logging.getLogger(__name__)


def publish_lanes(app: Celery, count: int, queues: Sequence[str] = (HEALTH,)) -> None:
    """Asks for lanes that check endpoints. Where the broker is down, the next tick asks again."""
    try:
        for queue in queues:
            for _ in range(count):
                app.send_task(PREFIX + "check_endpoints", queue=queue, expires=HEALTH_SECONDS, ignore_result=True)
    except refusals():
        log.warning("the broker does not take it; endpoints wait for the next tick")


def register_health(app: Celery, flow: Flow) -> None:
    """Gives the app the tasks that beat asks for."""
    room = threading.BoundedSemaphore(LANES)
    telling = threading.BoundedSemaphore(ROUNDS)
    posting = threading.BoundedSemaphore(webhook_delivery.ROUNDS)

    @app.task(name=PREFIX + "health", ignore_result=True, shared=False)
    @spared
    def health() -> None:
        publish_lanes(app, tick(flow.resources), queues_of(flow.resources.config, [HEALTH]))
        _beat(flow.resources, "health")
        forget_old_health(flow.resources)

    @app.task(name=PREFIX + "check_endpoints", ignore_result=True, shared=False)
    @spared
    def check_endpoints() -> None:
        """A message more than there is room for changes nothing: the lanes that are there find what is due."""
        if room.acquire(blocking=False):
            try:
                EndpointLane(flow.resources).run()
            finally:
                room.release()

    @app.task(name=PREFIX + "judge", ignore_result=True, shared=False)
    @spared
    def judge_incidents() -> None:
        judge(flow.resources)

    @app.task(name=PREFIX + "alerts", ignore_result=True, shared=False)
    @spared
    def alerts() -> None:
        """Few at a time: many receivers that do not answer must not take the slots of those who check and judge."""
        if telling.acquire(blocking=False):
            try:
                send_due(flow.resources)
            finally:
                telling.release()

    @app.task(name=PREFIX + "webhooks", ignore_result=True, shared=False)
    @spared
    def webhooks() -> None:
        """As alerts: receivers that do not answer hold few of the slots."""
        if posting.acquire(blocking=False):
            try:
                webhook_delivery.send_due(flow.resources)
            finally:
                posting.release()

    @app.task(name=PREFIX + "sweep", ignore_result=True, shared=False)
    @spared
    def sweep() -> None:
        flow.sweep()
        begin_watches(flow.resources)
        _forget_answers(flow.resources)
        _beat(flow.resources, "sweep")


def _beat(resources: Resources, work: heartbeats.Work) -> None:
    with resources.database.begin() as conn:
        heartbeats.note(conn, work, resources.now())


def _forget_answers(resources: Resources) -> None:
    with resources.database.begin() as conn:
        forget_old(conn, resources.now())
