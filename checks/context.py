"""What a check is given besides its subject."""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.model import Credential, Endpoint, EndpointResult, LoginResult, Pin
from checks.network.address_policy import AddressPolicy
from checks.network.static_addresses import StaticAddress
from checks.network.way_out import Source, WayOut
from checks.tokens import Tokens
from checks.trust import Trust

ENDPOINT_SECONDS = 20.0
LOGIN_SECONDS = 30.0  # Dovecot answers a failed login after up to 15 seconds


def _at_once(_addresses: Sequence[str]) -> None:
    """Nobody is waited for."""


class Route(typing.Protocol):
    """What the logins of one run to one endpoint share."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it leads to."""

    @property
    def learned(self) -> Mapping[str, str]:
        """What the logins have learned of the server, for those of other processes."""

    def log_in(self, credential: Credential, context: "CheckContext", address: str) -> LoginResult:
        """One login, never a second one. `address` is the mailbox, '' where it is the user name. Raises no `Fault`."""


class Script(typing.Protocol):
    """Stands where the network would: what is found is told by names, and nothing is connected to."""

    def check_endpoint(self, endpoint: Endpoint, context: "CheckContext") -> EndpointResult:
        """What the check of an endpoint comes to."""

    def open_route(self, result: EndpointResult) -> Route:
        """The route to an endpoint that passed."""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """`let_through` names exceptions that belong to the caller's own control flow, such as a task's time limit.

    `domain` is that of the mailboxes, '' where it is not known. `tokens` are those of applications, for one run.
    `pins`: the keys that an admin let in, by the endpoint as text (`imap://host:port`); with another one the option
    does not count. `fetch_issuers`: look for issuers that were not sent where the certificate says they are.
    `revocation`: ask whether an accepted certificate was revoked. `thorough`: also ask what no client would, whether
    TLS versions of old are accepted; it costs a connection, and servers log it as a failed handshake.
    `admit` is called with the addresses of an endpoint before the first connection to them, and may wait: that is not
    counted against the deadline. `client` is the one that will really connect: logins are as it logs in, and verdicts
    are what it meets.
    `source`: where connections leave from; the one that is shared, where `static` are those that they leave from in its
    place, and that are compared with it. `shared_name` is what others see of it, '' where that is not known.
    `script`: that of a sandbox, which then answers in place of every server; None where the world does.
    `canaries`: the logins are a run's first ones, which may find out for all others what none may try by itself.
    """

    trust: Trust = field(default_factory=Trust)
    policy: AddressPolicy = field(default_factory=AddressPolicy)
    deadline_seconds: float = ENDPOINT_SECONDS
    login_seconds: float = LOGIN_SECONDS
    allow_insecure_certificate: bool = False
    source: Source = field(default_factory=Source)
    static: tuple[StaticAddress, ...] | None = None
    shared_name: str = ""
    domain: str = ""
    tokens: Tokens = field(default_factory=Tokens, compare=False, repr=False)
    pins: Mapping[str, Pin] = field(default_factory=dict)
    fetch_issuers: bool = True
    revocation: bool = False
    thorough: bool = False
    admit: Callable[[Sequence[str]], None] = field(default=_at_once, compare=False, repr=False)
    script: Script | None = None
    canaries: bool = False
    client: ClientProfile = PYTHON
    let_through: tuple[type[Exception], ...] = ()

    @property
    def way_out(self) -> WayOut:
        """How connections leave."""
        return WayOut(self.policy, self.source)

    def pin_of(self, result: EndpointResult) -> Pin | None:
        """The key that logins must meet: the one that an admin let in, else the one that the check has just met.

        None where the chain was accepted: then verification is what counts.
        """
        return self.pins.get(str(result.endpoint), result.pin) if result.insecure else None
