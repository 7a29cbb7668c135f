"""A network of its own, with as many addresses as are wanted and a real firewall between them (nftables).

Linux and root only. Packets between addresses of one namespace pass its loopback, and so its firewall, like any others.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.process import ServerError, is_root, program

ROOT = Path(__file__).parents[2]


class Namespace:
    """One that is there for as long as `namespace` lasts."""

    def __init__(self, name: str, ip: str, nft: str) -> None:
        self._name, self._ip, self._nft = name, ip, nft

    def _within(self, *command: str, text: str | None = None) -> str:
        inside = [self._ip, "netns", "exec", self._name, *command]
        return subprocess.run(inside, input=text, capture_output=True, text=True, check=True, timeout=60).stdout

    def set_up(self, addresses: Sequence[str], rules: str) -> None:
        """Gives it addresses (with their prefix length), and a chain that every packet enters by."""
        self._within(self._ip, "link", "set", "lo", "up")
        for address in addresses:
            flags = ["nodad"] if ":" in address else []
            self._within(self._ip, "address", "add", address, "dev", "lo", *flags)
        chain = f"type filter hook input priority 0; policy accept;\n{rules}"
        self._within(self._nft, "-f", "-", text=f"table inet gate {{\nchain in {{\n{chain}\n}}\n}}\n")

    def python(self, module: str, *arguments: str) -> str:
        """What a module prints that runs within. Raises `CalledProcessError`."""
        return self._within("env", f"PYTHONPATH={ROOT}", sys.executable, "-m", module, *arguments)


@contextlib.contextmanager
def namespace(addresses: Sequence[str], rules: str) -> Iterator[Namespace]:
    """A new one. Raises `ServerError` where there can be none, with the reason."""
    if not sys.platform.startswith("linux") or not is_root():
        raise ServerError("network namespaces are Linux's, and root's")
    ip, nft, name = program("ip"), program("nft"), f"mail-preflight-{os.getpid()}"
    made = Namespace(name, ip, nft)
    try:
        subprocess.run([ip, "netns", "add", name], capture_output=True, check=True)
        made.set_up(addresses, rules)
    except subprocess.CalledProcessError as error:
        subprocess.run([ip, "netns", "delete", name], capture_output=True, check=False)
        raise ServerError(f"no namespace with a firewall is to be had here: {error.stderr!r}") from None
    try:
        yield made
    finally:
        subprocess.run([ip, "netns", "delete", name], capture_output=True, check=False)
