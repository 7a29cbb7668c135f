"""What the people who run a firewall are asked for: our addresses, and where these connect to, as a text to send.

The texts are in the `egress.py` of each language.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.language import Language, Phrases, in_every_language
from checks.model import Endpoint

PHRASES = Phrases(in_every_language("checks.messages", "WORDS", "egress"))


@dataclass(frozen=True, slots=True)
class FirewallRequest:
    """A text for people, to be sent as it is. `explanation` says what it is about to those who do not know us."""

    language: Language
    subject: str
    explanation: str
    text: str


def firewall_request(
    domain: str,
    servers: Sequence[Endpoint],
    addresses: Sequence[str],
    language: Language = Language.EN,
    *,
    blocked: Sequence[str] = (),
) -> FirewallRequest:
    """The request to let `addresses` (ranges, as mail servers see them) in to the servers of a domain.

    `blocked` are those that were found not to be let in, as far as that is known. Holds no secret.
    """
    rule, lists = conditions(language)
    explanation = PHRASES(language, "request.explanation", domain=domain)
    parts = [
        PHRASES(language, "request.opening", domain=domain),
        PHRASES(language, "request.sources"),
        *(f"    {each}" for each in addresses),
        PHRASES(language, "request.targets"),
        *(f"    {target(server, language)}" for server in servers),
        rule,
    ]
    if blocked:
        parts.append(PHRASES(language, "request.blocked", addresses=language.listed(blocked)))
    parts.append(lists)
    return FirewallRequest(language, PHRASES(language, "request.subject", domain=domain), explanation, "\n".join(parts))


def conditions(language: Language) -> tuple[str, str]:
    """What a rule has to say besides addresses and servers, and where else they have to be let in."""
    return PHRASES(language, "request.rule"), PHRASES(language, "request.lists")


def target(server: Endpoint, language: Language) -> str:
    """A server as a rule names it."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return PHRASES(language, "request.target", host=host, port=server.port, protocol=server.protocol.label)
