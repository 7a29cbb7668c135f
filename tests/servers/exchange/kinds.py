"""What a scenario of the stand-in Exchange is made of."""

from dataclasses import dataclass
from typing import Literal

from tests.servers.exchange.soap import NO_ERROR
from tests.servers.exchange.wire import Answer

Scheme = Literal["Basic", "NTLM", "Negotiate", "Bearer", "Digest"]
Protection = Literal["off", "require", "other_certificate"]
"""Extended Protection (channel binding `tls-server-end-point`, RFC 5929): not looked at, demanded, or demanded of the
certificate of another machine, as behind a proxy that ends TLS."""
Transport = Literal["tls", "plain", "closed", "reset", "silent"]
Autodiscover = Literal["right", "other_host", "not_found"]


@dataclass(frozen=True, slots=True)
class EndpointScenario:
    """How the whole server behaves. `code` is what a check without credentials finds, `logon` what a mailbox with the
    right password gets. None of the fields below `warning` means: as the server was started.

    `front` answers every request, credentials or not, but those below `/mail/`.
    """

    name: str
    code: str
    what: str
    logon: str = "ok"
    warning: str = ""
    front: Answer | None = None
    schemes: tuple[Scheme, ...] | None = None
    protection: Protection | None = None
    transport: Transport = "tls"
    autodiscover: Autodiscover = "right"
    keep_alive: bool = True
    accepts_ntlm: bool = True
    names_version: bool = True


@dataclass(frozen=True, slots=True)
class MailboxScenario:
    """How one mailbox behaves to the right password. `mail` and `calendar` are the codes that a check finds.

    `refusal` answers instead of letting it in (a bad logon), `instead` answers after it was let in, else GetFolder is
    answered with the response codes `inbox` and `agenda`. `answers` cuts that answer short.
    """

    name: str
    mail: str
    what: str
    calendar: str = ""
    refusal: Answer | None = None
    instead: Answer | None = None
    inbox: str = NO_ERROR
    agenda: str = NO_ERROR
    answers: int = 2

    def __post_init__(self) -> None:
        if not self.calendar:
            object.__setattr__(self, "calendar", self.mail)

    @property
    def code(self) -> str:
        """The mailbox's own code: that of mail, or that of the calendar when mail is well."""
        return self.calendar if self.mail == "ok" else self.mail


Scenario = EndpointScenario | MailboxScenario
