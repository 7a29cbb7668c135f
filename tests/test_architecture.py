"""The plan of rooms (docs/architecture.md) as far as import-linter does not hold it: no circles, small rooms."""

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("checks", "settings_store", "worker", "web", "cli")
_STARTS = ("", *FLOORS, "checks/protocols")  # a room is named within its floor
FILES = 13  # of one room, its `__init__.py` apart


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Each file's module with those of ours that it imports, wherever the import stands."""
    graph = grimp.build_graph(FLOORS[0], *FLOORS[1:], include_external_packages=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def _circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """One circle of any length, [] where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_files_import_each_other_in_a_circle(imports: dict[str, set[str]]) -> None:
    assert len(imports) > 200, "the files were found"
    assert _circle(imports) == []


def test_a_circle_would_be_found(imports: dict[str, set[str]]) -> None:
    closed = {**imports, "checks.codes": imports["checks.codes"] | {"cli.main"}}
    assert {"checks.codes", "cli.main"} <= set(_circle(closed))


def test_rooms_are_small() -> None:
    counts = {
        folder.relative_to(ROOT).as_posix(): len([file for file in folder.glob("*.py") if file.name != "__init__.py"])
        for floor in FLOORS
        for folder in [ROOT / floor, *(ROOT / floor).rglob("*")]
        if folder.is_dir() and folder.name not in ("__pycache__", "versions")  # a revision more is no room fuller
    }
    assert {room: count for room, count in counts.items() if count > FILES} == {}


def test_what_a_floor_calls_a_capability_is_called_so_on_the_others() -> None:
    """One capability, one name: whoever works on alerts opens the folders called `alerts`."""
    rooms = {floor: {path.parent.name for path in (ROOT / floor).glob("*/__init__.py")} for floor in FLOORS}
    assert {"changes", "runs", "health", "incidents", "alerts"} <= rooms["settings_store"] & rooms["worker"]


def test_the_page_names_what_is_there() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_]+/[\w./]*)`", page))
    assert len(named) > 40, "paths were found"
    assert [path for path in sorted(named) if not any((ROOT / start / path).exists() for start in _STARTS)] == []
