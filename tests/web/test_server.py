"""The server itself: what it does with streams at its end."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import requests
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import StreamingResponse

import web.server
from tests.web.api import SECONDS, running
from web.app import make_app
from worker.metrics import counters
from worker.service.preflight import Preflight


async def _stream(request: Request) -> StreamingResponse:
    async def told() -> AsyncIterator[bytes]:
        yield b"data: begun\n\n"
        await request.app.state.closing.wait()
        yield b"data: closing\n\n"

    return StreamingResponse(told(), media_type="text/event-stream")


def _with_a_stream(preflight: Preflight, closing: asyncio.Event) -> FastAPI:
    app = make_app(preflight, closing)
    app.add_route("/stream", _stream)
    return app


def test_streams_hear_of_the_end_and_end_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given somebody who follows: at the end of the server the stream says its last word, and nobody waits for long."""
    monkeypatch.setattr(web.server, "make_app", _with_a_stream)
    with running(tmp_path) as api:
        headers = {"Authorization": f"Bearer {api.key}"}
        with counters.serve(0, "127.0.0.1", api.preflight.database) as port:
            response = api.session.get(f"{api.url}/stream", headers=headers, stream=True, timeout=SECONDS)
            chunks = response.iter_content(None)
            assert next(chunks) == b"data: begun\n\n"
            text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS).text
            assert "mail_preflight_http_streams_open 1.0" in text
        begun = time.monotonic()
    assert b"".join(chunks) == b"data: closing\n\n"
    assert time.monotonic() - begun < web.server._STOP_SECONDS / 2  # noqa: SLF001 - what it would take otherwise
