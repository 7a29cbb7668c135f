"""Health as JSON: what `mail-preflight health --json` prints. Times are ISO 8601 in UTC.

The schema of one domain's document is `docs/schema/health.schema.json`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from checks.messages import Language, wording
from checks.model import Endpoint
from settings_store.health.endpoints import Watched
from settings_store.health.history import Bucket, History, total
from settings_store.incidents.incidents import Incident
from settings_store.incidents.overview import Disconnected
from settings_store.maintenance import Window
from worker.health.view import DomainHealth, EndpointHealth, Line

Document = dict[str, object]


def health_document(found: DomainHealth, language: Language = Language.EN) -> Document:
    """One domain. Sentences and advice are in `language`."""
    return {
        "domain": found.domain,
        "at": iso(found.at),
        "state": found.state,
        "service_in_trouble": found.trouble,
        "paused_since": iso(found.rest.paused_at),
        "maintenance": window_document(found.rest.window) if found.rest.window else None,
        "endpoints": [_endpoint(item, language) for item in found.endpoints],
        "mailboxes": {
            **{state.value: count for state, count in found.mailboxes.items()},
            "list": [_mailbox(item) for item in found.disconnected],
        },
        "incidents": [_incident(item, language) for item in found.incidents],
        "incident_count": found.incident_count,
        "alert_channels": list(found.channels),
    }


def list_document(lines: Iterable[Line]) -> list[Document]:
    """All domains, the worst first."""
    return [
        {
            "domain": line.standing.domain,
            "state": line.state,
            "incidents": line.standing.incidents,
            "notices": line.standing.notices,
            "mailboxes": {state.value: count for state, count in line.standing.mailboxes.items()},
            "checked_at": iso(line.standing.checked_at),
        }
        for line in lines
    ]


def window_document(window: Window) -> Document:
    """Announced maintenance. `domain` is null where it is for the whole account."""
    return {
        "id": window.id,
        "domain": window.domain,
        "from": iso(window.starts_at),
        "until": iso(window.ends_at),
        "note": window.note,
    }


def iso(at: float | None) -> str | None:
    """UTC seconds since 1970 as ISO 8601, to the second."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _endpoint(item: EndpointHealth, language: Language) -> Document:
    known, words = item.known, item.words(language)
    return {
        "endpoint": _place(item.endpoint),
        "state": item.state,
        "since": iso(known.since) if known else None,
        "stale": item.stale,
        "check": _check(known) if known else None,
        "message": words.sentence if words else "",
        "advice": words.advice if words else "",
        "notices": [
            {"code": code.value, "message": text.sentence, "advice": text.advice}
            for code, text in item.notices(language)
        ],
        "history": _history(item.history),
    }


def _place(endpoint: Endpoint) -> Document:
    place: Document = {
        "protocol": endpoint.protocol.value,
        "host": endpoint.host,
        "port": endpoint.port,
        "security": endpoint.security.value,
    }
    return place | ({"url": endpoint.url} if endpoint.url else {})


def _check(known: Watched) -> Document:
    return {
        "at": iso(known.checked_at),
        "verdict": known.verdict.value,
        "code": known.code.value,
        "seen": known.seen,
        "ms": round(known.ms, 1),
        "connection_ip": known.source or None,
        "in_a_row": {"ok": known.oks, "fail": known.fails, "inconclusive": known.silent},
        "last_ok": iso(known.last_ok_at),
    }


def _history(history: History) -> Document:
    return {
        "hours": [_bucket(bucket) for bucket in history.hours],
        "days": [_bucket(bucket) for bucket in history.days],
        "availability": {"hours": total(history.hours).availability, "days": total(history.days).availability},
    }


def _bucket(bucket: Bucket) -> Document:
    return {
        "from": iso(bucket.start),
        "ok": bucket.ok,
        "fail": bucket.fail,
        "inconclusive": bucket.inconclusive,
        "availability": bucket.availability,
        "ms": None if bucket.ms is None else round(bucket.ms, 1),
        "ms_max": round(bucket.ms_max, 1) if bucket.ok else None,
    }


def _mailbox(item: Disconnected) -> Document:
    return {"address": item.address, "code": item.code.value if item.code else None, "since": iso(item.since)}


def _incident(item: Incident, language: Language) -> Document:
    words = wording(item.code, item.facts, language)
    return {
        "id": item.id,
        "scope": item.scope.value,
        "severity": item.severity.value,
        "code": item.code.value,
        "message": words.sentence,
        "advice": words.advice,
        "seen": item.seen,
        "address": item.address or None,
        "domains": list(item.domains),
        "mailboxes": item.mailboxes,
        "since": iso(item.since),
        "opened": iso(item.opened_at),
        "recovered": iso(item.recovered_at),
        "closed": iso(item.closed_at),
        "reopened": item.reopened,
    }
