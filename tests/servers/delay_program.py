"""The delaying TCP proxy: `delay_program.py HOST PORT TARGET_PORT SECONDS`. See `tests.servers.delay`.

Takes only the standard library, because it is started without site packages to be quick.
"""

import asyncio
import sys


class Late:
    """One direction: writes what it is given to a transport, in order, `delay` seconds later."""

    def __init__(self, delay: float, not_before: float = 0.0) -> None:
        """Nothing is due before the loop's time `not_before`."""
        self._delay = delay
        self._due = not_before
        self._target: asyncio.Transport | None = None
        self._waiting: list[bytes] = []

    def start(self, target: asyncio.Transport) -> None:
        """From now on there is something to write to."""
        self._target = target
        for data in self._waiting:
            self._deliver(data)

    def send(self, data: bytes) -> None:
        """Empty data means: the other side has closed."""
        loop = asyncio.get_running_loop()
        # a little later than the one before, because call_at does not keep the order of equal times
        self._due = max(loop.time() + self._delay, self._due + 1e-6)
        loop.call_at(self._due, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if self._target is None:
            self._waiting.append(data)
        elif not data:
            self._target.close()
        elif not self._target.is_closing():
            self._target.write(data)


class Side(asyncio.Protocol):
    """One end of a pair: what arrives here goes onward."""

    def __init__(self, onward: Late) -> None:
        self._onward = onward

    def data_received(self, data: bytes) -> None:
        self._onward.send(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio gives it by position
        self._onward.send(b"")


class ClientSide(Side):
    """The accepted end. It dials the target when the handshake of a connection with this delay would have ended."""

    def __init__(self, target: tuple[str, int], delay: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._dial_at = self._loop.time() + 3 * delay
        super().__init__(Late(delay, self._dial_at))
        self._target = target
        self._delay = delay
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._dialling = self._loop.create_task(self._dial(transport))

    async def _dial(self, client: asyncio.Transport) -> None:
        await asyncio.sleep(self._dial_at - self._loop.time())
        if client.is_closing():
            return
        back = Late(self._delay)
        back.start(client)
        try:
            server, _ = await self._loop.create_connection(lambda: Side(back), *self._target)
        except OSError:
            client.abort()
        else:
            self._onward.start(server)


async def serve(host: str, port: int, target_port: int, delay: float) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientSide((host, target_port), delay), host, port, backlog=500)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
