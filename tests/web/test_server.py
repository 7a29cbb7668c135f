"""The server itself: what it does with streams at its end, and how it listens."""

import asyncio
import socket
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


def test_an_answer_does_not_wait_for_its_acknowledgement() -> None:
    """Its head and its body are written one by one: with Nagle's algorithm the body would come 40 ms later."""

    async def accepted(listener: socket.socket) -> int:
        nodelay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sock: socket.socket = writer.get_extra_info("socket")
            nodelay.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(connected, sock=listener.dup()):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await nodelay

    with web.server.listening("127.0.0.1", 0) as listener:
        assert asyncio.run(accepted(listener)) != 0
