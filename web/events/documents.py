"""Events as they are answered, and the ids that readers go on after."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from checks.model import Invalid
from web.documents import Document
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.events.document import document
from worker.events.public import PublicEvent, id_of, seq_of
from worker.events.reading import Page, Resync

After = Annotated[
    str | None,
    Query(
        max_length=100,
        description="The id of an event: those that come after it. Without one: from the oldest that is kept.",
        examples=["evt_000000000017"],
    ),
]


class EventDocument(Document):
    """What happened. `subject` is the id of a change, run or incident, or a domain; `data` what the type has beyond."""

    id: str = Field(examples=["evt_000000000017"])
    type: str = Field(examples=["change.verified"])
    time: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-29T10:05:16.000Z"])
    domain: str | None
    subject: str
    actor: str
    data: dict[str, Any]


class EventsPage(Document):
    """Events, the oldest first. `next_after` is what to ask for the next ones with, now or later.

    `next_cursor` is the same where more are there already, else null.
    """

    items: list[EventDocument]
    next_cursor: str | None
    next_after: str


def event_document(event: PublicEvent) -> EventDocument:
    """The document of an event."""
    return EventDocument(**document(event))


def page_document(page: Page) -> EventsPage:
    """The document of a page."""
    after = id_of(page.after)
    return EventsPage(
        items=[event_document(event) for event in page.events],
        next_cursor=after if page.more else None,
        next_after=after,
    )


def number(after: str | None, field: str = "query:after") -> int | None:
    """The number of the event that is named. Raises `Invalid` for what is no event's id."""
    if after is None:
        return None
    found = seq_of(after)
    if found is None:
        raise Invalid(f"{after[:100]!r} is no event's id: it begins with evt_", field)
    return found


def resync(error: Resync) -> Problem:
    """Whoever asks must look at how things are now, and then goes on after `latest_id`."""
    return Problem(
        ProblemCode.RESYNC,
        "events are kept for 30 days, and what came after this one is not known; note latest_id, read how things are "
        "now, then go on with after=latest_id",
        extensions={"latest_id": id_of(error.latest)},
    )
