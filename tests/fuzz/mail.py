"""Targets of IMAP and SMTP: the words before a login, and the answers to one."""

import re

from checks import redact
from checks.clients.python import PYTHON
from checks.model import Credential, CredentialKind
from checks.protocols.dialect import Dialect, Greeting, Habits, require_usable
from checks.protocols.imap import dialect as imap
from checks.protocols.smtp import dialect as smtp
from tests.fuzz.pair import says
from tests.fuzz.target import Target, lines_of

SECRET = "Planted-secret-4711"
_WHOLE_TAG = re.compile(rb"^MP\d+ OK\b", re.MULTILINE | re.IGNORECASE)
_ACCEPTED = re.compile(rb"^235[ \r\n]|^503[ -].*already ", re.MULTILINE | re.IGNORECASE)
_WORDS = (
    b"* OK ", b"* BYE ", b"* NO ", b"* PREAUTH ", b"* CAPABILITY ", b"[CAPABILITY ", b"MP0 OK", b"MP1 OK ", b"MP0 NO ",
    b"MP0 BAD ", b"+", b"+ ", b"{5}\r\n", b"{99999}", b"[AUTHENTICATIONFAILED]", b"[UNAVAILABLE]", b"AUTH=PLAIN",
    b"AUTH=XOAUTH2", b"SASL-IR", b"LOGINDISABLED", b"STARTTLS", b"* 1 EXISTS\r\n", b"* FLAGS ()\r\n", b"220 ", b"220-",
    b"235 ", b"235-", b"250 ", b"250-", b"334 ", b"334 eyJzdGF0dXMiOiI0MDAifQ==", b"421 ", b"454 ", b"535 5.7.8 ",
    b"250 AUTH PLAIN LOGIN", b"account account ", b"too many connections ",
)  # fmt: skip


def _before(dialect: Dialect, data: bytes) -> bool:
    with says(data) as stream:
        greeting = dialect.greet(stream)
        offered = tuple(map(redact.words, dialect.capabilities(stream, greeting, PYTHON)[:200]))
        require_usable(dialect, offered, PYTHON)
    return False


def _starttls(dialect: Dialect, data: bytes) -> bool:
    with says(data) as stream:
        dialect.starttls(stream, dialect.greet(stream), PYTHON)
    return False


def log_in(dialect: Dialect, data: bytes, capabilities: tuple[str, ...], *, token: bool = False) -> bool:
    kind = CredentialKind.OAUTH2_TOKEN if token else CredentialKind.PASSWORD
    with says(data) as stream:
        dialect.login(stream, Credential("somebody", SECRET, kind), Greeting(""), capabilities, Habits(), PYTHON)
    return True


def _imap(data: bytes) -> bool:
    return len(_WHOLE_TAG.findall(data)) > 1


def _smtp(data: bytes) -> bool:
    return bool(_ACCEPTED.search(data))


TARGETS = (
    Target("imap-before", lines_of("imap-before"), _WORDS, lambda data: _before(imap.DIALECT, data)),
    Target("imap-starttls", lines_of("imap-before"), _WORDS, lambda data: _starttls(imap.DIALECT, data)),
    Target(
        "imap-plain",
        lines_of("imap-login"),
        _WORDS,
        lambda data: log_in(imap.DIALECT, data, ("SASL-IR", "AUTH=PLAIN")),
        _imap,
    ),
    Target("imap-command", lines_of("imap-login"), _WORDS, lambda data: log_in(imap.DIALECT, data, ()), _imap),
    Target(
        "imap-token",
        lines_of("imap-login"),
        _WORDS,
        lambda data: log_in(imap.DIALECT, data, ("AUTH=XOAUTH2",), token=True),
        _imap,
    ),
    Target("smtp-before", lines_of("smtp-before"), _WORDS, lambda data: _before(smtp.DIALECT, data)),
    Target("smtp-starttls", lines_of("smtp-before"), _WORDS, lambda data: _starttls(smtp.DIALECT, data)),
    Target("smtp-login", lines_of("smtp-login"), _WORDS, lambda data: log_in(smtp.DIALECT, data, ()), _smtp),
    Target(
        "smtp-token", lines_of("smtp-login"), _WORDS, lambda data: log_in(smtp.DIALECT, data, (), token=True), _smtp
    ),
)
