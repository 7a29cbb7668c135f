"""A problem: raised anywhere in a request, answered as `application/problem+json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from web.problems.codes import KINDS, ProblemCode

MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
"""Where `type` points to, below the service's own address: docs/api.md describes each code."""


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
    """Ends a request. `extensions` are further members of the document, `headers` further headers."""

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        extensions: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
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
        "detail": problem.detail,
        "instance": path,
        "code": problem.code.value,
        "request_id": request_id,
        "errors": [error.model_dump() for error in problem.errors],
        **problem.extensions,
    }


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The answer that tells of a problem."""
    # A path may hold what is no text: JSON has it escaped.
    found = document(problem, request.url.path, getattr(request.state, "request_id", ""))
    return JSONResponse(found, problem.status, problem.headers, MEDIA_TYPE)
