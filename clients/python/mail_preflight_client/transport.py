"""One request: the key, the time limits, the repetition, and the problem that an answer may be."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import requests
from requests.auth import AuthBase

from mail_preflight_client.errors import ApiError

_Document = TypeVar("_Document")
TRIES = 4
UNREACHABLE = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""What `requests` raises where an answer did not come, or broke off."""
_PATIENCE = frozenset({429, 502, 503, 504})
_UNDER_WAY = "under_way"
_LONGEST_PAUSE = 60.0
_CONNECT_SECONDS = 10.0


class _Key(AuthBase):
    """A key as a header. Given as one, a `.netrc` would replace it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Transport:
    """Sends requests with a key. `timeout` is in seconds, for the answer to begin and between its parts."""

    def __init__(self, url: str, key: str, timeout: float = 60.0) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout
        self._session = requests.Session()
        self._session.auth = _Key(key)

    def __repr__(self) -> str:
        return f"Transport({self._url!r})"

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer, None where it has no body. Raises `ApiError`, or an exception of `requests`."""
        answer = self.send(method, path, **options)
        return answer.json() if answer.content else None

    def document(self, kind: type[_Document], method: str, path: str, **options: Any) -> _Document:
        """As `json`, of an answer that is one document; `kind` is what it is by the contract."""
        found = self.json(method, path, **options)
        if not isinstance(found, dict):
            raise TypeError(f"{method} {path} was not answered by a document, a {kind.__name__}")
        return cast("_Document", found)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        wait: float = 0.0,
    ) -> requests.Response:
        """An answer that is none of a problem. `wait` is how many seconds more the service was asked to take.

        What is sent again is harmless: GET, PUT and DELETE by what they are, POST and PATCH by an Idempotency-Key. A
        body that is an iterator is sent once. A DELETE whose answer was lost may find nothing: `not_found`.
        """
        options = {
            "params": _given(query),
            "headers": _headers(method, body, headers),
            "data": _payload(body),
            "timeout": (_CONNECT_SECONDS, self._timeout + wait),
            "allow_redirects": False,
        }
        tries = 1 if isinstance(body, Iterator) else TRIES
        for attempt in range(tries - 1):
            try:
                answer = self._session.request(method, self._url + path, **options)
            except UNREACHABLE:
                time.sleep(_pause(attempt, None))
                continue
            if not _passes(answer):
                return _accepted(answer)
            time.sleep(_pause(attempt, answer.headers.get("Retry-After")))
        return _accepted(self._session.request(method, self._url + path, **options))

    @contextmanager
    def stream(
        self, path: str, *, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        """An answer whose body is read as it comes. It is asked for once; raises as `send` does."""
        with self._session.get(
            self._url + path,
            params=_given(query),
            headers=dict(headers or {}),
            timeout=(_CONNECT_SECONDS, self._timeout),
            allow_redirects=False,
            stream=True,
        ) as answer:
            yield _accepted(answer)

    def items(
        self,
        kind: type[_Document],  # noqa: ARG002 -- for type checkers alone
        path: str,
        query: Mapping[str, Any] | None = None,
    ) -> Iterator[_Document]:
        """Every item of a list, page after page; `kind` is what each is by the contract."""
        cursor: str | None = None
        while True:
            asked = {**(query or {}), **({"cursor": cursor} if cursor else {})}
            page = self.document(dict[str, Any], "GET", path, query=asked)
            yield from cast("list[_Document]", page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return


def passing(status: int) -> bool:
    """Whether what stands against a request goes by."""
    return status in _PATIENCE


def _passes(answer: requests.Response) -> bool:
    # The first try may still be at work after its connection broke.
    return passing(answer.status_code) or (answer.status_code == 409 and _problem(answer).code == _UNDER_WAY)


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _headers(method: str, body: Any, given: Mapping[str, str] | None) -> dict[str, str]:
    headers = dict(given or {})
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    if method in ("POST", "PATCH"):
        headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
    return headers


def _payload(body: Any) -> Any:
    if body is None or isinstance(body, bytes | Iterator):
        return body
    return json.dumps(body, allow_nan=False).encode()


def _pause(attempt: int, retry_after: str | None) -> float:
    if retry_after is not None and retry_after.isdecimal():
        return min(float(retry_after), _LONGEST_PAUSE)
    return float(0.5 * 2.0**attempt)


def _accepted(answer: requests.Response) -> requests.Response:
    if answer.status_code >= 300:
        raise _problem(answer)
    return answer


def _problem(answer: requests.Response) -> ApiError:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    return ApiError(answer.status_code, document if isinstance(document, dict) else {})
