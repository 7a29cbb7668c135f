"""The hints of providers: whom they are for, where they come from, and that they are said in every language."""

from datetime import date
from urllib.parse import urlsplit

import pytest

from checks.language import Language
from checks.messages.provider_hints import hint_words
from checks.messages.providers import HINTS, Hint, Wants, hint_for


@pytest.mark.parametrize(
    ("domain", "hosts", "provider"),
    [
        ("example.com", ["imap.gmail.com", "smtp.gmail.com"], "Google"),
        ("gmail.com", [], "Google"),
        ("gmail.com", ["mail.example.com"], None),
        ("example.com", ["imap.mail.yahoo.com"], "Yahoo"),
        ("example.com", ["imap.mail.yahoo.com.evil.example"], None),
        ("example.com", ["notgmail.com"], None),
        ("example.com", ["outlook.office365.com"], "Microsoft 365"),
        ("example.com", ["imappro.zoho.eu"], "Zoho"),
        ("t-online.de", [], "Telekom"),
        ("example.com", ["secureimap.t-online.de"], "Telekom"),
        ("example.com", [], None),
    ],
)
def test_servers_decide_and_the_domain_where_none_is_known(domain: str, hosts: list[str], provider: str | None) -> None:
    found = hint_for(domain, hosts)
    assert (found.provider if found else None) == provider


@pytest.mark.parametrize("hint", HINTS, ids=[hint.provider for hint in HINTS])
def test_each_has_its_source_and_where_to_go(hint: Hint) -> None:
    assert urlsplit(hint.source).scheme == "https"
    assert date(2026, 1, 1) <= date.fromisoformat(hint.seen)
    assert bool(hint.url) == (hint.wants is not Wants.NO_PASSWORD)
    for language in Language:
        said = hint_words(hint, language)
        assert hint.provider in said
        assert hint.url in said
