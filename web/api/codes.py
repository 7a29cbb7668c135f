"""`/v1/codes`: every cause that a check can end with, in every language. It is the same for everybody."""

import functools
import hashlib
from typing import Annotated

from fastapi import Header, Response

from checks.codes import CODES, Blame, Code
from checks.language import Language
from checks.messages import blame_word, wording
from web.access.routing import PUBLIC_TAG, router
from web.documents import Document

routes = router("codes")

_CACHED = "public, max-age=3600"


class CodeWords(Document):
    """A code in one language. A result has these sentences with its own host, date and names in them."""

    cause: str
    who_acts: str
    advice: str


class CodeDocument(Document):
    """A code. `lasting`: a failure, which can make a change unsafe; else inconclusive, which never counts as one.

    `blame` is who must act; `field` is the form field to look at, null where there is none.
    """

    code: Code
    blame: Blame
    lasting: bool
    field: str | None
    words: dict[Language, CodeWords]


class CodeList(Document):
    """All of them."""

    items: list[CodeDocument]
    next_cursor: None = None


@routes.get(
    "/v1/codes",
    operation_id="codes.list",
    summary="List all codes",
    tags=[PUBLIC_TAG],
    response_model=CodeList,
    responses={304: {"description": "The list is the one whose ETag was sent."}},
)
def list_(if_none_match: Annotated[str, Header()] = "") -> Response:
    """Every code, who acts, what to do, and whether it lasts."""
    body, tag = _all()
    headers = {"Cache-Control": _CACHED, "ETag": tag}
    if tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@functools.cache
def _all() -> tuple[bytes, str]:
    """The body and its ETag: the tables are part of the program."""
    body = CodeList(items=[_document(code) for code in Code]).model_dump_json().encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _document(code: Code) -> CodeDocument:
    trait = CODES[code]
    return CodeDocument(
        code=code,
        blame=trait.blame,
        lasting=trait.permanent,
        field=wording(code, {}).field,
        words={language: _words(code, language) for language in Language},
    )


def _words(code: Code, language: Language) -> CodeWords:
    words = wording(code, {}, language)
    return CodeWords(cause=words.sentence, who_acts=blame_word(CODES[code].blame, language), advice=words.advice)
