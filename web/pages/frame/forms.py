"""What a form has sent: texts by name, and as the nested document that a model of the API takes."""

from collections.abc import Mapping
from typing import Any

from fastapi import Depends
from starlette.datastructures import UploadFile
from starlette.requests import Request

from web.limits.json_body import UNUSABLE_TEXT, unusable
from web.problems.codes import ProblemCode
from web.problems.problem import Problem

_MOST_FIELDS = 200


class Form(Mapping[str, str]):
    """A form that was sent. A field that is not there is ''; blanks around a text mean nothing."""

    def __init__(self, texts: Mapping[str, str], files: Mapping[str, bytes], several: Mapping[str, list[str]]) -> None:
        self._texts, self._several, self.files = texts, several, files

    def __getitem__(self, name: str) -> str:
        return self._texts.get(name, "").strip()

    def __iter__(self) -> Any:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def raw(self, name: str) -> str:
        """A field as it was sent: a password may begin with a blank."""
        return self._texts.get(name, "")

    def all(self, name: str) -> list[str]:
        """All the values of a name."""
        return self._several.get(name, [])

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return name in self._texts

    def nested(self, *names: str) -> dict[str, Any]:
        """The fields as a document: `imap.host` is `host` in `imap`. Those that are empty are left out."""
        found: dict[str, Any] = {}
        for name in names:
            if value := self[name]:
                *heads, last = name.split(".")
                place = found
                for head in heads:
                    place = place.setdefault(head, {})
                place[last] = value
        return found


async def _form(request: Request) -> Form:
    async with request.form(max_fields=_MOST_FIELDS, max_files=1, max_part_size=2_000_000) as data:
        texts: dict[str, str] = {}
        several: dict[str, list[str]] = {}
        files: dict[str, bytes] = {}
        for name, value in data.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await value.read()
            elif unusable(name) or unusable(value):
                raise Problem(ProblemCode.INVALID_REQUEST, UNUSABLE_TEXT)
            else:
                texts[name] = value
                several.setdefault(name, []).append(value)
        return Form(texts, files, several)


def form() -> Any:
    """What was sent: `sent: Annotated[Form, form()]`."""
    return Depends(_form)
