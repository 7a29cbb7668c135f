"""`/v1/accounts`: for operators. An operator's key makes and removes accounts, and sees nothing inside of one."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from checks.model import Invalid, Unknown
from settings_store.access.api_keys import KeyRequest
from settings_store.accounts import AccountSummary
from web.access.caller import Caller
from web.access.granted import operates
from web.access.routing import router
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.documents import Document, Limit, Request
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.service.preflight import Preflight

routes = router("accounts")

Operator = Annotated[tuple[Preflight, Caller], operates()]
AccountName = Annotated[str, Path(max_length=100, pattern=r"^[\w.@-]+$", examples=["north"])]


class NewAccount(Request):
    """`first_key` true: the answer has a key of the account with all rights, for whoever is to work in it."""

    name: str = Field(max_length=100, examples=["north"])
    first_key: bool = False


class AccountDocument(Document):
    """An account, with how many domains and mailboxes it has."""

    name: str
    domains: int
    mailboxes: int


class NewAccountDocument(AccountDocument):
    """An account that has just been made. `key` is the text of its first key, shown this once; null without one."""

    key: str | None


class AccountPage(Document):
    """Accounts by name."""

    items: list[AccountDocument]
    next_cursor: str | None


@routes.post("/v1/accounts", operation_id="accounts.create", summary="Make an account", status_code=201)
def create(wanted: NewAccount, response: Response, operator: Operator) -> NewAccountDocument:
    """Makes an account."""
    preflight, caller = operator
    preflight.add_account(wanted.name, caller.actor)
    key = None
    if wanted.first_key:
        access = preflight.account(wanted.name, actor=caller.actor).access
        key = access.create_key(KeyRequest("first key"))[1].text
    response.headers["Location"] = f"/v1/accounts/{wanted.name}"
    return NewAccountDocument(name=wanted.name, domains=0, mailboxes=0, key=key)


@routes.get("/v1/accounts", operation_id="accounts.list", summary="List accounts")
def list_(
    operator: Operator, limit: Annotated[Limit, Query()] = 100, cursor: Annotated[str | None, Query()] = None
) -> AccountPage:
    """All accounts."""
    found = operator[0].accounts(_place(cursor), limit + 1)
    shown = found[:limit]
    last = cursor_after(shown[-1].name) if len(found) > limit else None
    return AccountPage(items=[_document(each) for each in shown], next_cursor=last)


@routes.delete("/v1/accounts/{account}", operation_id="accounts.delete", summary="Remove an account", status_code=204)
def delete(account: AccountName, operator: Operator) -> None:
    """Removes an account that has no domains any more, with its users and keys, which end at once."""
    preflight, caller = operator
    try:
        preflight.remove_account(account, caller.actor)
    except Unknown:
        raise
    except Invalid as error:
        raise Problem(ProblemCode.CONFLICT, str(error)) from None


def _document(found: AccountSummary) -> AccountDocument:
    return AccountDocument(name=found.name, domains=found.domains, mailboxes=found.mailboxes)


def _place(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    (name,) = read_cursor(cursor)
    if not name.isprintable():
        raise Invalid("it is no cursor of this list", CURSOR)
    return name
