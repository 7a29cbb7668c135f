"""Every example of the contract is what the service answers: asked anew, it is as it was, and as its schema has it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.web.examples.asked import asked
from web.contract import described
from web.examples import examples

DOCUMENT = described().openapi()
OPERATIONS = {each["operationId"]: each for methods in DOCUMENT["paths"].values() for each in methods.values()}
TELLING = frozenset({"code", "status", "state", "verdict", "type", "title", "reason", "impact", "media_type"})
"""What a host app branches on, and is therefore the same each time."""


@pytest.fixture(scope="module")
def anew(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return asked(tmp_path_factory.mktemp("examples"))


def require_valid(value: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def require_alike(before: Any, now: Any, place: str) -> None:
    """The same members, of the same kinds; what is told in words, numbers and ids may be other."""
    if before is None or now is None or isinstance(before, bool | int | float):
        assert before is None or now is None or isinstance(now, bool | int | float), place
    elif isinstance(before, dict):
        assert set(before) == set(now), place
        for name, value in before.items():
            assert name not in TELLING or value == now[name], f"{place}/{name}"
            require_alike(value, now[name], f"{place}/{name}")
    elif isinstance(before, list):
        assert bool(before) == bool(now), place
        for one, other in zip(before, now, strict=False):
            require_alike(one, other, f"{place}/-")
    else:
        assert isinstance(now, type(before)), place


def test_every_operation_has_examples_and_is_told_in_words() -> None:
    assert set(examples()) == set(OPERATIONS), (
        "ask for them in tests/web/examples/scenes.py, then `python -m tests.web.examples > web/examples.json`"
    )
    for name, operation in OPERATIONS.items():
        assert set(examples()[name]) == {"success", "failure"}, name
        assert operation["description"].endswith("."), name
        assert operation["summary"][0].isupper() and not operation["summary"].endswith("."), name
        assert " " in operation["summary"], f"{name}: a summary is no name of a function"
    summaries = [operation["summary"] for operation in OPERATIONS.values()]
    assert len(set(summaries)) == len(summaries), "two operations say that they do the same"


@pytest.mark.parametrize("outcome", ["success", "failure"])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_example_is_what_is_answered(anew: dict[str, dict[str, Any]], name: str, outcome: str) -> None:
    kept, now = examples()[name][outcome], anew[name][outcome]
    assert (kept["status"] < 300) == (outcome == "success")
    require_alike(kept, now, name)
    response = OPERATIONS[name]["responses"][str(kept["status"])]
    for shown in (kept, now):
        if "body" in shown:
            content = response["content"][shown["media_type"]]
            assert "examples" in content
            require_valid(shown["body"], content["schema"])
        if outcome == "success" and "body" in shown["request"]:
            require_valid(
                shown["request"]["body"], OPERATIONS[name]["requestBody"]["content"]["application/json"]["schema"]
            )
