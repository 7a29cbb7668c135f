"""The contract: a change of it shows in docs/openapi.json."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.web.api import Api
from web.access.authentication import PUBLIC, PUBLIC_BELOW
from web.contract import described, text

KEPT = Path(__file__).parents[2] / "docs/openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described().openapi()


def operations(document: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Operation id -> its path and itself."""
    found = [(path, each) for path, methods in document["paths"].items() for each in methods.values()]
    ids = [each["operationId"] for _, each in found]
    assert len(ids) == len(set(ids)), "an operation id stands for two"
    return dict(zip(ids, found, strict=True))


def test_the_kept_file_is_the_apps_document(document: dict[str, Any]) -> None:
    assert KEPT.read_text(encoding="utf-8") == text(document), (
        "the contract has changed: look whether host apps bear it, then `python -m web.contract > docs/openapi.json`"
    )


def test_what_is_answered_is_the_same(shared_api: Api, document: dict[str, Any]) -> None:
    assert requests.get(f"{shared_api.url}/v1/openapi.json", timeout=30).json() == json.loads(text(document))


def test_every_operation_tells_of_its_key_and_its_failures(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    problem = document["components"]["responses"]["Problem"]["content"]
    assert list(problem) == ["application/problem+json"]
    for name, (path, operation) in operations(document).items():
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}, name
        public = path in PUBLIC or path.startswith(PUBLIC_BELOW)
        assert (operation.get("security") == []) == public, name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                found: Any = document
                for step in reference.removeprefix("#/").split("/"):
                    found = found[step]
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(document)
    assert "HTTPValidationError" not in text(document), "we answer no such thing"
