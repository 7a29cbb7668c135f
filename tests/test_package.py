"""The wheel: what is in it, and that the command in it finds its own packages whatever else has their names."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = """
import sys
from mail_preflight import main
try:
    main()
finally:
    import checks, worker
    print(checks.__file__, worker.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of what is in the repository, with what is installed here."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("checks", "settings_store", "worker", "cli"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mail_preflight.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    code = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, built], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(built.glob("*.whl"))


def test_licence_and_notice_are_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name: name for name in archive.namelist() if ".dist-info/" in name}
        for name in ("LICENSE", "NOTICE"):
            assert archive.read(names[name]) == (ROOT / name).read_bytes()
        scripts = archive.read(names["entry_points.txt"]).decode()
    assert "mail-preflight = mail_preflight:main" in scripts


@pytest.mark.parametrize("path", ["HOST", ".", "HOST/sub"])
def test_a_hosts_own_packages_are_in_nobodys_way(wheel: Path, tmp_path: Path, path: str) -> None:
    """Given packages of a host that are called as ours are, on PYTHONPATH and in the working directory."""
    installed, host = tmp_path / "installed", tmp_path / "host"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    for folder in (host, host / "sub"):
        for name in ("worker", "checks", "settings_store"):
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").write_text("raise RuntimeError('the host has begun')")
        (folder / "cli.py").write_text("raise RuntimeError('the host has begun')")
    search = [path.replace("HOST", str(host)), str(installed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search), "HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", CODE, "domains"], cwd=host, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(installed / name / "__init__.py") for name in ("checks", "worker")]
