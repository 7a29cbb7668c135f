"""The sandbox of an account in the store."""

import pytest
import sqlalchemy as sa

from checks.model import Invalid, Unknown
from settings_store import accounts, domains, removal, schema
from settings_store.access import api_keys
from settings_store.access.api_keys import ApiKey, KeyRequest
from settings_store.access.key_format import PlainKey
from settings_store.actors import Actor
from settings_store.db import Database
from settings_store.sandbox import accounts as sandboxes
from settings_store.sandbox import passed_time

ANNA = Actor("anna", "local")
TEST = KeyRequest("ci", live=False)


def _account(conn: sa.Connection, name: str = "north") -> int:
    accounts.add_account(conn, name, 1.0, ANNA)
    return domains.find_account(conn, name)


def _create(conn: sa.Connection, account_id: int | None, wanted: KeyRequest) -> tuple[ApiKey, PlainKey]:
    return api_keys.create(conn, account_id, api_keys.grant(conn, account_id, wanted, 2.0), 2.0, ANNA)


def test_the_first_test_key_makes_the_sandbox_and_the_second_finds_it(database: Database) -> None:
    with database.begin() as conn:
        account_id = _account(conn)
        first, plain = _create(conn, account_id, TEST)
        second, _ = _create(conn, account_id, TEST)
        assert plain.text.startswith("mp_test_")
        assert first.account_id == second.account_id == sandboxes.find(conn, account_id) != account_id
        assert sandboxes.all_ids(conn) == [first.account_id]


def test_whoever_has_the_account_has_the_keys_of_its_sandbox_and_not_the_other_way_round(database: Database) -> None:
    with database.begin() as conn:
        account_id = _account(conn)
        live, _ = _create(conn, account_id, KeyRequest("app"))
        test, _ = _create(conn, account_id, TEST)
        assert {key.id for key in api_keys.list_keys(conn, account_id)} == {live.id, test.id}
        assert [key.id for key in api_keys.list_keys(conn, test.account_id)] == [test.id]
        with pytest.raises(Unknown):
            api_keys.revoke(conn, test.account_id, live.id, 3.0, ANNA)
        assert api_keys.revoke(conn, account_id, test.id, 3.0, ANNA).revoked_at == 3.0


def test_a_sandbox_has_no_live_keys_and_operators_have_no_sandbox(database: Database) -> None:
    with database.begin() as conn:
        test, _ = _create(conn, _account(conn), TEST)
        again, _ = _create(conn, test.account_id, TEST)
        assert again.account_id == test.account_id
        with pytest.raises(Invalid, match="test keys only"):
            _create(conn, test.account_id, KeyRequest("app"))
        with pytest.raises(Invalid, match="no sandbox"):
            _create(conn, None, TEST)


def test_a_sandbox_is_not_listed_and_goes_with_its_account_and_all_that_is_in_it(database: Database) -> None:
    with database.begin() as conn:
        account_id = _account(conn)
        _create(conn, account_id, TEST)
        sandbox_id = sandboxes.find(conn, account_id)
        assert sandbox_id is not None
        domains.ensure_domain(conn, sandbox_id, "example.com")
        assert [item.name for item in accounts.list_accounts(conn)] == ["north"]
        with pytest.raises(Invalid, match="goes with it"):
            removal.remove_account(conn, "north:sandbox", 3.0, ANNA)
        removal.remove_account(conn, "north", 3.0, ANNA)
        for table in (schema.sandboxes, schema.domains, schema.api_keys):
            assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
        assert [item.name for item in accounts.list_accounts(conn)] == []
        assert _account(conn) not in (account_id, sandbox_id), "its history is nobody else's"


def test_time_passes_in_the_sandbox_alone(database: Database) -> None:
    with database.begin() as conn:
        account_id = _account(conn)
        test, _ = _create(conn, account_id, TEST)
        assert test.account_id is not None
        table = schema.maintenance
        for owner in (account_id, test.account_id):
            values = {"account_id": owner, "starts_at": 5000.0, "ends_at": 6000.0, "note": ""}
            conn.execute(table.insert().values(**values))
        assert passed_time.advance(conn, test.account_id, 1000.0) == 1000.0
        rows = conn.execute(sa.select(table.c.account_id, table.c.starts_at, table.c.ends_at)).all()
        assert {row[0]: tuple(row[1:]) for row in rows} == {
            account_id: (5000.0, 6000.0),
            test.account_id: (4000.0, 5000.0),
        }
        with pytest.raises(Unknown):
            passed_time.advance(conn, account_id, 1000.0)
