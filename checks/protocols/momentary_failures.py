"""What a login may meet that says more about the moment than about the mailbox."""

from checks.codes import Code

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
