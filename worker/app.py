"""The Celery app: one broker, two queues, messages that carry ids and nothing else."""

from typing import Any

from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError

from worker.config import Config
from worker.egress.egresses import queues_of
from worker.memory_transport import IN_MEMORY

PREFLIGHT = "preflight"  # somebody is waiting
HEALTH = "health"  # nobody is
QUEUES = (PREFLIGHT, HEALTH)

SWEEP_SECONDS = 10.0
HEALTH_SECONDS = 10.0  # how often it is looked what is due, judged and told
WEBHOOK_SECONDS = 2.0  # how often it is looked whether an event is to be sent
EXPIRES_SECONDS = 3600  # a message this old says nothing that the sweep does not know
# Redis delivers an unacknowledged message again after this; a lane ends well before.
_VISIBILITY_SECONDS = 900
_SOFT_LIMIT_SECONDS, _HARD_LIMIT_SECONDS = 300, 360
# Said on purpose: redis-py's own are 5 seconds, which a busy Redis may take, and ten repetitions for clients that are
# made from a URL. Kombu makes its connections itself, so redis-py repeats nothing; it asks anew by its own rules.
_REDIS: dict[str, Any] = {
    "visibility_timeout": _VISIBILITY_SECONDS,
    "socket_connect_timeout": 5,
    "socket_timeout": 30,
    "socket_keepalive": True,
    "retry_on_timeout": False,
}


def make_app(config: Config) -> Celery:
    """The app of this process. Tasks are registered by `worker.tasks.register`."""
    app = Celery("mail_preflight", broker=config.broker_url.get_secret_value(), set_as_current=False)
    app.conf.update(
        broker_transport=IN_MEMORY if config.embedded else None,
        broker_transport_options={} if config.embedded else _REDIS,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=5,
        task_queues=[Queue(name) for name in queues_of(config, QUEUES)],
        task_default_queue=PREFLIGHT,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_soft_time_limit=_SOFT_LIMIT_SECONDS,
        task_time_limit=_HARD_LIMIT_SECONDS,
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.3},
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        beat_schedule={
            "sweep": _every(SWEEP_SECONDS, "sweep", PREFLIGHT),
            "health": _every(HEALTH_SECONDS, "health", HEALTH),
            "judge": _every(HEALTH_SECONDS, "judge", HEALTH),
            "alerts": _every(HEALTH_SECONDS, "alerts", HEALTH),
            "webhooks": _every(WEBHOOK_SECONDS, "webhooks", HEALTH),
        },
    )
    return app


def refusals() -> tuple[type[Exception], ...]:
    """What publishing raises where the broker is away, and where Redis answers and has no room."""
    from redis.exceptions import RedisError

    return OperationalError, RedisError


def _every(seconds: float, task: str, queue: str) -> dict[str, Any]:
    """One that is not begun before the next comes is dropped: the next finds the same."""
    return {"task": f"mail_preflight.{task}", "schedule": seconds, "options": {"expires": seconds, "queue": queue}}
