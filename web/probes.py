"""`/healthz` and `/readyz`: whether the process lives, and whether it can answer. For everybody, and cheap."""

import threading
import time

from fastapi import Request

from web.access.routing import PUBLIC_TAG, router
from web.documents import Document
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.metrics.readiness import Readiness
from worker.service.preflight import Preflight

routes = router(PUBLIC_TAG)

PATHS = frozenset({"/healthz", "/readyz"})
_KEPT_SECONDS = 1.0
"""Who asks oftener is told what was found last: these paths need no key."""


class AliveDocument(Document):
    """The process answers; nothing else was asked."""

    status: str


class ReadyDocument(Document):
    """Each part is "ok"."""

    status: str
    parts: dict[str, str]


@routes.get("/healthz", operation_id="service.alive", summary="Is the process alive?")
async def alive() -> AliveDocument:
    """Says that the process lives. It asks neither the database nor the broker."""
    return AliveDocument(status="ok")


@routes.get("/readyz", operation_id="service.ready", summary="Can requests be answered?")
def ready(request: Request) -> ReadyDocument:
    """Says whether requests can be answered: the database and the broker are there, and the schema is the newest."""
    remembered: Remembered = request.app.state.readiness
    found = remembered.readiness()
    if not found.ready:
        missing = ", ".join(f"the {part} {words}" for part, words in found.parts.items() if words != "ok")
        raise Problem(
            ProblemCode.UNAVAILABLE, missing, extensions={"parts": dict(found.parts)}, headers={"Retry-After": "5"}
        )
    return ReadyDocument(status="ok", parts=dict(found.parts))


class Remembered:
    """The readiness of one app, asked anew once a second at most."""

    def __init__(self, preflight: Preflight) -> None:
        self._preflight, self._lock = preflight, threading.Lock()
        self._found: tuple[float, Readiness] | None = None

    def readiness(self) -> Readiness:
        """At most `_KEPT_SECONDS` old. Those who ask meanwhile wait for the one who looks."""
        with self._lock:
            if self._found is None or time.monotonic() - self._found[0] > _KEPT_SECONDS:
                found = self._preflight.readiness()
                self._found = time.monotonic(), found
            return self._found[1]
