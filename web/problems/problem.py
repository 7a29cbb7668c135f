"""A problem: raised anywhere in a request, answered as `application/problem+json`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from checks.language import Language
from web.negotiation import preferred
from web.problems.codes import KINDS, ProblemCode
from web.problems.commands import without_commands

MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
"""Where `type` points to, below the service's own address: docs/api.md describes each code."""


Translate = Callable[[str, Language], str]
"""Puts what went wrong into a language: sentences are raised in English."""


class FieldProblem(BaseModel):
    """What is wrong with one field: a JSON pointer into the body, or `query:NAME`, `header:NAME`, `path:NAME`."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """A problem as RFC 9457 has it, with our extensions."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: ProblemCode
    request_id: str
    errors: list[FieldProblem] = Field(default_factory=list)


class Problem(Exception):
    """Ends a request. `extensions` are further members of the document, `headers` further headers.

    Sentences may name commands: no answer does. `said` is how others than the API say the same as `detail`, if they say
    it otherwise: that is what is translated.
    """

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        extensions: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        said: str = "",
    ) -> None:
        super().__init__(detail)
        self.said = said or detail
        self.code, self.detail, self.errors = code, detail, tuple(errors)
        self.extensions, self.headers = dict(extensions or {}), dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.code].status


def document(problem: Problem, path: str, request_id: str) -> dict[str, Any]:
    """The document that tells of a problem."""
    kind = KINDS[problem.code]
    return {
        "type": TYPES + problem.code.value.replace("_", "-"),
        "title": kind.title,
        "status": kind.status,
        "detail": without_commands(problem.detail),
        "instance": path,
        "code": problem.code.value,
        "request_id": request_id,
        "errors": [{**error.model_dump(), "detail": without_commands(error.detail)} for error in problem.errors],
        **problem.extensions,
    }


def in_language(error: Exception | str, language: Language, translate: Translate) -> str:
    """What went wrong, in that language and without the names of commands."""
    return without_commands(translate(str(error), language), language)


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The answer that tells of a problem, in the language that is liked best (Accept-Language)."""
    # A path may hold what is no text: JSON has it escaped.
    found = document(problem, request.url.path, getattr(request.state, "request_id", ""))
    language = Language(preferred(request.headers.get("accept-language"), list(Language)) or Language.EN)
    if language is not Language.EN:
        found |= _worded(problem, language, request.app.state.translate)
    headers = {"Content-Language": language.value, "Vary": "Accept-Language", **problem.headers}
    return JSONResponse(found, problem.status, headers, MEDIA_TYPE)


def _worded(problem: Problem, language: Language, translate: Translate) -> dict[str, Any]:
    """The members that are for people. What names its field first keeps that; what nobody has translated is English."""
    details = {problem.detail: in_language(problem.said, language, translate)}
    errors = []
    for error in problem.errors:
        said = details.get(error.detail) or in_language(error.detail, language, translate)
        details[f"{error.pointer}: {error.detail}"] = f"{error.pointer}: {said}"
        errors.append({**error.model_dump(), "detail": said})
    title = translate(KINDS[problem.code].title, language)
    return {"title": title, "detail": details[problem.detail], "errors": errors}
