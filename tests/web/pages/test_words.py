"""The words of the page: the same in every language, all of them used, and every one that is used is there."""

import re
import string
from pathlib import Path

from checks.language import Language
from settings_store.events.kinds import KINDS
from web.pages.wording import ROOMS, TEXTS

PAGES = Path(__file__).parents[3] / "web/pages"
_NAMES = [room.rpartition(".")[2] for room in ROOMS]
_FIXED = re.compile(r"""["']((?:{})\.[\w.]+)["']""".format("|".join(_NAMES)))


_COMPOSED = ("comparison.", "history.change.", "history.incident.", "history.mailboxes.", "report.refused.")


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_words_with_the_same_places() -> None:
    english, japanese = TEXTS[Language.EN], TEXTS[Language.JA]
    assert english.keys() == japanese.keys()
    assert {key for key in english if _places(english[key]) != _places(japanese[key])} == set()


def test_a_key_begins_with_its_room() -> None:
    assert {key.partition(".")[0] for key in TEXTS[Language.EN]} == set(_NAMES)


def test_every_word_is_used_and_every_used_one_is_there() -> None:
    """Keys that a template puts together end where the variable begins: `"domains.state." ~ state`."""
    texts = [file.read_text("utf-8") for file in (*PAGES.rglob("*.html"), *PAGES.rglob("*.py"))]
    used = {key for text in texts for key in _FIXED.findall(text) if "wording" not in key}
    known = set(TEXTS[Language.EN])
    heads = {key for key in used if key.endswith(".")}
    composed = {key for key in known if key.startswith(tuple(heads))} | _by_python()
    files = (".html", ".py", ".css", ".csv", ".json")
    missing = {key for key in used - known - heads - set(KINDS) if not key.endswith(files)}
    assert missing == set()
    assert set(known - used - composed) == set()


def _by_python() -> set[str]:
    """Those that a handler puts together: `f"frame.{title}.heading"`, and what `Clock.distance` says."""
    parts = ("ago", "ahead", "heading", "todo")
    return {
        key
        for key in TEXTS[Language.EN]
        if key.startswith(("frame.", "settings.security.", "settings.authentication.", "settings.kind.", *_COMPOSED))
        and (key.rpartition(".")[2].rpartition("_")[2] in parts or not key.startswith("frame."))
    }
