"""Who is told of what, once; and how alerts are bundled, claimed and recorded."""

import logging
import threading

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.alerts import deliveries, outbox
from settings_store.alerts.channels import Subscription
from settings_store.alerts.deliveries import Delivery
from settings_store.alerts.quiet_hours import Quiet
from settings_store.db import Database
from settings_store.incidents import incidents
from settings_store.incidents.incidents import Scope, Severity
from tests.settings_store.telling import NOW, Office

NIGHT = Quiet(22 * 60, 9 * 60)  # NOW is 08:00 UTC


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def names(office: Office) -> list[str]:
    return [name for name, *_ in office.alerts()]


def test_every_channel_of_the_account_is_told_once(office: Office) -> None:
    office.channel("a")
    office.channel("b")
    office.channel("other", account="other")
    incident = office.incident()
    assert office.announce(incident, "opened") == 0
    assert office.alerts() == [("a", "opened", 0, None), ("b", "opened", 0, None)]


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        (Severity.CRITICAL, ["critical", "info", "warning"]),
        (Severity.WARNING, ["info", "warning"]),
        (Severity.INFO, ["info"]),
    ],
)
def test_a_channel_hears_of_its_severity_and_above(office: Office, severity: Severity, told: list[str]) -> None:
    for least in Severity:
        office.channel(least.value, Subscription(least))
    office.incident(severity=severity)
    assert names(office) == told


@pytest.mark.parametrize(
    ("domains", "told"),
    [
        (("one.example",), ["all", "one"]),
        (("two.example",), ["all"]),
        (("one.example", "two.example"), ["all", "one"]),
    ],
)
def test_a_channel_for_one_domain_hears_of_no_other(office: Office, domains: tuple[str, ...], told: list[str]) -> None:
    office.channel("all")
    office.channel("one", Subscription(domain_id=office.domain("one.example")))
    office.incident(domains=domains, scope=Scope.SERVER if len(domains) > 1 else Scope.ENDPOINT)
    assert names(office) == told


def test_what_is_the_operators_goes_to_the_operator(office: Office) -> None:
    office.channel("customer", account="customer")
    office.channel("operator", Subscription(operator=True), account="house")
    office.incident(scope=Scope.SERVICE, account=None, domains=())
    assert names(office) == ["operator"]


def test_the_operators_channel_hears_of_its_own_account_only(office: Office) -> None:
    office.channel("operator", Subscription(operator=True), account="house")
    office.channel("customer", account="customer")
    office.incident(account="customer")
    assert names(office) == ["customer"]


def test_where_nobody_is_told_that_is_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    incident = office.incident()
    assert f"nobody hears of incident {incident}" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING
    caplog.clear()
    assert office.announce(incident, "reminder", 1) == office.resolve(incident) == 0
    assert not caplog.text


def test_quiet_hours_put_off_what_is_not_critical(office: Office) -> None:
    office.channel("asleep", Subscription(quiet=NIGHT))
    office.channel("awake")
    office.incident(severity=Severity.WARNING)
    assert office.due() == {"asleep": NOW + 3600, "awake": NOW}


def test_quiet_hours_let_what_is_critical_pass(office: Office) -> None:
    office.channel("asleep", Subscription(quiet=NIGHT))
    incident = office.incident()
    assert office.due() == {"asleep": NOW}
    office.now += 60
    office.resolve(incident)
    assert office.alerts()[-1] == ("asleep", "resolved", 0, None)
    assert office.due() == {"asleep": NOW + 60}


def test_resolved_before_it_was_told_is_told_in_one(office: Office) -> None:
    office.channel()
    incident = office.incident()
    office.announce(incident, "reminder", 1)
    assert office.resolve(incident) == 1
    assert office.alerts() == [("admins", "opened", 0, "resolved meanwhile"), ("admins", "resolved", 0, None)]


def test_one_who_subscribes_later_hears_how_it_goes_on(office: Office) -> None:
    office.channel("told")
    incident = office.incident()
    sent(office)
    office.channel("later")
    office.channel("elsewhere", Subscription(domain_id=office.domain("other.example")))
    assert office.announce(incident, "reminder", 1) == 2
    assert office.resolve(incident) == 2
    assert [kind for name, kind, *_ in office.alerts() if name == "later"] == ["reminder", "resolved"]
    assert "elsewhere" not in names(office)


def test_a_new_channel_catches_up_with_what_is_open(office: Office) -> None:
    office.channel("first")
    over = office.incident("over")
    office.resolve(over)
    office.incident("open")
    office.incident("slight", Severity.INFO)
    office.incident("elsewhere", domains=("other.example",))
    office.incident("other account", account="other")
    office.incident("ours", scope=Scope.SERVICE, account=None, domains=())
    later = office.channel("later", Subscription(domain_id=office.domain()))
    operator = office.channel("operator", Subscription(operator=True))
    with office.database.begin() as conn:
        assert outbox.catch_up(conn, later.id, office.now) == 1
        assert outbox.catch_up(conn, later.id, office.now) == 1
        assert outbox.catch_up(conn, operator.id, office.now) == 3
    assert names(office).count("later") == 1 and names(office).count("operator") == 3


def test_what_becomes_critical_in_quiet_hours_is_told_at_once(office: Office) -> None:
    office.channel("asleep", Subscription(quiet=NIGHT))
    incident = office.incident(severity=Severity.WARNING)
    assert office.due() == {"asleep": NOW + 3600}
    with office.database.begin() as conn:
        incidents.extend(conn, incident, (), severity=Severity.CRITICAL.value)
    office.now += 60
    assert office.announce(incident, "opened") == 0
    assert office.due() == {"asleep": NOW + 60}


def test_no_reminder_of_what_is_still_to_be_told(office: Office) -> None:
    office.channel()
    incident = office.incident()
    assert office.announce(incident, "reminder", 1) == 0
    sent(office)
    assert office.announce(incident, "reminder", 2) == 1
    assert office.announce(incident, "reminder", 2) == 0
    assert office.announce(incident, "reminder", 3) == 0, "the second is still on its way"


def test_a_domain_that_joins_has_its_channel_told(office: Office) -> None:
    office.channel("all")
    office.channel("two", Subscription(domain_id=office.domain("two.example")))
    incident = office.incident(domains=("one.example", "three.example"), scope=Scope.SERVER)
    assert names(office) == ["all"]
    with office.database.begin() as conn:
        joined = {"incident_id": incident, "domain_id": office_domain(conn, "two.example")}
        conn.execute(schema.incident_domains.insert().values(joined))
    assert office.announce(incident, "opened") == 1
    assert names(office) == ["all", "two"]


def office_domain(conn: sa.Connection, name: str) -> int:
    return int(conn.execute(sa.select(schema.domains.c.id).where(schema.domains.c.name == name)).scalar_one())


# -- the way out


def bundle_all(office: Office) -> None:
    with office.database.begin() as conn:
        for channel_id, count in deliveries.due_by_channel(conn, office.now).items():
            for key in deliveries.due_keys(conn, office.now, count, deliveries.to_channel(channel_id)):
                deliveries.bundle(conn, channel_id, office.now, key)


def claim(office: Office, owner: str = "me", lease: float = 120) -> Delivery | None:
    with office.database.begin() as conn:
        return deliveries.claim(conn, owner, office.now, office.now + lease)


def sent(office: Office) -> None:
    bundle_all(office)
    while delivery := claim(office):
        with office.database.begin() as conn:
            deliveries.record_sent(conn, delivery.id, office.now)


def test_one_claims_it_until_the_lease_ends(office: Office) -> None:
    office.channel()
    office.incident()
    bundle_all(office)
    first = claim(office, "a")
    assert first and first.attempts == 1
    assert claim(office, "b") is None
    office.now += 119
    assert claim(office, "b") is None
    office.now += 1
    again = claim(office, "b")
    assert again and (again.id, again.attempts) == (first.id, 2)


def test_sent_is_sent_whoever_has_the_lease(office: Office) -> None:
    office.channel()
    office.incident()
    bundle_all(office)
    slow = claim(office, "slow", lease=0)
    quick = claim(office, "quick")
    assert slow and quick and slow.id == quick.id
    with office.database.begin() as conn:
        deliveries.record_sent(conn, slow.id, office.now)
        deliveries.record_failure(conn, quick.id, "quick", "refused", office.now)
    assert [(row["state"], row["error"]) for row in office.deliveries()] == [("sent", "")]


def test_a_failure_of_one_whose_lease_is_over_changes_nothing(office: Office) -> None:
    office.channel()
    office.incident()
    bundle_all(office)
    slow = claim(office, "slow", lease=0)
    claim(office, "quick")
    assert slow
    with office.database.begin() as conn:
        deliveries.record_failure(conn, slow.id, "slow", "refused", office.now + 9, give_up=True)
    (row,) = office.deliveries()
    assert (row["state"], row["lease_owner"]) == ("pending", "quick")


def test_one_message_of_a_channel_at_a_time(office: Office) -> None:
    office.channel("a")
    office.channel("b")
    office.incident("one")
    office.incident("two")
    bundle_all(office)
    held = [claim(office, str(number)) for number in range(4)]
    assert len({delivery.channel_id for delivery in held if delivery}) == 2
    assert held[2:] == [None, None]


def test_what_was_never_tried_does_not_wait_for_a_clock_that_was_put_back(office: Office) -> None:
    office.channel()
    office.incident()
    bundle_all(office)
    office.now -= 3600
    assert claim(office)


@pytest.mark.parametrize("column", ["next_at", "lease_until"])
def test_a_clock_that_was_far_ahead_holds_nothing_up(office: Office, column: str) -> None:
    office.channel()
    office.incident()
    bundle_all(office)
    with office.database.begin() as conn:
        conn.execute(schema.deliveries.update().values({column: NOW + 10**7}))
    assert claim(office)


@pytest.mark.parametrize("ahead", [3600, 40 * 3600, 10**7])
def test_an_alert_of_a_clock_that_was_ahead_is_due(office: Office, ahead: float) -> None:
    office.channel()
    office.now += ahead
    office.incident()
    office.now = NOW
    bundle_all(office)
    assert claim(office)


def test_what_another_one_sends_is_not_held_back_under_its_hands(office: Office) -> None:
    office.channel()
    office.incident()
    with office.database.read() as conn:
        keys = deliveries.due_keys(conn, office.now, 9)
    bundle_all(office)
    delivery = claim(office, "other")
    assert delivery
    with office.database.begin() as conn:
        deliveries.hold(conn, keys, office.now + 300)
        assert not deliveries.put_off(conn, delivery.id, "me", office.now, "held back")
        assert deliveries.keys_of(conn, delivery.id) == keys


def test_what_was_resolved_in_the_meantime_is_left_out(office: Office) -> None:
    office.channel()
    incident = office.incident()
    bundle_all(office)
    office.resolve(incident)
    delivery = claim(office)
    assert delivery
    with office.database.begin() as conn:
        assert deliveries.keys_of(conn, delivery.id) == []
        deliveries.discard(conn, delivery.id)
    assert not office.deliveries()
    assert office.alerts() == [("admins", "opened", 0, "resolved meanwhile"), ("admins", "resolved", 0, None)]
    bundle_all(office)
    told = claim(office)
    assert told
    with office.database.begin() as conn:
        assert [key.kind for key in deliveries.keys_of(conn, told.id)] == ["resolved"]


def test_many_that_bundle_and_claim_at_once_take_each_once(office: Office) -> None:
    """Eight threads, each with transactions of its own."""
    office.channel("a")
    office.channel("b")
    for number in range(6):
        office.incident(f"endpoint:{number}")
    seen: list[str] = []

    def work(owner: str) -> None:
        bundle_all(office)
        for _ in range(8):
            if delivery := claim(office, owner):
                seen.append(delivery.id)
                with office.database.begin() as conn:
                    deliveries.record_sent(conn, delivery.id, office.now)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent(office)
    rows = office.deliveries()
    assert len(rows) == 12 and {row["state"] for row in rows} == {"sent"}
    assert len(seen) == len(set(seen))
    with office.database.read() as conn:
        assert not deliveries.due_by_channel(conn, office.now)


def test_tidying_leaves_what_is_open_or_still_to_be_sent(office: Office) -> None:
    office.channel()
    over = office.incident("over")
    office.incident("open")
    sent(office)
    office.resolve(over)
    sent(office)
    office.incident("new")
    bundle_all(office)
    with office.database.begin() as conn:
        assert deliveries.tidy(conn, NOW, 9) == 0
        assert deliveries.tidy(conn, NOW + 1, 9) == 2
    assert sorted(row["state"] for row in office.deliveries()) == ["pending", "sent"]
