"""imapflow and nodemailer themselves, in one Node process that asks many servers at once."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from tests.servers.process import ServerError

FOLDER = Path(__file__).with_name("node")
_PATIENCE_MS = 10_000
_SECONDS = 60  # for all questions


@dataclass(frozen=True, slots=True)
class Question:
    """One login at a server on loopback. `address` is who sends; `user` is empty where SMTP wants no login.

    `token`: the secret is an access token.
    """

    protocol: Literal["imap", "smtp"]
    port: int
    user: str
    secret: str = field(repr=False)
    address: str = ""
    tls: bool = True
    token: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the inbox was opened, or a message's sender was taken; else what the library `said`."""

    works: bool
    said: str


def ask(questions: Sequence[Question], ca_file: Path) -> list[Answer]:
    """An answer to each question, in their order. Raises `ServerError` where this machine cannot have the clients."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        raise ServerError("Node's mail clients are not installed: run make node-clients")
    lines = "".join(json.dumps(asdict(question)) + "\n" for question in questions)
    command = [node, str(FOLDER / "ask.mjs"), str(ca_file), str(_PATIENCE_MS)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    documents = sorted(map(json.loads, done.stdout.splitlines()), key=lambda document: int(document["number"]))
    assert len(documents) == len(questions), done.stderr
    return [Answer(document["works"], document["said"]) for document in documents]
