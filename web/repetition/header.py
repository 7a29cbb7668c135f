"""The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header-07), and what it is the key of."""

import hashlib
import re

from starlette.requests import Request

from settings_store.access.answers import Asked
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
METHODS = frozenset({"POST", "PATCH"})
"""The others are harmless when repeated, as HTTP has them."""
_LONGEST = 255
_STRING = re.compile(r'"(?P<key>(?:[ !#-\[\]-~]|\\["\\])*)"\Z')  # RFC 9651, 3.3.3
_TOKEN = re.compile(r"(?P<key>[!#-+\--\[\]-~]+)\Z")  # many clients send a bare UUID; no quote, comma or backslash
_DETAIL = f'give one key of 1 to {_LONGEST} printable characters, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"'


async def asked_of(request: Request, caller: str) -> Asked | None:
    """What a request asks for, to know it again; None where it has no key. Raises `Problem` for one that is none.

    `If-Match` belongs to it: who names another report asks for something else.
    """
    given = request.headers.getlist(HEADER)
    if not given or request.method not in METHODS:
        return None
    return Asked(caller, key_of(given), fingerprint(request, await request.body()))


def key_of(given: list[str]) -> str:
    """The key that the header's lines are. Raises `Problem`."""
    text = given[0].strip(" \t")
    found = _STRING.match(text) or _TOKEN.match(text)
    key = re.sub(r"\\(.)", r"\1", found["key"]) if found else ""
    if len(given) > 1 or not 1 <= len(key) <= _LONGEST:
        error = FieldProblem(pointer=f"header:{HEADER}", code="invalid", detail=_DETAIL)
        raise Problem(ProblemCode.INVALID_REQUEST, f"{HEADER}: {_DETAIL}", errors=[error])
    return key


def fingerprint(request: Request, body: bytes) -> bytes:
    """A digest of what is asked for."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    condition = request.headers.get("if-match", "").encode()
    parts = request.method.encode(), path, request.scope["query_string"], condition, body
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)  # with its length: no two requests are the same row of bytes
    return digest.digest()
