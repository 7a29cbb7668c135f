"""Health put into words: its documents in a language. Pure: what was read in, documents out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from checks.language import Language
from checks.messages import wording
from checks.messages.alerts import also
from checks.model import MailboxState
from settings_store.incidents.incidents import Incident
from settings_store.incidents.overview import Disconnected
from settings_store.maintenance import Window
from worker.health.document import (
    DisconnectedDocument,
    DomainDocument,
    IncidentDocument,
    LineDocument,
    ListDocument,
    MailboxesDocument,
    WindowDocument,
)
from worker.health.endpoint_document import iso
from worker.health.endpoint_wording import Written, endpoint_health_document
from worker.health.view import DomainHealth, DomainState, Line
from worker.wording import phrase


def _in_utc(at: float) -> str:
    return iso(at) or ""


def health_document(
    found: DomainHealth, language: Language = Language.EN, written: Written = _in_utc
) -> DomainDocument:
    """One domain, worded in `language`."""
    paused_at, window = found.rest.paused_at, found.rest.window
    return DomainDocument(
        language=language,
        domain=found.domain,
        at=found.at,
        state=found.state,
        headline=phrase(language, f"health.{found.state}", domain=found.domain),
        paused_at=paused_at,
        paused="" if paused_at is None else phrase(language, "health.paused.since", time=written(paused_at)),
        window=window_document(window) if window else None,
        maintenance=_maintenance(window, language, written) if window else "",
        in_trouble=found.trouble,
        trouble=phrase(language, "health.trouble") if found.trouble else "",
        endpoints=tuple(endpoint_health_document(item, language, written) for item in found.endpoints),
        mailboxes=_mailboxes(found, language, written),
        incidents=tuple(incident_document(item, language, written) for item in found.incidents),
        incident_count=found.incident_count,
        channels=found.channels,
        told=_told(found.channels, language),
    )


def window_document(window: Window) -> WindowDocument:
    """Announced maintenance."""
    return WindowDocument(window.id, window.domain, window.starts_at, window.ends_at, window.note)


def _maintenance(window: Window, language: Language, written: Written) -> str:
    times = {"start": written(window.starts_at), "end": written(window.ends_at)}
    return phrase(language, "health.maintenance.until", id=window.id, note=window.note, **times).rstrip()


def _told(channels: Sequence[str], language: Language) -> str:
    """Who is told when something fails."""
    if not channels:
        return phrase(language, "health.nobody")
    return phrase(language, "health.told", names=language.listed(channels))


# -- mailboxes and incidents


def _mailboxes(found: DomainHealth, language: Language, written: Written) -> MailboxesDocument:
    listed = (_disconnected(item, language, written) for item in found.disconnected)
    return MailboxesDocument(found.mailboxes, _counts(found.mailboxes, language), tuple(listed))


def _counts(mailboxes: Mapping[MailboxState, int], language: Language) -> str:
    return phrase(language, "health.mailboxes", **{state.value: count for state, count in mailboxes.items()})


def _disconnected(item: Disconnected, language: Language, written: Written) -> DisconnectedDocument:
    words = "" if item.since is None else phrase(language, "health.since", time=written(item.since))
    return DisconnectedDocument(item.address, item.code, item.since, words)


def incident_document(item: Incident, language: Language = Language.EN, written: Written = _in_utc) -> IncidentDocument:
    """One incident, worded in `language`."""
    words = wording(item.code, item.facts, language)
    names = language.listed(item.domains)
    return IncidentDocument(
        id=item.id,
        scope=item.scope.value,
        severity=item.severity.value,
        code=item.code,
        title=language.listed((phrase(language, f"severity.{item.severity}"), phrase(language, f"scope.{item.scope}"))),
        sentence=language.text((words.sentence, *also(item.facts, language))),
        advice=words.advice,
        course=language.text(_course(item, language, written)),
        shared=phrase(language, "health.incident.domains", names=names) if len(item.domains) > 1 else "",
        seen=item.seen,
        address=item.address,
        domains=tuple(item.domains),
        mailboxes=item.mailboxes,
        since=item.since,
        opened_at=item.opened_at,
        recovered_at=item.recovered_at,
        closed_at=item.closed_at,
        reopened=item.reopened,
    )


def _course(item: Incident, language: Language, written: Written) -> Iterator[str]:
    if item.closed_at is not None:
        end = item.recovered_at if item.recovered_at is not None else item.closed_at
        yield phrase(language, "health.incident.span", start=written(item.since), end=written(end))
    else:
        yield phrase(language, "health.incident.since", time=written(item.since))
        if item.recovered_at is not None:
            yield phrase(language, "health.incident.recovered", time=written(item.recovered_at))
    if item.reopened:
        yield phrase(language, "health.incident.reopened", count=item.reopened)


# -- all domains


def list_document(
    lines: Iterable[Line], states: Mapping[DomainState, int], language: Language = Language.EN
) -> ListDocument:
    """Domains in the order given, worded in `language`; `states` say how many of all there are in which state."""
    documents = tuple(_line(line, language) for line in lines)
    parts = (f"{count} {phrase(language, f'health.short.{state}')}" for state, count in states.items())
    words = phrase(language, "health.total", count=sum(states.values()), states=language.listed(parts))
    return ListDocument(language, documents, words)


def _line(line: Line, language: Language) -> LineDocument:
    standing = line.standing
    return LineDocument(
        domain=standing.domain,
        state=line.state,
        words="; ".join(_line_words(line, language)),
        incidents=standing.incidents,
        notices=standing.notices,
        mailboxes=standing.mailboxes,
        checked_at=standing.checked_at,
    )


def _line_words(line: Line, language: Language) -> Iterator[str]:
    standing = line.standing
    yield phrase(language, f"health.short.{line.state}")
    if standing.incidents:
        yield phrase(language, "health.line.incidents", count=standing.incidents)
    if standing.notices:
        yield phrase(language, "health.line.notices", count=standing.notices)
    yield phrase(language, "health.line.mailboxes", counts=_counts(standing.mailboxes, language))
