"""The revisions make exactly the tables of `schema.py`, whoever runs them and however often."""

import multiprocessing
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from checks.model import Authentication, Invalid
from checks.settings import ImapSettings
from settings_store import domains, migrations, schema
from settings_store.db import Database
from settings_store.migrations import progress
from settings_store.migrations.__main__ import draft, sqlite_by_revisions
from settings_store.runs import runs
from settings_store.schema import metadata


def test_the_constant_is_the_newest_revision(database: Database) -> None:
    with database.read() as conn:
        script = ScriptDirectory.from_config(migrations.alembic_config(conn))
        assert script.get_current_head() == migrations.HEAD
        assert migrations.current_revision(conn) == migrations.HEAD


def test_the_revisions_lead_to_the_schema(database: Database) -> None:
    with database.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_a_new_file_is_what_the_revisions_make() -> None:
    assert migrations.SQLITE.read_text(encoding="utf-8") == sqlite_by_revisions(), (
        "run: python -m settings_store.migrations"
    )


def test_a_new_file_needs_no_alembic(tmp_path: Path) -> None:
    _migrate_without_alembic(f"sqlite:///{tmp_path / 'new.db'}")


def _constraints(inspector: sa.Inspector) -> dict[str, object]:
    """What Alembic's comparison leaves out: checks, keys and references, with their names."""
    return {
        table: (
            sorted(
                (check["name"], "".join(check["sqltext"].split())) for check in inspector.get_check_constraints(table)
            ),
            inspector.get_pk_constraint(table),
            sorted(str(key) for key in inspector.get_foreign_keys(table)),
            sorted(str(unique) for unique in inspector.get_unique_constraints(table)),
        )
        for table in metadata.tables
    }


def _created_from_the_schema(conn: sa.Connection) -> dict[str, object]:
    metadata.create_all(conn)
    return _constraints(sa.inspect(conn))


def test_the_constraints_are_those_of_the_schema(database: Database) -> None:
    with database.begin() as conn:
        migrated = _constraints(sa.inspect(conn))
        if conn.dialect.name == "sqlite":
            engine = sa.create_engine("sqlite://")
            with engine.begin() as empty:
                assert migrated == _created_from_the_schema(empty)
            engine.dispose()
        else:
            conn.execute(sa.text("DROP SCHEMA public CASCADE"))
            conn.execute(sa.text("CREATE SCHEMA public"))
            assert migrated == _created_from_the_schema(conn)


def test_migrating_again_needs_no_alembic(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        database.migrate()
    _migrate_without_alembic(database_url)


def _migrate_without_alembic(database_url: str) -> None:
    program = (
        "import sys; from settings_store.db import Database; database = Database(sys.argv[1]); database.migrate(); "
        "database.close(); "
        "sys.exit(any(name.partition('.')[0] == 'alembic' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program, database_url], check=True, timeout=30)


def _migrate(url: str, ready: "multiprocessing.synchronize.Barrier") -> None:
    with closing(Database(url)) as database:
        ready.wait(30)
        database.migrate()


def test_processes_may_migrate_at_once(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(4)
    processes = [context.Process(target=_migrate, args=(database_url, ready)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with closing(Database(database_url)) as database, database.read() as conn:
        assert migrations.current_revision(conn) == migrations.HEAD


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Invalid, match=r"was written by a newer version of this program \(schema 9999\); upgrade"):
        database.migrate()
    with database.read() as conn:
        assert migrations.current_revision(conn) == "9999"


def test_the_revisions_can_be_taken_back(database: Database) -> None:
    with database.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "base")
        assert sa.inspect(conn).get_table_names() == ["alembic_version"]
    with database.begin() as conn:
        migrations.upgrade(conn)


def test_what_was_stored_before_exchange_is_kept_and_stays_immutable(database: Database) -> None:
    """Given settings of revision 0001, when the columns for Exchange come, then neither rows nor trigger are lost."""
    with database.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "0001")
        for statement in _OLD_ROWS:
            conn.execute(sa.text(statement))
    database.migrate()
    with database.begin() as conn:
        kept = conn.execute(sa.text("SELECT exchange_url, exchange_typed FROM settings")).all()
        assert kept == [("https://mail.lab.example/EWS/Exchange.asmx", None)]
    with pytest.raises(sa.exc.IntegrityError, match="immutable"), database.begin() as conn:
        conn.execute(sa.text("UPDATE settings SET exchange_typed = 'mail.lab.example'"))


def test_settings_from_before_want_a_login(database: Database) -> None:
    """Given settings of revision 0007, when SMTP without a login comes, then they log in, and stay immutable."""
    with database.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "0007")
        for statement in (*_OLD_ROWS, _OLD_IMAP):
            conn.execute(sa.text(statement))
    database.migrate()
    with database.begin() as conn:
        kept = domains.load_settings(conn, 2)
        assert isinstance(kept, ImapSettings)
        assert kept.smtp.authentication is Authentication.LOGIN
    with pytest.raises(sa.exc.IntegrityError, match="immutable"), database.begin() as conn:
        conn.execute(sa.text("UPDATE settings SET smtp_authentication = 'none' WHERE kind = 'imap'"))


@pytest.mark.parametrize(("kind", "value"), [("imap", "maybe"), ("exchange", "none"), ("exchange", "login")])
def test_only_smtp_has_an_authentication(database: Database, kind: str, value: str) -> None:
    statement = _OLD_IMAP if kind == "imap" else _OLD_ROWS[2]
    statement = statement.replace("(domain_id,", "(smtp_authentication, domain_id,").replace("(1,", f"('{value}', 1,")
    with database.begin() as conn:
        for row in _OLD_ROWS[:2]:
            conn.execute(sa.text(row))
    with pytest.raises(sa.exc.IntegrityError, match="authentication_of_smtp"), database.begin() as conn:
        conn.execute(sa.text(statement))


def test_rows_from_before_keep_the_order_of_their_clocks(database: Database) -> None:
    """Given mailboxes written before and after a run, when the store begins to count, the later one is the later."""
    with database.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "0004")
        for statement in (*_OLD_ROWS, *_OLD_ORDER):
            conn.execute(sa.text(statement))
    database.migrate()
    with database.begin() as conn:
        later = sa.select(schema.mailboxes.c.address).where(runs.changed_since("old", schema.mailboxes))
        assert conn.execute(later).scalars().all() == ["b@lab.example"]
        new = runs.create(conn, "preflight", runs.Subject(1, 1), 50.0)
        again = sa.select(schema.mailboxes.c.address).where(runs.changed_since(new, schema.mailboxes))
        assert conn.execute(again).scalars().all() == []


_OLD_IMAP = (
    "INSERT INTO settings (domain_id, kind, imap_host, imap_port, imap_security, smtp_host, smtp_port, smtp_security, "
    "allow_insecure_certificate, created_at) "
    "VALUES (1, 'imap', 'imap.lab.example', 993, 'tls', 'smtp.lab.example', 465, 'tls', false, 0)"
)
_OLD_ORDER = (
    "INSERT INTO mailboxes (domain_id, address, username, changed_at) VALUES (1, 'a@lab.example', 'a', 99.5)",
    "INSERT INTO mailboxes (domain_id, address, username, changed_at) VALUES (1, 'b@lab.example', 'b', 100.5)",
    "INSERT INTO mailboxes (domain_id, address, username) VALUES (1, 'c@lab.example', 'c')",
    "INSERT INTO runs (id, domain_id, settings_id, kind, stage, touched_at, created_at) "
    "VALUES ('old', 1, 1, 'preflight', 'finished', 100, 100)",
)
_OLD_ROWS = (
    "INSERT INTO accounts (id, name) VALUES (1, 'default')",
    "INSERT INTO domains (id, account_id, name) VALUES (1, 1, 'lab.example')",
    "INSERT INTO settings (domain_id, kind, exchange_url, allow_insecure_certificate, created_at) "
    "VALUES (1, 'exchange', 'https://mail.lab.example/EWS/Exchange.asmx', false, 0)",
)


def test_a_drafted_revision_follows_the_newest(tmp_path: Path) -> None:
    path = draft("Add nothing", tmp_path)
    text = path.read_text()
    assert path.name == f"r{int(migrations.HEAD) + 1:04}_add_nothing.py"
    assert f"down_revision = '{migrations.HEAD}'" in text
    compile(text, str(path), "exec")


def test_what_takes_long_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a large table, when it is migrated, then it is said what is done to it, and how long that took."""
    with database.begin() as conn:
        command.downgrade(migrations.alembic_config(conn), "0001")
        for statement in _OLD_ROWS:
            conn.execute(sa.text(statement))
    with database.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("ANALYZE"))
    monkeypatch.setattr(progress, "LARGE_ROWS", 1)
    told: list[str] = []

    database.migrate(told.append)

    began = next(line for line in told if "CREATE INDEX" in line)
    assert began == "migrating: CREATE INDEX ix_domains_settings_id ON domains (about 1 rows)"
    assert told[told.index(began) + 1].startswith(f"{began}: done in ")
    assert not any("events" in line for line in told), "nothing is in it"
