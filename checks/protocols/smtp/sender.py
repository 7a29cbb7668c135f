"""Whether a mailbox may send: MAIL FROM and RSET. No recipient is ever named, and nothing is sent.

A login is no proof: many servers take one and refuse the address of the mailbox as a sender, because the user name that
logged in is another. A server that judges senders only once a recipient is named (Postfix, as it comes) is not seen
through.
"""

import contextlib
from collections.abc import Collection

from checks import redact
from checks.codes import Code
from checks.model import Credential, Fault, Invalid
from checks.network.dial import Deadline
from checks.network.stream import Stream
from checks.protocols.dialect import Habits
from checks.protocols.smtp.replies import says_logged_in, translate_mail
from checks.protocols.smtp.wire import read_reply
from checks.settings import normalise_domain

_NO_ANSWER = frozenset({Code.PROTOCOL_ERROR, Code.CONNECT_CLOSED, Code.CREDENTIAL_UNREADABLE})
_REFUSALS = frozenset({Code.SMTP_SENDER_REFUSED, Code.SMTP_LOGIN_REQUIRED})
_MOMENT_SECONDS = 0.1
_PROBE_SECONDS = 5.0  # for an answer that nobody needs


def prove_sender(stream: Stream, credential: Credential, capabilities: Collection[str], habits: Habits) -> None:
    """Whether a mailbox that has logged in may send as itself. Raises `Fault` and `OSError`.

    Asked where the user name is not the address, or a canary has seen that the server judges senders. Others only look
    at what the server has said by then.
    """
    differs = credential.sender.casefold() != credential.username.casefold()
    if differs or habits.senders:
        _ask(stream, credential, capabilities, habits)
    elif habits.canaries and habits.senders is None and "@" in credential.sender:
        _probe(stream, credential, capabilities, habits)
    else:
        _listen(stream, habits)


def prove_login(stream: Stream, credential: Credential, capabilities: Collection[str], doubt: Fault) -> None:
    """What a 503 to AUTH comes to, which the client takes for a success: it goes on, and offers its sender.

    One that is taken proves a login only where the server has said that there is one already: others take senders from
    anybody, and refuse at the recipient. Raises `Fault`, which is `doubt` in that case, and `OSError`.
    """
    already, telling = says_logged_in(doubt.seen), doubt.code is not Code.PROTOCOL_ERROR
    try:
        offer_sender(stream, credential, capabilities, logged_in=False, who=f"after {doubt.seen}")
    except Fault as fault:
        if telling and fault.code in _NO_ANSWER:
            raise doubt from None
        if fault.code not in _REFUSALS or (already and fault.code is Code.SMTP_SENDER_REFUSED):
            raise
        raise Fault(doubt.code if telling else Code.AUTH_NOT_OFFERED, fault.seen) from None
    except ConnectionError:
        if telling:
            raise doubt from None
        raise
    if not already:
        raise doubt


def _ask(stream: Stream, credential: Credential, capabilities: Collection[str], habits: Habits) -> None:
    try:
        offer_sender(stream, credential, capabilities)
    except Fault as fault:
        if fault.code is Code.SMTP_SENDER_REFUSED:
            habits.senders = True
        raise
    habits.senders = bool(habits.senders)


def _probe(stream: Stream, credential: Credential, capabilities: Collection[str], habits: Habits) -> None:
    """As `_ask`, of a mailbox that has the address it logs in with: what is no answer is none about it."""
    whole = stream.deadline
    stream.deadline = Deadline(min(_PROBE_SECONDS, whole.remaining()))
    try:
        _ask(stream, credential, capabilities, habits)
    except Fault as fault:
        if fault.code not in _NO_ANSWER:
            raise
        habits.senders = False
    except TimeoutError:
        habits.senders = False
    finally:
        stream.deadline = whole


def _listen(stream: Stream, habits: Habits) -> None:
    """What comes unasked: Dovecot's submission service takes the login, and then leaves when its relay is down.

    The first login of a route waits for it, for a moment; so do those that follow one that met it.
    """
    line = stream.unasked(0.0 if habits.quiet else _MOMENT_SECONDS)
    parting = _parting(line) if line else None
    habits.quiet = parting is None
    if parting:
        raise parting


def _parting(line: bytes) -> Fault | None:
    """What a server says unasked after a success (421: RFC 5321, 3.8); None where it is no refusal."""
    words = redact.decoded(line)
    status = int(line[:3]) if line[:3].isdigit() else 0
    return Fault(translate_mail(status, words[4:], logged_in=True), words) if status >= 400 else None


def offer_sender(
    stream: Stream, credential: Credential, capabilities: Collection[str], *, logged_in: bool = True, who: str = ""
) -> None:
    """Offers the mailbox's address as a sender, and takes it back. Raises `Fault` and `OSError`.

    RSET goes out with MAIL where the server lets commands be sent ahead (RFC 2920). `who` offers it, in words; without
    it that is the user name that has logged in, or nobody.
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
        who = who or (f"logged in as {credential.username}" if logged_in else "without a login")
        raise Fault(
            code, f"MAIL FROM:<{credential.sender}>, {who}: {status} {text}"
        )  # both names, for whoever reads it


def _mail(sender: str, capabilities: Collection[str]) -> bytes:
    """The command. Raises `Fault` for an address that cannot be in one (RFC 5321, 4.1.2; RFC 6531, 3.3)."""
    if any(character in "<> " or not character.isprintable() for character in sender):
        raise Fault(Code.CREDENTIAL_UNREADABLE, "the address has a character that cannot be sent")
    local, at, domain = sender.rpartition("@")
    if local.isascii() and not domain.isascii():
        with contextlib.suppress(Invalid):
            sender = local + at + normalise_domain(domain)
    if sender.isascii():
        return b"MAIL FROM:<" + sender.encode() + b">\r\n"
    if "SMTPUTF8" not in capabilities:
        raise Fault(Code.SMTP_SENDER_REFUSED, f"MAIL FROM:<{sender}>: the server does not offer SMTPUTF8")
    return b"MAIL FROM:<" + sender.encode() + b"> SMTPUTF8\r\n"
