"""Channels belong to one account; their URLs are stored encrypted only."""

import pytest
import sqlalchemy as sa

from checks.model import Invalid
from settings_store import schema
from settings_store.alerts import channels
from settings_store.alerts.channels import Subscription
from settings_store.alerts.quiet_hours import parse_quiet
from settings_store.db import Database
from settings_store.incidents.incidents import Severity
from tests.settings_store.telling import NOW, Office

WISHES = Subscription(Severity.INFO, None, "ja", "Asia/Tokyo", parse_quiet("22:00-07:00", "Asia/Tokyo"), True)


def test_a_channel_comes_back_as_it_was_added(database: Database) -> None:
    office = Office(database)
    added = office.channel("admins", WISHES, "json://hidden/secret")
    with database.read() as conn:
        assert channels.list_channels(conn, added.account_id) == [added]
        assert channels.load(conn, added.id) == added
        assert channels.find(conn, added.account_id, " admins ") == added
    assert (added.name, added.subscription, added.domain, added.created_at) == ("admins", WISHES, None, NOW)
    assert office.vault.open(added.token) == "json://hidden/secret"
    assert "hidden" not in repr(added) and "gAAAA" not in repr(added)


def test_a_channel_for_one_domain_names_it(database: Database) -> None:
    office = Office(database)
    added = office.channel("one", Subscription(domain_id=office.domain("one.example")))
    assert added.domain == "one.example"


def test_a_name_is_taken_in_its_account_only(database: Database) -> None:
    office = Office(database)
    office.channel("admins")
    with pytest.raises(Invalid, match="there is a channel admins already") as caught:
        office.channel(" admins ")
    assert caught.value.field == "name"
    other = office.channel("admins", account="other")
    with database.read() as conn:
        assert channels.list_channels(conn, other.account_id) == [other]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\nb", "a\x1b[31m"])
def test_a_name_must_be_fit_to_be_shown(database: Database, name: str) -> None:
    with pytest.raises(Invalid, match="a channel needs a name"):
        Office(database).channel(name)


def test_an_unknown_time_zone_is_refused(database: Database) -> None:
    with pytest.raises(Invalid, match="time zone 'Nowhere' is not known"):
        Office(database).channel(subscription=Subscription(zone="Nowhere"))


def test_removing_takes_what_was_to_be_sent_along(database: Database) -> None:
    office = Office(database)
    added = office.channel()
    office.channel("others")
    office.incident()
    with database.begin() as conn:
        channels.remove(conn, added.account_id, "admins", 5.0)
        assert channels.load(conn, added.id) is None
        with pytest.raises(Invalid, match="there is no channel admins"):
            channels.remove(conn, added.account_id, "admins", 5.0)
    assert [name for name, *_ in office.alerts()] == ["others"]


def test_the_url_is_in_no_column(database: Database) -> None:
    Office(database).channel(url="json://pl4nted-s3cret@host/pl4nted-s3cret")
    with database.read() as conn:
        row = conn.execute(sa.select(schema.alert_channels)).mappings().one()
    assert "pl4nted" not in "".join(map(str, row.values()))
