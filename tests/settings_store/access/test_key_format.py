"""A key is told from a text that looks like one without asking anybody, and shows its secret to nobody."""

import string

import pytest

from settings_store.access.key_format import PlainKey, new_key, parse

CHARACTERS = string.ascii_letters + string.digits + "_- é"


@pytest.mark.parametrize("live", [True, False])
def test_a_key_is_read_as_it_was_made(live: bool) -> None:
    made = new_key(live=live)
    assert parse(made.text) == made
    assert made.text.startswith("mp_live_" if live else "mp_test_")
    assert made.id in made.text


def test_no_typo_of_one_character_is_a_key() -> None:
    """CRC-32 finds every burst of up to 32 bits, wherever it is, and so every other character."""
    text = new_key(live=True).text
    for place, right in enumerate(text):
        for other in CHARACTERS:
            if other != right:
                assert parse(text[:place] + other + text[place + 1 :]) is None, place


def test_neither_a_character_more_nor_one_less_nor_two_that_changed_places() -> None:
    text = new_key(live=True).text
    for place in range(len(text)):
        assert parse(text[:place] + text[place + 1 :]) is None
        assert parse(text[:place] + "a" + text[place:]) is None
        swapped = text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
        assert swapped == text or parse(swapped) is None


@pytest.mark.parametrize("text", ["", "mp_live_", "x" * 100_000, "mp_live_é", "mp_live_" + "0" * 12 + "_" + "0" * 38])
def test_what_is_none(text: str) -> None:
    assert parse(text) is None


def test_what_surrounds_a_key_is_not_passed_over() -> None:
    text = new_key(live=True).text
    for wrong in (text + "\n", " " + text, text + "\x00", text + "\xa0"):
        assert parse(wrong) is None


def test_its_secret_is_not_printed_and_two_are_never_the_same() -> None:
    made = [new_key(live=True) for _ in range(100)]
    assert len({key.text for key in made}) == len({key.digest for key in made}) == 100
    assert made[0].text not in repr(made[0])
    assert PlainKey("i", True, "secret").digest != PlainKey("i", True, "secret2").digest
