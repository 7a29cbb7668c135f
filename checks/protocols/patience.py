"""What a login may meet that passes: for how long a server wants to be left alone, and what is of the moment only.

What a server asks for, where it has judged no credential yet, comes as `Retry-After` (RFC 9110, 10.2.3), as
`BackOffMilliseconds` (EWS throttling), or in the words of a `421` (RFC 5321, 3.8) or of an untagged `BYE` (RFC 9051,
7.1.5); who only closes the door does not say how long.
"""

import re

from checks.codes import Code
from checks.model import Fault

MOST_SECONDS = 120.0
"""Nobody is waited for longer: a run has to end."""
USUAL_SECONDS = 15.0
"""Where the server does not say how long."""

FULL = frozenset({Code.SERVER_THROTTLED, Code.SERVER_TOO_MANY_CONNECTIONS})
_SHUT = frozenset({Code.CONNECT_CLOSED, Code.CONNECT_REFUSED})
# After the greeting a refusal may be about the password, whatever it says. These come in place of a judgement.
# RFC 4954, 6 (4yz is no rejection); RFC 5530, 3.
_IN_PLACE = re.compile(r"4\d\d\b|(?:\* )?BYE\b|NO \[(?:LIMIT|UNAVAILABLE)\]", re.IGNORECASE)
_WORDS = re.compile(r"\b(?:in|after|for|wait)\s+(\d{1,4})\s*(s|sec|seconds?|m|min|minutes?)\b", re.IGNORECASE)


def patience(fault: Fault, *, judged: bool) -> float:
    """Seconds until one more login may be made; 0 where none should. `judged`: the password may have been looked at.

    The fact `wait` of a fault is what the server asked for, in seconds.
    """
    in_place = "wait" in fault.facts or bool(_IN_PLACE.match(fault.seen))
    asks = fault.code in FULL or (in_place and fault.code is Code.SERVER_UNAVAILABLE)
    if not (asks and in_place if judged else asks or fault.code in _SHUT):
        return 0.0
    asked = float(fault.facts["wait"]) if "wait" in fault.facts else _in_words(fault.seen)
    return max(asked, 1.0) if asked <= MOST_SECONDS else 0.0


def _in_words(words: str) -> float:
    found = _WORDS.search(words[:1_000])
    if found is None:
        return USUAL_SECONDS
    return int(found[1]) * (60.0 if found[2][0] in "mM" else 1.0)


_MOMENTARY = frozenset(
    {
        Code.PROTOCOL_OVERSIZE,  # a flood
        # TLS had come about: an alert in clear text, or a record that is none, is what breaks a connection.
        Code.TLS_HANDSHAKE,
        Code.TLS_NO_SHARED_CIPHER,
        Code.TLS_PLAINTEXT_PORT,
        Code.TLS_UNKNOWN_SNI,
        Code.TLS_VERSION,
        Code.TLS_WEAK_DH,
    }
)
_MOST = 10_000  # mailboxes that are remembered for one route


class Moments:
    """Remembers, for the logins of one route, which mailbox met what. Twice the same is no matter of the moment."""

    def __init__(self) -> None:
        self._met: set[tuple[str, Code]] = set()

    def lasting(self, username: str, code: Code) -> bool:
        """Whether what a login came to may be taken for a fact about its mailbox."""
        if code not in _MOMENTARY:
            return True
        if (username, code) in self._met:
            return True
        if len(self._met) < _MOST:
            self._met.add((username, code))
        return False
