"""Who may use the HTTP API: the commands for API keys and users."""

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from checks.model import Invalid
from cli.account import actor, open_preflight
from cli.cleaning import clean
from cli.failures import inform
from cli.naming import account
from cli.options import Json
from cli.times import local, parse_time

if TYPE_CHECKING:
    from settings_store.access.api_keys import ApiKey, KeyRequest
    from settings_store.access.users import User
    from worker.service.access.access import Access

_PREFIX = "key_"
_AGE = re.compile(r"(\d{1,4})([hdw])\Z")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}


class RoleName(StrEnum):
    """The roles, which --help need not load the store for."""

    SUPER_ADMIN = "super_admin"
    ACCOUNT_ACCESS = "account_access"
    MEMBER = "member"
    HOST_APP = "host_app"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What a key may be limited to."""

    READ = "read"
    CHANGE = "change"
    APPLY = "apply"
    CREDENTIALS = "credentials"
    ADMIN = "admin"
    CONNECT = "connect"
    OPERATE = "operate"


Operator = Annotated[bool, typer.Option("--operator", help="Of those who make and remove accounts.")]
UserName = Annotated[str, typer.Argument(metavar="NAME", help="What you know them by, such as their address.")]


@contextlib.contextmanager
def _access(*, operator: bool) -> "Iterator[Access]":
    """The keys and users of the chosen account, or the operators'."""
    with open_preflight() as preflight:
        yield preflight.operators(actor()) if operator else preflight.account(account(), actor=actor()).access


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for, for example crm.")],
    role: Annotated[RoleName | None, typer.Option(help="Without it: the user's, or host_app.")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="All that it may do; once for each. Without it: all.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="AGE", help="90d, 12h, 4w, or a time as ISO 8601. Without it: never.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="The user whose key it is.")] = None,
    test: Annotated[bool, typer.Option("--test", help="A key of the sandbox.")] = False,
    operator: Operator = False,
) -> None:
    """Makes an API key and prints it, this once; only its digest is stored."""
    with _access(operator=operator) as access:
        request = _request(name, role, scope, expires, live=not test)
        key, plain = access.create_key(_of_user(request, access, user))
    typer.echo(plain.text)
    inform(f"This is shown once: keep it where secrets are kept. Its id is {_PREFIX}{key.id}.", beside=True)
    if key.expires_at is not None:
        inform(f"It expires at {local(key.expires_at)}.", beside=True)
    way = f"mail-preflight api-keys revoke {_PREFIX}{key.id}{' --operator' if operator else ''}"
    inform(f"To end it: {way}", beside=True)


def _request(
    name: str, role: RoleName | None, scopes: list[Scope] | None, expires: str | None, *, live: bool
) -> "KeyRequest":
    from settings_store.access.api_keys import KeyRequest
    from settings_store.access.roles import Right, Role

    return KeyRequest(
        name,
        Role(role.value) if role else None,
        [Right(scope.value) for scope in scopes] if scopes else None,
        live,
        expires_at=None if expires is None else _expiry(expires),
    )


def _expiry(text: str) -> float:
    if age := _AGE.match(text.strip()):
        return time.time() + int(age[1]) * _SECONDS[age[2]]
    return parse_time(text, "--expires")


def _of_user(request: "KeyRequest", access: "Access", user: str | None) -> "KeyRequest":
    from dataclasses import replace

    return request if user is None else replace(request, user_id=access.user_named(user).id)


def list_keys(operator: Operator = False, as_json: Json = False) -> None:
    """Lists API keys, without their text, which nobody knows any more."""
    with _access(operator=operator) as access:
        known = access.keys()
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_key_document(key) for key in known], sys.stdout)
        return
    for key in known:
        typer.echo(clean(_key_line(key)))
    if not known:
        inform(f"There is no API key. To make one: mail-preflight api-keys create NAME{' --operator' * operator}")


def _key_document(key: "ApiKey") -> dict[str, object]:
    return {
        "id": _PREFIX + key.id,
        "name": key.name,
        "role": key.role.value,
        "scopes": sorted(key.rights),
        "kind": "live" if key.live else "test",
        "user": key.user_name,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "last_address": key.last_address,
    }


def _key_line(key: "ApiKey") -> str:
    parts = [key.name, *([] if key.live else ["test"]), *([f"of {key.user_name}"] if key.user_name else [])]
    parts += [f"{key.role} ({', '.join(sorted(key.rights))})", _state(key)]
    return f"{_PREFIX}{key.id}: {', '.join(parts)}"


def _state(key: "ApiKey") -> str:
    if key.revoked_at is not None:
        return f"revoked {local(key.revoked_at)}"
    if key.expires_at is not None and key.expires_at <= time.time():
        return f"expired {local(key.expires_at)}"
    used = "never used" if key.last_used_at is None else f"last used {local(key.last_used_at)} from {key.last_address}"
    return used if key.expires_at is None else f"{used}, expires {local(key.expires_at)}"


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As printed by `list`.")], operator: Operator = False
) -> None:
    """Ends an API key at once."""
    with _access(operator=operator) as access:
        key = access.revoke_key(key_id.removeprefix(_PREFIX))
    inform(f"Revoked: {key.name}. The next request with it is refused.")


def add_user(
    name: UserName,
    role: Annotated[RoleName | None, typer.Option(help="What they are to the account.")] = None,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="A member's domain.")] = None,
    operator: Operator = False,
) -> None:
    """Adds a user, who can do nothing before they have an API key."""
    from settings_store.access.roles import Role

    if role is None and not operator:
        raise Invalid("give --role, or --operator", "role")
    with _access(operator=operator) as access:
        user = access.add_user(name, Role(role.value) if role else Role.OPERATOR, domain)
    inform(f"Added: {user.name}, {user.role}.")


def set_role(
    name: UserName,
    role: Annotated[RoleName, typer.Option(help="What they are to the account from now on.")],
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="A member's domain.")] = None,
) -> None:
    """Gives a user another role. What they may do follows at once; the audit has who did it."""
    from settings_store.access.roles import Role

    with _access(operator=False) as access:
        user = access.change_role(access.user_named(name).id, Role(role.value), domain)
    inform(f"From now on {user.name} is {user.role}.")


def list_users(operator: Operator = False, as_json: Json = False) -> None:
    """Lists users with their roles."""
    with _access(operator=operator) as access:
        known = access.users()
        names = access.domain_names(known)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_user_document(user, names) for user in known], sys.stdout)
        return
    for user in known:
        domain = f" of {names[user.domain_id]}" if user.domain_id is not None else ""
        typer.echo(clean(f"{user.name}: {user.role}{domain}"))


def _user_document(user: "User", names: dict[int, str]) -> dict[str, object]:
    return {
        "id": f"usr_{user.id}",
        "name": user.name,
        "role": user.role.value,
        "domain": names.get(user.domain_id) if user.domain_id is not None else None,
        "created_at": user.created_at,
    }


def remove_user(name: UserName, operator: Operator = False) -> None:
    """Removes a user and all their API keys."""
    with _access(operator=operator) as access:
        user = access.remove_user(access.user_named(name).id)
    inform(f"Removed: {user.name}, with their API keys.")
