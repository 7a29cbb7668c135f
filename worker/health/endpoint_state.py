"""What is known of an endpoint after one more check. Pure: what was known, the result and the time in; a row out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from checks.codes import Verdict
from checks.model import EndpointResult
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.settings import Settings
from settings_store.health.endpoints import Watched
from settings_store.health.schedule import Due
from worker.config import Config
from worker.health.notices import key_change, notices_of
from worker.health.streaks import Rules, Streak, certain, observe


@dataclass(frozen=True, slots=True)
class Subject:
    """A domain whose endpoints were checked. `password_mailboxes` is how many of its mailboxes have a password."""

    due: Due
    settings: Settings
    password_mailboxes: int
    source: str


def rules_of(config: Config) -> Rules:
    """When a row of checks means something."""
    return Rules(config.health_fails, config.health_oks, config.health_silent_minutes * 60)


def after_check(subject: Subject, before: Watched | None, result: EndpointResult, now: float, rules: Rules) -> Watched:
    """What is known now, at `now` (UTC seconds since 1970). `before`: None where these settings were never checked."""
    streak = observe(streak_of(before) if before else None, result.verdict, now, rules, result.code)
    last = load_endpoint_result(dict(before.document)) if before and before.document else None
    changed = key_change(last, result, now)
    notices = notices_of(result, last, subject.settings, subject.password_mailboxes, now)
    row = Watched(
        domain_id=subject.due.domain_id,
        domain=subject.due.domain,
        account_id=subject.due.account_id,
        protocol=result.endpoint.protocol,
        settings_id=subject.due.settings_id,
        server=f"{result.endpoint.host}:{result.endpoint.port}",
        source=subject.source,
        verdict=result.verdict,
        code=result.code,
        seen=result.seen,
        checked_at=now,
        ms=sum(step.ms for step in result.steps),
        document=_document(before, result),
        notices=[{"code": notice.code.value, "facts": dict(notice.facts)} for notice in notices],
        key_changed_at=now if changed else before.key_changed_at if before else None,
        key_change=changed or (before.key_change if before else None),
        **asdict(streak),
    )
    return row if before is None or before.moved or _differs(before, row) else _unmoved(row)


def streak_of(row: Watched) -> Streak:
    """How the endpoint has done so far."""
    return Streak(row.state, row.since, row.fails, row.oks, row.silent, row.first_bad_at, row.last_ok_at)


def begins_to_fail(before: Watched | None, row: Watched) -> bool:
    """Whether this is the first check that was not well."""
    return row.first_bad_at is not None and (before is None or before.first_bad_at is None)


def is_certain(row: Watched, now: float, rules: Rules) -> bool:
    """Whether the next check may come at its usual time."""
    return certain(streak_of(row), rules) and row.key_changed_at != now


def _document(before: Watched | None, result: EndpointResult) -> Mapping[str, Any]:
    if result.verdict is Verdict.INCONCLUSIVE:
        return before.document if before else {}
    return dump_endpoint_result(result)


def _differs(before: Watched, row: Watched) -> bool:
    """Whether there is something that incidents must be judged by anew."""
    return any(getattr(before, name) != getattr(row, name) for name in ("state", "code", "notices", "key_changed_at"))


def _unmoved(row: Watched) -> Watched:
    return Watched(**{name: getattr(row, name) for name in Watched.__slots__ if name != "moved"}, moved=False)
