"""The check of an endpoint from all static addresses: whole from one of them, and a knock from each, compared with the
address that others of ours leave from.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from checks.codes import Code, verdict_of
from checks.context import CheckContext
from checks.egress.admissions import judged
from checks.egress.knock import is_here, knock
from checks.model import Admission, Endpoint, EndpointResult, Fault, Outcome
from checks.network.address_policy import parsed
from checks.network.dial import Deadline, resolve
from checks.network.static_addresses import MOST, StaticAddress, first_source
from checks.network.way_out import Source

Check = Callable[[Endpoint, CheckContext], EndpointResult]

_AT_ONCE = 2 + MOST  # all of them, so that testing takes no longer than the slowest does
_LEAST_SECONDS = 5.0  # for the check itself, once everybody has knocked


def survey(endpoint: Endpoint, context: CheckContext, check: Check) -> EndpointResult:
    """The result of `check`, made from static addresses, with which of them the server admits. Raises as `check` does.

    It stays within the context's deadline, but for what the last of many knocks takes.
    """
    static = context.static or ()
    if not any(is_here(each.source) for each in static):
        return _without_source(endpoint)
    begun = time.monotonic()
    met = knock_from_all(endpoint, context, static)
    left = max(_LEAST_SECONDS, context.deadline_seconds - (time.monotonic() - begun))
    from_here = replace(
        context, static=None, source=first_source(usable(static, met)), deadline_seconds=left, admit=_at_once
    )
    return judged(check(endpoint, from_here), met)


def knock_from_all(
    endpoint: Endpoint, context: CheckContext, static: Sequence[StaticAddress], *, shared: bool = True
) -> tuple[Admission, ...]:
    """What each address meets, those of `static` first; then the shared one's, where `shared`.

    Empty where the server's name leads nowhere, which the check itself tells.
    """
    deadline = Deadline(context.deadline_seconds)
    try:
        addresses = resolve(endpoint.host, endpoint.port, context.policy, deadline)
    except (Fault, TimeoutError):
        return ()
    context.admit(addresses)
    sources = [(each.public, each.source, False) for each in static]
    if shared:
        sources += [(name, source, True) for name, source in _shared(context)]
    with ThreadPoolExecutor(min(_AT_ONCE, len(sources)), thread_name_prefix="knock") as pool:
        knocks = list(pool.map(lambda each: knock(endpoint, addresses, context, each[1]), sources))
    return tuple(
        Admission(name, each.outcome, shared=is_shared, seen=each.seen)
        for (name, _, is_shared), each in zip(sources, knocks, strict=True)
    )


def _shared(context: CheckContext) -> list[tuple[str, Source]]:
    """The shared addresses, each by itself: what the system would choose in the other family is another one."""
    bound = [address for address in (context.source.ipv4, context.source.ipv6) if address]
    if not bound:
        return [(context.shared_name, context.source)]
    names = [context.shared_name or bound[0]] if len(bound) == 1 else bound
    return [(name, Source.of(address, only=True)) for name, address in zip(names, bound, strict=True)]


def usable(static: Sequence[StaticAddress], met: Sequence[Admission]) -> list[StaticAddress]:
    """The addresses to leave from: those that are let in, where none is those that this machine has."""
    outcomes = {each.source: each.outcome for each in met if not each.shared}
    let_in = [each for each in static if outcomes.get(each.public) is Outcome.ADMITTED]
    return let_in or [each for each in static if outcomes.get(each.public) is not Outcome.NOT_HERE]


def login_sources(static: Sequence[StaticAddress], met: Sequence[Admission]) -> tuple[Source, ...]:
    """Where the logins leave from, in turn: the addresses that are let in, one of each family at a time."""
    addresses = [each.local for each in usable(static, met)]
    ipv4 = [address for address in addresses if parsed(address).version == 4]
    ipv6 = [address for address in addresses if parsed(address).version == 6]
    return tuple(
        Source(ipv4[place % len(ipv4)] if ipv4 else None, ipv6[place % len(ipv6)] if ipv6 else None, only=True)
        for place in range(max(len(ipv4), len(ipv6)))
    )


def _without_source(endpoint: Endpoint) -> EndpointResult:
    code = Code.ADDRESS_SOURCE_MISSING
    facts = {"host": endpoint.host, "port": str(endpoint.port), "protocol": endpoint.protocol.label}
    return EndpointResult(endpoint, verdict_of(code), code, facts=facts)


def _at_once(_addresses: Sequence[str]) -> None:
    """The knocks have waited already."""
