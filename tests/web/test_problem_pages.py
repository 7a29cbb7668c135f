"""What is told of each problem."""

from pathlib import Path

from tests.web.api import Api
from web.problems.codes import KINDS, ProblemCode
from web.problems.pages import REMEDIES, published, table


def test_every_problem_says_what_to_do() -> None:
    assert set(REMEDIES) == set(KINDS) == set(ProblemCode)


def test_the_table_of_the_guide_is_made_of_the_codes() -> None:
    guide = Path(__file__).parents[2] / "docs" / "api.md"
    assert published(guide.read_text(encoding="utf-8")) == table(), "make it anew: python -m web.problems.pages"


def test_where_a_type_leads_there_is_a_page_without_a_key(api: Api) -> None:
    problem = api.ask("GET", "/v1/changes/x", key=None)
    page = api.ask("GET", problem.body["type"], key=None)
    assert page.status == 200, page.text
    assert (page.body["code"], page.body["title"]) == (problem.body["code"], problem.body["title"])
    assert api.ask("GET", "/problems/none", key=None).body["code"] == "not_found"
