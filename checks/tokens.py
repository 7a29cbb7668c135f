"""The access tokens of one run: each application asks for one once, and a refusal is not asked for again."""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from checks.model import Fault


@dataclass(slots=True)
class _Kept:
    """What came of one application's request, once there was one."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = field(default="", repr=False)
    fault: Fault | None = None


class Tokens:
    """The tokens of one run in one process. Applications are told apart by a hash: no secret is a key here."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, _Kept] = defaultdict(_Kept)
        self._lock = threading.Lock()

    def once(self, secret: str, fetch: Callable[[], str]) -> str:
        """The token of the application with this secret, fetched where it is not known. Raises the `Fault` of `fetch`,
        the same cause each time."""
        with self._lock:
            kept = self._kept[hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()]
        with kept.lock:
            if not kept.token and kept.fault is None:
                try:
                    kept.token = fetch()
                except Fault as fault:
                    kept.fault = fault
        if kept.fault is not None:
            raise Fault(kept.fault.code, kept.fault.seen, **kept.fault.facts)
        return kept.token
