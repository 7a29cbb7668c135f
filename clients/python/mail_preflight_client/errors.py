"""What the service answers when it does not do what was asked."""

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A problem document (RFC 9457). `document` is all of it, {} where the answer was none."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status, self.document = status, dict(document)
        super().__init__(f"{status} {self.code}: {self.detail}" if self.code else f"{status}")

    @property
    def code(self) -> str:
        """What a host app branches on: `wrong_state`, `not_found`; '' where the answer came from something between."""
        return str(self.document.get("code", ""))

    @property
    def detail(self) -> str:
        """The words for people."""
        return str(self.document.get("detail", ""))

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        """The fields that cannot be used, each with `pointer`, `code` and `detail`; of mailboxes also `row`."""
        return list(self.document.get("errors", []))

    @property
    def allowed_actions(self) -> Sequence[str]:
        """What can be done instead, where the state of a change stands against it."""
        return list(self.document.get("allowed_actions", []))

    @property
    def accept_disconnects(self) -> int | None:
        """The number of the report, where another one was accepted."""
        number = self.document.get("accept_disconnects")
        return number if isinstance(number, int) else None

    @property
    def request_id(self) -> str:
        """Names the request in the service's log."""
        return str(self.document.get("request_id", ""))


class StreamInterrupted(Exception):
    """A stream of events lost its place: read the present state again, and then go on after `latest_id`."""

    def __init__(self, reason: str, latest_id: str | None = None) -> None:
        self.latest_id = latest_id
        super().__init__(reason)
