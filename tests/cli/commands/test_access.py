"""API keys and users by the command. A key is alone on standard output, so that it can be piped to where it is kept."""

import pytest
import sqlalchemy as sa

from cli.commands.access import RoleName, Scope
from cli.failures import Status
from settings_store import schema
from settings_store.access.key_format import parse
from settings_store.access.roles import Right, Role
from tests.cli.planted import Planted


def test_a_key_is_alone_on_standard_output(planted: Planted) -> None:
    said = planted.run("api-keys", "create", "crm", "--expires", "90d", "--scope", "read", "--scope", "change")
    assert said.status == 0
    key = parse(said.out.removesuffix("\n"))
    assert key
    assert key.live
    assert key.text.rpartition("_")[2] not in said.err
    assert f"mail-preflight api-keys revoke key_{key.id}" in said.err

    (listed,) = planted.run("api-keys", "list", "--json").document
    assert (listed["id"], listed["scopes"], listed["role"]) == (f"key_{key.id}", ["change", "read"], "host_app")
    assert 89.9 * 86400 < listed["expires_at"] - planted.now < 90.1 * 86400
    assert "crm, host_app (change, read), never used, expires " in planted.run("api-keys", "list").out

    assert (
        planted.run("api-keys", "revoke", f"key_{key.id}").out == "Revoked: crm. The next request with it is refused.\n"
    )
    assert "revoked " in planted.run("api-keys", "list").out


def test_a_users_key_and_a_test_key(planted: Planted) -> None:
    planted.domain("demo.example")
    planted.run("users", "add", "mia", "--role", "member", "--domain", "demo.example")
    assert planted.run("users", "add", "bob", "--role", "super_admin").out == "Added: bob, super_admin.\n"
    planted.run("api-keys", "create", "bob's", "--user", "bob", "--test")

    (listed,) = planted.run("api-keys", "list", "--json").document
    assert (listed["user"], listed["role"], listed["kind"]) == ("bob", "super_admin", "test")
    assert planted.run("users", "list").out == "bob: super_admin\nmia: member of demo.example\n"
    assert planted.run("users", "list", "--json").document[1]["domain"] == "demo.example"

    planted.run("users", "remove", "bob")
    assert planted.run("api-keys", "list", "--json").document == []


def test_operators_are_apart(planted: Planted) -> None:
    assert planted.run("users", "add", "olga", "--operator").status == 0
    assert planted.run("api-keys", "create", "ops", "--operator", "--user", "olga").status == 0
    assert planted.run("api-keys", "list", "--json").document == []
    (key,) = planted.run("api-keys", "list", "--operator", "--json").document
    assert key["scopes"] == ["operate"]
    assert planted.run("api-keys", "revoke", key["id"]).status == Status.USAGE
    assert planted.run("api-keys", "revoke", key["id"], "--operator").status == 0


def test_keys_are_an_accounts(planted: Planted) -> None:
    planted.run("accounts", "add", "north")
    said = planted.run("--account", "north", "api-keys", "create", "crm")
    assert "mail-preflight --account north api-keys revoke" in said.err
    assert planted.run("api-keys", "list", "--json").document == []
    assert planted.run("accounts", "remove", "north").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["api-keys", "create", " "], "give the key a name"),
        (["api-keys", "create", "x", "--expires", "soon"], "--expires: 'soon' is no time"),
        (["api-keys", "create", "x", "--expires", "2020-01-01"], "would have expired already"),
        (["api-keys", "create", "x", "--user", "nobody"], "there is no such user"),
        (["api-keys", "create", "x", "--role", "member"], "a member's key is that of a user"),
        (["api-keys", "create", "x", "--role", "operator"], "an operator belongs to no account"),
        (["api-keys", "create", "x", "--scope", "operate"], "does not have operate"),
        (["api-keys", "create", "x", "--scope", "all"], "is not one of"),
        (["api-keys", "create", "x", "--operator", "--test"], "an operator has no sandbox"),
        (["api-keys", "revoke", "key_0"], "there is no such API key"),
        (["users", "add", "x"], "give --role, or --operator"),
        (["users", "add", "x", "--role", "member"], "a member belongs to one domain"),
        (["users", "add", "x", "--role", "member", "--domain", "no.example"], "domain no.example is not known"),
        (["users", "remove", "x"], "there is no such user"),
    ],
)
def test_what_cannot_be_done(planted: Planted, arguments: list[str], words: str) -> None:
    said = planted.run(*arguments)
    assert (said.status, said.out) == (Status.USAGE, ""), said.err
    assert words in said.err
    with planted.database.read() as conn:
        assert conn.execute(sa.select(schema.api_keys)).all() == conn.execute(sa.select(schema.users)).all() == []


def test_in_japanese_too(planted: Planted) -> None:
    said = planted.run("--language", "ja", "api-keys", "create", "crm")
    assert "表示されるのは今回だけです" in said.err
    assert parse(said.out.strip())
    assert "ユーザーはいません" in planted.run("--language", "ja", "users", "remove", "x").err


def test_the_command_knows_every_role_and_scope() -> None:
    assert [role.value for role in RoleName] == [role.value for role in Role]
    assert [scope.value for scope in Scope] == [right.value for right in Right]


def test_the_keys_of_credentials_are_others(planted: Planted) -> None:
    planted.run("api-keys", "create", "crm")
    with planted.database.read() as conn:
        before = conn.execute(sa.select(schema.api_keys)).all()
    assert planted.run("keys", "rotate").out == "0 credentials encrypted with the first key.\n"
    with planted.database.read() as conn:
        assert conn.execute(sa.select(schema.api_keys)).all() == before
