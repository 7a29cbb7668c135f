"""The body of a request on disk, for nobody to read: a slow sender holds a file, and no transaction and no memory.

The file has no name (mode 0600 as long as it had one), and what is in it is encrypted with a key that this process has
in memory only: what is left on the disk after a crash tells nobody anything.
"""

import io
import os
import tempfile
from typing import BinaryIO, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from checks.model import Unavailable
from web.problems.codes import ProblemCode
from web.problems.problem import Problem

_BLOCK = 1 << 18


class Spool(io.RawIOBase):
    """Written once, then read from its start, as often as one likes."""

    def __init__(self) -> None:
        super().__init__()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- `close` closes it
        # Each spool has a key of its own, so its counter may begin with any number.
        self._cipher = Cipher(algorithms.AES(os.urandom(32)), modes.CTR(os.urandom(16)))
        self._writing, self._reading = self._cipher.encryptor(), self._cipher.decryptor()
        self._at = 0

    def write(self, block: bytes) -> int:  # type: ignore[override] # nobody writes anything else
        """Adds to the end."""
        return self._file.write(self._writing.update(block))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """To the start, or nowhere."""
        if whence == io.SEEK_CUR and offset == 0:
            return self._at
        if whence != io.SEEK_SET or offset != 0:
            raise io.UnsupportedOperation("a spool is read from its start")
        self._file.seek(0)
        self._reading, self._at = self._cipher.decryptor(), 0
        return 0

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override] # what BufferedReader gives
        block = self._reading.update(self._file.read(len(buffer)))
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)

    def close(self) -> None:
        self._file.close()
        super().close()


class Spooled:
    """The body of a request. Leaving it throws it away."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spool = Spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    async def take(self, request: Request) -> BinaryIO:
        """Reads the body to its end. Raises `Problem` for one that is larger than may be, or does not arrive whole."""
        _refuse_announced(request, self._limit)
        try:
            await self._fill(request)
        except ClientDisconnect:
            raise Problem(ProblemCode.MALFORMED_BODY, "the body ended before its end; nothing was stored") from None
        except OSError as error:  # the disk is full, as a rule
            raise Unavailable(f"a request cannot be kept on disk: {error.strerror or error}") from error
        self._spool.seek(0)
        return io.BufferedReader(self._spool, _BLOCK)

    async def _fill(self, request: Request) -> None:
        size, waiting = 0, bytearray()
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._limit:
                raise too_large(self._limit)
            waiting += chunk
            if len(waiting) >= _BLOCK:
                await run_in_threadpool(self._spool.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(self._spool.write, bytes(waiting))


def _refuse_announced(request: Request, limit: int) -> None:
    """A body that says itself that it is too large is not read."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)


def too_large(limit: int) -> Problem:
    """What a body is told that is larger than may be."""
    detail = f"a body has {limit // 1024**2} MiB at most; send the mailboxes in several requests"
    return Problem(ProblemCode.BODY_TOO_LARGE, detail)
