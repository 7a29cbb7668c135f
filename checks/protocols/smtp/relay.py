"""SMTP without a login: a relay that admits clients by their address, as the settings say of it."""

from checks.clients.profile import ClientProfile
from checks.model import Credential, CredentialKind
from checks.network.stream import Stream
from checks.protocols.dialect import Greeting, Habits
from checks.protocols.smtp.dialect import Smtp, say_hello
from checks.protocols.smtp.sender import offer_sender


class Relay(Smtp):
    """The dialect. No credential is sent; whether the relay takes the mailbox's address as a sender is what counts."""

    def ways(self, capabilities: tuple[str, ...], kind: CredentialKind, client: ClientProfile) -> tuple[str, ...]:  # noqa: ARG002 - nobody logs in
        return ()

    def login(
        self,
        stream: Stream,
        credential: Credential,
        greeting: Greeting | None,  # noqa: ARG002 - IMAP's
        capabilities: tuple[str, ...],
        habits: Habits,  # noqa: ARG002 - there is no login to learn from
        client: ClientProfile,
    ) -> None:
        capabilities = say_hello(stream, client.smtp.ehlo_name)
        offer_sender(stream, credential, capabilities, logged_in=False)


DIALECT = Relay()
