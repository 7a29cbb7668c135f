"""The types of the client's documents, from the contract.

`python -m tests.web.client.documents > clients/python/mail_preflight_client/documents.py`
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_CONTRACT = Path(__file__).parents[3] / "docs/openapi.json"
_REF = "#/components/schemas/"
_LINE, _INDENT = 120, 4
_MOST = 20
"""A list of values that is longer goes on growing, such as that of the codes: to a client it is text."""
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '''"""What the service answers, as docs/openapi.json has it.

Written by `python -m tests.web.client.documents`, not by hand. Members may be added to a document at any time.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

'''


def text() -> str:
    """The module."""
    document = json.loads(_CONTRACT.read_text("utf-8"))
    schemas = document["components"]["schemas"]
    names = sorted(_reachable(schemas, set(_answered(document["paths"]))))
    values = [name for name in names if "properties" not in schemas[name]]
    blocks = ["\n".join(_broken(f"{name} = {_type(schemas[name])}") for name in values)]
    blocks += ["\n".join(_document(name, schemas[name])) for name in names if name not in values]
    return _HEAD + "\n\n\n".join(blocks) + "\n"


def _broken(line: str) -> str:
    """The line, over several where it is too long, as the formatter has it."""
    if len(line) <= _LINE:
        return line
    head, _, inner = line.removesuffix("]").partition("[")
    if len(inner) + _INDENT <= _LINE:
        return f"{head}[\n    {inner}\n]"
    return f"{head}[\n" + "".join(f"    {each},\n" for each in inner.split(", ")) + "]"


def _answered(paths: Mapping[str, Any]) -> Iterator[str]:
    """What operations answer when they succeed."""
    for operation in (each for methods in paths.values() for each in methods.values()):
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                yield from _named(response.get("content", {}).get("application/json", {}).get("schema", {}))


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            yield ref.removeprefix(_REF)
        for each in node.values():
            yield from _named(each)
    elif isinstance(node, list):
        for each in node:
            yield from _named(each)


def _reachable(schemas: Mapping[str, Any], names: set[str]) -> set[str]:
    while more := {inner for name in names for inner in _named(schemas[name])} - names:
        names |= more
    return names


def _document(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"class {name}(TypedDict):"
    if words := schema.get("description"):
        yield from _told(words)
    for member, inner in schema["properties"].items():
        kind = _type(inner)
        yield f"    {member}: {kind if member in schema.get('required', ()) else f'NotRequired[{kind}]'}"


def _told(words: str) -> Iterator[str]:
    first, *rest = words.strip().splitlines()
    if not rest:
        yield f'    """{first}"""\n'
        return
    yield f'    """{first}'
    yield from (f"    {line.strip()}" if line.strip() else "" for line in rest)
    yield '    """\n'


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    if either := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(map(_type, either)))
    if "const" in schema or "enum" in schema:
        return _one_of(schema.get("enum") or [schema["const"]])
    if schema.get("type") == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        more = schema.get("additionalProperties")
        return f"dict[str, {_type(more)}]" if isinstance(more, dict) else "dict[str, Any]"
    return _SIMPLE.get(schema.get("type", ""), "Any")


def _one_of(values: list[str]) -> str:
    return "str" if len(values) > _MOST else f"Literal[{', '.join(json.dumps(value) for value in values)}]"


if __name__ == "__main__":
    print(text(), end="")  # noqa: T201 -- it is what this module is run for
