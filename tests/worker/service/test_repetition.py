"""What is done once for a key: by several processes, through failures, and under other encryption keys."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from checks.model import Endpoint, Invalid, Protocol
from checks.settings import ImapSettings
from settings_store import schema
from settings_store.access import answers
from settings_store.access.answers import Answer, AnswerLost, Asked
from settings_store.actors import SERVICE, Actor
from settings_store.db import Database
from settings_store.secrets import Vault, new_key
from tests.servers.stores import sqlite_store
from worker.config import Config
from worker.service.preflight import Preflight
from worker.service.repetition import Outcome, Repetition, Told

ANNA = Actor("anna", "local")
ASKED = Asked("key1", "abc", b"print")
SECRET = b"mp_live_s3cret\xff"
ANSWER = Answer(201, {"location": "/v1/x"}, SECRET)
IMAP = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.example.com", 993), Endpoint(Protocol.SMTP, "smtp.example.com", 465), False, ""
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_store"))
    return sqlite_store(tmp_path / "preflight.db")


@pytest.fixture
def preflight(url: str) -> Iterator[Preflight]:
    """The service of that store."""
    with Preflight.open(Config(secret_key=SecretStr(new_key()), database_url=SecretStr(url))) as found:
        yield found


def _names(preflight: Preflight) -> list[str]:
    return [each.name for each in preflight.accounts()]


def test_what_raises_rolls_back_all_that_use_cases_did(preflight: Preflight) -> None:
    def fail() -> Answer:
        preflight.add_account("one", ANNA)
        assert "one" in _names(preflight), "what was written is read"
        with pytest.raises(Invalid):
            preflight.add_account("one", ANNA)  # rolled back alone: the rest goes on
        preflight.add_account("two", ANNA)
        raise RuntimeError

    def go_on() -> Answer:
        preflight.add_account("three", ANNA)
        return ANSWER

    with pytest.raises(RuntimeError):
        preflight.repetition.once(ASKED, fail)
    assert _names(preflight) == ["default"]
    assert preflight.repetition.once(ASKED, go_on) == (Outcome.DONE, ANSWER)
    assert preflight.repetition.once(ASKED, go_on) == (Outcome.REPLAYED, ANSWER)
    assert _names(preflight) == ["default", "three"]


def test_a_run_is_asked_for_when_its_change_is_committed(preflight: Preflight, url: str) -> None:
    seen: list[int] = []
    other = Database(url)

    def published(_task: str, run_id: str) -> None:
        with other.read() as conn:
            mine = sa.select(sa.func.count()).where(schema.runs.c.id == run_id)
            seen.append(conn.execute(mine).scalar_one())

    preflight.flow.resources.publish = published

    def save() -> Answer:
        preflight.account(actor=ANNA).changes.save("example.com", IMAP)
        assert seen == [], "nobody hears of what may be rolled back"
        return ANSWER

    preflight.repetition.once(ASKED, save)
    assert seen == [1]
    other.close()


def test_another_process_hears_that_it_is_under_way_or_what_was_answered(preflight: Preflight, url: str) -> None:
    other = Repetition(Database(url), preflight.vault)
    told: list[Told] = []
    waiting: list[threading.Thread] = []

    def act() -> Answer:
        thread = threading.Thread(target=lambda: told.append(other.once(ASKED, lambda: Answer(200, {}, b""))))
        thread.start()
        # PostgreSQL says so at once; SQLite lets one write at a time, and the other waits for our answer.
        thread.join(0.5)
        waiting.append(thread)
        return ANSWER

    assert preflight.repetition.once(ASKED, act)[0] is Outcome.DONE
    waiting[0].join()
    expected = (Outcome.UNDER_WAY, None) if url.startswith("postgresql") else (Outcome.REPLAYED, ANSWER)
    assert told == [expected]
    other.database.close()


def test_what_is_reserved_is_under_way_until_it_is_kept_released_or_given_up(preflight: Preflight) -> None:
    repetition = preflight.repetition
    assert repetition.reserve(ASKED) is None
    assert repetition.reserve(ASKED) == (Outcome.UNDER_WAY, None)
    repetition.release(ASKED)
    assert repetition.reserve(ASKED) is None
    _age(preflight, answers.RESERVED_SECONDS)
    assert repetition.reserve(ASKED) is None
    repetition.keep(ASKED, ANSWER)
    assert repetition.reserve(ASKED) == (Outcome.REPLAYED, ANSWER)
    assert repetition.reserve(Asked("key1", "abc", b"other")) == (Outcome.REUSED, None)


def test_an_answer_is_encrypted_and_follows_the_keys(preflight: Preflight) -> None:
    preflight.repetition.once(ASKED, lambda: ANSWER)
    with preflight.database.read() as conn:
        body = conn.execute(sa.select(schema.idempotency_keys.c.body)).scalar_one()
    assert SECRET not in body
    key = preflight.config.secret_key
    assert key is not None
    new = new_key()
    preflight.vault = Vault([new, key.get_secret_value()])
    preflight.rotate_keys(SERVICE)
    assert Repetition(preflight.database, Vault([new])).once(ASKED, lambda: ANSWER) == (Outcome.REPLAYED, ANSWER)
    with pytest.raises(AnswerLost):
        Repetition(preflight.database, Vault([new_key()])).once(ASKED, lambda: ANSWER)


def test_what_is_a_day_old_is_forgotten_by_the_sweep(preflight: Preflight) -> None:
    preflight.repetition.once(ASKED, lambda: ANSWER)
    preflight.repetition.once(Asked("key1", "new", b"print"), lambda: ANSWER)
    _age(preflight, answers.KEPT_SECONDS)
    preflight.processes.app.tasks["mail_preflight.sweep"]()
    with preflight.database.read() as conn:
        assert list(conn.execute(sa.select(schema.idempotency_keys.c.key)).scalars()) == ["new"]


def _age(preflight: Preflight, seconds: float) -> None:
    kept = schema.idempotency_keys
    with preflight.database.begin() as conn:
        old = kept.update().where(kept.c.key == "abc")
        conn.execute(old.values(created_at=kept.c.created_at - seconds))
