"""Commands and replies of SMTP on a stream (RFC 5321, 4.1 and 4.2)."""

from checks import redact
from checks.codes import Code
from checks.model import Fault
from checks.network.stream import Stream
from checks.protocols.words.replies import mismatch

_MAX_LINES = 100  # of one reply


def own_name(stream: Stream) -> bytes:
    """An address literal (RFC 5321, 4.1.3): a host name of ours would be looked up, and may not exist."""
    address = str(stream.sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()


def read_reply(stream: Stream, *, first: bool = False) -> tuple[int, str]:
    """One reply (RFC 5321, 4.2): its status and its text, lines joined by a line feed, enhanced code still in it.

    Raises `Fault`. A reply that is no SMTP is `protocol.mismatch` as a greeting, else `protocol.error`.
    """
    lines: list[str] = []
    while len(lines) < _MAX_LINES:
        line = stream.readline()
        if not line.endswith(b"\n"):  # a reply that was cut short may say the opposite of the whole one
            words = redact.decoded(line) or "".join(lines[-1:])
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection" + (f": {words}" if words else ""))
        if len(line) < 4 or not line[:3].isdigit() or line[3:4] not in b" -\r\n":
            raise mismatch(redact.decoded(line)) if first else Fault(Code.PROTOCOL_ERROR, redact.decoded(line))
        lines.append(line[4:].decode("utf-8", "replace").rstrip("\r\n"))
        if line[3:4] != b"-":
            return int(line[:3]), "\n".join(lines)
    raise Fault(Code.PROTOCOL_OVERSIZE, lines[-1], count=str(_MAX_LINES))
