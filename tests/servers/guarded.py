"""A mail server that defends itself, as real ones do: it delays, locks accounts, bans addresses and limits connections.

IMAP and SMTP over implicit TLS in this process, with the least of both that a login needs. What it has seen is counted,
and the peak of concurrent connections is that of the kernel: a connection whose other end has closed counts no more.
"""

import base64
import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedRWPair
from typing import Any

from tests.servers.certificates import CertificateFiles
from tests.servers.process import LOOPBACK

_ESTABLISHED = 1  # the first byte of TCP_INFO, tcp(7)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the server defends itself with; None and 0 switch a rule off. Counts are of failed logins.

    `penalty` is Dovecot's: each failure of an address doubles the delay of its next answers, from that many seconds up
    to eight times as long. `ban_after` is fail2ban's: so many in `ban_window` seconds, and the address gets no answer
    any more. `lock_after` is Exchange's: so many for one account, and it is locked even for the right password.
    `logins_at_once` throttles: whoever logs in while so many do is turned away for the moment.
    """

    penalty: float = 0.0
    ban_after: int | None = None
    ban_window: float = 600.0
    lock_after: int | None = None
    per_user: int | None = None
    in_all: int | None = None
    logins_at_once: int | None = None
    login_seconds: float = 0.0


@dataclass
class Seen:
    """What came of it all."""

    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    throttled: int = 0
    turned_away: int = 0
    peak: int = 0
    banned: bool = False
    locked: set[str] = field(default_factory=set)

    @property
    def logins(self) -> int:
        """Attempts, whatever became of them."""
        return self.accepted.total() + self.rejected.total() + self.throttled


class GuardedServer:
    """`imap_port` and `smtp_port` listen. `users` maps names to passwords, and may change while it runs."""

    def __init__(self, certificate: CertificateFiles, users: Mapping[str, str], rules: Rules | None = None) -> None:
        self.users, self.rules, self.seen = dict(users), rules or Rules(), Seen()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.chain, certificate.key)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._users_in: Counter[str] = Counter()
        self._logging_in = 0
        self._failures: list[float] = []
        self._failures_of: Counter[str] = Counter()
        self._stopped = False
        self._listeners = [socket.create_server((LOOPBACK, 0), backlog=512) for _ in range(2)]
        self.imap_port, self.smtp_port = (listener.getsockname()[1] for listener in self._listeners)
        self.address = LOOPBACK

    def __enter__(self) -> "GuardedServer":  # noqa: PYI034 -- nothing inherits from it
        for listener, talk in zip(self._listeners, (self._imap, self._smtp), strict=True):
            threading.Thread(target=self._accept, args=(listener, talk), daemon=True).start()
        return self

    def stop_listening(self) -> None:
        """Further connections are refused; those that are open go on."""
        self._stopped = True
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def __exit__(self, *_: object) -> None:
        self.stop_listening()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def forget(self) -> None:
        """Counts from nothing; what was banned or locked stays so."""
        self.seen = Seen(banned=self.seen.banned, locked=self.seen.locked)

    # -- connections

    def _accept(self, listener: socket.socket, talk: Callable[["_Line"], None]) -> None:
        while not self._stopped:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                alive = sum(map(_is_established, self._open))
                self.seen.peak = max(self.seen.peak, alive)
                full = self.rules.in_all is not None and alive > self.rules.in_all
                self.seen.turned_away += full
            threading.Thread(target=self._serve, args=(connection, talk, full), daemon=True).start()

    def _serve(self, connection: socket.socket, talk: Callable[["_Line"], None], full: bool) -> None:
        try:
            if self.seen.banned:
                return
            connection.settimeout(60)
            with self._lock:  # wrapping takes the socket's descriptor away
                wrapped = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                self._open = (self._open - {connection}) | {wrapped}
            with wrapped:
                try:
                    wrapped.do_handshake()
                    with wrapped.makefile("rwb") as stream:
                        talk(_Line(stream, full))
                finally:
                    with self._lock:
                        self._open.discard(wrapped)
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    # -- protocols

    def _imap(self, line: "_Line") -> None:
        if line.full:
            line.say("* BYE [UNAVAILABLE] Too many connections")
            return
        line.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED] ready")
        with contextlib.ExitStack() as inside:
            for tag, command, rest in line.commands():
                if command == "AUTHENTICATE":
                    outcome = self._log_in("imap", rest.split()[-1], inside)
                    answers = {
                        "ok": "OK [CAPABILITY IMAP4rev1] Logged in",
                        "rejected": "NO [AUTHENTICATIONFAILED] Authentication failed.",
                        "throttled": "NO [UNAVAILABLE] Too many logins, try again later",
                        "per_user": "NO [LIMIT] Maximum number of connections from user+IP exceeded",
                    }
                    line.say(f"{tag} {answers[outcome]}")
                elif command == "CAPABILITY":
                    line.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED", f"{tag} OK done")
                elif command == "LOGOUT":
                    line.say("* BYE bye", f"{tag} OK done")
                    return
                else:
                    line.say(f"{tag} OK [READ-ONLY] done")

    def _smtp(self, line: "_Line") -> None:
        if line.full:
            line.say("421 4.7.0 Too many connections")
            return
        line.say("220 guarded ESMTP")
        with contextlib.ExitStack() as inside:
            for verb, argument, rest in line.commands():
                if verb == "EHLO":
                    line.say("250-guarded", "250-ENHANCEDSTATUSCODES", "250 AUTH PLAIN")
                elif verb == "AUTH":
                    outcome = self._log_in("smtp", (rest or argument).split()[-1], inside)
                    answers = {
                        "ok": "235 2.7.0 Accepted",
                        "rejected": "535 5.7.8 Error: authentication failed",
                        "throttled": "454 4.7.0 Too many login attempts, try again later",
                        "per_user": "421 4.7.0 Too many connections of this user",
                    }
                    line.say(answers[outcome])
                elif verb == "QUIT":
                    line.say("221 2.0.0 Bye")
                    return
                else:
                    line.say("250 2.0.0 OK")

    # -- the rules

    def _log_in(self, protocol: str, token: str, inside: contextlib.ExitStack) -> str:
        user, password = base64.b64decode(token).decode().split("\0")[1:]
        with self._lock:
            self._logging_in += 1
            crowded = self.rules.logins_at_once is not None and self._logging_in > self.rules.logins_at_once
            delay = self.rules.login_seconds + self._penalty()
        time.sleep(delay)
        with self._lock:
            self._logging_in -= 1
            if crowded:
                self.seen.throttled += 1
                return "throttled"
            if self.users.get(user) != password or user in self.seen.locked:
                self._fail(protocol, user)
                return "rejected"
            if self.rules.per_user is not None and self._users_in[user] >= self.rules.per_user:
                self.seen.turned_away += 1
                return "per_user"
            self.seen.accepted[protocol, user] += 1
            self._users_in[user] += 1
        inside.callback(self._leave, user)
        return "ok"

    def _leave(self, user: str) -> None:
        with self._lock:
            self._users_in[user] -= 1

    def _penalty(self) -> float:
        failed = len(self._failures)
        return min(8.0, 2.0 ** (failed - 1)) * self.rules.penalty if failed else 0.0

    def _fail(self, protocol: str, user: str) -> None:
        now = time.monotonic()
        self.seen.rejected[protocol, user] += 1
        self._failures = [at for at in self._failures if now - at < self.rules.ban_window] + [now]
        self._failures_of[user] += 1
        if self.rules.ban_after is not None and len(self._failures) >= self.rules.ban_after:
            self.seen.banned = True
        if self.rules.lock_after is not None and self._failures_of[user] >= self.rules.lock_after:
            self.seen.locked.add(user)


class _Line:
    """A conversation by lines. `full`: there is no room for this one."""

    def __init__(self, stream: "BufferedRWPair[Any, Any]", full: bool) -> None:
        self._stream = stream
        self.full = full

    def say(self, *lines: str) -> None:
        """Sends lines."""
        self._stream.write("".join(f"{line}\r\n" for line in lines).encode())
        self._stream.flush()

    def commands(self) -> Iterator[tuple[str, str, str]]:
        """Each line as its first word, its second, and the rest; the first two in capitals where they are words."""
        for raw in self._stream:
            first, _, rest = raw.decode().strip().partition(" ")
            second, _, third = rest.partition(" ")
            imap = first[-1:].isdigit()  # a tag
            yield (first, second.upper(), third) if imap else (first.upper(), second, third)


def _is_established(connection: socket.socket) -> bool:
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED
    except OSError:
        return False
