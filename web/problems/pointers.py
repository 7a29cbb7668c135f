"""Where in a request a mistake is, of what pydantic says."""

from collections.abc import Iterator, Sequence
from typing import Any

_LONGEST_NAME = 100
"""So much of a member's name is told."""
_TAGS = {"kind": frozenset({"imap", "exchange"}), "protocol": frozenset({"imap", "smtp", "https"})}
"""The fields that say which of several models a part of a body is, and what they say."""


def pointer(place: Sequence[str | int], body: Any) -> str:
    """A JSON pointer (RFC 6901) into the body; what is elsewhere says where."""
    where, *rest = place or ("body",)
    if where == "body":
        parts = (str(part)[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1") for part in _steps(rest, body))
        return "".join(f"/{part}" for part in parts)
    return f"{where}:{'.'.join(str(part) for part in rest)}"


def _steps(rest: Sequence[str | int], node: Any) -> Iterator[str | int]:
    """Without the names of models that pydantic has in between, for they are no fields of the body."""
    known = False
    for part in rest:
        if not known and _is_tag(part, node):
            known = True
            continue
        yield part
        node, known = _below(node, part), False


def _is_tag(part: str | int, node: Any) -> bool:
    return isinstance(node, dict) and any(part in tags and node.get(field) == part for field, tags in _TAGS.items())


def _below(node: Any, part: str | int) -> Any:
    try:
        return node[part]
    except (KeyError, IndexError, TypeError):
        return None
