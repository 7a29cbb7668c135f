"""The one table of problems: what each is called, with which status."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """Stable; a host app branches on it."""

    INVALID_REQUEST = "invalid_request"
    MALFORMED_BODY = "malformed_body"
    MALFORMED_REQUEST = "malformed_request"
    NO_KEY = "no_key"
    INVALID_KEY = "invalid_key"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    WRONG_STATE = "wrong_state"
    UNDER_WAY = "under_way"
    RESYNC = "resync"
    REPORT_MOVED = "report_moved"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    WRONG_ACCEPT_DISCONNECTS = "wrong_accept_disconnects"
    KEY_REUSED = "idempotency_key_reused"
    PRECONDITION_REQUIRED = "precondition_required"
    TOO_MANY_REQUESTS = "too_many_requests"
    HEADERS_TOO_LARGE = "headers_too_large"
    INTERNAL = "internal_error"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Kind:
    """`title` is for people and the same for every problem of the code."""

    status: int
    title: str


_C = ProblemCode
KINDS: Mapping[ProblemCode, Kind] = {
    _C.INVALID_REQUEST: Kind(422, "A field of the request cannot be used."),
    _C.MALFORMED_BODY: Kind(400, "The body of the request cannot be read."),
    _C.MALFORMED_REQUEST: Kind(400, "The request is no HTTP/1.1."),
    _C.NO_KEY: Kind(401, "The request has no API key."),
    _C.INVALID_KEY: Kind(401, "The API key is none that can be used."),
    _C.NOT_ALLOWED: Kind(403, "The API key may not do this."),
    _C.NOT_FOUND: Kind(404, "There is nothing of that name for this API key."),
    _C.METHOD_NOT_ALLOWED: Kind(405, "This path does not know the method."),
    _C.NOT_ACCEPTABLE: Kind(406, "The answer cannot be had in that form."),
    _C.REQUEST_TIMEOUT: Kind(408, "The request did not arrive in time."),
    _C.CONFLICT: Kind(409, "Something else stands against it."),
    _C.WRONG_STATE: Kind(409, "The change is not in a state in which this can be done."),
    _C.UNDER_WAY: Kind(409, "A request with this Idempotency-Key is under way."),
    _C.RESYNC: Kind(410, "What came after that event is not known any more."),
    _C.REPORT_MOVED: Kind(412, "The report is not the one that was reviewed."),
    _C.BODY_TOO_LARGE: Kind(413, "The body of the request is too large."),
    _C.UNSUPPORTED_MEDIA_TYPE: Kind(415, "The body's media type is none that this path reads."),
    _C.WRONG_ACCEPT_DISCONNECTS: Kind(422, "The number of accepted disconnects is not the report's."),
    _C.KEY_REUSED: Kind(422, "The Idempotency-Key was used for another request."),
    _C.PRECONDITION_REQUIRED: Kind(428, "The request must name the report that it is about."),
    _C.TOO_MANY_REQUESTS: Kind(429, "The API key has sent too many requests."),
    _C.HEADERS_TOO_LARGE: Kind(431, "The headers of the request are too large."),
    _C.INTERNAL: Kind(500, "We failed."),
    _C.UNAVAILABLE: Kind(503, "The service cannot do it now."),
}
