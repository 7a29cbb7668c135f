"""A TCP proxy that makes loopback feel far away."""

import sys
from pathlib import Path

from tests.servers.process import LOOPBACK, Daemon, Server, accepts, free_port

PROGRAM = Path(__file__).with_name("delay_program.py")


class DelayProxy(Server):
    """Listens on `port` and passes everything to `target_port` `delay` seconds later, and as late on the way back.

    A round trip takes two delays (0.02 makes 40 ms). Throughput is not limited. Connecting through loopback takes no
    time and a proxy cannot change that, so the connection reaches the target when the handshake of a real one would
    have ended there, three delays after it was accepted; all that follows is shifted with it. What TCP does below
    (slow start, delayed acknowledgements) stays that of loopback. It runs in a process of its own.
    """

    def __init__(self, folder: Path, target_port: int, delay: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        numbers = [str(self.port), str(target_port), str(delay)]
        command = [sys.executable, "-I", "-S", str(PROGRAM), LOOPBACK, *numbers]
        self._daemon = Daemon(command, folder / f"delay-{self.port}.out", patience=0.2)

    def start(self) -> None:
        """Raises `ServerError` when it does not come up."""
        self._daemon.start(accepts(self.port))

    def stop(self) -> None:
        self._daemon.stop()
