"""What came of an attempt to connect, put into words."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.clients.comparison import client_facts
from checks.codes import CODES, Blame, Code
from checks.language import Language
from checks.messages import blame_word, wording
from checks.messages.endpoints import endpoint_facts, place_facts
from checks.model import EndpointResult, Facts, Protocol
from checks.settings import Settings


@dataclass(frozen=True, slots=True)
class Words:
    """A code: what it means, what to do, who acts, and the form field to look at."""

    message: str
    advice: str
    blame: Blame
    who_acts: str
    field: str | None


def words_of(code: Code, facts: Facts, language: Language) -> Words:
    """The words for a code that was met with these facts."""
    words, blame = wording(code, facts, language), CODES[code].blame
    return Words(words.sentence, words.advice, blame, blame_word(blame, language), words.field)


def facts_of(code: Code, protocol: str | None, endpoints: Sequence[EndpointResult], settings: Settings | None) -> Facts:
    """Where a code was met. What was found of a server counts where it is the same cause."""
    for result in endpoints:
        if result.endpoint.protocol == protocol:
            place = endpoint_facts(result) if result.code is code else place_facts(result.endpoint)
            return {**place, **client_facts(code, result.endpoint.protocol, result.client)}
    for endpoint in settings.endpoints if settings else ():
        if endpoint.protocol == protocol:
            return place_facts(endpoint)
    return {"protocol": Protocol(protocol).label} if protocol else {}
