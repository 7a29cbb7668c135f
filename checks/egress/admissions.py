"""What it means from which of our addresses a server was reached. Pure: what was met in, the endpoint's result out."""

from collections.abc import Sequence
from dataclasses import replace

from checks.codes import CODES, Blame, Code, Verdict, verdict_of
from checks.model import Admission, EndpointResult, Outcome, Warn
from checks.network.address_policy import parsed

BLOCKED = frozenset({Outcome.REFUSED, Outcome.DROPPED, Outcome.CLOSED, Outcome.SILENT, Outcome.BLOCKED, Outcome.BANNED})
"""How an address is kept out."""
_NO_MATTER = frozenset({Outcome.NO_FAMILY, Outcome.NOT_HERE, Outcome.UNREACHABLE})
_OF_THE_PATH = (Blame.NETWORK, Blame.US)


def understood(met: Sequence[Admission]) -> tuple[Admission, ...]:
    """The same, compared: where another address of its family gets through there is a way, so no way is a refusal."""
    through = {_family(each) for each in met if each.outcome is Outcome.ADMITTED}
    return tuple(
        replace(each, outcome=Outcome.REFUSED)
        if each.outcome is Outcome.UNREACHABLE and _family(each) in through
        else each
        for each in met
    )


def judged(result: EndpointResult, met: Sequence[Admission]) -> EndpointResult:
    """The endpoint's result with what its firewall does to our static addresses.

    Where nobody gets through it is no matter of addresses. Where some do not and others do, whoever comes from those
    would be disconnected: it fails, unless a whole family of addresses is let in, for each of us has one of both.
    """
    admissions = understood(met)
    result = replace(result, admissions=admissions)
    blocked = [each for each in admissions if each.outcome in BLOCKED and not each.shared]
    through = [each for each in admissions if each.outcome is Outcome.ADMITTED]
    banned = any(each.outcome is Outcome.BANNED for each in blocked)  # whoever was let in at first is kept out since
    if not blocked or not (through or banned):
        return result
    facts = {
        **result.facts,
        "host": result.endpoint.host,
        "port": str(result.endpoint.port),
        "protocol": result.endpoint.protocol.label,
        "addresses": _listed(blocked),
        "admitted": _listed(through),
    }
    found = Warn(Code.CONNECT_NOT_ADMITTED, facts)
    if _other_family(admissions):
        return replace(result, warnings=(*result.warnings, found))
    if result.verdict is Verdict.OK or _of_the_path(result):
        verdict = verdict_of(found.code)
        return replace(result, verdict=verdict, code=found.code, facts=facts, seen=_seen(blocked), option=None)
    return replace(result, warnings=(*result.warnings, found))


def _of_the_path(result: EndpointResult) -> bool:
    """Whether it ended before the server had said anything: the comparison then tells more."""
    return CODES[result.code].blame in _OF_THE_PATH or result.code in (
        Code.CONNECT_REFUSED,
        Code.GREETING_REFUSED,
        Code.SERVER_BLOCKS_ADDRESS,
    )


def _other_family(admissions: Sequence[Admission]) -> bool:
    """Whether all static addresses of one family are let in."""
    static = [each for each in admissions if not each.shared and each.outcome not in _NO_MATTER]
    families = {_family(each) for each in static}
    by_family = ([each.outcome for each in static if _family(each) == family] for family in families)
    # one that is busy has let the connection in, and seventeen knocks at a time may make it so
    return any(Outcome.ADMITTED in met and set(met) <= {Outcome.ADMITTED, Outcome.BUSY} for met in by_family)


def _family(admission: Admission) -> int:
    return parsed(admission.source).version if admission.source else 0


def _listed(admissions: Sequence[Admission]) -> str:
    """The addresses, '' where they are not known: the wording has a neutral word then."""
    return ", ".join(each.source for each in admissions if each.source)


def _seen(blocked: Sequence[Admission]) -> str:
    return "; ".join(f"{each.source}: {each.seen or each.outcome}" for each in blocked)


def banned_since(before: Sequence[Admission], now: Sequence[Admission]) -> tuple[Admission, ...]:
    """What was found first, with what a second look found: who was let in then and is kept out now was banned."""
    later = {each.source: each for each in now if not each.shared}
    return tuple(
        replace(each, outcome=Outcome.BANNED, seen=met.seen)
        if not each.shared
        and each.outcome is Outcome.ADMITTED
        and (met := later.get(each.source)) is not None
        and met.outcome in BLOCKED | {Outcome.UNREACHABLE}
        else each
        for each in before
    )
