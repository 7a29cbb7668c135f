"""What is wrong with a form, by field and in the reader's language. Models and use cases of the API find it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import ValidationError

from checks.model import Invalid
from settings_store.changes.lifecycle import Refused
from web.pages.frame.page import Page

_WORDS: Mapping[str, str] = {
    "missing": "frame.error.missing",
    "int_parsing": "frame.error.number",
    "greater_than_equal": "frame.error.number",
    "less_than_equal": "frame.error.number",
    "string_too_long": "frame.error.long",
}
_PORT = "frame.error.port"


@contextmanager
def at_fields(page: Page, errors: dict[str, str], *, skip: int = 0) -> Iterator[None]:
    """Puts what is found wrong meanwhile into `errors`, by the name of the field; '' for what is of none.

    `skip`: so many parts at the beginning of a place are none of the form.
    """
    try:
        yield
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            place = ".".join(part for part in each["loc"][skip:] if isinstance(part, str))
            key = _PORT if place.endswith("port") and each["type"] != "missing" else _WORDS.get(each["type"])
            errors[place] = page.t(key or "frame.error.other")
    except Refused:
        raise
    except Invalid as error:
        parts = error.field.removeprefix("settings/").split("/")
        errors[".".join(part for part in parts if not part.isdecimal())] = page.told(error)
