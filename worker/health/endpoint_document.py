"""How one endpoint is, worded in a language, with its newest check and its past; a part of `worker.health.document`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.codes import Code, Verdict
from checks.document import Json
from checks.model import Authentication, Endpoint


def iso(at: float | None) -> str | None:
    """UTC seconds since 1970 as ISO 8601, to the second."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class BucketDocument:
    """The checks from `start` on. Milliseconds are those of checks that were ok, None where none was.

    `availability` is the share of the conclusive checks that was ok, from 0 to 1; None where there was none.
    """

    start: float
    ok: int = 0
    fail: int = 0
    inconclusive: int = 0
    availability: float | None = None
    ms: float | None = None
    ms_max: float | None = None

    def as_json(self) -> Json:
        """Milliseconds to a tenth of one."""
        return {
            "from": iso(self.start),
            "ok": self.ok,
            "fail": self.fail,
            "inconclusive": self.inconclusive,
            "availability": self.availability,
            "ms": None if self.ms is None else round(self.ms, 1),
            "ms_max": None if self.ms_max is None else round(self.ms_max, 1),
        }


@dataclass(frozen=True, slots=True)
class SpanDocument:
    """A time of the past in buckets, the oldest first, and all of it as one."""

    buckets: Sequence[BucketDocument]
    whole: BucketDocument


@dataclass(frozen=True, slots=True)
class HistoryDocument:
    """The last day in hours, and the days up to now."""

    hours: SpanDocument
    days: SpanDocument

    def as_json(self) -> Json:
        """Each span's buckets, and its availability."""
        spans = {"hours": self.hours, "days": self.days}
        buckets: Json = {name: [bucket.as_json() for bucket in span.buckets] for name, span in spans.items()}
        return buckets | {"availability": {name: span.whole.availability for name, span in spans.items()}}


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """The newest check of an endpoint; `when` is its time in words. `oks`, `fails` and `silent` are in a row."""

    at: float
    when: str
    verdict: Verdict
    code: Code
    seen: str
    ms: float
    connection_ip: str
    oks: int
    fails: int
    silent: int
    last_ok_at: float | None

    def as_json(self) -> Json:
        """`connection_ip` is null where the system chooses."""
        return {
            "at": iso(self.at),
            "verdict": self.verdict.value,
            "code": self.code.value,
            "seen": self.seen,
            "ms": round(self.ms, 1),
            "connection_ip": self.connection_ip or None,
            "in_a_row": {"ok": self.oks, "fail": self.fails, "inconclusive": self.silent},
            "last_ok": iso(self.last_ok_at),
        }


@dataclass(frozen=True, slots=True)
class NoticeDocument:
    """What is to be said ahead of time."""

    code: Code
    sentence: str
    advice: str

    def as_json(self) -> Json:
        """The sentence is called `message`."""
        return {"code": self.code.value, "message": self.sentence, "advice": self.advice}


@dataclass(frozen=True, slots=True)
class EndpointHealthDocument:
    """One endpoint of the settings in force. `label` and `place` name it to people, `words` say its state.

    `sentence` and `advice` are about what the newest check found, '' where it was ok or there was none. `remark` is
    what else is to be known of the state: never checked, stale, or not yet certain.
    """

    endpoint: Endpoint
    label: str
    place: str
    state: str
    words: str
    since: float | None
    stale: bool
    check: CheckDocument | None
    remark: str
    sentence: str
    advice: str
    notices: tuple[NoticeDocument, ...]
    history: HistoryDocument

    def as_json(self) -> Json:
        """The sentence is called `message`."""
        return {
            "endpoint": self._place(),
            "headline": f"{self.label} {self.place}: {self.words}",
            "state": self.state,
            "since": iso(self.since),
            "stale": self.stale,
            "check": self.check.as_json() if self.check else None,
            "remark": self.remark,
            "message": self.sentence,
            "advice": self.advice,
            "notices": [notice.as_json() for notice in self.notices],
            "history": self.history.as_json(),
        }

    def _place(self) -> Json:
        endpoint = self.endpoint
        place: Json = {
            "protocol": endpoint.protocol.value,
            "host": endpoint.host,
            "port": endpoint.port,
            "security": endpoint.security.value,
        }
        if endpoint.authentication is Authentication.NONE:
            place["authentication"] = endpoint.authentication.value
        return place | ({"url": endpoint.url} if endpoint.url else {})
