"""No event is left out, in whatever order transactions are committed."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from checks.model import Invalid
from settings_store import schema
from settings_store.db import Database
from settings_store.domains import ensure_account
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.events.kinds import ChangeSaved
from settings_store.secrets import Vault, new_key
from settings_store.webhooks import deliveries, endpoints, fan_out, secret_keys
from settings_store.webhooks.endpoints import NewEndpoint, WebhookEndpoint

NOW = 1_800_000_000.0


@pytest.fixture
def endpoint(database: Database, vault: Vault) -> WebhookEndpoint:
    with database.begin() as conn:
        new = NewEndpoint(vault.seal("u"), "https://a.example/", "", (), None, "v1", vault.seal("whsec_"))
        return endpoints.add(conn, ensure_account(conn), new, NOW)


def name_of(event: Event) -> str:
    return event.kind


def tell(conn: sa.Connection, endpoint: WebhookEndpoint, *names: str) -> None:
    events.record(conn, *(ChangeSaved(subject=name, at=NOW, account_id=endpoint.account_id) for name in names))


def follow(database: Database, endpoint: WebhookEndpoint) -> None:
    """What a worker does at every tick."""
    with database.read() as conn:
        ids = fan_out.behind(conn)
    start: int | None = None
    while ids:
        with database.begin() as conn:
            start = fan_out.make_deliveries(conn, endpoint.id, start, name_of, NOW)
        if start is None:
            return


def delivered(database: Database) -> list[str]:
    """The subjects of the events that have a delivery, in the order of their numbers."""
    rows, told = schema.webhook_deliveries, schema.events
    query = sa.select(told.c.subject).join(rows, rows.c.event_seq == told.c.seq).order_by(told.c.seq)
    with database.read() as conn:
        return list(conn.execute(query).scalars())


def after(database: Database, endpoint: WebhookEndpoint) -> int:
    with database.read() as conn:
        found = endpoints.load(conn, endpoint.id)
    assert found
    return found.after_seq


def last(database: Database) -> int:
    with database.read() as conn:
        return int(conn.execute(sa.select(sa.func.max(schema.events.c.seq))).scalar_one())


def test_every_event_has_one_delivery(
    database: Database, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions, and however often it is looked."""
    monkeypatch.setattr(fan_out, "PORTION", 3)
    names = [f"c{number}" for number in range(10)]
    with database.begin() as conn:
        tell(conn, endpoint, *names)
    for _ in range(6):
        follow(database, endpoint)
        assert delivered(database) == names
    assert after(database, endpoint) == last(database)
    with database.read() as conn:
        assert fan_out.behind(conn) == []


@pytest.fixture
def late(postgres_store: str) -> Iterator[Database]:
    database = Database(postgres_store)
    yield database
    database.close()


@pytest.mark.parametrize("rounds", [1, 5])
def test_what_is_committed_late_is_not_left_out(late: Database, vault: Vault, rounds: int) -> None:
    """Given a transaction that has written an event and waits, those after it go out, and it does when it comes."""
    with late.begin() as conn:
        new = NewEndpoint(vault.seal("u"), "https://a.example/", "", (), None, "v1", vault.seal("whsec_"))
        endpoint = endpoints.add(conn, ensure_account(conn), new, NOW)
    with late.begin() as slow:
        ensure_account(slow, "what it tells of")
        tell(slow, endpoint, "late")
        for number in range(rounds):
            with late.begin() as conn:
                tell(conn, endpoint, f"early{number}")
            follow(late, endpoint)
    assert delivered(late) == [f"early{number}" for number in range(rounds)]
    follow(late, endpoint)
    assert delivered(late) == ["late", *(f"early{number}" for number in range(rounds))]
    for _ in range(3):
        follow(late, endpoint)
    assert after(late, endpoint) == last(late), "once all have come, it is not looked through again"


def test_what_is_rolled_back_holds_nothing_up(late: Database, vault: Vault) -> None:
    with late.begin() as conn:
        new = NewEndpoint(vault.seal("u"), "https://a.example/", "", (), None, "v1", vault.seal("whsec_"))
        endpoint = endpoints.add(conn, ensure_account(conn), new, NOW)
    with pytest.raises(ZeroDivisionError), late.begin() as slow:
        tell(slow, endpoint, "never")
        raise ZeroDivisionError
    with late.begin() as conn:
        tell(conn, endpoint, "a")
    for _ in range(3):
        follow(late, endpoint)
    assert delivered(late) == ["a"]
    assert after(late, endpoint) == last(late)


def test_a_clock_that_was_put_back_holds_nothing_up(database: Database, endpoint: WebhookEndpoint) -> None:
    with database.begin() as conn:
        tell(conn, endpoint, "a", "b")
    follow(database, endpoint)
    back = NOW - 30 * 86400
    with database.begin() as conn:
        assert deliveries.claim(conn, "one", NOW, NOW + 60) == endpoint.id
        first = deliveries.begin(conn, endpoint.id, "one", NOW, NOW + 60)
        assert first
        failure = deliveries.Failure(500, "HTTP status 500", NOW + 86400, NOW + 300)
        assert deliveries.record_failure(conn, first, "one", failure, NOW)
    with database.begin() as conn:
        assert deliveries.claim(conn, "two", NOW, NOW + 60) is None, "the lease and the pause hold"
        assert deliveries.claim(conn, "two", back, back + 60) == endpoint.id
        assert deliveries.begin(conn, endpoint.id, "two", back, back + 60) is not None


def test_who_has_lost_the_endpoint_records_no_failure(database: Database, endpoint: WebhookEndpoint) -> None:
    """Given a worker that was slow, another has sent it by now: that counts."""
    with database.begin() as conn:
        tell(conn, endpoint, "a")
    follow(database, endpoint)
    with database.begin() as conn:
        deliveries.claim(conn, "slow", NOW, NOW + 60)
        delivery = deliveries.begin(conn, endpoint.id, "slow", NOW, NOW + 60)
        assert delivery
        assert deliveries.claim(conn, "other", NOW + 61, NOW + 121) == endpoint.id
        again = deliveries.begin(conn, endpoint.id, "other", NOW + 61, NOW + 121)
        assert again and (again.id, again.attempts) == (delivery.id, 2)
        deliveries.record_sent(conn, again, 200, NOW + 62)
        failure = deliveries.Failure(None, "no answer", NOW + 90, NOW + 90)
        assert not deliveries.record_failure(conn, delivery, "slow", failure, NOW + 63)
        assert deliveries.begin(conn, endpoint.id, "slow", NOW + 63, NOW + 123) is None
        assert deliveries.find(conn, endpoint.id, delivery.id).state == "sent"


def test_secrets_come_under_a_new_key(database: Database) -> None:
    first, second = new_key(), new_key()
    old, both, new = Vault([first]), Vault([second, first]), Vault([second])
    with database.begin() as conn:
        sealed = NewEndpoint(old.seal("url"), "https://a.example/", "", (), None, "v1", old.seal("whsec_a"))
        endpoint = endpoints.add(conn, ensure_account(conn), sealed, NOW)
        endpoints.change(conn, endpoint.account_id, endpoint.id, old_secret=old.seal("whsec_b"), old_until=NOW)
    assert (secret_keys.rotate_secrets(database, both), secret_keys.rotate_secrets(database, both)) == (3, 0)
    with database.read() as conn:
        found = endpoints.find(conn, endpoint.account_id, endpoint.id)
    assert found.old_secret
    opened = [new.open(each) for each in (found.url, found.secret, found.old_secret)]
    assert opened == ["url", "whsec_a", "whsec_b"]
    with pytest.raises(Invalid, match=r"https://a\.example/"):
        secret_keys.rotate_secrets(database, Vault([new_key()]))
