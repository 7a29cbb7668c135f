"""The project's own files: what they say must be so, and what they say must not tell of the machine they came from."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from cli.main import run
from settings_store.secrets import Vault
from worker.config import Config

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
SECRETS = {"MAIL_PREFLIGHT_SECRET_KEY": "planted-key", "MAIL_PREFLIGHT_DATABASE_PASSWORD": "planted-password"}

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)
# Written so that this file does not match itself.
_MACHINE_PATH = re.compile(r"/(?:work|home|root|Users)/(?!user\b|vmail\b)\w")


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def compose(environment: Mapping[str, str], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What compose makes of the file in a folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAIL_PREFLIGHT_")}
    command = ["docker-compose", "--file", "compose.yaml", "--profile", "cli", "config"]
    return subprocess.run(
        command, cwd=folder, env={**clean, **environment}, capture_output=True, text=True, check=False
    )


def test_compose_starts_from_nothing(tmp_path: Path) -> None:
    """The script makes a key that is one and a password, for nobody else to read, and never writes over them."""
    for name in ("compose.yaml", ".env.example", "scripts/make-env.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    first, second = (
        subprocess.run([tmp_path / "scripts/make-env.sh"], capture_output=True, text=True, check=False)
        for _ in range(2)
    )

    assert (first.returncode, second.returncode) == (0, 1)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    answer = compose({}, tmp_path)
    assert answer.returncode == 0, answer.stderr
    environment = yaml.safe_load(answer.stdout)["services"]["beat"]["environment"]
    Vault([environment["MAIL_PREFLIGHT_SECRET_KEY"]])
    assert re.search(r"://mail_preflight:[0-9a-f]{48}@postgres/", environment["MAIL_PREFLIGHT_DATABASE_URL"])
    assert environment["MAIL_PREFLIGHT_SECRET_KEY"] not in first.stdout


def test_the_example_names_all_that_compose_reads() -> None:
    named = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))


def test_the_compose_file_is_valid() -> None:
    answer = compose(SECRETS)
    assert answer.returncode == 0, answer.stderr
    services = yaml.safe_load(answer.stdout)["services"]
    ours = {"migrate", "worker-preflight", "worker-health", "beat", "web", "cli"}
    assert set(services) == ours | {"redis", "postgres"}
    for name in ours:
        hardened = services[name]["read_only"], services[name]["cap_drop"], services[name]["security_opt"]
        assert hardened == (True, ["ALL"], ["no-new-privileges:true"])
    for name in ("worker-preflight", "worker-health", "beat", "web"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert sorted(name for name, service in services.items() if "healthcheck" not in service) == ["cli", "migrate"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    (port,) = published.pop("web")  # older releases of compose write it as a text
    assert (port if isinstance(port, str) else port["host_ip"]).startswith("127.0.0.1")
    assert published == {}
    assert "/readyz" in " ".join(services["web"]["healthcheck"]["test"])
    for service in services.values():
        assert service["logging"]["options"] == {"max-file": "3", "max-size": "10m"}
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service)


def test_an_image_may_be_pinned_by_its_digest() -> None:
    """Where none is given it is the tag's: a digest can only be looked up at the registry."""
    digest = "@sha256:" + "0123456789abcdef" * 4
    pinned = dict.fromkeys(("PYTHON_DIGEST", "REDIS_DIGEST", "POSTGRES_DIGEST"), digest)
    services = yaml.safe_load(compose(SECRETS | pinned).stdout)["services"]
    for name in ("redis", "postgres"):
        assert services[name]["image"].endswith(digest)
    assert services["beat"]["build"]["args"] == {"PYTHON_DIGEST": digest}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert len(re.findall(r"^FROM \S+\$\{PYTHON_DIGEST\}", dockerfile, re.MULTILINE)) == 2


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_the_compose_file_refuses_to_start_without_a_secret(missing: str) -> None:
    answer = compose({name: value for name, value in SECRETS.items() if name != missing})
    assert answer.returncode != 0
    assert missing in answer.stderr


def test_the_compose_file_holds_no_secret_of_its_own() -> None:
    for line in (ROOT / "compose.yaml").read_text(encoding="utf-8").splitlines():
        if re.search(r"(PASSWORD|SECRET_KEY): ", line):
            assert re.search(r": \$\{\w+:\?", line), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_host_and_no_path(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(
        r"--(index-url|extra-index-url|find-links|trusted-host)|^file:|(?<![\w.])/\w", text, re.MULTILINE
    )


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_a_hash_for_every_package(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8"))
    pinned = [block for block in blocks if not block.startswith("#")]
    assert len(pinned) > 30
    assert [block.splitlines()[0] for block in pinned if not _PIN.match(block) or "--hash=sha256:" not in block] == []


def test_the_lock_of_the_node_clients_names_no_registry() -> None:
    """Each package is held by its hash; where it comes from is for the machine's npm to say."""
    lock = json.loads((ROOT / "tests/checks/clients/node/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {"node_modules/imapflow", "node_modules/nodemailer"} <= packages.keys()
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_the_development_lock_holds_the_other_one() -> None:
    runtime, development = (set(_PIN.findall((ROOT / name).read_text(encoding="utf-8"))) for name in LOCKS)
    assert runtime - development == set()


def test_the_locks_hold_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for name, requirements in zip(LOCKS, (project["dependencies"] + extras["demo"], extras["dev"]), strict=True):
        pinned = {package for package, _ in _PIN.findall((ROOT / name).read_text(encoding="utf-8"))}
        declared = {re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in requirements}
        assert declared - pinned == set()


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in _MACHINE_PATH.finditer(text)]
    assert found == []


def broken_links(document: Path) -> list[str]:
    targets = [target for target in _LINK.findall(document.read_text(encoding="utf-8")) if ":" not in target]
    return [target for target in targets if not (document.parent / target.partition("#")[0]).exists()]


def test_every_local_link_in_the_documents_leads_somewhere() -> None:
    documents = [path for path in tracked_files() if path.suffix == ".md"]
    assert len(documents) >= 5
    assert {str(path.relative_to(ROOT)): broken for path in documents if (broken := broken_links(path))} == {}


def test_every_make_target_that_is_spoken_of_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([a-z][a-z0-9 -]*):", makefile, re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    spoken: set[str] = set()
    for name in ("README.md", "CONTRIBUTING.md", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        spoken |= set(re.findall(r"(?:^ *|`)make ([a-z0-9-]+)", text, re.MULTILINE))
    assert {"run", "test", "check", "bench"} <= spoken
    assert spoken - targets == set()


def test_every_command_that_is_started_or_spoken_of_exists() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"].values()
    commands = {service["command"].split()[0] for service in services if service["image"] == "mail-preflight"}
    for name in ("README.md", "docs/operations.md", "docs/how-a-change-flows.md", "CHANGELOG.md"):
        commands |= set(re.findall(r"mail-preflight ([a-z]+(?:-[a-z]+)*)", (ROOT / name).read_text(encoding="utf-8")))
    assert {"migrate", "beat", "verify", "keys"} <= commands
    assert [command for command in sorted(commands) if run([command, "--help"]) != 0] == []


def test_every_environment_variable_is_documented() -> None:
    documented = set(re.findall(r"^\| `MAIL_PREFLIGHT_(\w+)`", (ROOT / "docs/operations.md").read_text(), re.MULTILINE))
    assert documented == {name.upper() for name in Config.model_fields} | {"LANGUAGE", "ACCOUNT"}


@pytest.mark.parametrize(
    "name",
    [".ci/run", "scripts/create-venv.sh", "scripts/in-debian.sh", "scripts/make-env.sh", "scripts/pin-images.sh"],
)
def test_a_script_is_executable_and_parses(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    interpreter = (ROOT / name).read_text(encoding="utf-8").splitlines()[0].split("/")[-1].split()[-1]
    assert subprocess.run([interpreter, "-n", ROOT / name], check=False).returncode == 0
