"""How one endpoint is, put into words; a part of `worker.health.wording`."""

from collections.abc import Callable, Iterator

from checks.codes import Code
from checks.language import Language
from checks.messages import wording
from checks.messages.endpoints import endpoint_facts, place_facts, place_words
from checks.model import Facts
from checks.serialize import load_endpoint_result
from settings_store.health.endpoints import Watched
from settings_store.health.history import Bucket, History, total
from worker.health.endpoint_document import (
    BucketDocument,
    CheckDocument,
    EndpointHealthDocument,
    HistoryDocument,
    NoticeDocument,
    SpanDocument,
)
from worker.health.view import EndpointHealth
from worker.wording import phrase

Written = Callable[[float], str]
"""How a time (UTC seconds since 1970) is written within words."""


def endpoint_health_document(item: EndpointHealth, language: Language, written: Written) -> EndpointHealthDocument:
    """One endpoint, worded in `language`."""
    known = item.known
    failed = known is not None and known.code is not Code.OK
    words = wording(known.code, _facts(item, known), language) if known and failed else None
    since = written(known.since) if known else ""
    return EndpointHealthDocument(
        endpoint=item.endpoint,
        label=item.endpoint.protocol.label,
        place=place_words(item.endpoint, language),
        state=item.state,
        words=phrase(language, f"health.endpoint.{item.state}", time=since),
        since=known.since if known else None,
        stale=item.stale,
        check=_check(known, written) if known else None,
        remark=_remark(item, language),
        sentence=words.sentence if words else "",
        advice=words.advice if words else "",
        notices=tuple(_notices(item, language)),
        history=_history(item.history),
    )


def _facts(item: EndpointHealth, known: Watched) -> Facts:
    """Those of the newest conclusive result, where it is the one that is spoken of, and whether it worked before."""
    worked = {} if known.last_ok_at is None else {"worked": "yes"}
    if known.document:
        result = load_endpoint_result(dict(known.document))
        if result.code is known.code:
            return {**endpoint_facts(result), **worked}
    return {**place_facts(item.endpoint), **worked}


def _check(known: Watched, written: Written) -> CheckDocument:
    return CheckDocument(
        at=known.checked_at,
        when=written(known.checked_at),
        verdict=known.verdict,
        code=known.code,
        seen=known.seen,
        ms=known.ms,
        connection_ip=known.source,
        oks=known.oks,
        fails=known.fails,
        silent=known.silent,
        last_ok_at=known.last_ok_at,
    )


def _remark(item: EndpointHealth, language: Language) -> str:
    known = item.known
    if known is None:
        return phrase(language, "health.never")
    if item.stale:
        return phrase(language, "health.stale")
    if known.state in ("fail", "silent") and known.oks:
        return phrase(language, "health.recovering", count=known.oks)
    if known.state in ("ok", "unknown") and (known.fails or known.silent):
        return phrase(language, "health.begun", count=known.fails or known.silent)
    return ""


def _notices(item: EndpointHealth, language: Language) -> Iterator[NoticeDocument]:
    place = place_facts(item.endpoint)
    for notice in item.known.notices if item.known else ():
        code = Code(notice["code"])
        words = wording(code, {**place, **notice["facts"]}, language)
        yield NoticeDocument(code, words.sentence, words.advice)


def _history(history: History) -> HistoryDocument:
    return HistoryDocument(_span(history.hours), _span(history.days))


def _span(buckets: tuple[Bucket, ...]) -> SpanDocument:
    return SpanDocument(tuple(map(bucket_document, buckets)), bucket_document(total(buckets)))


def bucket_document(bucket: Bucket) -> BucketDocument:
    """One part of the past, with what it comes to."""
    return BucketDocument(
        start=bucket.start,
        ok=bucket.ok,
        fail=bucket.fail,
        inconclusive=bucket.inconclusive,
        availability=bucket.availability,
        ms=bucket.ms,
        ms_max=bucket.ms_max if bucket.ok else None,
    )
