"""That something has happened in this process, told to its threads that wait for it."""

import threading


class News:
    """How often there was news so far, and a place to wait for more: for threads of one process."""

    def __init__(self) -> None:
        self._came = 0
        self._condition = threading.Condition()

    @property
    def count(self) -> int:
        """To be asked before looking, and given to `wait` after."""
        return self._came

    def tell(self) -> None:
        """Wakes all who wait."""
        with self._condition:
            self._came += 1
            self._condition.notify_all()

    def wait(self, known: int, seconds: float) -> None:
        """Until there is more than `known`, for so long at most."""
        with self._condition:
            self._condition.wait_for(lambda: self._came != known, seconds)
