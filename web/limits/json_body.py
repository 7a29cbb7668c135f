"""JSON as RFC 8259 has it, and no more: what others read otherwise, or our database cannot store, is refused."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem

_DEEPEST = 64
_LARGEST = 2**63 - 1
_LONGEST_NAME = 100  # of a member, in a pointer
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
UNUSABLE_TEXT = "a text may hold neither NUL nor half of a surrogate pair"


def parse(body: bytes) -> Any:
    """The value that a body is. Raises `Problem`."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise _malformed(f"the body is no UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"the body is no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _malformed(_TOO_DEEP) from None
    except ValueError:  # Python refuses to read integers of more than 4,300 digits
        raise _malformed("the body has a number that is too long") from None
    _require_usable(value)
    return value


def unusable(text: str) -> bool:
    """Whether a text cannot be stored: PostgreSQL has no NUL, and UTF-8 no halves."""
    return _UNUSABLE.search(text) is not None


_TOO_DEEP = f"the body is nested more than {_DEEPEST} levels deep"


def _malformed(detail: str) -> Problem:
    return Problem(ProblemCode.MALFORMED_BODY, detail)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _malformed("the body has an object with two members of the same name")
    return found


def _no_number(text: str) -> NoReturn:
    raise _malformed(f"the body is no JSON: {text} is no number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _malformed("the body has a number that is too large")
    return number


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is. The pointer is written only for what is refused: a long name has many values below it."""

    above: "_Place | None" = None
    name: str | int = ""
    depth: int = 0

    @property
    def pointer(self) -> str:
        """As RFC 6901 has it, with names that are cut where they are long."""
        parts: list[str] = []
        place = self
        while place.above is not None:
            parts.append(str(place.name)[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1"))
            place = place.above
        return "".join(f"/{part}" for part in reversed(parts))


def _require_usable(value: Any) -> None:
    """Without recursion: a body is as deep as its sender likes."""
    waiting: list[tuple[_Place, Any]] = [(_Place(), value)]
    while waiting:
        place, found = waiting.pop()
        if place.depth >= _DEEPEST and isinstance(found, list | dict):
            raise _malformed(_TOO_DEEP)
        if isinstance(found, str) and unusable(found):
            raise _refused(place, UNUSABLE_TEXT)
        if isinstance(found, int) and abs(found) > _LARGEST:
            raise _refused(place, "the number is too large")
        waiting.extend((_Place(place, name, place.depth + 1), inner) for name, inner in _members(place, found))


def _members(place: _Place, value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if unusable(name):
                raise _refused(place, UNUSABLE_TEXT)
            yield name, inner


def _refused(place: _Place, detail: str) -> Problem:
    pointer = place.pointer
    error = FieldProblem(pointer=pointer, code="unusable", detail=detail)
    return Problem(ProblemCode.INVALID_REQUEST, f"{pointer}: {detail}", errors=[error])
