"""Whether a mailbox may send: MAIL FROM and RSET. No recipient is ever named, and nothing is sent.

A login is no proof: many servers take one and refuse the address of the mailbox as a sender, because the user name that
logged in is another. A server that judges senders only once a recipient is named (Postfix, as it comes) is not seen
through.
"""

from collections.abc import Collection

from checks.codes import Code
from checks.model import Credential, Fault
from checks.network.stream import Stream
from checks.protocols.smtp.replies import translate_mail
from checks.protocols.smtp.wire import read_reply


def offer_sender(
    stream: Stream, credential: Credential, capabilities: Collection[str], *, logged_in: bool = True
) -> None:
    """Offers the mailbox's address as a sender, and takes it back. Raises `Fault` and `OSError`.

    RSET goes out with MAIL where the server lets commands be sent ahead (RFC 2920).
    """
    mail = _mail(credential.sender, capabilities)
    pipelined = "PIPELINING" in capabilities
    stream.send(mail + (b"RSET\r\n" if pipelined else b""))
    status, text = read_reply(stream)
    if not pipelined and status != 421:
        stream.send(b"RSET\r\n")
        if status == 250:
            read_reply(stream)
    if status != 250:
        code = translate_mail(status, text, logged_in=logged_in)
        raise Fault(code, f"{_about(credential, logged_in=logged_in)}: {status} {text}")


def _mail(sender: str, capabilities: Collection[str]) -> bytes:
    """The command. Raises `Fault` for an address that cannot be in one (RFC 5321, 4.1.2; RFC 6531, 3.3)."""
    if any(character in "<> " or not character.isprintable() for character in sender):
        raise Fault(Code.CREDENTIAL_UNREADABLE, "the address has a character that cannot be sent")
    if sender.isascii():
        return b"MAIL FROM:<" + sender.encode() + b">\r\n"
    if "SMTPUTF8" not in capabilities:
        raise Fault(Code.SMTP_SENDER_REFUSED, f"MAIL FROM:<{sender}>: the server does not offer SMTPUTF8")
    return b"MAIL FROM:<" + sender.encode() + b"> SMTPUTF8\r\n"


def _about(credential: Credential, *, logged_in: bool) -> str:
    """Both names, for whoever reads the server's words."""
    who = f"logged in as {credential.username}" if logged_in else "without a login"
    return f"MAIL FROM:<{credential.sender}>, {who}"
