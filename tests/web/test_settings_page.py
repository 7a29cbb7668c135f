"""Rows of a settings page by the API that no other file shows, in the sandbox: see `tests/test_settings_page.py`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.web.api import Api, running
from tests.web.test_connecting import EXCHANGE, apply, connect, imap, mailboxes, put_in_force, save, state_of, verified


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("settings"), working=True, web_rate_expensive=0) as api:
        yield replace(api, key=api.new_key(live=False))


def test_imap_settings_are_added_and_edited_and_their_number_warns(sandbox: Api) -> None:
    domain = "imap.example"
    path = f"/v1/domains/{domain}/changes"
    first = sandbox.ask("POST", path, {"settings": imap()})
    assert first.body["concerned_mailboxes"] == 0
    apply(sandbox, verified(sandbox, first))
    for local in ("ada", "bela"):
        assert state_of(connect(sandbox, domain, local)) == "connected"

    edited = sandbox.ask("POST", path, {"settings": imap("self-signed.test")})

    assert edited.body["concerned_mailboxes"] == 2
    assert edited.body["settings"]["imap"]["host"] == "self-signed.test"
    assert verified(sandbox, edited)["counts"]["will_disconnect"] == 2
    assert sandbox.ask("GET", f"/v1/domains/{domain}").body["settings"]["imap"]["host"] == "ok.test"


def test_the_insecure_option_is_one_of_the_settings(sandbox: Api) -> None:
    domain = "insecure.example"
    put_in_force(sandbox, domain, imap())
    connect(sandbox, domain, "ada")
    without = save(sandbox, domain, imap("self-signed.test"))
    (server, _) = sandbox.ask("GET", f"/v1/changes/{without['id']}/report").body["endpoints"]
    assert (without["verdict"], server["allow_insecure_certificate"]) == ("unsafe", "needed")

    given = save(sandbox, domain, {**imap("self-signed.test"), "allow_insecure_certificate": True})

    assert (given["verdict"], given["counts"]["keeps_working"]) == ("safe", 1)
    assert apply(sandbox, given).body["settings"]["allow_insecure_certificate"] is True


def test_exchange_is_added_and_edited_and_takes_the_place_of_imap(sandbox: Api) -> None:
    domain = "office.example"
    put_in_force(sandbox, domain, imap())
    connect(sandbox, domain, "ada")
    change = save(sandbox, domain, EXCHANGE)
    assert change["counts"]["keeps_working"] == 1
    assert apply(sandbox, change).status == 200

    found = sandbox.ask("GET", f"/v1/domains/{domain}").body
    assert (found["kind"], found["settings"]["exchange_url"]) == ("exchange", EXCHANGE["exchange_url"])
    assert "imap" not in found["settings"], "a domain has either"
    assert mailboxes(sandbox, domain) == {"ada": "connected"}
    edited = save(sandbox, domain, {**EXCHANGE, "exchange_url": "refused.test"})
    assert edited["settings"]["exchange_url"] == "https://refused.test/EWS/Exchange.asmx"
    assert edited["counts"]["will_disconnect"] == 1, "what it inherits is tried"
    both = sandbox.ask("POST", f"/v1/domains/{domain}/changes", {"settings": EXCHANGE | {"imap": imap()["imap"]}})
    assert (both.status, [each["pointer"] for each in both.body["errors"]]) == (422, ["/settings/imap"])
