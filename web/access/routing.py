"""Routes that ask for their right before the body of a request is read, and are done once for one Idempotency-Key."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from web.access.granted import Needs
from web.limits.rates import Policy, count_request, is_expensive
from web.limits.reading import MOST_BYTES, readable
from web.repetition.once import answered, keeps_afterwards, once

PUBLIC_TAG = "public"


class GuardedRoute(APIRoute):
    """A route whose handler is given what needs a right, or which says that it is public."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # Ours to hold: the framework's own limit answers in plain text.
        self.most_bytes: int = options.pop("max_body_size", None) or MOST_BYTES
        self._afterwards = keeps_afterwards(endpoint)
        # FastAPI builds what it calls anew, from the endpoint, where a router is included.
        super().__init__(path, endpoint if self._afterwards else once(self, endpoint), **options)
        self.needs = next(_needed(self.dependant), None)
        if self.needs is None and PUBLIC_TAG not in self.tags:
            raise TypeError(f"{self.path} names no right; if nobody needs one, tag it {PUBLIC_TAG!r}")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the question whether the caller may have it."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if self.needs is None:
                return await handler(request)
            caller = self.needs.caller(request)
            if is_expensive(self.endpoint):
                await count_request(request, request.app.state.rates, Policy.EXPENSIVE, caller.key.id)
            request = await readable(request, wants_json=self.body_field is not None, most=self.most_bytes)
            return await answered(request, caller.key.id, handler, afterwards=self._afterwards)

        return guarded


def router(tag: str) -> APIRouter:
    """The router of one resource, all of whose routes are guarded."""
    return APIRouter(tags=[tag], route_class=GuardedRoute)


def _needed(dependant: Dependant) -> "Any":
    if isinstance(dependant.call, Needs):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _needed(inner)
