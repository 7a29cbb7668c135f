"""One Idempotency-Key, one effect."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.access import answers
from tests.servers.postgres import PostgresServer
from tests.web.api import Answer, Api, running
from tests.web.test_changes import IMAP


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all tests here: each has a domain of its own."""
    config: dict[str, Any] = {}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        config["database_url"] = server.new_store()
    with running(tmp_path_factory.mktemp("once"), **config) as api:
        yield api


def _save(api: Api, domain: str, repetition: str, body: object = None, **options: object) -> Answer:
    headers = {"Idempotency-Key": repetition}
    return api.ask("POST", f"/v1/domains/{domain}/changes", body or {"settings": IMAP}, headers=headers, **options)


def _changes(api: Api, domain: str) -> int:
    with api.preflight.database.read() as conn:
        changes, domains = schema.changes, schema.domains
        mine = sa.select(domains.c.id).where(domains.c.name == domain)
        return conn.execute(sa.select(sa.func.count()).where(changes.c.domain_id.in_(mine))).scalar_one()


def test_a_repeated_save_saves_once(site: Api) -> None:
    first = _save(site, "one.example", '"8e03978e-40d5-43dd-bc93-6894a57f9324"')
    again = _save(site, "one.example", "8e03978e-40d5-43dd-bc93-6894a57f9324")
    assert (first.status, again.status) == (201, 201)
    assert again.text == first.text
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert _changes(site, "one.example") == 1


def test_the_answer_is_what_it_is_without_a_key(site: Api) -> None:
    with_key = _save(site, "alike.example", "alike")
    without = site.ask("POST", "/v1/domains/alike.example/changes", {"settings": IMAP})
    assert set(with_key.headers) == set(without.headers)
    assert list(with_key.body) == list(without.body)
    assert with_key.body["settings"] == without.body["settings"]
    assert with_key.body["allowed_actions"] == without.body["allowed_actions"]


def test_another_key_and_another_caller_save_again(site: Api) -> None:
    _save(site, "two.example", "a")
    _save(site, "two.example", "b")
    _save(site, "two.example", "a", key=site.new_key())
    assert _changes(site, "two.example") == 3


def test_a_key_is_of_one_request(site: Api) -> None:
    _save(site, "three.example", "mine")
    other = {"settings": IMAP | {"allow_insecure_certificate": True}}
    answers = [
        _save(site, "three.example", "mine", other),
        _save(site, "other.example", "mine"),
        site.ask(
            "POST",
            "/v1/domains/three.example/changes",
            {"settings": IMAP},
            headers={"Idempotency-Key": "mine", "If-Match": '"abc"'},
        ),
        site.ask(
            "POST", "/v1/domains/three.example/changes?a=b", {"settings": IMAP}, headers={"Idempotency-Key": "mine"}
        ),
    ]
    assert [(each.status, each.body["code"]) for each in answers] == [(422, "idempotency_key_reused")] * 4
    assert (_changes(site, "three.example"), _changes(site, "other.example")) == (1, 0)


def test_what_failed_is_tried_again(site: Api) -> None:
    wrong = {"settings": IMAP | {"imap": {"host": "no host", "port": 993}}}
    assert _save(site, "four.example", "again", wrong).status == 422
    assert _save(site, "four.example", "again").status == 201
    assert _changes(site, "four.example") == 1


def test_two_at_once_save_once(site: Api) -> None:
    """The first one waits for a lock of ours; meanwhile the second is told so."""
    database, answers = site.preflight.database, list[Answer]()
    with database.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("LOCK TABLE changes IN EXCLUSIVE MODE"))
        first = threading.Thread(target=lambda: answers.append(_save(site, "five.example", "at-once")))
        first.start()
        while first.is_alive() and not site.preflight.repetition.at_work:
            first.join(0.01)
        with site.another_session() as other:
            second = _save(other, "five.example", "at-once")
    first.join()
    assert (second.status, second.body["code"], second.headers["Retry-After"]) == (409, "under_way", "1")
    assert answers[0].status == 201
    assert _changes(site, "five.example") == 1


@pytest.mark.parametrize("key", ["", '""', "x" * 256, '"a', 'a"b', "a, b", '"a";p=1', '"\\a"', "caf\u00e9"])
def test_what_is_no_key_is_told_at_the_header(site: Api, key: str) -> None:
    answer = site.ask(
        "POST",
        "/v1/domains/six.example/changes",
        {"settings": IMAP},
        headers={"Idempotency-Key": key.encode("latin-1")},
    )
    assert answer.status == 422, answer.text
    assert [each["pointer"] for each in answer.body["errors"]] == ["header:Idempotency-Key"]
    assert _changes(site, "six.example") == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, '"a b"', '"\\"\\\\"', "key_1:2/3+=~"])
def test_what_is_a_key(site: Api, key: str) -> None:
    domain = f"seven{len(key)}.example"
    assert [_save(site, domain, key).status for _ in range(2)] == [201, 201]
    assert _changes(site, domain) == 1


def test_after_a_day_it_is_another_request(site: Api) -> None:
    _save(site, "eight.example", "a-day")
    kept = schema.idempotency_keys
    with site.preflight.database.begin() as conn:
        old = kept.c.created_at - answers.KEPT_SECONDS
        conn.execute(kept.update().where(kept.c.key == "a-day").values(created_at=old))
    again = _save(site, "eight.example", "a-day")
    assert "Idempotency-Replayed" not in again.headers
    assert _changes(site, "eight.example") == 2


def test_reading_needs_no_key_and_ignores_one(site: Api) -> None:
    saved = _save(site, "nine.example", "nine")
    read = [site.ask("GET", saved.headers["Location"], headers={"Idempotency-Key": "nine"}) for _ in range(2)]
    assert [(each.status, "Idempotency-Replayed" in each.headers) for each in read] == [(200, False)] * 2
