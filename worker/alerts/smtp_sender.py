"""Sends one message by SMTP to where an Apprise URL says.

Apprise's own sending gives every message, and every repeat, another Message-ID: no receiver could tell a repeat.
"""

import base64
import contextlib
import email
import smtplib
import ssl
from collections.abc import Callable
from typing import Any

from checks import redact
from worker.alerts import response_limit
from worker.alerts.message import Message, NotSent

_SECONDS = 15.0
"""The longest that one answer of the mail server may take."""
_FAREWELL_SECONDS = 2.0
_LOGGED_IN, _ASKED = 235, 334
_NUL = "\0"
_NAMELESS = "[127.0.0.1]"  # until the connection has an address: else a name would be looked up
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def exposes_password(plugin: Any) -> bool:
    """Whether a password would leave this machine before TLS (RFC 8314, section 3)."""
    return bool(plugin.password and plugin.secure_mode == "insecure" and plugin.smtp_host not in _HERE)


def post(plugin: Any, message: Message) -> bool:
    """Sends with an id of ours: Apprise's own sending gives every message, and every repeat, a new Message-ID."""
    secrets = (plugin.password or "", plugin.user or "")
    try:
        text = _composed(plugin, message)
        with contextlib.closing(_connected(plugin)) as server:
            server.sendmail(plugin.from_addr[1], [plugin.targets[0][1]], text)
            _say_goodbye(server)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise NotSent(_said("refused the recipient", code, words, secrets)) from None
    except smtplib.SMTPResponseException as error:
        what = "rejected the login" if isinstance(error, smtplib.SMTPAuthenticationError) else "refused the message"
        raise NotSent(_said(what, error.smtp_code, error.smtp_error, secrets)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"the mail server could not be used: {redact.words(_reason(error), *secrets)}") from None
    except UnicodeError:
        raise NotSent("the mail address or the user name has characters that the mail server cannot take") from None
    except Exception:  # noqa: BLE001 - Apprise's, or of words nobody expects of a mail server; they may hold secrets
        raise NotSent("the mail could not be made, or the mail server's answer was not understood") from None
    return True


def _composed(plugin: Any, message: Message) -> str:
    prepared = plugin.prepare_emails(
        subject=message.subject,
        body=message.text,
        from_addr=plugin.from_addr,
        to=plugin.targets,
        reply_to=plugin.reply_to,
        smtp_host=plugin.smtp_host,
        notify_format="text",
        headers={**plugin.headers, "Auto-Submitted": "auto-generated"},  # RFC 3834: nobody answers by itself
        names=plugin.names,
    )
    mail = email.message_from_string(next(prepared).body)
    del mail["Message-ID"]
    mail["Message-ID"] = f"<{message.id}@mail-preflight.{plugin.from_addr[1].rpartition('@')[2]}>"
    return mail.as_string()


def _connected(plugin: Any) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if not plugin.verify_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if plugin.secure_mode == "ssl":
        server: smtplib.SMTP = response_limit.SecureMailServer(
            plugin.smtp_host, plugin.port, local_hostname=_NAMELESS, timeout=_SECONDS, context=context
        )
    else:
        server = response_limit.MailServer(plugin.smtp_host, plugin.port, local_hostname=_NAMELESS, timeout=_SECONDS)
    server.local_hostname = _own_name(server)
    try:
        if plugin.secure_mode == "starttls":
            server.starttls(context=context)
        if plugin.user and plugin.password:
            _log_in(server, plugin.user, plugin.password)
    except BaseException:
        server.close()
        raise
    return server


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """Sends the password once. `smtplib` by itself tries the next mechanism after a rejection: two for one mistake."""
    server.ehlo_or_helo_if_needed()
    offered = server.esmtp_features.get("auth", "").upper().split()
    server.user, server.password = user, password
    known: dict[str, Callable[[smtplib.SMTP], tuple[int, bytes]]] = {
        "PLAIN": _plain,
        "LOGIN": _login,
        "CRAM-MD5": lambda server: server.auth("CRAM-MD5", server.auth_cram_md5),
    }
    mechanism = next((name for name in known if name in offered), None)
    if mechanism is None:
        raise smtplib.SMTPNotSupportedError(f"it offers none of AUTH {', '.join(known)}")
    code, words = known[mechanism](server)
    if code != _LOGGED_IN:  # smtplib takes 503 for "logged in already", and Exim refuses with it
        raise smtplib.SMTPAuthenticationError(code, words)


def _plain(server: smtplib.SMTP) -> tuple[int, bytes]:
    """AUTH PLAIN (RFC 4616). `smtplib` sends ASCII only; names and passwords are UTF-8, as mailboxes send them."""
    return server.docmd("AUTH", f"PLAIN {_encoded(f'{_NUL}{server.user}{_NUL}{server.password}')}")


def _login(server: smtplib.SMTP) -> tuple[int, bytes]:
    """AUTH LOGIN: user name, then password, each asked for with 334."""
    code, words = server.docmd("AUTH", "LOGIN")
    for text in (server.user, server.password):
        if code == _ASKED:
            code, words = server.docmd(_encoded(str(text)))
    return code, words


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _own_name(server: smtplib.SMTP) -> str:
    """An address literal (RFC 5321, 4.1.3): a machine's name may have letters that a mail server refuses."""
    if server.sock is None:
        return _NAMELESS
    address = str(server.sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _say_goodbye(server: smtplib.SMTP) -> None:
    """The message is accepted: whatever goes wrong now is no failure."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if server.sock:
            server.sock.settimeout(_FAREWELL_SECONDS)
        server.quit()


def _said(what: str, code: int, words: bytes | str, secrets: tuple[str, ...]) -> str:
    return f"the mail server {what}: {code} {redact.words(words, *secrets)}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error)
