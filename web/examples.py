"""What was asked and answered once, for each operation of the contract: an example of success and one of failure.

`python -m tests.web.examples > web/examples.json` asks anew; a test asks, and finds the same.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from web.problems.codes import KINDS, ProblemCode
from web.problems.problem import MEDIA_TYPE

_JSON = "application/json"


@cache
def examples() -> Mapping[str, Mapping[str, Any]]:
    """By operation, and by `success` and `failure`: the request, and status, media type and body of the answer."""
    found: Mapping[str, Mapping[str, Any]] = json.loads(files("web").joinpath("examples.json").read_text("utf-8"))
    return found


def add_examples(operation: dict[str, Any], problem: Mapping[str, Any]) -> None:
    """Puts the examples of an operation into its description. `problem` is the schema of what tells of a failure."""
    for outcome, example in examples().get(operation["operationId"], {}).items():
        request, line = example["request"], _told(example["request"])
        if "body" in request:
            content = operation["requestBody"]["content"][_JSON]
            content.setdefault("examples", {})[outcome] = {"summary": line, "value": request["body"]}
        if outcome == "success":
            _succeeds(operation["responses"][str(example["status"])], example, line)
        else:
            shown = {"summary": line, "value": example["body"]}
            content = {MEDIA_TYPE: {"schema": problem, "examples": {outcome: shown}}}
            title = KINDS[ProblemCode(example["body"]["code"])].title
            operation["responses"][str(example["status"])] = {"description": title, "content": content}


def _succeeds(response: dict[str, Any], example: Mapping[str, Any], line: str) -> None:
    if "body" not in example:
        response["description"] = f"Done, and there is nothing more to tell: `{line}`."
        return
    content = response["content"].setdefault(example["media_type"], {})
    content["examples"] = {"success": {"summary": line, "value": example["body"]}}


def _told(request: Mapping[str, Any]) -> str:
    """The line of a request, with the headers that it depends on."""
    headers = "".join(f", {name}: {value}" for name, value in request.get("headers", {}).items())
    return f"{request['line']}{headers}"
