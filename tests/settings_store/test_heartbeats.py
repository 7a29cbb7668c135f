"""Somebody is at work where both were lately, whatever the clock did since."""

from settings_store import heartbeats
from settings_store.db import Database

NOW = 1_000_000.0


def test_beat_and_workers_of_both_queues_are_needed(database: Database) -> None:
    with database.begin() as conn:
        assert not heartbeats.all_at_work(conn, NOW)
        heartbeats.note(conn, "sweep", NOW)
        assert not heartbeats.all_at_work(conn, NOW)
        heartbeats.note(conn, "health", NOW - 100)
        assert not heartbeats.all_at_work(conn, NOW)
        heartbeats.note(conn, "health", NOW)
        assert heartbeats.all_at_work(conn, NOW)


def test_who_has_not_been_seen_for_long_is_gone(database: Database) -> None:
    with database.begin() as conn:
        heartbeats.note(conn, "sweep", NOW)
        heartbeats.note(conn, "health", NOW)
        assert heartbeats.all_at_work(conn, NOW + heartbeats.ALIVE_SECONDS)
        assert not heartbeats.all_at_work(conn, NOW + heartbeats.ALIVE_SECONDS + 1)
        assert not heartbeats.all_at_work(conn, NOW - 3600)
        heartbeats.forget(conn)
        assert not heartbeats.all_at_work(conn, NOW)
