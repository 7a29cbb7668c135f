"""No secret passes `words`, whatever the server made of it."""

import base64
import html
import json
import quopri
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

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


ODD = 'Tr0ub4dor & "3" <ключ>\\ü+%=é'
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "reversed": lambda secret: secret[::-1],
    "percent-encoded": quote,
    "percent-encoded, all of it": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "percent-encoded twice": lambda secret: quote(quote(secret)),
    "as a form": quote_plus,
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal, upper case": lambda secret: secret.encode().hex().upper(),
    "hexadecimal, apart": lambda secret: secret.encode().hex(" "),
    "hexadecimal, as bytes": lambda secret: "".join(f"\\x{byte:02x}" for byte in secret.encode()),
    "hexadecimal of UTF-16": lambda secret: secret.encode("utf-16-le").hex(),
    "HTML": html.escape,
    "HTML, by number": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "HTML, hexadecimal": lambda secret: "".join(f"&#x{ord(letter):x};" for letter in secret),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON, all of it": lambda secret: "".join(f"\\u{ord(letter):04x}" for letter in secret),
    "HTML in JSON": lambda secret: json.dumps(html.escape(secret))[1:-1],
    "quoted-printable": lambda secret: quopri.encodestring(secret.encode(), quotetabs=True).decode().replace("=\n", ""),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(b"?>" + secret.encode()).decode(),
    "base64 of UTF-16": lambda secret: base64.b64encode(secret.encode("utf-16-le")).decode(),
    "base64 of UTF-16 with its mark": lambda secret: base64.b64encode(
        b"\xfe\xff" + secret.encode("utf-16-be")
    ).decode(),
    "UTF-8 read as Latin-1": lambda secret: secret.encode().decode("latin-1"),
}


@pytest.mark.parametrize("secret", ["Planted-secret-4711", ODD, "correct horse battery staple", "k9#Lm2", "parole"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_every_form(form: str, secret: str) -> None:
    shown = words(f"no login for x with '{FORMS[form](secret)}' today", secret)
    assert re.fullmatch(r"no login for x with '?(\[redacted\]){1,2}={0,2}'? today", shown)


@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"HTML in JSON"}))
@pytest.mark.parametrize("begin", [0, 3])
def test_much_of_a_secret_in_every_form(form: str, begin: int) -> None:
    secret = "Planted-secret-4711-Zz"
    echo = FORMS[form](secret[begin : begin + 15])
    assert echo not in words(f"no login for x with '{echo}' today", secret)
    assert "[redacted]" in words(f"no login for x with '{echo}' today", secret)


@pytest.mark.parametrize("secret", ["password123", "Login2024", "secret-server", "maintenance7", "xauthenticationx"])
def test_ordinary_words_stay_though_the_secret_has_them(secret: str) -> None:
    sentence = "535 5.7.8 Login failed: password or secret of the user is wrong; maintenance of this server is over"
    assert words(sentence, secret) == sentence


@given(st.text("abcdefghijklmnopqrstuvwxyz .,:", max_size=200))
def test_other_words_stay(sentence: str) -> None:
    assert words(sentence, "Planted-secret-4711") == " ".join([words(sentence)])


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(sorted(FORMS)))
def test_whatever_stands_around_it(before: str, after: str, form: str) -> None:
    echo = FORMS[form](ODD)
    assert echo not in words(f"{before} '{echo}' {after}", ODD)
