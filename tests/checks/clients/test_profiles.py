"""Profiles as data: which one a setting names, what an operator's own file may say, and what each can send."""

from pathlib import Path

import pytest

from checks.clients.node import NODE
from checks.clients.profile import IdMoment, NextWay, Text
from checks.clients.python import PYTHON
from checks.clients.selection import client_profile
from checks.model import Invalid

OWN = """
name = "our app"
based_on = "node"

[imap]
ways = ["AUTH=PLAIN", "LOGIN"]
next_way = "mechanism"
id = "after_login"
id_fields = [["name", "our app"]]
login_password = { charset = "latin-1" }

[tls]
strict = true
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "app.toml"


def test_shipped_ones_go_by_name() -> None:
    assert client_profile("python") is client_profile("") is PYTHON
    assert client_profile(" node ") is NODE


def test_an_own_one_says_where_it_differs(own: Path) -> None:
    own.write_text(OWN)
    profile = client_profile(str(own))
    assert (profile.name, profile.tls.strict) == ("our app", True)
    assert profile.imap.ways == ("AUTH=PLAIN", "LOGIN")
    assert (profile.imap.next_way, profile.imap.id) == (NextWay.MECHANISM, IdMoment.AFTER_LOGIN)
    assert profile.imap.id_fields == (("name", "our app"),)
    assert profile.imap.login_password == Text("latin-1")
    assert profile.smtp == NODE.smtp


def test_an_empty_one_is_python_by_another_name(own: Path) -> None:
    own.write_text("")
    profile = client_profile(str(own))
    assert (profile.name, profile.imap, profile.smtp) == ("own", PYTHON.imap, PYTHON.smtp)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[imap]\nwas = 1", "imap.was is no field"),
        ("colour = 1", "colour is no field"),
        ('based_on = "perl"', "based_on must be one of python, node"),
        ('[imap]\nways = ["GSSAPI"]', "imap.ways.0"),
        ('[imap]\nnext_way = "sometimes"', "imap.next_way"),
        ('[imap]\nlogin_user = { charset = "utf-7" }', "imap.login_user.charset"),
        ("imap = 3", "imap"),
        ('name = "a\\nb"', "name must be"),
        ('name = ""', "name must be"),
        ("[imap", "is no TOML file"),
        ("# " + "x" * 70_000, "no longer than"),
    ],
)
def test_a_bad_own_one_is_one_line_that_says_where(text: str, words: str, own: Path) -> None:
    own.write_text(text)
    with pytest.raises(Invalid) as caught:
        client_profile(str(own))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["perl", "/no/such/file.toml", "."])
def test_what_names_no_profile_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        client_profile(text)


@pytest.mark.parametrize(
    ("text", "way", "sent"),
    [
        ("pä", Text("ascii"), None),
        ("pä", Text("latin-1"), b"p\xe4"),
        ("p\N{EURO SIGN}", Text("latin-1"), None),
        ("pä", Text("utf-8"), b"p\xc3\xa4"),
        ("a b", Text("ascii", barred=" "), None),
        ("ab", Text("ascii", barred=" "), b"ab"),
    ],
)
def test_what_a_client_can_send(text: str, way: Text, sent: bytes | None) -> None:
    assert way.encode(text) == sent
