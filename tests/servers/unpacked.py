"""Servers from Debian's packages in a folder of their own: they cannot be installed beside others, or would start."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.servers.process import ServerError, is_root, program

_SECONDS = 120


def unpacked(name: str, choose: Callable[[], Sequence[str]], needed: Sequence[str]) -> Path:
    """The folder with packages in it, unpacked once for all runs.

    `choose` names them, `needed` are patterns of files that must be there. Raises `ServerError`.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mail-preflight" / name
    root = cache / "root"
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other runs have the same cache
        if not all(any(root.glob(pattern)) for pattern in needed):
            _unpack(cache, root, choose)
    return root


def _unpack(cache: Path, root: Path, choose: Callable[[], Sequence[str]]) -> None:
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir()
    try:
        _run([program("apt-get"), "download", *choose()], cache)
        for package in cache.glob("*.deb"):
            _run([program("dpkg"), "-x", str(package), str(root)], cache)
            package.unlink()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"{cache.name}'s packages cannot be had ({error}); Debian's mirrors are needed") from error
    if (root / "lib").is_dir():  # where libraries of old packages are; today it is one with usr/lib
        shutil.copytree(root / "lib", root / "usr/lib", symlinks=True, dirs_exist_ok=True)


def with_dependencies(*packages: str) -> Sequence[str]:
    """The packages, and those they need that are not installed here. Raises `OSError` and `SubprocessError`."""
    command = [program("apt-get"), "install", "--simulate", "--no-install-recommends", *packages]
    listing = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    return [line.split()[1] for line in listing.stdout.splitlines() if line.startswith("Inst ")]


def overlaid(root: Path, etc: Path | None = None, run: Path | None = None) -> list[str]:
    """What to put before a command so that it sees the packages where they expect to be, and nobody else does.

    `etc`: files over those of /etc; `run`: a folder instead of /run. Raises `ServerError` where that is not allowed.
    """
    mounts = [f"mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr"]
    if etc:
        mounts.append(f"mount -t overlay overlay -o lowerdir={etc}:/etc /etc")
    if run:
        mounts.append(f"mount --bind {run} /run")
    prefix = [program("unshare"), "--mount", "sh", "-ec", "; ".join([*mounts, 'exec "$@"']), "sh"]
    if not is_root() or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        raise ServerError(f"{root.parent.name} needs mounts of its own: run the tests as root, where that is allowed.")
    return prefix


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_SECONDS)
