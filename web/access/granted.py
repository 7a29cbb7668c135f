"""The getter grants: what a handler works with comes from here, and only to who has the right that it names."""

from typing import Any

from fastapi import Depends
from starlette.requests import Request

from settings_store.access.roles import Right
from web.access.caller import Caller
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.service.account import Account
from worker.service.preflight import Preflight


class Needs:
    """A dependency that asks for a right. The table of routes reads it from here."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def caller(self, request: Request) -> Caller:
        """Who calls. Raises `Problem` for who may not."""
        caller: Caller = request.state.caller
        if self.right not in caller.rights:
            held = ", ".join(sorted(caller.rights)) or "nothing"
            raise Problem(
                ProblemCode.NOT_ALLOWED,
                f"this needs the scope {self.right}, and the API key has {held}",
                extensions={"required_scope": self.right.value},
            )
        return caller


class _OfAccount(Needs):
    def __call__(self, request: Request) -> Account:
        caller = self.caller(request)
        preflight: Preflight = request.app.state.preflight
        if caller.key.account_id is None:
            raise Problem(ProblemCode.NOT_ALLOWED, "this is an operator's key, which belongs to no account")
        return preflight.account_by_id(caller.key.account_id, actor=caller.actor)


class _OfService(Needs):
    def __call__(self, request: Request) -> tuple[Preflight, Caller]:
        return request.app.state.preflight, self.caller(request)


def needs(right: Right) -> Any:
    """The use cases of the caller's account: `account: Annotated[Account, needs(Right.READ)]`."""
    return Depends(_OfAccount(right))


def operates() -> Any:
    """The whole service and who calls, for operators: `Annotated[tuple[Preflight, Caller], operates()]`."""
    return Depends(_OfService(Right.OPERATE))
