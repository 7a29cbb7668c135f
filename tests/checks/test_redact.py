"""No secret passes `words`, whatever the server made of it."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.redact import LIMIT, words

SECRET = 'Planted "pass\\wörd" 100%'
secrets = st.text(min_size=8, max_size=60).filter(lambda text: len(set(text)) > 4 and text not in "[redacted]")


@given(secrets, st.text(max_size=50), st.text(max_size=50))
@example("x[redacted]y-4711", "", "")
def test_the_secret_itself(secret: str, before: str, after: str) -> None:
    assert secret not in words(before + secret + after, secret)


@given(secrets, st.binary(max_size=40), st.binary(max_size=40))
def test_the_secret_inside_any_base64_message(secret: str, before: bytes, after: bytes) -> None:
    """SASL puts the secret behind a user name of any length, so it may begin anywhere in a group of three bytes."""
    message = base64.b64encode(before + secret.encode() + after).decode()
    assert words(f"334 {message} is wrong", secret) == "334 [redacted] is wrong"


@given(st.integers(0, 200))
def test_a_text_that_was_cut_within_the_secret(size: int) -> None:
    """The network or a limit may cut an echo anywhere: what is left of the secret is no more than can be guessed."""
    for echo in (SECRET, base64.b64encode(f"\0somebody\0{SECRET}".encode()).decode()):
        shown = words(("login " + echo)[: 6 + size], SECRET)
        assert SECRET[:4] not in shown
        assert "UGxhbnRlZ" not in shown  # "Planted" in base64
        assert "GxhbnRlZC" not in shown


@pytest.mark.parametrize(
    "echo", [SECRET, SECRET.replace("\\", "\\\\").replace('"', '\\"'), base64.b64encode(SECRET.encode()).decode()]
)
def test_as_imap_and_sasl_write_it(echo: str) -> None:
    assert words(f'a LOGIN x "{echo}"', SECRET) == 'a LOGIN x "[redacted]"'
    assert words(f'a LOGIN x "{echo}"'.encode(), SECRET) == 'a LOGIN x "[redacted]"'


def test_a_secret_with_a_tab_is_found_before_the_tab_is_cleaned() -> None:
    assert words("you said pass\tword!", "pass\tword") == "you said [redacted]!"


def test_a_secret_at_the_end_of_what_is_shown_is_hidden_before_the_text_is_cut() -> None:
    shown = words("x" * (LIMIT - 5) + SECRET, SECRET)
    assert SECRET[:4] not in shown
    assert len(shown) <= LIMIT


@given(st.one_of(st.text(max_size=2_000), st.binary(max_size=2_000)))
def test_any_words_become_one_short_line(raw: str | bytes) -> None:
    shown = words(raw)
    assert len(shown) <= LIMIT
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    assert shown == shown.strip()


def test_directional_marks_cannot_turn_a_sentence_around() -> None:
    assert words("ok \u202eevil\u2066 x") == "ok  evil  x"


def test_words_without_a_secret_stay() -> None:
    assert words("535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", SECRET, "") == (
        "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6"
    )
