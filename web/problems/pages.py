"""What each problem means and what to do about it: `/problems/CODE`, and the table of docs/api.md.

`python -m web.problems.pages` writes that table anew.
"""

from collections.abc import Mapping
from pathlib import Path

from web.problems.codes import KINDS, ProblemCode

_C = ProblemCode
REMEDIES: Mapping[ProblemCode, str] = {
    _C.INVALID_REQUEST: "Correct the fields that `errors` names: a JSON pointer, or `query:NAME`, `header:NAME`.",
    _C.MALFORMED_BODY: "Send JSON in UTF-8: no NaN, no member twice, at most 64 levels deep.",
    _C.MALFORMED_REQUEST: "Use an HTTP/1.1 client; a proxy between may have changed the request.",
    _C.NO_KEY: "Send `Authorization: Bearer mp_...`.",
    _C.INVALID_KEY: "Look whether the key was mistyped, has expired or was revoked; make another.",
    _C.NOT_ALLOWED: "Use a key with the scope that `required_scope` names.",
    _C.NOT_FOUND: "Look at the path and the id; what another account has is not there for yours.",
    _C.METHOD_NOT_ALLOWED: "Use one of the methods that `Allow` names.",
    _C.NOT_ACCEPTABLE: "Ask with another `Accept`.",
    _C.REQUEST_TIMEOUT: "Send the request again, in one go.",
    _C.CONFLICT: "Read `detail`: it names what stands against it.",
    _C.WRONG_STATE: "Do one of the `allowed_actions`, or read the change again.",
    _C.UNDER_WAY: "Send the same request again after `Retry-After`: the first one goes on.",
    _C.RESYNC: "Read the present state again, and go on after `latest_id`.",
    _C.REPORT_MOVED: "Read the report again, have it reviewed, and name its new checksum.",
    _C.BODY_TOO_LARGE: "Send less at a time: `limit` is the number of bytes.",
    _C.UNSUPPORTED_MEDIA_TYPE: "Send what `Accept` names, in UTF-8 and not compressed.",
    _C.WRONG_ACCEPT_DISCONNECTS: "Look at the report: accept the number that it has, or do not apply.",
    _C.KEY_REUSED: "Give each request an `Idempotency-Key` of its own.",
    _C.PRECONDITION_REQUIRED: "Send `If-Match` with the checksum of the report.",
    _C.TOO_MANY_REQUESTS: "Wait for `Retry-After`; `RateLimit` tells beforehand.",
    _C.HEADERS_TOO_LARGE: "Send fewer or shorter headers.",
    _C.INTERNAL: "Send it again; if that fails, tell the operator the `request_id`.",
    _C.UNAVAILABLE: "Send it again after `Retry-After`.",
}
_FILE = Path(__file__).parents[2] / "docs" / "api.md"
_BEGIN, _END = "<!-- problems: begin -->\n", "<!-- problems: end -->"


def slug(code: ProblemCode) -> str:
    """A code as paths have it."""
    return code.value.replace("_", "-")


def table() -> str:
    """All problems as a table of Markdown."""
    rows = [f"| `{code}` | {kind.status} | {kind.title} | {REMEDIES[code]} |" for code, kind in KINDS.items()]
    return "\n".join(["| code | status | what it means | what to do |", "|---|---:|---|---|", *rows]) + "\n"


def published(text: str) -> str:
    """The table that a text has between the marks."""
    return text.partition(_BEGIN)[2].partition(_END)[0]


if __name__ == "__main__":
    before = _FILE.read_text(encoding="utf-8")
    head, _, rest = before.partition(_BEGIN)
    _FILE.write_text(head + _BEGIN + table() + _END + rest.partition(_END)[2], encoding="utf-8")
