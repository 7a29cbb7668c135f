"""Credentials are stored encrypted (Fernet: AES-128-CBC and HMAC-SHA256). The first key writes, all of them read."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from checks.codes import Code
from checks.model import Fault, Invalid


class Vault:
    """Encrypts with the first of `keys`, decrypts with any of them. Raises `Invalid` when one is malformed."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise Invalid("an encryption key is needed to store credentials", "secret_key")
        ciphers = [_cipher(key, f"encryption key {number}") for number, key in enumerate(keys, start=1)]
        self._first = ciphers[0]
        self._all = MultiFernet(ciphers)
        self._count = len(ciphers)

    def __repr__(self) -> str:
        return f"Vault({self._count} keys)"

    def seal(self, secret: str) -> bytes:
        """The secret as an encrypted token (ASCII)."""
        return self._first.encrypt(secret.encode())

    def open(self, token: bytes) -> str:
        """The secret of a token. Raises `Fault(Code.CREDENTIAL_UNREADABLE)` when no key fits or it is damaged."""
        try:
            return self._all.decrypt(token).decode()
        except InvalidToken:
            raise Fault(Code.CREDENTIAL_UNREADABLE) from None

    def is_current(self, token: bytes) -> bool:
        """Whether the token was written with the first key."""
        try:
            self._first.decrypt(token)
        except InvalidToken:
            return False
        return True

    def rotate(self, token: bytes) -> bytes:
        """The same secret under the first key; the token's time stays. Raises as `open` does."""
        try:
            return self._all.rotate(token)
        except InvalidToken:
            raise Fault(Code.CREDENTIAL_UNREADABLE) from None


def new_key() -> str:
    """A random key: 32 bytes in URL-safe base64."""
    return Fernet.generate_key().decode("ascii")


def load_or_create_key_file(path: Path) -> str:
    """The key in `path`, which is created (mode 0600) when missing. Processes that do so at once get the same key.

    Raises `Invalid` when the file cannot be read or written, holds no key, or is open to other users.
    """
    try:
        if not path.exists():
            _create_key_file(path)
        readable_by_others = path.stat().st_mode & 0o077
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Invalid(f"the key file {path} cannot be used: {error.strerror or error}", "secret_key") from None
    except UnicodeDecodeError:
        raise Invalid(f"the key file {path} holds no encryption key", "secret_key") from None
    if readable_by_others:
        raise Invalid(f"the key file {path} is open to other users; run: chmod 600 {path}", "secret_key")
    _cipher(text, f"the key in {path}")
    return text


def _create_key_file(path: Path) -> None:
    """Writes the whole key beside `path` and links it there: a link is atomic and never replaces a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="ascii") as file:
        file.write(f"{new_key()}\n")
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)
        except FileExistsError:
            return  # another process was first: its key counts


def _cipher(key: str, name: str) -> Fernet:
    try:
        return Fernet(key.strip())
    except ValueError:
        raise Invalid(f"{name} must be 32 random bytes in URL-safe base64 (44 characters)", "secret_key") from None
