"""A PostgreSQL database that one test after another has: whether it is as it was made, and how it is emptied."""

import time

import psycopg

MOST_BYTES = 20_000_000
"""A new one has 9 MB. What a larger one has grown by is dead rows, which slow down whoever has it next."""
_PATIENCE = 1.0
_SHAPE = """
    SELECT md5(concat(
        (SELECT string_agg(concat_ws(' ', relname, relkind, relhastriggers, relhasindex), ',' ORDER BY relname, relkind)
            FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull, attisdropped), ','
                ORDER BY attrelid::regclass::text, attnum)
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)), ','
                ORDER BY conrelid::regclass::text, conname)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
        (SELECT string_agg(concat(tgname, tgenabled), ',' ORDER BY tgname, tgenabled)
            FROM pg_trigger WHERE NOT tgisinternal),
        (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'),
        (SELECT string_agg(version_num, ',') FROM alembic_version),
        (SELECT count(*) FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))))
"""
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# Foreign keys are triggers, which a replica does not run: the order of the tables does not matter.
_EMPTY = """
    DO $$ DECLARE one text; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR one IN SELECT quote_ident(relname) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
        LOOP EXECUTE 'DELETE FROM ' || one; END LOOP;
        PERFORM setval(oid, 1, false) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
    END $$
"""


def shape_of(connection: psycopg.Connection) -> str:
    """A sum of what makes up the schema of a database, and of its settings; "" where it has no schema of ours."""
    try:
        row = connection.execute(_SHAPE).fetchone()
    except psycopg.errors.UndefinedTable:
        return ""
    return str(row[0]) if row else ""


def empty(connection: psycopg.Connection) -> bool:
    """Removes all rows. False, and nothing is done, where others use the database still or it has grown large."""
    end = time.monotonic() + _PATIENCE
    while _number(connection, _OTHERS):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    if _number(connection, "SELECT pg_database_size(current_database())") > MOST_BYTES:
        return False
    connection.execute(_EMPTY)
    return True


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])
