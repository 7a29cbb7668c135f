"""Style sheet, script and pictures: named by their content, so that a browser keeps each as long as it likes."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.problems.codes import ProblemCode
from web.problems.problem import Problem

_FOLDER = Path(__file__).parent.parent / "static"
_BELOW = "/admin/static/"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that never changes under its address."""

    path: str
    media_type: str
    content: bytes
    packed: bytes


def _asset(file: Path) -> Asset:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(f"{_BELOW}{file.stem}.{digest}{file.suffix}", _TYPES[file.suffix], content, gzip.compress(content))


ASSETS: Mapping[str, Asset] = {file.name: _asset(file) for file in sorted(_FOLDER.iterdir()) if file.suffix in _TYPES}
_BY_PATH = {asset.path: asset for asset in ASSETS.values()}


def address(name: str) -> str:
    """Where a file of `static/` is."""
    return ASSETS[name].path


async def _get(request: Request) -> Response:
    asset = _BY_PATH.get(request.url.path)
    if asset is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such path")
    packs = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding", "Cross-Origin-Resource-Policy": "same-origin"}
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(asset.packed if packs else asset.content, media_type=asset.media_type, headers=headers)


route = Route(_BELOW + "{name}", _get, methods=["GET"])
