"""`make sbom`: every package of the lock file is in it, with who needs it, and nothing else is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def sbom(lock: str) -> Any:
    command = [sys.executable, "scripts/sbom.py", lock]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_it_holds_what_the_lock_file_holds(lock: str) -> None:
    pins = set(re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE))
    components = sbom(lock)["components"]

    assert {(item["name"], item["version"]) for item in components} == pins
    assert len({item["bom-ref"] for item in components}) == len(components)


def test_it_tells_who_needs_what() -> None:
    found = sbom("requirements.lock")
    needs = {item["ref"].partition("@")[0]: item["dependsOn"] for item in found["dependencies"]}
    known = {item["bom-ref"] for item in found["components"]}

    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert any(ref.startswith("pkg:pypi/celery@") for ref in needs["pkg:pypi/mail-preflight"])
    assert any(ref.startswith("pkg:pypi/kombu@") for ref in needs["pkg:pypi/celery"])
    assert {ref for refs in needs.values() for ref in refs} == known - {
        ref for ref in known if ref.startswith("pkg:pypi/setuptools@")
    }


def test_the_same_lock_file_gives_the_same_document() -> None:
    assert sbom("requirements.lock") == sbom("requirements.lock")
