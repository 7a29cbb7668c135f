"""No answer names a command: every sentence that does loses that, in both languages, and something is left of it."""

import re

import pytest

from checks.language import Language
from cli.wording import ja_answers, ja_errors, ja_problems, ja_refusals, ja_webhooks
from web.problems.codes import ProblemCode
from web.problems.commands import without_commands
from web.problems.problem import FieldProblem, Problem, document

TABLES = (ja_errors, ja_refusals, ja_webhooks, ja_answers, ja_problems)
COMMANDS = dict.fromkeys(("command", "again", "ways"), "`mail-preflight again 7c4a`")
"""Places where sentences have a command, or a clause that does."""


def _filled(template: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda place: COMMANDS.get(place[1], "7"), template)


SENTENCES = [
    (_filled(english), _filled(japanese))
    for table in TABLES
    for english, japanese in table.TEMPLATES
    if "mail-preflight" in _filled(english)
]


def test_the_tables_have_sentences_that_name_commands() -> None:
    assert len(SENTENCES) > 40


@pytest.mark.parametrize(("english", "japanese"), SENTENCES, ids=[english for english, _ in SENTENCES])
def test_it_says_what_is_the_matter_and_no_command(english: str, japanese: str) -> None:
    found = without_commands(english), without_commands(japanese, Language.JA)
    assert not [text for text in found if "mail-preflight" in text]
    first = re.split(r"; |(?<=\.) | \(see ", english)[0]
    if "mail-preflight" not in first:
        assert found[0].startswith(first)
        assert japanese.startswith(found[1])
    assert all(text and not text.endswith((";", "。", " ")) for text in found)
    alone = without_commands("`mail-preflight x` does"), without_commands("`mail-preflight x`", Language.JA)
    assert (found[0] == alone[0]) == (found[1] == alone[1]), "both languages lose the same"


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("'a; b' is no host; use `host`.", "'a; b' is no host; use `host`."),
        ("first; `mail-preflight x` does; and last", "first; and last"),
        ("first (see `mail-preflight --help`); and last (really)", "first; and last (really)"),
        ("`mail-preflight web` needs a port; set one", "set one"),
        ("line\nand line; `mail-preflight x`\n does", "line\nand line"),
    ],
)
def test_all_else_stays(sentence: str, left: str) -> None:
    assert without_commands(sentence) == left


def test_a_problem_and_its_fields_name_none() -> None:
    said = "domain x is not known; `mail-preflight domains` lists them"
    field = FieldProblem(pointer="/domain", code="invalid", detail=said)
    found = document(Problem(ProblemCode.INVALID_REQUEST, said, errors=[field]), "/v1/x", "r")
    assert [found["detail"], found["errors"][0]["detail"]] == ["domain x is not known"] * 2
