"""When nobody watches a domain: paused, or in maintenance."""

import pytest
import sqlalchemy as sa

from checks.model import Invalid
from settings_store import maintenance, schema
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.maintenance import Rest, Window

NOW = 1_700_000_000.0
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def account_id(database: Database, domain_id: int) -> int:  # noqa: ARG001 -- the domain has to be there
    """The account of lab.example, which has other.example too; beside it the account of stranger.example."""
    with database.begin() as conn:
        mine = ensure_account(conn)
        ensure_domain(conn, mine, "other.example")
        ensure_domain(conn, ensure_account(conn, "stranger"), "stranger.example")
    return mine


def add(
    database: Database, account_id: int, domain: str | None, start: float = NOW, end: float = NOW + HOUR, note: str = ""
) -> Window:
    with database.begin() as conn:
        return maintenance.add(conn, account_id, domain, start, end, note, NOW)


def resting(database: Database, now: float) -> set[str]:
    """The names of all domains that are at rest, asked in one query."""
    names = sa.select(schema.domains.c.name).where(maintenance.at_rest(schema.domains.c.id, now))
    with database.read() as conn:
        return set(conn.execute(names).scalars())


@pytest.mark.usefixtures("account_id")
def test_nobody_is_at_rest_at_first(database: Database) -> None:
    assert resting(database, NOW) == set()


def test_a_window_of_a_domain_is_for_it_alone(database: Database, account_id: int) -> None:
    add(database, account_id, "Lab.Example")

    assert resting(database, NOW) == {"lab.example"}


def test_a_window_of_the_account_is_for_all_its_domains(database: Database, account_id: int) -> None:
    add(database, account_id, None)

    assert resting(database, NOW) == {"lab.example", "other.example"}


@pytest.mark.parametrize(
    ("at", "expected"),
    [(NOW + 9, set()), (NOW + 10, {"lab.example"}), (NOW + 19.9, {"lab.example"}), (NOW + 20, set())],
)
def test_a_window_begins_and_ends_on_time(database: Database, account_id: int, at: float, expected: set[str]) -> None:
    add(database, account_id, "lab.example", NOW + 10, NOW + 20)

    assert resting(database, at) == expected


def test_at_rest_in_an_update_of_another_table(database: Database, account_id: int, domain_id: int) -> None:
    schedule = schema.health_schedule
    with database.begin() as conn:
        for row in conn.execute(sa.select(schema.domains.c.id)).scalars().all():
            values = {"domain_id": row, "server": "s", "endpoints_due": 0.0, "mailboxes_due": 0.0}
            conn.execute(schedule.insert().values(**values))
    add(database, account_id, "lab.example")

    with database.begin() as conn:
        watched = ~maintenance.at_rest(schedule.c.domain_id, NOW)
        changed = conn.execute(schedule.update().where(watched).values(endpoints_due=1.0)).rowcount
        left = conn.execute(sa.select(schedule.c.domain_id).where(schedule.c.endpoints_due == 0.0)).scalars().all()

    assert (changed, list(left)) == (2, [domain_id])


def test_at_rest_beside_other_tables_and_for_a_number(database: Database, account_id: int, domain_id: int) -> None:
    """The tables it looks into may be those of the query around it."""
    add(database, account_id, "lab.example")
    joined = sa.select(schema.domains.c.name).join_from(schema.domains, schema.maintenance)

    with database.read() as conn:
        query = joined.where(maintenance.at_rest(schema.maintenance.c.domain_id, NOW))
        assert conn.execute(query).scalars().all() == ["lab.example"]
        assert conn.execute(sa.select(maintenance.at_rest(domain_id, NOW))).scalar_one()
        assert not conn.execute(sa.select(maintenance.at_rest(domain_id, NOW + HOUR))).scalar_one()


class TestWindows:
    def test_are_listed_by_their_beginning_until_they_are_over(self, database: Database, account_id: int) -> None:
        later = add(database, account_id, None, NOW + 50, NOW + 60, "move")
        sooner = add(database, account_id, "lab.example", NOW + 10, NOW + 20)

        with database.read() as conn:
            assert maintenance.list_windows(conn, account_id, NOW) == [sooner, later]
            assert maintenance.list_windows(conn, account_id, NOW + 20) == [later]
        assert later == Window(later.id, None, NOW + 50, NOW + 60, "move")
        assert sooner.domain == "lab.example"

    def test_of_another_account_are_not_seen_and_not_removed(self, database: Database, account_id: int) -> None:
        window = add(database, account_id, None)
        with database.begin() as conn:
            stranger = ensure_account(conn, "stranger")

        with database.begin() as conn:
            assert maintenance.list_windows(conn, stranger, NOW) == []
            with pytest.raises(Invalid, match="no maintenance"):
                maintenance.remove(conn, stranger, window.id)
        with pytest.raises(Invalid, match="not known"):
            add(database, account_id, "stranger.example")

    def test_removed_it_ends_at_once(self, database: Database, account_id: int) -> None:
        window = add(database, account_id, "lab.example")

        with database.begin() as conn:
            maintenance.remove(conn, account_id, window.id)

        assert resting(database, NOW) == set()

    def test_past_ones_are_forgotten(self, database: Database, account_id: int) -> None:
        add(database, account_id, "lab.example", NOW, NOW + 10)
        kept = add(database, account_id, "lab.example", NOW, NOW + 30)

        with database.begin() as conn:
            assert maintenance.forget_past(conn, NOW + 30) == 1
            assert maintenance.list_windows(conn, account_id, 0.0) == [kept]

    def test_a_new_one_makes_room(self, database: Database, account_id: int) -> None:
        """Given one that ended 90 days before, it is gone with the next that is announced."""
        add(database, account_id, "lab.example", NOW, NOW + 10)
        later = NOW + 91 * DAY

        with database.begin() as conn:
            new = maintenance.add(conn, account_id, None, later, later + HOUR, "", later)
            assert maintenance.list_windows(conn, account_id, 0.0) == [new]

    @pytest.mark.parametrize(
        ("start", "end", "note", "words"),
        [
            (NOW + 5, NOW + 5, "", "must end after it starts"),
            (NOW - 9, NOW, "", "is over already"),
            (NOW, NOW + 91 * DAY, "", "pause it"),
            (NOW, NOW + 1, "n" * 501, "500 characters"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, database: Database, account_id: int, start: float, end: float, note: str, words: str
    ) -> None:
        with pytest.raises(Invalid, match=words):
            add(database, account_id, "lab.example", start, end, note)


class TestPause:
    def test_a_paused_domain_is_at_rest_until_it_is_resumed(self, database: Database, account_id: int) -> None:
        with database.begin() as conn:
            assert maintenance.pause(conn, account_id, "lab.example", NOW)
            assert not maintenance.pause(conn, account_id, "lab.example", NOW + 5)
        assert resting(database, NOW + 9 * DAY) == {"lab.example"}

        with database.begin() as conn:
            assert maintenance.resume(conn, account_id, "lab.example", NOW + 10)
            assert not maintenance.resume(conn, account_id, "lab.example", NOW + 11)
        assert resting(database, NOW + 10) == set()

    def test_nothing_is_judged_by_what_was_before_the_pause(
        self, database: Database, account_id: int, domain_id: int
    ) -> None:
        plant_failing(database, domain_id)
        with database.begin() as conn:
            maintenance.pause(conn, account_id, "lab.example", NOW)
            maintenance.resume(conn, account_id, "lab.example", NOW + 100)

        with database.read() as conn:
            row = conn.execute(sa.select(schema.health_endpoints)).one()
            due = conn.execute(sa.select(schema.health_schedule.c.endpoints_due)).scalar_one()
        assert (row.state, row.since, row.fails, row.first_bad_at, row.moved) == ("unknown", NOW + 100, 0, None, True)
        assert due == NOW + 100

    def test_an_unknown_domain_is_said_to_be(self, database: Database, account_id: int) -> None:
        with database.begin() as conn, pytest.raises(Invalid, match="not known"):
            maintenance.pause(conn, account_id, "stranger.example", NOW)

    def test_why_a_domain_rests(self, database: Database, account_id: int, domain_id: int) -> None:
        add(database, account_id, "other.example", NOW, NOW + 50)
        add(database, account_id, "lab.example", NOW, NOW + 10)
        longest = add(database, account_id, None, NOW, NOW + 20)
        with database.begin() as conn:
            assert maintenance.rest_of(conn, domain_id, NOW) == Rest(None, longest)
            maintenance.pause(conn, account_id, "lab.example", NOW + 1)
            assert maintenance.rest_of(conn, domain_id, NOW + 20) == Rest(NOW + 1, None)


def plant_failing(database: Database, domain_id: int) -> None:
    """An endpoint that has failed for an hour, and its next check in five minutes."""
    server = {"imap_host": "h", "imap_port": 993, "imap_security": "tls"}
    server |= {"smtp_host": "h", "smtp_port": 465, "smtp_security": "tls"}
    with database.begin() as conn:
        settings = schema.settings.insert().values(
            domain_id=domain_id, kind="imap", allow_insecure_certificate=False, created_at=NOW, **server
        )
        settings_id = conn.execute(settings).inserted_primary_key[0]  # type: ignore[index] # it has one
        conn.execute(
            schema.health_endpoints.insert().values(
                domain_id=domain_id,
                protocol="imap",
                settings_id=settings_id,
                server="h:993",
                source="",
                state="fail",
                since=NOW - HOUR,
                verdict="fail",
                code="connect.refused",
                seen="",
                fails=12,
                oks=0,
                silent=0,
                first_bad_at=NOW - HOUR,
                last_ok_at=NOW - DAY,
                checked_at=NOW,
                ms=3.0,
                document={},
                notices=[],
                moved=False,
            )
        )
        conn.execute(
            schema.health_schedule.insert().values(
                domain_id=domain_id, server="h", endpoints_due=NOW + 300, mailboxes_due=NOW + 900
            )
        )
