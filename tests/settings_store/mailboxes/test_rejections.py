"""What keeps logins harmless: rejections that are remembered until the credential changes, and the hourly budget."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import Endpoint, LoginResult, Protocol
from checks.settings import ImapSettings
from settings_store import schema
from settings_store.changes import changes
from settings_store.db import Database
from settings_store.mailboxes import login_budget, rejections
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.mailboxes import import_mailboxes
from settings_store.runs import outcomes, planning, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.pages import CANARY_PAGE
from settings_store.runs.runs import BASELINE, CANDIDATE
from settings_store.secrets import Vault

HOUR = 3600.0
NOW = 1_700_000_000.0  # 2023-11-14
LATER = 4_000_000_000.0  # after the import, which reads the clock
SERVERS = {"imap": "imap.example.com:993", "smtp": "smtp.example.com:465"}
SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.example.com", 993), Endpoint(Protocol.SMTP, "smtp.example.com", 465)
)
COUNT = 6


def load(database: Database, domain_id: int, vault: Vault, folder: Path, word: str = "one") -> None:
    file = folder / "boxes.csv"
    lines = "".join(f"box{number}@lab.example,{word}\n" for number in range(COUNT))
    file.write_text("address,password\n" + lines)
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, read_csv(file, "lab.example"), vault)


@pytest.fixture
def run_id(database: Database, domain_id: int, vault: Vault, tmp_path: Path) -> str:
    """A run with all its mailboxes planned, half of them canaries."""
    load(database, domain_id, vault, tmp_path)
    return new_run(database, domain_id)


def new_run(database: Database, domain_id: int, hosts: dict[str, str] | None = None, at: float = NOW + 60) -> str:
    with database.begin() as conn:
        saved = changes.save(conn, domain_id, SETTINGS, LATER)
        run = runs.load(conn, saved.run_id)
        assert run is not None
        planning.plan(conn, run, 3, 10, lambda: rejections.recall(conn, saved.run_id, hosts or SERVERS, CANDIDATE, at))
    return saved.run_id


def rejected(mailbox_id: int, code: Code = Code.AUTH_REJECTED, verdict: Verdict = Verdict.FAIL) -> Done:
    return Done(mailbox_id, LoginResult(verdict, code, Protocol.IMAP, "NO said"))


def ids(database: Database) -> list[int]:
    with database.read() as conn:
        return list(conn.execute(sa.select(schema.mailboxes.c.id).order_by(schema.mailboxes.c.id)).scalars())


def verdicts(database: Database, run_id: str) -> dict[int, tuple[str, str | None, str | None]]:
    row = schema.run_mailboxes
    query = sa.select(row).where(row.c.run_id == run_id, row.c.verdict.is_not(None))
    with database.read() as conn:
        return {found.mailbox_id: (found.code, found.protocol, found.seen) for found in conn.execute(query)}


class TestRejections:
    def test_are_recalled_in_the_next_run_with_their_day(self, database: Database, domain_id: int, run_id: str) -> None:
        first, second, *_ = ids(database)
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(first), rejected(second)], SERVERS, NOW)
            rejections.remember(conn, run_id, [rejected(first)], SERVERS, NOW + 99)  # a page that is delivered twice

        found = verdicts(database, new_run(database, domain_id))

        words = (
            "rejected on 2023-11-14; not sent again before 2023-11-14 23:13 UTC unless the password changes;"
            " `mail-preflight mailboxes retry lab.example` lets it be tried at once: NO said"
        )
        assert found == dict.fromkeys((first, second), ("auth.rejected", "imap", words))

    def test_hold_for_an_hour_then_a_day_then_a_week(self, database: Database, domain_id: int, run_id: str) -> None:
        first, at = ids(database)[0], NOW
        for holds in (HOUR, 24 * HOUR, 168 * HOUR, 168 * HOUR):
            with database.begin() as conn:
                rejections.remember(conn, run_id, [rejected(first)], SERVERS, at)
            assert len(verdicts(database, new_run(database, domain_id, at=at + holds - 1))) == 1
            assert verdicts(database, new_run(database, domain_id, at=at + holds)) == {}
            at += holds

    def test_end_when_another_login_gets_in(self, database: Database, domain_id: int, run_id: str) -> None:
        first, second, *_ = ids(database)
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(first), rejected(second)], SERVERS, NOW)
            works = rejected(first, Code.OK, Verdict.OK)
            rejections.remember(conn, run_id, [works], SERVERS, NOW + 1)
        assert set(verdicts(database, new_run(database, domain_id))) == {second}

    def test_end_with_other_settings_for_the_server(self, database: Database, domain_id: int, run_id: str) -> None:
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(ids(database)[0])], SERVERS, NOW)
            rejections.forget_server(conn, domain_id, ["other.example.com:993"])
        assert len(verdicts(database, new_run(database, domain_id))) == 1
        with database.begin() as conn:
            rejections.forget_server(conn, domain_id, [SERVERS["imap"]])
        assert verdicts(database, new_run(database, domain_id)) == {}

    def test_are_those_of_one_server(self, database: Database, domain_id: int, run_id: str) -> None:
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(ids(database)[0])], SERVERS, NOW)

        assert verdicts(database, new_run(database, domain_id, {"imap": "imap.example.com:143"})) == {}

    def test_nothing_else_is_remembered(self, database: Database, run_id: str) -> None:
        others = [rejected(ids(database)[0], code) for code in Code if code not in outcomes.REJECTED]
        with database.begin() as conn:
            rejections.remember(conn, run_id, others, SERVERS, NOW)
            doubtful = rejected(ids(database)[0], Code.AUTH_REJECTED, Verdict.INCONCLUSIVE)
            rejections.remember(conn, run_id, [doubtful], SERVERS, NOW)
            assert conn.execute(sa.select(sa.func.count()).select_from(schema.rejections)).scalar_one() == 0

    def test_are_forgotten_with_another_password_only(
        self, database: Database, domain_id: int, run_id: str, vault: Vault, tmp_path: Path
    ) -> None:
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(one) for one in ids(database)], SERVERS, NOW)

        load(database, domain_id, vault, tmp_path)
        assert len(verdicts(database, new_run(database, domain_id))) == COUNT

        load(database, domain_id, vault, tmp_path, word="two")
        assert verdicts(database, new_run(database, domain_id)) == {}

    def test_of_a_domain_are_forgotten_on_request(self, database: Database, domain_id: int, run_id: str) -> None:
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(one) for one in ids(database)], SERVERS, NOW)
            assert rejections.forget_domain(conn, domain_id + 1) == 0
            assert rejections.forget_domain(conn, domain_id) == COUNT
        assert verdicts(database, new_run(database, domain_id)) == {}

    def test_settle_a_baseline_too(self, database: Database, run_id: str) -> None:
        row = schema.run_mailboxes
        with database.begin() as conn:
            rejections.remember(conn, run_id, [rejected(ids(database)[0])], SERVERS, NOW)
            conn.execute(row.update().where(row.c.run_id == run_id).values(baseline_page=1))
            assert rejections.recall(conn, run_id, SERVERS, BASELINE, NOW + 60) == 1
            assert conn.execute(
                sa.select(row.c.baseline_code).where(row.c.baseline_verdict == "fail")
            ).scalars().all() == ["auth.rejected"]


class TestBudget:
    def spend(self, database: Database, run_id: str, now: float = NOW, limit: int = 5) -> int:
        """Claims the canaries' page at two logins each; how many are left untried."""
        with database.begin() as conn:
            return login_budget.spend(conn, run_id, CANDIDATE, CANARY_PAGE, logins=2, limit=limit, now=now)

    def test_leaves_untried_who_has_none_left(self, database: Database, run_id: str) -> None:
        assert [self.spend(database, run_id) for _ in range(3)] == [0, 0, 3]
        assert {code for code, _, _ in verdicts(database, run_id).values()} == {"run.login_budget"}

    def test_is_new_each_hour(self, database: Database, run_id: str) -> None:
        for hours in range(4):
            assert self.spend(database, run_id, NOW + 3600 * hours, limit=2) == 0

    def test_is_shared_by_runs_of_a_mailbox(self, database: Database, domain_id: int, run_id: str) -> None:
        assert [self.spend(database, run_id), self.spend(database, run_id)] == [0, 0]
        other = new_run(database, domain_id)
        row = schema.run_mailboxes
        with database.begin() as conn:  # the same canaries again
            same = sa.select(row.c.mailbox_id).where(row.c.run_id == run_id, row.c.page == CANARY_PAGE)
            drawn = conn.execute(same).scalars().all()
            conn.execute(row.update().where(row.c.run_id == other).values(page=1))
            conn.execute(row.update().where(row.c.run_id == other, row.c.mailbox_id.in_(drawn)).values(page=0))
        assert self.spend(database, other) == 3

    def test_is_not_charged_for_what_is_settled(self, database: Database, run_id: str) -> None:
        with database.begin() as conn:
            outcomes.settle(conn, run_id, Verdict.OK, Code.OK, None, "")
        assert self.spend(database, run_id, limit=2) == 0
        with database.read() as conn:
            assert conn.execute(sa.select(sa.func.count()).select_from(schema.login_budget)).scalar_one() == 0
