"""The contract: the OpenAPI document as it is kept in docs/openapi.json (`python -m web.contract > docs/openapi.json`).

What FastAPI writes by itself is completed by what is true of every operation: the key, how a failure is told, and an
example of success and of failure.
"""

import json
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from web.access.routing import PUBLIC_TAG
from web.api import routes
from web.examples import add_examples
from web.problems.problem import MEDIA_TYPE, ProblemDocument

_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_REF = "#/components/schemas/{model}"
_PROBLEM = "Problem"
_PROBLEM_SCHEMA = {"$ref": _REF.format(model="ProblemDocument")}
_KEY = "key"
_UNPROCESSABLE = "422"


class Described(FastAPI):
    """An application whose document is the contract."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of its routes, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _contract(self)
        return self.openapi_schema


def described(**options: Any) -> Described:
    """The application, with every route. `options` are FastAPI's."""
    app = Described(title="Mail Preflight", version=version("mail-preflight"), **options)
    routes.include(app)
    return app


def _contract(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, openapi_version="3.1.0", routes=app.routes)
    components = found.setdefault("components", {})
    schema = ProblemDocument.model_json_schema(ref_template=_REF)
    components["schemas"] |= schema.pop("$defs") | {"ProblemDocument": schema}
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which we never answer
        components["schemas"].pop(name, None)
    components["responses"] = {_PROBLEM: _problem()}
    components["securitySchemes"] = {_KEY: {"type": "http", "scheme": "bearer", "bearerFormat": "mp_live_ID_SECRET"}}
    found["security"] = [{_KEY: []}]
    for path in found["paths"].values():
        for method in _METHODS & path.keys():
            _complete(path[method])
    return found


def text(document: dict[str, Any]) -> str:
    """The file: sorted and indented, so that a difference shows what has changed."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _problem() -> dict[str, Any]:
    return {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA}}}


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in json.dumps(responses.get(_UNPROCESSABLE, {})):
        del responses[_UNPROCESSABLE]
    add_examples(operation, _PROBLEM_SCHEMA)
    responses["default"] = {"$ref": f"#/components/responses/{_PROBLEM}"}
    if PUBLIC_TAG in operation.get("tags", ()):
        operation["security"] = []


if __name__ == "__main__":
    print(text(described().openapi()), end="")  # noqa: T201 -- it is what this module is run for
