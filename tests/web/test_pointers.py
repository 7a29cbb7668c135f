"""A mistake is told at its field, and not at what pydantic calls the model that the field is of."""

from typing import Any

import pytest

from web.problems.pointers import pointer


@pytest.mark.parametrize(
    ("place", "body", "expected"),
    [
        (
            ("body", "settings", "imap", "imap", "port"),
            {"settings": {"kind": "imap", "imap": {}}},
            "/settings/imap/port",
        ),
        (("body", "settings", "imap", "imap"), {"settings": {"kind": "imap"}}, "/settings/imap"),
        (
            ("body", "settings", "exchange", "exchange_url"),
            {"settings": {"kind": "exchange"}},
            "/settings/exchange_url",
        ),
        (("body", "settings"), {"settings": {"kind": "pop3"}}, "/settings"),
        (("body", "smtp", "host"), {"protocol": "smtp"}, "/host"),
        (("body", "mailboxes", 1, "password"), {"mailboxes": [{}, {"kind": "password"}]}, "/mailboxes/1/password"),
        (("body", "a/b~c"), {"a/b~c": 1}, "/a~1b~0c"),
        (("body", "settings", "kind"), None, "/settings/kind"),
        (("query", "limit"), None, "query:limit"),
        ((), None, ""),
    ],
)
def test_pointer(place: tuple[str | int, ...], body: Any, expected: str) -> None:
    assert pointer(place, body) == expected
