"""Credentials are readable with the right key only, and keys stay where they are."""

import multiprocessing
from pathlib import Path

import pytest

from checks.codes import Code
from checks.model import Fault, Invalid
from settings_store.secrets import Vault, load_or_create_key_file, new_key


@pytest.mark.parametrize("secret", ["", "hunter2", "pässwörd 密码", "x" * 10_000])
def test_what_is_sealed_can_be_opened(vault: Vault, secret: str) -> None:
    token = vault.seal(secret)
    assert vault.open(token) == secret
    assert token != vault.seal(secret)


@pytest.mark.parametrize("damage", [b"", b"x", b"gAAAAA", b"\xff\x00", None])
def test_what_cannot_be_opened_is_a_fault(vault: Vault, damage: bytes | None) -> None:
    token = Vault([new_key()]).seal("planted") if damage is None else damage
    for attempt in (vault.open, vault.rotate):
        with pytest.raises(Fault) as caught:
            attempt(token)
        assert caught.value.code is Code.CREDENTIAL_UNREADABLE
    assert not vault.is_current(token)


def test_the_first_key_writes_and_the_others_read() -> None:
    old, new = new_key(), new_key()
    token = Vault([old]).seal("hunter2")
    both = Vault([new, old])
    assert both.open(token) == "hunter2"
    assert not both.is_current(token)
    rotated = both.rotate(token)
    assert both.is_current(rotated)
    assert Vault([new]).open(rotated) == "hunter2"
    with pytest.raises(Fault):
        Vault([old]).open(rotated)


@pytest.mark.parametrize(
    "key", ["", "planted", "planted" * 10, "ключ", new_key()[:-4]], ids=["empty", "word", "long", "letters", "cut"]
)
def test_a_malformed_key_is_named_by_its_place_only(key: str) -> None:
    with pytest.raises(Invalid, match="encryption key 2 must be 32 random bytes") as caught:
        Vault([new_key(), key])
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_vault_needs_a_key_and_shows_none() -> None:
    with pytest.raises(Invalid, match="an encryption key is needed"):
        Vault([])
    assert repr(Vault([new_key(), new_key()])) == "Vault(2 keys)"


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    key = load_or_create_key_file(path)
    assert load_or_create_key_file(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    Vault([key])


def test_processes_that_make_it_at_once_get_the_same_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(load_or_create_key_file, [tmp_path / "secret.key"] * 16, chunksize=1)
    assert len(set(keys)) == 1


@pytest.mark.parametrize("content", [b"", b"planted", b"\xff\xfe"])
def test_a_key_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Invalid) as caught:
        load_or_create_key_file(path)
    assert str(path) in str(caught.value)
    assert "planted" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text(new_key())
    path.chmod(0o640)
    with pytest.raises(Invalid, match="is open to other users; run: chmod 600"):
        load_or_create_key_file(path)


def test_a_key_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"cannot be used: Is a directory"):
        load_or_create_key_file(tmp_path)
    with pytest.raises(Invalid, match=r"cannot be used: No such file or directory"):
        load_or_create_key_file(Path("/proc/mail-preflight/secret.key"))
