"""How often a key may ask: so many requests a minute, told in `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11).

Counted in Redis where there are several processes. Where Redis is away, everybody is let through.
"""

import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import StorageTypes, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.limits.proxies import address_of
from web.problems.codes import ProblemCode
from web.problems.problem import Problem, answer
from worker.config import Config

log = logging.getLogger(__name__)

_SECONDS = 60
_PAUSE_SECONDS = 10.0  # before a Redis that is away is asked again
_PATIENCE_SECONDS = 0.5
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ADDRESSES = 6  # how many may guess one user's password before the user has to wait, too
_MARK = "expensive"
_UNAUTHORIZED = 401
Handler = TypeVar("Handler", bound=Callable[..., object])


class Policy(StrEnum):
    """What is counted together."""

    READ = "read"
    WRITE = "write"
    EXPENSIVE = "expensive"
    FAILURES = "failures"
    """Requests of one address whose key is none."""
    SIGN_IN = "sign-in"
    """Attempts to sign in to the page, of one address; and to change a password, of one user who is signed in."""
    SIGN_IN_AS = "sign-in-as"
    """Those as one user, from wherever: so many more that an address that guesses keeps nobody else out."""


@dataclass(frozen=True, slots=True)
class Count:
    """How a policy stands for somebody: `seconds` until it begins anew."""

    policy: Policy
    quota: int
    remaining: int
    seconds: int
    exceeded: bool


def expensive(handler: Handler) -> Handler:
    """Marks a handler that makes us ask mail servers."""
    setattr(handler, _MARK, True)
    return handler


def is_expensive(handler: Callable[..., object]) -> bool:
    """Whether a handler is marked so."""
    return getattr(handler, _MARK, False)


class Rates:
    """What was asked for in this minute."""

    def __init__(self, config: Config) -> None:
        self._quotas: Mapping[Policy, int] = {
            Policy.READ: config.web_rate_read,
            Policy.WRITE: config.web_rate_write,
            Policy.EXPENSIVE: config.web_rate_expensive,
            Policy.FAILURES: config.web_rate_failures,
            Policy.SIGN_IN: config.web_rate_sign_in,
            Policy.SIGN_IN_AS: config.web_rate_sign_in * _ADDRESSES,
        }
        self._shared = not config.embedded
        self._limiter = FixedWindowRateLimiter(_storage(config))
        self._away_until = 0.0

    async def count(self, policy: Policy, who: str) -> Count | None:
        """Counts one request of somebody; None where the policy has no limit, or nobody can count."""
        quota = self._quotas[policy]
        if not quota or time.monotonic() < self._away_until:
            return None
        try:
            if self._shared:
                return await run_in_threadpool(self._count, policy, quota, who)
            return self._count(policy, quota, who)
        except StorageError as error:
            if not self._away_until:
                log.warning("requests are not counted: Redis is away (%s)", type(error.storage_error).__name__)
            self._away_until = time.monotonic() + _PAUSE_SECONDS
            return None

    def _count(self, policy: Policy, quota: int, who: str) -> Count:
        item = RateLimitItemPerMinute(quota)
        allowed = self._limiter.hit(item, policy, who)
        stats = self._limiter.get_window_stats(item, policy, who)
        self._away_until = 0.0
        seconds = min(_SECONDS, max(1, round(stats.reset_time - time.time())))
        return Count(policy, quota, max(0, stats.remaining), seconds, not allowed)


def _storage(config: Config) -> StorageTypes:
    if config.embedded:
        return storage_from_string("memory://")
    options = {"socket_timeout": _PATIENCE_SECONDS, "socket_connect_timeout": _PATIENCE_SECONDS}
    url = config.broker_url.get_secret_value()
    return storage_from_string(url, wrap_exceptions=True, key_prefix="mail-preflight-rates", **options)


class RateLimits:
    """Middleware inside the authentication: counts what a key asks for, and tells how it stands."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope.get("state", {}).get("caller")
        if scope["type"] != "http" or caller is None:
            await self._app(scope, receive, send)
            return
        policy = Policy.READ if scope["method"] in _READING else Policy.WRITE
        counts: list[Count] = []
        scope["state"]["counts"] = counts

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and counts:
                MutableHeaders(scope=message).update(headers_of(counts))
            await send(message)

        try:
            await count_request(Request(scope), self._rates, policy, caller.key.id)
        except Problem as problem:
            await answer(Request(scope), problem)(scope, receive, told)
            return
        await self._app(scope, receive, told)


async def count_request(request: Request, rates: Rates, policy: Policy, who: str) -> None:
    """Counts a request once more. Raises `Problem` where that is too much."""
    found = await rates.count(policy, who)
    if found is None:
        return
    request.state.counts.append(found)
    if found.exceeded:
        raise too_many(found)


def too_many(count: Count) -> Problem:
    """The problem of who asks too often."""
    return Problem(
        ProblemCode.TOO_MANY_REQUESTS,
        f"{count.quota} requests of the kind {count.policy.value!r} may come in a minute; go on in {count.seconds} s",
        extensions={"violated_policies": [count.policy.value], "retry_after": count.seconds},
        headers={"Retry-After": str(count.seconds)},
    )


def headers_of(counts: list[Count]) -> dict[str, str]:
    """The fields that tell of policies, and how they stand."""
    return {
        "RateLimit-Policy": ", ".join(f'"{each.policy}";q={each.quota};w={_SECONDS}' for each in counts),
        "RateLimit": ", ".join(f'"{each.policy}";r={each.remaining};t={each.seconds}' for each in counts),
    }


class FailureLimits:
    """Middleware around the authentication: an address that goes on with wrong keys hears 429 instead of 401.

    A key that is right is served whoever else is behind the same address: nobody can lock out a neighbour.
    """

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: Count | None = None

        async def watched(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == _UNAUTHORIZED:
                count = await self._rates.count(Policy.FAILURES, neighbourhood(scope))
                if count is not None and count.exceeded:
                    refused = count
                    await answer(Request(scope), too_many(count))(scope, receive, send)
            if refused is None:
                await send(message)

        await self._app(scope, receive, watched if scope["type"] == "http" else send)


def neighbourhood(scope: Scope) -> str:
    """An address as one sender: of IPv6, whoever has one has the 2^64 beside it."""
    host = scope["client"][0] if scope.get("client") else ""
    found = address_of(host)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or host)
