"""What a check is given besides its subject."""

from dataclasses import dataclass, field

from checks.network import AddressPolicy
from checks.protocols.token_endpoint import Tokens
from checks.tls import Trust

ENDPOINT_SECONDS = 20.0
LOGIN_SECONDS = 30.0  # Dovecot answers a failed login after up to 15 seconds


@dataclass(frozen=True, slots=True)
class CheckContext:
    """`let_through` names exceptions that belong to the caller's own control flow, such as a task's time limit.

    `domain` is that of the mailboxes, '' where it is not known. `tokens` are those of applications, for one run.
    """

    trust: Trust = field(default_factory=Trust)
    policy: AddressPolicy = field(default_factory=AddressPolicy)
    deadline_seconds: float = ENDPOINT_SECONDS
    login_seconds: float = LOGIN_SECONDS
    allow_insecure_certificate: bool = False
    source_address: str | None = None
    domain: str = ""
    tokens: Tokens = field(default_factory=Tokens, compare=False, repr=False)
    let_through: tuple[type[Exception], ...] = ()
