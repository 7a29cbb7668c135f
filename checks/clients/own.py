"""A profile of an operator's own: a TOML file that says where their client differs from a shipped one.

name = "our app"
based_on = "python"

[imap]
ways = ["AUTH=PLAIN", "LOGIN"]
next_way = "mechanism"
login_password = { charset = "utf-8" }
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from checks.clients.profile import ClientProfile
from checks.model import Invalid

_NAME = re.compile(r"[^\W_][\w .,()+-]{0,39}")
_LONGEST = 65_536  # bytes; a profile has some 1,000


def read_profile(path: Path, shipped: Mapping[str, ClientProfile]) -> ClientProfile:
    """The profile in a file. Raises `Invalid` that names the file and the field."""
    given = _parsed(path)
    base = given.pop("based_on", "python")
    if base not in shipped:
        raise Invalid(f"{path}: based_on must be one of {', '.join(shipped)}")
    fields = asdict(shipped[base]) | {"name": "own"}
    _merge(fields, given, path)
    if not _NAME.fullmatch(str(fields["name"])):
        raise Invalid(f"{path}: name must be 1 to 40 printable characters on one line")
    try:
        return TypeAdapter(ClientProfile).validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{path}: {field}: {first['msg']}") from None


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
        if len(data) > _LONGEST:
            raise Invalid(f"{path}: a client profile is no longer than {_LONGEST} bytes")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is no TOML file: {error}") from None


def _merge(fields: dict[str, Any], given: Mapping[str, Any], path: Path, within: str = "") -> None:
    """What is given over what the base has. Raises `Invalid` for a field that no profile has."""
    for name, value in given.items():
        if name not in fields:
            raise Invalid(f"{path}: {within}{name} is no field of a client profile; it may be {', '.join(fields)}")
        if isinstance(fields[name], dict) and isinstance(value, dict):
            _merge(fields[name], value, path, f"{within}{name}.")
        else:
            fields[name] = value
