"""Whether a failure says something about the settings in force too, without another login. Pure, over both kinds."""

import pytest

from checks.codes import Code
from checks.model import Endpoint, Protocol, Security
from checks.settings import ExchangeSettings, ImapSettings, Settings
from worker.runs.same_failure import same_failure

IMAP = ImapSettings(
    Endpoint(Protocol.IMAP, "mail.lab.example", 993, Security.TLS),
    Endpoint(Protocol.SMTP, "mail.lab.example", 465, Security.TLS),
)
EWS = ExchangeSettings("https://mail.lab.example/EWS/Exchange.asmx")
TYPED = ExchangeSettings(EWS.url, typed="mail.lab.example")
PATH = ExchangeSettings("https://mail.lab.example/mail/EWS/Exchange.asmx")
PORT = ExchangeSettings("https://mail.lab.example:444/EWS/Exchange.asmx")
HOST = ExchangeSettings("https://other.lab.example/EWS/Exchange.asmx")
OPTION = ExchangeSettings(EWS.url, allow_insecure_certificate=True)


@pytest.mark.parametrize(
    ("proposed", "in_force", "protocol", "code", "same"),
    [
        (EWS, EWS, Protocol.HTTPS, Code.EXCHANGE_EWS_DISABLED, True),
        (EWS, TYPED, Protocol.HTTPS, Code.EXCHANGE_EWS_DISABLED, True),
        (EWS, OPTION, Protocol.HTTPS, Code.EXCHANGE_EWS_DISABLED, False),
        (EWS, OPTION, Protocol.HTTPS, Code.AUTH_REJECTED, True),
        (EWS, PATH, Protocol.HTTPS, Code.AUTH_REJECTED, True),
        (EWS, PATH, Protocol.HTTPS, Code.EXCHANGE_MAILBOX_NOT_FOUND, False),
        (EWS, PATH, Protocol.HTTPS, Code.EXCHANGE_NOT_FOUND, False),
        (EWS, PORT, Protocol.HTTPS, Code.AUTH_REJECTED, False),
        (EWS, HOST, Protocol.HTTPS, Code.AUTH_REJECTED, False),
        (EWS, IMAP, Protocol.HTTPS, Code.AUTH_REJECTED, False),
        (IMAP, EWS, Protocol.IMAP, Code.AUTH_REJECTED, False),
        (IMAP, IMAP, Protocol.IMAP, Code.AUTH_REJECTED, True),
        (IMAP, IMAP, Protocol.SMTP, Code.CONNECT_REFUSED, True),
    ],
)
def test_what_is_known_of_the_settings_in_force(
    proposed: Settings, in_force: Settings, protocol: Protocol, code: Code, same: bool
) -> None:
    assert same_failure(proposed, in_force, protocol, code) is same
