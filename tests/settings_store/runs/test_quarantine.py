"""An endpoint that cost a worker is left alone for an hour, and no longer."""

from settings_store.db import Database
from settings_store.runs import quarantine

NOW = 1_000_000.0
ENDPOINT = "mail.example:993"


def test_for_an_hour_and_no_longer(database: Database) -> None:
    with database.begin() as conn:
        quarantine.add(conn, ENDPOINT, "endpoint check", NOW)
        found = [quarantine.active(conn, NOW + later) for later in (0, 3599, 3600)]

    assert found == [{ENDPOINT: "endpoint check"}, {ENDPOINT: "endpoint check"}, {}]


def test_a_second_time_begins_anew(database: Database) -> None:
    with database.begin() as conn:
        quarantine.add(conn, ENDPOINT, "endpoint check", NOW)
        quarantine.add(conn, ENDPOINT, "login", NOW + 1800)

        assert quarantine.active(conn, NOW + 5000) == {ENDPOINT: "login"}


def test_a_clock_that_was_put_back_keeps_nobody_away(database: Database) -> None:
    with database.begin() as conn:
        quarantine.add(conn, ENDPOINT, "login", NOW)

        assert quarantine.active(conn, NOW - 86400) == {}
        quarantine.tidy(conn, NOW - 86400)
        assert quarantine.active(conn, NOW) == {}
