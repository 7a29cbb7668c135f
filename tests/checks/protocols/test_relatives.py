"""Refusals that name their cause, by kind: each kind has more wordings than the one that it was first met with."""

from typing import NamedTuple, cast

import pytest

from checks.codes import CODES, Blame, Code
from checks.protocols.exchange.response_codes import translate
from checks.protocols.imap.replies import ImapStage, translate_imap
from checks.protocols.smtp.replies import SmtpStage, translate_smtp


class Kind(NamedTuple):
    """What is meant, whoever words it: (stage, what the server says), with the reply code where it is SMTP."""

    code: Code
    blame: Blame
    lasts: bool
    said: tuple[tuple[str, str], ...]


KINDS = {
    "throttled, behind a 535": Kind(
        Code.SERVER_THROTTLED,
        Blame.SERVER,
        lasts=False,
        said=(
            ("auth", "535 5.7.8 Error: authentication failed: too many failed login attempts"),
            ("auth", "535 5.7.0 Too many logon failures, wait a while"),
            ("auth", "535 Authentication failed. Rate limit exceeded for this user"),
            ("auth", "535 Anmeldung fehlgeschlagen: zu viele Anmeldeversuche"),
            ("login", "NO [AUTHENTICATIONFAILED] Too many login failures for this account"),
            ("login", "NO [ALERT] Logging in too often"),
            ("auth", "535 5.7.8 You have exceeded the login limit"),
            ("login", "NO Login attempts exceeded"),
        ),
    ),
    "policy for our address": Kind(
        Code.SERVER_BLOCKS_ADDRESS,
        Blame.SERVER,
        lasts=True,
        said=(
            ("login", "NO [ALERT] Login from your country is not permitted"),
            ("login", "NO [AUTHENTICATIONFAILED] Access from 192.0.2.1 denied"),
            ("login", "NO GeoIP restriction: region not allowed"),
            ("login", "NO [ALERT] Your location is not allowed to log in"),
            ("auth", "535 5.7.1 Authentication is forbidden from this network"),
            ("auth", "550 5.7.1 Your IP address is banned"),
            ("auth", "503 AUTH is denied to this location"),
            ("login", "NO [ALERT] Connections from abroad are blocked for this account"),
            ("login", "NO [ALERT] login from this IP is blocked"),
            ("auth", "535 5.7.1 IP 192.0.2.1 is not in the list of permitted addresses"),
            ("auth", "550 Login from VPN blocked"),
            ("ehlo", "550 You are blocked"),
        ),
    ),
    "switched off for the mailbox": Kind(
        Code.AUTH_PROTOCOL_DISABLED,
        Blame.MAILBOX,
        lasts=True,
        said=(
            ("select", "NO [ALERT] IMAP access is disabled for your account"),
            ("select", "* BAD [ALERT] Activate IMAP in the web mail first"),
            ("select", "NO IMAP not enabled"),
            ("login", "NO [ALERT] Switch on IMAP in the settings"),
            ("login", "NO IMAP ist deaktiviert"),
            ("login", "NO [ALERT] IMAP access for this account is off"),
            ("login", "NO POP3/IMAP access is deactivated"),
            ("login", "NO Access to IMAP denied for this user"),
        ),
    ),
    "our address lacks reverse DNS": Kind(
        Code.SERVER_REVERSE_DNS,
        Blame.US,
        lasts=False,
        said=(
            ("greeting", "554 5.7.1 No PTR record for your address"),
            ("greeting", "421 4.7.1 rDNS required"),
            ("ehlo", "550 5.7.25 Reverse DNS validation failed"),
            ("ehlo", "554 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"),
            ("ehlo", "450 4.7.25 No valid name for the client"),
            ("greeting", "550 Unable to resolve your IP address 192.0.2.1"),
        ),
    ),
    "right password, denied service": Kind(
        Code.AUTH_POLICY,
        Blame.MAILBOX,
        lasts=True,
        said=(
            ("login", "NO Login failed: authorization failed"),
            ("login", "NO [AUTHORIZATIONFAILED] User may not use this"),
            ("login", "NO User is not authorized to log in here"),
            ("login", "NO service denied"),
            ("login", "NO You are not allowed to use this service"),
            ("auth", "535 5.7.8 Error: authentication failed: authorization denied"),
            ("auth", "550 5.7.1 Not authorised to use submission"),
        ),
    ),
    "the mailbox is broken": Kind(
        Code.MAILBOX_BROKEN,
        Blame.SERVER,
        lasts=True,
        said=(
            ("login", "* BYE [ALERT] Fatal error: Not a directory"),
            ("select", "* BYE [ALERT] Fatal error: Permission denied"),
            ("select", "NO chdir /srv/mail/ada: No such file or directory"),
            ("login", "NO Maildir does not exist"),
            ("login", "* BYE [ALERT] Mailbox directory not found"),
        ),
    ),
    "untagged, of the server itself": Kind(
        Code.SERVER_UNAVAILABLE,
        Blame.SERVER,
        lasts=False,
        said=(
            ("login", "* BAD [UNAVAILABLE] upstream timed out"),
            ("login", "* BAD Internal error, closing"),
            ("login", "* BYE Disconnected for inactivity"),
            ("greeting", "* BYE Backend is down for maintenance"),
        ),
    ),
    "our EHLO name": Kind(
        Code.SERVER_REFUSES_NAME,
        Blame.US,
        lasts=False,
        said=(
            ("ehlo", "501 5.5.4 Invalid EHLO name: address literal"),
            ("ehlo", "550 5.7.1 Helo command rejected: not allowed"),
            ("ehlo", "501 EHLO argument must be a fully qualified name"),
            ("ehlo", "550 Forged HELO"),
            ("ehlo", "501 Invalid domain name"),
        ),
    ),
    "wants a certificate of the client": Kind(
        Code.TLS_CLIENT_CERTIFICATE,
        Blame.SERVER,
        lasts=True,
        said=(
            ("login", "NO [AUTHENTICATIONFAILED] A valid client certificate is needed"),
            ("login", "NO No certificate was sent"),
            ("auth", "535 5.7.8 SSL client cert required"),
            ("auth", "535 5.7.8 Client certificate required"),
            ("greeting", "421 4.7.1 mail.example.com Error: Client certificate not trusted"),
            ("ehlo", "550 5.7.1 TLS certificate required"),
        ),
    ),
    "too many connections": Kind(
        Code.SERVER_TOO_MANY_CONNECTIONS,
        Blame.SERVER,
        lasts=False,
        said=(
            ("greeting", "421 4.7.0 mail.example.com too many concurrent connections"),
            ("greeting", "* BYE Maximum number of connections reached"),
            ("login", "NO [LIMIT] Too many sessions for this user"),
            ("login", "NO Maximum connections exceeded"),
            ("greeting", "* BYE Connection limit reached"),
            ("auth", "454 4.7.0 Too many open connections of this user"),
        ),
    ),
    "the backend is away": Kind(
        Code.AUTH_TEMPORARY,
        Blame.SERVER,
        lasts=False,
        said=(
            ("auth", "535 5.7.8 Error: authentication failed: generic failure"),
            ("auth", "535 SQL server error"),
            ("auth", "535 RADIUS timed out"),
            ("auth", "535 PAM error"),
            ("auth", "535 connect timeout"),
            ("auth", "535 getaddrinfo failed: could not reach the directory"),
            ("login", "NO failed: Could not connect to backend"),
            ("login", "NO [AUTHENTICATIONFAILED] LDAP connection lost"),
            ("login", "NO auth service unavailable"),
            ("login", "NO Login aborted: Internal login failure. Refer to server log for more information."),
        ),
    ),
}
_CASES = [(name, stage, words) for name, kind in KINDS.items() for stage, words in kind.said]


@pytest.mark.parametrize(("name", "stage", "words"), _CASES)
def test_each_wording_of_a_kind_is_told_alike(name: str, stage: str, words: str) -> None:
    kind = KINDS[name]
    status = int(words[:3]) if words[:3].isdigit() else 0
    if status:
        code = translate_smtp(status, words[4:], cast(SmtpStage, stage))
    else:
        code = translate_imap(words, cast(ImapStage, stage))
    assert code is kind.code
    assert (CODES[code].blame, CODES[code].permanent) == (kind.blame, kind.lasts)


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("535 5.7.8 Authentication failed", "auth"),
        ("535 5.7.8 Wrong password or user name", "auth"),
        ("535 Access denied", "auth"),
        ("NO [AUTHENTICATIONFAILED] Authentication failed.", "login"),
        ("NO Login incorrect, access denied", "login"),
        ("NO Ungültige Anmeldedaten", "login"),
        ("NO Identifiants incorrects", "login"),
        ("NO Неверный логин или пароль", "login"),
        ("NO 用户名或密码错误", "login"),
        ("NO ユーザー名またはパスワードが正しくありません", "login"),
    ],
)
def test_a_wrong_password_stays_one(words: str, stage: str) -> None:
    """No wording that was added for a server at fault hides a rejection of the owner's."""
    if words[:3].isdigit():
        assert translate_smtp(int(words[:3]), words[4:], cast(SmtpStage, stage)) is Code.AUTH_REJECTED
    else:
        assert translate_imap(words, cast(ImapStage, stage)) is Code.AUTH_REJECTED


@pytest.mark.parametrize(
    ("response_code", "code"),
    [
        ("ErrorNonPrimarySmtpAddress", Code.EXCHANGE_PRIMARY_ADDRESS),
        ("ErrorNonExistentMailbox", Code.EXCHANGE_MAILBOX_NOT_FOUND),
        ("ErrorInvalidSmtpAddress", Code.EXCHANGE_MAILBOX_NOT_FOUND),
        ("ErrorAccessDenied", Code.EXCHANGE_ACCESS_DENIED),
        ("ErrorMailboxLogonFailed", Code.EXCHANGE_ACCESS_DENIED),
        ("ErrorNotDelegate", Code.EXCHANGE_ACCESS_DENIED),
    ],
)
def test_exchange_tells_an_alias_from_a_mailbox_that_is_not_there_or_not_ours(response_code: str, code: Code) -> None:
    assert translate(response_code) is code
    assert CODES[code].permanent
