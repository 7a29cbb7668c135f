"""A small IMAP4rev1 server (RFC 3501) for the sandbox: it lets people in, or refuses them in chosen words.

It keeps no mail. It speaks CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE PLAIN with an initial response (RFC 4959),
literals of both kinds (RFC 7888), SELECT and EXAMINE of an empty INBOX, NOOP and LOGOUT.
"""

import asyncio
import base64
import binascii
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable

from cli.demo.directory import Directory

_LINE_LIMIT = 16 * 1024
_LITERAL_LIMIT = 8 * 1024
_LITERAL = re.compile(r"\{(\d{1,9})(\+?)\}\Z")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)')
_ESCAPE = re.compile(r"\\(.)")


class _Unusable(Exception):
    """The client broke the protocol so that what follows cannot be told apart from a command."""


class ImapSession:
    """One connection. `tls` is the context for STARTTLS; `encrypted` says that TLS came with the connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        directory: Directory,
        tls: ssl.SSLContext,
        encrypted: bool,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._directory, self._tls, self._encrypted = directory, tls, encrypted
        self._below: list[asyncio.StreamWriter] = []
        self._user: str | None = None
        self._open = True
        self._commands: dict[str, Callable[[str, list[str]], Awaitable[None]]] = {
            "CAPABILITY": self._capability,
            "STARTTLS": self._starttls,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "SELECT": self._select,
            "EXAMINE": self._examine,
            "NOOP": self._noop,
            "LOGOUT": self._logout,
        }

    async def serve(self) -> None:
        """Answers commands until the client leaves."""
        try:
            await self._send(f"* OK [CAPABILITY {self._capabilities()}] demo.example IMAP server ready")
            while self._open:
                await self._answer(await self._read_command())
        except _Unusable as error:
            await self._send(f"* BYE {error}")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client left, or refused the certificate: both are its right
        finally:
            await self._end()

    async def _end(self) -> None:
        """The connection below TLS is closed too: where nothing holds its writer, Python 3.13 warns of it."""
        self._writer.close()
        for writer in self._below:
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
            writer.close()

    async def _answer(self, tokens: list[str]) -> None:
        if len(tokens) < 2:
            await self._send(f"{tokens[0] if tokens else '*'} BAD A command is a tag and a name")
            return
        tag, name, *arguments = tokens
        command = self._commands.get(name.upper())
        if command is None:
            await self._send(f"{tag} BAD Unknown command")
        else:
            await command(tag, arguments)

    # Reading and writing

    async def _send(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    async def _read_line(self) -> str:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise _Unusable("The line is too long") from None
        return line.rstrip(b"\r\n").decode("utf-8", "replace")

    async def _read_command(self) -> list[str]:
        """The words of one command; a literal is one word, whatever is in it (RFC 3501, section 4.3)."""
        words: list[str] = []
        while True:
            line = await self._read_line()
            literal = _LITERAL.search(line)
            words += _split(line[: literal.start()] if literal else line)
            if not literal:
                return words
            words.append(await self._read_literal(int(literal[1]), wait=not literal[2]))

    async def _read_literal(self, size: int, wait: bool) -> str:
        if size > _LITERAL_LIMIT:
            raise _Unusable("The literal is too long")
        if wait:
            await self._send("+ Ready for the literal")
        return (await self._reader.readexactly(size)).decode("utf-8", "replace")

    # Any state

    def _capabilities(self) -> str:
        if self._user is not None:
            return "IMAP4rev1 LITERAL+"
        return "IMAP4rev1 SASL-IR LITERAL+ " + ("AUTH=PLAIN" if self._encrypted else "STARTTLS LOGINDISABLED")

    async def _capability(self, tag: str, _arguments: list[str]) -> None:
        await self._send(f"* CAPABILITY {self._capabilities()}", f"{tag} OK CAPABILITY completed")

    async def _noop(self, tag: str, _arguments: list[str]) -> None:
        await self._send(f"{tag} OK NOOP completed")

    async def _logout(self, tag: str, _arguments: list[str]) -> None:
        self._open = False
        await self._send("* BYE Logging out", f"{tag} OK LOGOUT completed")

    # Before the login

    async def _starttls(self, tag: str, _arguments: list[str]) -> None:
        if self._encrypted:
            await self._send(f"{tag} BAD TLS is already in use")
            return
        await self._send(f"{tag} OK Begin TLS negotiation now")
        await self._upgrade()

    async def _upgrade(self) -> None:
        """Goes on over TLS with a new reader, so that nothing sent in clear after STARTTLS is taken for a command."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LINE_LIMIT)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = await loop.start_tls(self._writer.transport, protocol, self._tls, server_side=True)
        if transport is None:
            raise ConnectionAbortedError
        protocol.connection_made(transport)
        self._below.append(self._writer)
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)
        self._encrypted = True

    async def _login(self, tag: str, arguments: list[str]) -> None:
        if len(arguments) != 2:
            await self._send(f"{tag} BAD LOGIN takes a user name and a password")
        else:
            await self._admit(tag, arguments[0], arguments[1])

    async def _authenticate(self, tag: str, arguments: list[str]) -> None:
        if not arguments or arguments[0].upper() != "PLAIN":
            await self._send(f"{tag} NO [CANNOT] Unsupported authentication mechanism")
            return
        if len(arguments) == 1:
            await self._send("+ ")
            arguments.append(await self._read_line())
        try:
            _, username, password = base64.b64decode(arguments[1], validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            await self._send(f"{tag} BAD The response is not PLAIN in base64, or was cancelled")
        else:
            await self._admit(tag, username, password)

    async def _admit(self, tag: str, username: str, password: str) -> None:
        refusal = self._directory.refusal(username, password)
        if not self._encrypted:
            await self._send(f"{tag} NO [PRIVACYREQUIRED] Start TLS first")
        elif self._user is not None:
            await self._send(f"{tag} BAD Already logged in")
        elif refusal is not None and refusal.imap:
            await self._send(f"{tag} NO {refusal.imap}")
        else:
            self._user = username
            await self._send(f"{tag} OK [CAPABILITY {self._capabilities()}] Logged in")

    # After the login

    async def _select(self, tag: str, arguments: list[str]) -> None:
        await self._open_mailbox(tag, arguments, "[READ-WRITE] SELECT")

    async def _examine(self, tag: str, arguments: list[str]) -> None:
        await self._open_mailbox(tag, arguments, "[READ-ONLY] EXAMINE")

    async def _open_mailbox(self, tag: str, arguments: list[str], done: str) -> None:
        if self._user is None:
            await self._send(f"{tag} BAD Log in first")
        elif [name.upper() for name in arguments] != ["INBOX"]:
            await self._send(f"{tag} NO [NONEXISTENT] No such mailbox")
        else:
            await self._send(
                r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
                "* 0 EXISTS",
                "* 0 RECENT",
                "* OK [UIDVALIDITY 1] UIDs valid",
                "* OK [UIDNEXT 1] Predicted next UID",
                f"{tag} OK {done} completed",
            )


def _split(text: str) -> list[str]:
    """Atoms and quoted strings, without their quotes and escapes."""
    return [_ESCAPE.sub(r"\1", word[1]) if word[1] is not None else word[2] for word in _TOKEN.finditer(text)]


async def start_imap(directory: Directory, tls: ssl.SSLContext, implicit: bool) -> asyncio.Server:
    """A server on a free port of 127.0.0.1, with TLS from the first byte (`implicit`) or after STARTTLS."""

    # After STARTTLS nothing else refers to a session that waits for its client, and it would be collected as garbage.
    sessions: set[ImapSession] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = ImapSession(reader, writer, directory, tls, encrypted=implicit)
        sessions.add(session)
        try:
            await session.serve()
        finally:
            sessions.discard(session)

    return await asyncio.start_server(
        connected, "127.0.0.1", 0, limit=_LINE_LIMIT, ssl=tls if implicit else None, backlog=256
    )
