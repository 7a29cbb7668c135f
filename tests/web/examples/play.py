"""Asks a running service, and writes down what was asked and answered so that it is the same the next time.

Ids, times, secrets and ports are others at each play: in an example they are replaced by what stands for them.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import requests

from settings_store.access.roles import Right, Role
from tests.servers.receivers import Hook
from tests.web.api import ANNA, SECONDS, Api
from web.contract import described
from worker.webhooks import delivery

Outcome = Literal["success", "failure"]
Key = Literal["test", "live", "narrow", "operator", "none", "person"]
_LISTED = 2
"""So many items of a list are shown."""
_SHOWN = 100
"""So much of a header is shown: one of them is too long on purpose."""
_BEGUN = datetime(2026, 11, 29, 10, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_API_KEY = re.compile(r"mp_(live|test)_[0-9A-Za-z]+_[0-9A-Za-z]+")
_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=]+")
_ID = re.compile(r"\b(chg|run|inc|alc|mnt|key|usr|whe|whd|req)_(?=[A-Za-z-]*\d)([0-9A-Za-z-]+)")
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def _a_person(api: Api) -> str:
    """Who approves what a program has saved."""
    return api.preflight.account(actor=ANNA).access.add_user("berta@example.com", Role.SUPER_ADMIN).id


class Play:
    """One play. `examples` are by operation and outcome."""

    def __init__(self, api: Api, receiver: Hook) -> None:
        self.api, self.receiver = api, receiver
        self.examples: dict[str, dict[str, Any]] = {}
        self._keys: Mapping[str, str | None] = {
            "test": api.new_key(name="tests", live=False),
            "live": api.key,
            "narrow": api.new_key(name="narrow", scopes=[Right.ADMIN]),
            "operator": api.new_key(name="operator", role=Role.OPERATOR),
            "person": api.new_key(name="second", user_id=_a_person(api), live=False),
            "none": None,
        }
        self._paths = {
            each["operationId"]: (method.upper(), path)
            for path, methods in described().openapi()["paths"].items()
            for method, each in methods.items()
        }
        self._known: dict[str, str] = {}
        self._began = datetime.now(UTC).replace(microsecond=0)

    def done(self, operation: str, body: Any = None, **asked: Any) -> Any:
        """Asks, keeps it as the example of success, and returns the document."""
        answer = self._keep("success", operation, body, **asked)
        assert answer.status_code < 300, (operation, answer.status_code, answer.text)
        return answer.json() if answer.content and "json" in answer.headers["Content-Type"] else None

    def refused(self, operation: str, status: int, body: Any = None, **asked: Any) -> Any:
        """Asks, keeps it as the example of failure, and returns the problem."""
        answer = self._keep("failure", operation, body, **asked)
        assert answer.status_code == status, (operation, answer.status_code, answer.text)
        return answer.json()

    def ask(self, operation: str, body: Any = None, **asked: Any) -> Any:
        """Asks for what comes in between, and is no example."""
        answer = self._send(*self._of(operation, asked), body, asked)
        assert answer.status_code < 300, (operation, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def soon(self, hours: float) -> str:
        """A time to come."""
        return (self._began + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def send_webhooks(self) -> None:
        """Sends what is due, as workers do."""
        delivery.send_due(self.api.preflight.flow.resources)

    def _keep(self, outcome: Outcome, operation: str, body: Any, **asked: Any) -> requests.Response:
        kept = self.examples.setdefault(operation, {})
        assert outcome not in kept, f"{operation} has its example of {outcome}"
        method, path = self._of(operation, asked)
        answer = self._send(method, path, body, asked)
        shown: dict[str, Any] = {"request": {"line": f"{method} {path}"}, "status": answer.status_code}
        if headers := {name: value[:_SHOWN] for name, value in asked.get("headers", {}).items()}:
            shown["request"] |= {"headers": headers}
        if body is not None:
            shown["request"] |= {"body": body}
        if answer.content:
            kind = answer.headers["Content-Type"].partition(";")[0]
            shown |= {"media_type": kind, "body": answer.json() if "json" in kind else answer.text}
        kept[outcome] = self._normal(_shortened(shown))
        return answer

    def _of(self, operation: str, asked: Mapping[str, Any]) -> tuple[str, str]:
        method, path = self._paths[operation]
        for name, value in asked.get("path", {}).items():
            path = path.replace(f"{{{name}}}", quote(value, safe="@"))
        assert "{" not in path, f"{operation}: say what {path} names"
        return method, path + (f"?{asked['query']}" if "query" in asked else "")

    def _send(self, method: str, path: str, body: Any, asked: Mapping[str, Any]) -> requests.Response:
        headers = {"Accept": "application/json", **asked.get("headers", {})}
        key = self._keys[asked.get("key", "test")]
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        streamed = "event-stream" in headers["Accept"]
        answer = self.api.session.request(
            method, self.api.url + path, headers=headers, json=body, timeout=SECONDS, stream=streamed
        )
        if streamed:
            with answer:
                answer._content = b"".join(_first_frames(answer))  # noqa: SLF001 -- the rest never ends
        return answer

    def _normal(self, shown: Any) -> Any:
        text = json.dumps(shown, ensure_ascii=False).replace(
            f"http://127.0.0.1:{self.receiver.port}", "https://crm.example"
        )
        text = text.replace(f"127.0.0.1:{self.receiver.port}", "crm.example")
        text = _API_KEY.sub(lambda found: f"mp_{found[1]}_SHOWN_ONCE", text)
        text = _SECRET.sub("whsec_SHOWN_ONCE", text)
        text = _ID.sub(lambda found: f"{found[1]}_{self._stands_for(found[2])[:32]}", text)
        text = _DIGEST.sub(lambda found: self._stands_for(found[0]), text)
        return json.loads(_TIME.sub(lambda found: self._moved(found[0]), text))

    def _stands_for(self, found: str) -> str:
        """The first that comes gets the first number, in digits that look like an id's."""
        if not found.strip("0"):
            return found
        return self._known.setdefault(found, hashlib.sha256(str(len(self._known)).encode()).hexdigest())

    def _moved(self, time: str) -> str:
        moved = _BEGUN + (datetime.fromisoformat(time) - self._began)
        timespec = "milliseconds" if "." in time else "seconds"
        return moved.isoformat(timespec=timespec).replace("+00:00", "Z" if time.endswith("Z") else "+00:00")


def _first_frames(answer: requests.Response) -> Iterator[bytes]:
    with contextlib.suppress(requests.RequestException):
        for line in answer.iter_lines():
            yield line + b"\n"
            if line.startswith(b"data:"):
                yield b"\n"
                return


def _shortened(shown: Any) -> Any:
    if isinstance(shown, dict):
        return {name: _shortened(value) for name, value in shown.items()}
    if isinstance(shown, list):
        return [_shortened(each) for each in shown[:_LISTED]]
    return shown
