"""Finds out whose an API key is, and notes when it was last used, which no request waits for."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from checks.model import Unavailable
from settings_store.access import api_keys
from settings_store.access.api_keys import NOTED_EVERY, ApiKey
from settings_store.access.key_format import parse
from settings_store.db import Database

log = logging.getLogger(__name__)


class Authenticator:
    """Of one process. Safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._tried: dict[str, float] = {}
        self._notes = ThreadPoolExecutor(1, "last-use")
        self._last: Future[None] | None = None

    def __call__(self, text: str, address: str) -> ApiKey | None:
        """The key that a request from `address` came with, None where it is none that can be used now.

        What cannot be a key is refused without asking the database. Raises `Unavailable`.
        """
        plain = parse(text)
        if plain is None:
            return None
        with self._database.read() as conn:
            now = self._database.now_in(conn)
            key = api_keys.authenticate(conn, plain, now)
        if key is not None and self._is_worth_a_write(key, now):
            self._last = self._notes.submit(self._note, key.id, address, now)
        return key

    def settle(self) -> None:
        """Waits until the uses so far are written down."""
        if self._last is not None:
            self._last.result()

    def close(self) -> None:
        """Writes down what is left."""
        self._notes.shutdown()

    def _is_worth_a_write(self, key: ApiKey, now: float) -> bool:
        """Once a minute and key, whether the write succeeds or not: a database that refuses is not asked on and on."""
        if key.last_used_at is not None and 0 <= now - key.last_used_at < NOTED_EVERY:
            return False
        with self._lock:
            if now - self._tried.get(key.id, 0.0) < NOTED_EVERY:
                return False
            self._tried = {known: at for known, at in self._tried.items() if now - at < NOTED_EVERY} | {key.id: now}
            return True

    def _note(self, key_id: str, address: str, now: float) -> None:
        try:
            with self._database.begin() as conn:
                api_keys.note_use(conn, key_id, address, now)
        except Unavailable as error:
            log.warning("when an API key was last used is not written down: %s", error)
