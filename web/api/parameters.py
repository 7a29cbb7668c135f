"""Parameters that several resources take."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Path, Query

from checks.language import Language
from checks.model import Invalid, Unknown
from web.api.cursor import CURSOR
from web.documents import Limit, Prefix, inner_id

DomainName = Annotated[str, Path(max_length=300, examples=["example.com"])]
Lang = Annotated[Language, Query(alias="lang", description="The language of the sentences.")]
PageSize = Annotated[Limit, Query(alias="limit", description="How many, at most.")]
Cursor = Annotated[str | None, Query(max_length=4000, description="`next_cursor` of the page before.")]


def number_of(prefix: Prefix, given: str) -> int:
    """The number in a prefixed id. Raises `Unknown` for one that can be nobody's."""
    text = inner_id(prefix, given)
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Unknown(f"there is nothing with the id {given[:100]!r}", f"{prefix}_id")
    return int(text)


def number_in(text: str) -> float:
    """A finite number out of a cursor. Raises `Invalid`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid("it is no cursor of this list; take `next_cursor` as it was given, or begin without one", CURSOR)
    return number


@contextmanager
def in_body(**renamed: str) -> Iterator[None]:
    """What a field names and is not there is a wrong field: only what the path names is a 404.

    `renamed` are fields that are called otherwise here.
    """
    try:
        yield
    except Invalid as error:
        raise Invalid(str(error), renamed.get(error.field, error.field)) from None
