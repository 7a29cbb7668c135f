"""Keys and users on both databases: what they may do, when they end, and what is written down of them."""

import dataclasses

import pytest
import sqlalchemy as sa

from checks.model import Invalid, Unknown
from settings_store import accounts, removal, schema
from settings_store.access import api_keys, users
from settings_store.access.api_keys import ApiKey, KeyRequest
from settings_store.access.key_format import PlainKey, new_key
from settings_store.access.roles import RIGHTS, Right, Role
from settings_store.actors import Actor
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain, find_account, find_domain
from settings_store.events import events
from tests.settings_store.in_force import NOW

ADA = Actor("ada", "local")


def made(conn: sa.Connection, account_id: int | None, **wanted: object) -> tuple[ApiKey, PlainKey]:
    request = KeyRequest(**{"name": "crm", **wanted})  # type: ignore[arg-type] # fields of the request
    return api_keys.create(conn, account_id, api_keys.grant(conn, account_id, request, NOW), NOW, ADA)


def test_a_key_is_known_until_it_is_revoked(database: Database) -> None:
    with database.begin() as conn:
        account_id = ensure_account(conn)
        key, plain = made(conn, account_id)
        assert api_keys.authenticate(conn, plain, NOW) == key
        assert api_keys.authenticate(conn, dataclasses.replace(plain, text=plain.text + "x"), NOW) is None
        assert api_keys.authenticate(conn, new_key(live=True), NOW) is None

        first = api_keys.revoke(conn, account_id, key.id, NOW + 1, ADA)
        again = api_keys.revoke(conn, account_id, key.id, NOW + 2, ADA)

        assert api_keys.authenticate(conn, plain, NOW + 1) is None
        assert first.revoked_at == again.revoked_at == NOW + 1
        told = [event.kind for event in events.of_subject(conn, key.id)]
    assert told == ["api_key.created", "api_key.revoked"]


def test_a_key_ends_when_it_expires(database: Database) -> None:
    with database.begin() as conn:
        _, plain = made(conn, ensure_account(conn), expires_at=NOW + 10)
        assert api_keys.authenticate(conn, plain, NOW + 9.999)
        assert api_keys.authenticate(conn, plain, NOW + 10) is None


def test_only_a_digest_is_stored(database: Database) -> None:
    with database.begin() as conn:
        _, plain = made(conn, ensure_account(conn))
        stored = conn.execute(sa.select(schema.api_keys)).one()
        told = conn.execute(sa.select(schema.events.c.payload)).all()
    secret = plain.text.rpartition("_")[2]
    assert secret not in repr(stored) + repr(told)
    assert bytes(stored.digest) == plain.digest


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.MEMBER, Role.OPERATOR)])
def test_scopes_are_of_the_role(database: Database, role: Role) -> None:
    with database.begin() as conn:
        account_id = ensure_account(conn)
        assert made(conn, account_id, role=role)[0].rights == RIGHTS[role]
        assert made(conn, account_id, role=role, scopes=[Right.READ])[0].rights == {Right.READ}
        with pytest.raises(Invalid, match="does not have operate") as error:
            made(conn, account_id, role=role, scopes=[Right.READ, Right.OPERATE])
    assert error.value.field == "scopes"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"expires_at": NOW}, "expires_at"),
        ({"scopes": []}, "scopes"),
        ({"role": Role.OPERATOR}, "role"),
        ({"role": Role.MEMBER}, "user"),
        ({"user_id": "nobody"}, "user"),
    ],
)
def test_what_no_key_can_be(database: Database, wanted: dict[str, object], field: str) -> None:
    with database.begin() as conn:
        with pytest.raises(Invalid) as error:
            made(conn, ensure_account(conn), **wanted)
        assert not conn.execute(sa.select(schema.api_keys)).all()
    assert error.value.field == field


def test_a_users_key_has_what_the_user_has_now(database: Database) -> None:
    with database.begin() as conn:
        account_id = ensure_account(conn)
        domain_id = ensure_domain(conn, account_id, "lab.example")
        user = users.add(conn, account_id, "bob", Role.SUPER_ADMIN, NOW, ADA)
        _, plain = made(conn, account_id, user_id=user.id)
        with pytest.raises(Invalid, match="has the user's role"):
            made(conn, account_id, user_id=user.id, role=Role.HOST_APP)

        user = users.change_role(conn, user, Role.MEMBER, NOW, ADA, domain_id)
        key = api_keys.authenticate(conn, plain, NOW)
        assert key
        assert (key.rights, key.domain_id, key.user_name) == (RIGHTS[Role.MEMBER], domain_id, "bob")

        users.remove(conn, user, NOW, ADA)
        assert api_keys.authenticate(conn, plain, NOW) is None
        told = [(event.kind, event.payload["role"]) for event in events.of_subject(conn, user.id)]
    assert told == [("user.added", "super_admin"), ("user.changed", "member"), ("user.removed", "member")]


def test_a_user_of_another_account_gets_no_key_here(database: Database) -> None:
    with database.begin() as conn:
        mine = ensure_account(conn)
        accounts.add_account(conn, "north", NOW, ADA)
        theirs = users.add(conn, find_account(conn, "north"), "bob", Role.SUPER_ADMIN, NOW, ADA)
        with pytest.raises(Invalid, match="there is no such user"):
            made(conn, mine, user_id=theirs.id)
        with pytest.raises(Unknown):
            users.find(conn, mine, theirs.id)


@pytest.mark.parametrize("of_operators", [True, False])
def test_a_name_is_one_users(database: Database, of_operators: bool) -> None:
    with database.begin() as conn:
        account_id = None if of_operators else ensure_account(conn)
        role = Role.OPERATOR if of_operators else Role.HOST_APP
        first = users.add(conn, account_id, "bob", role, NOW, ADA)
        with pytest.raises(Invalid, match="there is a user 'bob' already"):
            users.add(conn, account_id, " bob ", role, NOW, ADA)
        named_like_an_id = users.add(conn, account_id, first.id, role, NOW, ADA)
        assert users.find(conn, account_id, first.id) == first
        assert users.find_named(conn, account_id, first.id) == named_like_an_id


def test_the_last_use_is_noted_once_a_minute(database: Database) -> None:
    with database.begin() as conn:
        account_id = ensure_account(conn)
        key, _ = made(conn, account_id)
        for at, address, noted in (
            (NOW, "192.0.2.1", (NOW, "192.0.2.1")),
            (NOW + 59, "192.0.2.2", (NOW, "192.0.2.1")),
            (NOW + 61, "192.0.2.2", (NOW + 61, "192.0.2.2")),
        ):
            api_keys.note_use(conn, key.id, address, at)
            found = api_keys.find(conn, account_id, key.id)
            assert (found.last_used_at, found.last_address) == noted


def test_pages_miss_no_key(database: Database) -> None:
    with database.begin() as conn:
        account_id = ensure_account(conn)
        ids = sorted(made(conn, account_id, name=f"k{number}")[0].id for number in range(5))  # all of one moment
        found: list[str] = []
        after = None
        while page := api_keys.list_keys(conn, account_id, after, 2):
            found += [key.id for key in page]
            after = page[-1].created_at, page[-1].id
    assert found == ids


def _full(conn: sa.Connection, account_id: int, *, live: bool = True) -> tuple[PlainKey, PlainKey]:
    """A domain with a member, an alert channel and a webhook; a key of the member and one of the account."""
    domain_id = ensure_domain(conn, account_id, "lab.example")
    member = users.add(conn, account_id, "mia", Role.MEMBER, NOW, ADA, domain_id)
    conn.execute(
        schema.webhook_endpoints.insert().values(
            id=f"w{account_id}",
            account_id=account_id,
            url=b"",
            shown="",
            kinds=[],
            domain_id=domain_id,
            signature="v1",
            secret=b"",
            created_at=NOW,
            **{
                column.name: 0
                for column in schema.webhook_endpoints.c
                if column.name.endswith("_seq") and not column.nullable
            },
        )
    )
    return made(conn, account_id, user_id=member.id, live=live)[1], made(conn, account_id, live=live)[1]


def test_a_removed_domain_takes_its_members_along(database: Database) -> None:
    with database.begin() as conn:
        account_id = ensure_account(conn)
        members, hosts = _full(conn, account_id)
        ends = removal.remove_domain(conn, find_domain(conn, account_id, "lab.example"), NOW, ADA)
        assert (ends.members, ends.webhooks) == (1, 1)
        assert api_keys.authenticate(conn, members, NOW) is None
        assert api_keys.authenticate(conn, hosts, NOW)
        assert users.list_users(conn, account_id) == []


def test_a_removed_account_ends_its_keys_and_its_sandbox(database: Database) -> None:
    with database.begin() as conn:
        for name in ("north", "north-sandbox", "south"):
            accounts.add_account(conn, name, NOW, ADA)
        north, sandbox, south = (find_account(conn, name) for name in ("north", "north-sandbox", "south"))
        conn.execute(schema.sandboxes.insert().values(account_id=sandbox, of_account_id=north))
        _full(conn, sandbox, live=False)
        users.add(conn, north, "bob", Role.SUPER_ADMIN, NOW, ADA)
        _, ended = made(conn, north)
        _, other = made(conn, south)

        removal.remove_account(conn, "north", NOW, ADA)

        assert api_keys.authenticate(conn, ended, NOW) is None
        assert api_keys.authenticate(conn, other, NOW)
        assert {each.name for each in accounts.list_accounts(conn)} == {"south"}
        for table in (schema.domains, schema.users, schema.sandboxes, schema.webhook_endpoints):
            assert not conn.execute(sa.select(table)).all(), table
