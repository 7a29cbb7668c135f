"""Prints a CycloneDX 1.6 document of what a lock file installs: `python scripts/sbom.py [LOCK FILE]`.

Nothing but the lock file and pyproject.toml is read, and nothing is fetched. The same files give the same document, so
it has no time in it. What is only installed under some condition has the scope "optional".
"""

import hashlib
import json
import re
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)(?P<condition> ;)?")
_VIA = re.compile(r"^    #(?: via)? +([\w.-]+)", re.MULTILINE)


def document(lock: Path) -> dict[str, Any]:
    """The document of a lock file as `uv pip compile` writes it."""
    text = lock.read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    whole = f"pkg:pypi/{project['name']}@{project['version']}"
    components, needed_by = [], {}
    for block in re.split(r"\n(?=\S)", text):
        if found := _PIN.match(block):
            component = _component(found)
            components.append(component)
            needed_by[component["bom-ref"]] = _VIA.findall(block)
    references = {component["name"]: component["bom-ref"] for component in components} | {project["name"]: whole}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)}",
        "version": 1,
        "metadata": {"component": _whole(project, whole)},
        "components": components,
        "dependencies": [
            {
                "ref": reference,
                "dependsOn": sorted(ref for ref, names in needed_by.items() if name in names),
            }
            for name, reference in sorted(references.items())
        ],
    }


def _whole(project: dict[str, Any], reference: str) -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": reference,
        "name": project["name"],
        "version": project["version"],
        "licenses": [{"license": {"id": project["license"]}}],
        "purl": reference,
    }


def _component(pin: re.Match[str]) -> dict[str, Any]:
    reference = f"pkg:pypi/{pin['name']}@{pin['version']}"
    scope = "optional" if pin["condition"] else "required"
    common = {"type": "library", "bom-ref": reference, "purl": reference, "scope": scope}
    return common | {"name": pin["name"], "version": pin["version"]}


if __name__ == "__main__":
    lock = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "requirements.lock"
    sys.stdout.write(json.dumps(document(lock), indent=2) + "\n")
