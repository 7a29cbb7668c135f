"""What all documents of the API share: times, prefixed ids, pages, and how strictly a request is read."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from checks.model import Unknown

_INNER = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Nothing else is asked of the database, which may not take it: PostgreSQL has no text with a NUL in it."""


class Prefix(StrEnum):
    """What an id is of. The rest of an id means nothing to anybody but us."""

    CHANGE = "chg"
    CONNECTION = "con"
    RUN = "run"
    EVENT = "evt"
    INCIDENT = "inc"
    CHANNEL = "alc"
    MAINTENANCE = "mnt"
    API_KEY = "key"
    USER = "usr"
    WEBHOOK_ENDPOINT = "whe"
    DELIVERY = "whd"
    REQUEST = "req"


def public_id(prefix: Prefix, inner: object) -> str:
    """An id as others see it: `chg_0123...`."""
    return f"{prefix}_{inner}"


def inner_id(prefix: Prefix, given: str) -> str:
    """Ours of an id that comes from outside. Raises `Unknown` for one that is of something else."""
    head, separator, rest = given.partition("_")
    if head != prefix or not separator or not _INNER.fullmatch(rest):
        raise Unknown(f"{given[:100]!r} is no id of this kind: it begins with {prefix}_", f"{prefix}_id")
    return rest


LAST = 253_370_764_800.0
"""The beginning of the year 9999: later times cannot be written in every zone, and are shown as this one."""


def rfc3339(seconds: float) -> str:
    """UTC seconds since 1970 as RFC 3339 has it, to the millisecond: `2026-11-29T10:05:16.000Z`."""
    return datetime.fromtimestamp(min(seconds, LAST), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    float,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""UTC seconds since 1970 inside; RFC 3339 in JSON."""


class Document(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


class Request(BaseModel):
    """What is asked for: a field that there is not is a mistake of whoever asks, not something to pass over."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Limit = Annotated[int, Field(ge=1, le=1000)]
