"""One request: the key, the time limits, the repetition, and the problem that an answer may be."""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests

from mail_preflight_client.errors import ApiError

Document = dict[str, Any]
TRIES = 4
_PATIENCE = frozenset({429, 503})
_LONGEST_PAUSE = 30.0
_CONNECT_SECONDS = 10.0


class Transport:
    """Sends requests with a key. `timeout` is in seconds, for the answer to begin and between its parts."""

    def __init__(self, url: str, key: str, timeout: float = 60.0) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def __repr__(self) -> str:
        return f"Transport({self._url!r})"

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer, None where it has no body. Raises `ApiError`, or an exception of `requests`."""
        answer = self.send(method, path, **options)
        return answer.json() if answer.content else None

    def document(self, method: str, path: str, **options: Any) -> Document:
        """As `json`, of an answer that is one document."""
        found = self.json(method, path, **options)
        if not isinstance(found, dict):
            raise TypeError(f"{method} {path} was not answered by a document")
        return found

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
        body that is an iterator is sent once.
        """
        sent = dict(headers or {})
        if method in ("POST", "PATCH"):
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        streamed = isinstance(body, Iterator)
        payload = {"data": body} if streamed or isinstance(body, bytes) else {"json": body} if body is not None else {}
        tries = 1 if streamed else TRIES
        for attempt in range(tries):
            last = attempt == tries - 1
            try:
                answer = self._session.request(
                    method,
                    self._url + path,
                    params=_given(query),
                    headers=sent,
                    timeout=(_CONNECT_SECONDS, self._timeout + wait),
                    **payload,
                )
            except requests.ConnectionError:
                if last:
                    raise
                time.sleep(_pause(attempt, None))
                continue
            if answer.status_code not in _PATIENCE or last:
                break
            time.sleep(_pause(attempt, answer.headers.get("Retry-After")))
        _raise_problem(answer)
        return answer

    @contextmanager
    def stream(
        self, path: str, *, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        """An answer whose body is read as it comes. Raises as `send` does."""
        with self._session.get(
            self._url + path,
            params=_given(query),
            headers=dict(headers or {}),
            timeout=(_CONNECT_SECONDS, self._timeout),
            stream=True,
        ) as answer:
            _raise_problem(answer)
            yield answer

    def items(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.json("GET", path, query={**(query or {}), "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _pause(attempt: int, retry_after: str | None) -> float:
    if retry_after is not None and retry_after.isdecimal():
        return min(float(retry_after), _LONGEST_PAUSE)
    return 0.5 * 2.0**attempt


def _raise_problem(answer: requests.Response) -> None:
    if answer.status_code < 400:
        return
    try:
        document = answer.json()
    except ValueError:
        document = {}
    raise ApiError(answer.status_code, document if isinstance(document, dict) else {})
