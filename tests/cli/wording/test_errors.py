"""What goes wrong is told in every language: no sentence that a command may end with is missing from the tables."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.language import Language
from cli import main
from cli.wording import ja_answers, ja_errors, ja_problems, ja_refusals, ja_webhooks
from cli.wording.errors import chosen, translated
from tests.cli.planted import Planted
from web.problems.codes import KINDS, Kind

ROOT = Path(__file__).parents[3]
RAISED = {
    *("BadRow", "Exceeds", "Invalid", "Malformed", "TooManyRows", "Refused", "Unavailable", "Unknown"),
    *("UnderWay", "TooOften", "ServersBusy", "complain", "inform", "_refuse"),
}
SAID_SECOND = {"Problem"}
"""Those that are given a code before the sentence."""
ELSEWHERE = {
    "worker/alerts/egress_guard.py": "told to whoever tries a channel, with what the receiver said",
    "checks/oauth/client_secret.py": "a part of a sentence about a row of a file",
    "checks/clients/own.py": "quotes what pydantic finds in a developer's file",
}
PLACE = re.compile(r"\{(\w+)\}")


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence that is raised, with a word for each value, and where."""
    for floor in ("checks", "settings_store", "worker", "cli", "web"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name in ELSEWHERE:
                continue
            module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (said := _said(node)) is not None:
                    text = _text(said, module)
                    if text and not re.fullmatch(r"[X\W]*", text):
                        yield f"{name}:{said.lineno}", text


def _said(node: ast.AST) -> ast.expr | None:
    """Where a sentence is: what is raised, or the `detail` that will be."""
    if isinstance(node, ast.Call):
        place = 1 if _called(node) in SAID_SECOND else 0
        raised = _called(node) in RAISED | SAID_SECOND and len(node.args) > place
        return node.args[place] if raised else None
    if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "detail" for each in node.targets):
        return node.value
    return None


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def _text(node: ast.expr, module: str) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value, module) for value in node.values)
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        constant = getattr(importlib.import_module(module), node.value.id, None)
        return constant if isinstance(constant, str) else "X"
    return "X" if isinstance(node, ast.FormattedValue) else ""


SENTENCES = dict(sentences())


@pytest.mark.parametrize("where", SENTENCES)
def test_every_sentence_is_there(where: str) -> None:
    said = translated(SENTENCES[where], Language.JA)
    assert re.search(r"[\u3040-\u9fff]", said), SENTENCES[where]


@pytest.mark.parametrize("kind", KINDS.values(), ids=[code.value for code in KINDS])
def test_every_title_of_a_problem_is_there(kind: Kind) -> None:
    assert re.search(r"[\u3040-\u9fff]", translated(kind.title, Language.JA))


def test_there_are_as_many_as_there_are() -> None:
    """The walk through the source finds what it is to find."""
    assert len(SENTENCES) > 250


@pytest.mark.parametrize(
    "table",
    [ja_errors.TEMPLATES, ja_refusals.TEMPLATES, ja_webhooks.TEMPLATES, ja_answers.TEMPLATES, ja_problems.TEMPLATES],
)
def test_both_name_the_same_values(table: tuple[tuple[str, str], ...]) -> None:
    for english, other in table:
        assert set(PLACE.findall(english)) == set(PLACE.findall(other)), english


@pytest.mark.parametrize(
    ("message", "japanese"),
    [
        (
            "change 7c4a is being verified and cannot be rolled back; `mail-preflight resume 7c4a` goes on with that, "
            "`mail-preflight cancel 7c4a` ends it",
            "変更 7c4a は検証中のため、取り消しできません。続けるには：`mail-preflight resume 7c4a`、"
            "中止するには：`mail-preflight cancel 7c4a`",
        ),
        ("boxes.csv, row 3: the address is already in row 2", "boxes.csv の 3 行目：同じ address が 2 行目にあります"),
        ("--imap: 'a.example' must be HOST:PORT, for example mail.example.com:993", None),
        ("nobody knows this sentence", "nobody knows this sentence"),
    ],
)
def test_parts_are_translated_too(message: str, japanese: str | None) -> None:
    said = translated(message, Language.JA)
    assert said == japanese or (japanese is None and said.startswith("--imap：'a.example' は HOST:PORT"))
    assert translated(message, Language.EN) == message


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ("--language ja domains", "", "ja"),
        ("--language=ja domains", "", "ja"),
        ("--account north --language ja domains", "", "ja"),
        ("domains", "ja", "ja"),
        ("--language en domains", "ja", "en"),
        ("alerts add x --language ja", "", "en"),
        ("--language fr domains", "", "en"),
        ("--language", "", "en"),
        ("", "xx", "en"),
    ],
)
def test_the_language_is_known_before_anything_else(arguments: str, environment: str, language: str) -> None:
    assert chosen(arguments.split(), {"MAIL_PREFLIGHT_LANGUAGE": environment}) == language


def test_an_error_is_in_the_language(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    first = planted.run("--language", "ja", "apply", "c0ffee")
    assert (first.status, "変更 'c0ffee' はありません" in first.err) == (2, True)
    monkeypatch.setenv("MAIL_PREFLIGHT_LANGUAGE", "ja")
    assert "というコマンドはありません" in planted.run("nonsense").err
    assert "オプション '--queue' を指定してください" in planted.run("worker").err
    assert planted.run("--language", "en", "nonsense").err.startswith("mail-preflight: No such command 'nonsense'.")


@pytest.mark.parametrize(
    ("arguments", "english", "japanese"),
    [
        (["--help"], ["Usage: ", "Options:", "Commands:"], ["使い方: ", "オプション:", "コマンド:"]),
        (["apply", "--help"], ["Usage: ", "Arguments:", "Options:"], ["使い方: ", "引数:", "オプション:"]),
        (["keys", "--help"], ["Usage: ", "Commands:"], ["使い方: ", "コマンド:"]),
    ],
)
def test_headings_of_the_help(
    capsys: pytest.CaptureFixture[str], arguments: list[str], english: list[str], japanese: list[str]
) -> None:
    main.run(arguments)
    first = capsys.readouterr().out
    main.run(["--language", "ja", *arguments])
    second = capsys.readouterr().out

    assert all(heading in first for heading in english)
    assert all(heading in second for heading in japanese)
    assert not any(heading in second for heading in english)
