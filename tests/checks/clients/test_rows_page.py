"""docs/clients.md says what the rows say."""

from tests.checks.clients.rows_page import PAGE, with_tables


def test_the_page_has_the_rows() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "run: python -m tests.checks.clients.rows_page"
