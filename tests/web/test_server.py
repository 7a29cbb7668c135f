"""The server itself: what it does with streams at its end."""

import time
from pathlib import Path

import requests

import web.server
from tests.web.api import SECONDS, running
from worker.metrics import counters


def test_streams_hear_of_the_end_and_end_by_themselves(tmp_path: Path) -> None:
    """Given somebody who follows: at the end of the server the stream says its last word, and nobody waits for long."""
    with running(tmp_path) as api:
        headers = {"Authorization": f"Bearer {api.key}"}
        with counters.serve(0, "127.0.0.1", api.preflight.database) as port:
            response = api.session.get(f"{api.url}/v1/events/stream", headers=headers, stream=True, timeout=SECONDS)
            chunks = response.iter_content(None)
            assert next(chunks)
            text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS).text
            assert "mail_preflight_http_streams_open 1.0" in text
        begun = time.monotonic()
    assert b"event: closing" in b"".join(chunks)
    assert time.monotonic() - begun < web.server._STOP_SECONDS / 2  # noqa: SLF001 - what it would take otherwise
