"""The table of reserved names in the guide."""

from pathlib import Path

from checks.sandbox import names_page

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_guide_has_every_name() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    found = text.partition(names_page.BEGIN)[2].partition(names_page.END)[0].strip()
    assert found == names_page.table().strip(), "make it anew with `python -m checks.sandbox.names_page`"
