"""Jinja's environment: everything is escaped, and a name that a template does not have is a mistake."""

from contextvars import ContextVar
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.pages.frame import assets

HOME = "/admin"
home: ContextVar[str] = ContextVar("home", default=HOME)
_FOLDER = Path(__file__).parent.parent / "templates"


def at(*parts: object, **query: object) -> str:
    """An address of the page: `at("domains", name)`. What is None in the query is left out."""
    path = "/".join([home.get(), *(quote(str(part), safe="@") for part in parts)])
    asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items() if value not in (None, ""))
    return f"{path}?{asked}" if asked else path


environment = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
environment.globals.update(at=at, static=assets.address)
environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]  # `capitalize` would lower the rest
