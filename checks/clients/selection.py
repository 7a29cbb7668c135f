"""Which profile judges: the name of a shipped one, or a path to a file of the operator's."""

from pathlib import Path

from checks.clients.node import NODE
from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.model import Invalid

SHIPPED = {profile.name: profile for profile in (PYTHON, NODE)}


def client_profile(text: str) -> ClientProfile:
    """The profile that a setting names, `python` where it is empty. Raises `Invalid`."""
    text = text.strip() or PYTHON.name
    if text in SHIPPED:
        return SHIPPED[text]
    if not text.endswith(".toml"):
        raise Invalid(f"give {', '.join(SHIPPED)} or the path of a .toml file")
    from checks.clients.own import read_profile  # pydantic takes a while to load

    return read_profile(Path(text), SHIPPED)
