"""Whether a failure with the proposed settings says what those in force would come to."""

from checks.codes import CODES, Blame, Code
from checks.model import Endpoint, Protocol
from checks.settings import Settings

STANDARD = {Protocol.IMAP: {143, 993}, Protocol.SMTP: {25, 465, 587}, Protocol.HTTPS: {443}}


def same_failure(proposed: Settings, in_force: Settings, protocol: Protocol, code: Code) -> bool:
    """Whether a failure with the proposed settings is one with those in force too, without another login.

    It is where the endpoint is the same, or where the same server rejected the mailbox: a credential that a server
    rejected is not sent to it again. On other than the standard ports of one host, two servers may live; and behind
    another path of one server another Exchange, which has other mailboxes but asks the same directory for passwords.
    Who may send as whom is a matter of the port, too. From another address another firewall rule may hold.
    """
    new, old = _endpoint(proposed, protocol), _endpoint(in_force, protocol)
    if new is None or old is None or new.host != old.host:
        return False
    rejected = CODES[code].blame is Blame.MAILBOX and not code.startswith(("exchange.", "smtp."))
    if rejected and (new.port == old.port or {new.port, old.port} <= STANDARD[protocol]):
        return True
    same_source = proposed.static_addresses == in_force.static_addresses
    return new == old and trust_of(proposed) == trust_of(in_force) and same_source


def trust_of(settings: Settings) -> tuple[bool, str]:
    """What of the settings decides about certificates."""
    return settings.allow_insecure_certificate, settings.ca_pem


def _endpoint(settings: Settings, protocol: Protocol) -> Endpoint | None:
    """None where the settings are of the other kind."""
    return next((endpoint for endpoint in settings.endpoints if endpoint.protocol is protocol), None)
