"""The getter grants: what a handler works with comes from here, and only to who has the right that it names."""

from typing import Any

from fastapi import Depends
from starlette.requests import Request

from settings_store.access.roles import Right, Role
from web.access.caller import Caller
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.service.access.access import Access
from worker.service.account import Account
from worker.service.domains.connecting import Connecting
from worker.service.preflight import Preflight


class Needs:
    """A dependency that asks for a right. The table of routes reads it from here."""

    def __init__(self, right: Right | None) -> None:
        """`right` None: whoever has a key."""
        self.right = right

    def caller(self, request: Request) -> Caller:
        """Who calls. Raises `Problem` for who may not."""
        caller: Caller = request.state.caller
        if self.right is not None and self.right not in caller.rights:
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
        return preflight.account_by_id(_account_of(caller), actor=caller.actor)


class _OfMember(Needs):
    """A member is given their own domain and nothing else of the account."""

    def __call__(self, request: Request) -> Connecting:
        caller = self.caller(request)
        preflight: Preflight = request.app.state.preflight
        member_of = caller.key.domain_id
        if caller.key.role is Role.MEMBER and member_of is None:
            raise Problem(ProblemCode.NOT_ALLOWED, "this is a member's key, and the member belongs to no domain")
        return preflight.connecting(_account_of(caller), actor=caller.actor, member_of=member_of)


class _OfSandbox(_OfAccount):
    """What is in a sandbox only, and so for test keys."""

    def caller(self, request: Request) -> Caller:
        caller = super().caller(request)
        if caller.key.live:
            raise Problem(ProblemCode.NOT_ALLOWED, "time can be moved with a test key only, in its sandbox")
        return caller


class _OfService(Needs):
    def __call__(self, request: Request) -> tuple[Preflight, Caller]:
        return request.app.state.preflight, self.caller(request)


class _OfAccess(Needs):
    """A test key is less well kept than a live one, and the keys and users of an account are real to both."""

    def caller(self, request: Request) -> Caller:
        caller = super().caller(request)
        if not caller.key.live:
            raise Problem(ProblemCode.NOT_ALLOWED, "a test key manages neither keys nor users; use a live one")
        return caller

    def __call__(self, request: Request) -> Access:
        caller = self.caller(request)
        preflight: Preflight = request.app.state.preflight
        return preflight.access(caller.key.account_id, caller.actor, caller.key)


def _account_of(caller: Caller) -> int:
    if caller.key.account_id is None:
        raise Problem(ProblemCode.NOT_ALLOWED, "this is an operator's key, which belongs to no account")
    return caller.key.account_id


def needs(right: Right) -> Any:
    """The use cases of the caller's account: `account: Annotated[Account, needs(Right.READ)]`.

    Not for `Right.CONNECT`, which a member has: see `connects`.
    """
    if right is Right.CONNECT:
        raise TypeError("a member would have the whole account; ask for `connects()`")
    return Depends(_OfAccount(right))


def connects() -> Any:
    """What a member may do in their domain, and others in each: `connecting: Annotated[Connecting, connects()]`."""
    return Depends(_OfMember(Right.CONNECT))


def needs_in_sandbox(right: Right) -> Any:
    """The same for test keys only: `account: Annotated[Account, needs_in_sandbox(Right.READ)]`."""
    return Depends(_OfSandbox(right))


def manages_access() -> Any:
    """The keys and users of the caller's account: `access: Annotated[Access, manages_access()]`."""
    return Depends(_OfAccess(Right.ADMIN))


def has_key() -> Any:
    """Who calls, whatever they may do: `Annotated[tuple[Preflight, Caller], has_key()]`. Tells them of themselves."""
    return Depends(_OfService(None))


def operates() -> Any:
    """The whole service and who calls, for operators: `Annotated[tuple[Preflight, Caller], operates()]`."""
    return Depends(_OfService(Right.OPERATE))
