"""One login asked of everybody: Python's libraries, Node's, and us as either of them."""

import smtplib
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import imapclient

from checks.clients.node import NODE
from checks.clients.profile import ClientProfile, TokenMechanism
from checks.clients.python import PYTHON
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Authentication, Credential, CredentialKind, Endpoint, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.clients.node_clients import Answer, Question, ask
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateLab
from tests.servers.process import ServerError

_PATIENCE = 20.0  # servers take seconds to reject a password


@dataclass(frozen=True, slots=True)
class Login:
    """At a server on loopback. `address` is who sends; an empty `user` wants no login.

    `token`: the secret is an access token, and which mechanism Python's libraries are told to use.
    """

    protocol: Protocol
    port: int
    security: Security
    user: str
    secret: str = field(repr=False)
    address: str = ""
    token: TokenMechanism | None = None

    @property
    def credential(self) -> Credential:
        kind = CredentialKind.OAUTH2_TOKEN if self.token else CredentialKind.PASSWORD
        return Credential(self.user, self.secret, kind)


@dataclass(frozen=True, slots=True)
class Found:
    """What a login came to: as `python` and as `node`, with `libraries` of Python's, and of Node's where it is here."""

    python: Code
    node: Code
    libraries: bool
    of_node: Answer | None


def ask_all(logins: Sequence[Login], context: CheckContext, certificates: CertificateLab) -> list[Found]:
    """All at once."""
    patient = replace(context, login_seconds=_PATIENCE, deadline_seconds=_PATIENCE)
    with ThreadPoolExecutor(4 * len(logins)) as pool:
        of_node = pool.submit(_node, logins, certificates)
        theirs = [pool.submit(_libraries, login, certificates) for login in logins]
        as_python = [pool.submit(_ours, login, patient, PYTHON) for login in logins]
        as_node = [pool.submit(_ours, login, patient, NODE) for login in logins]
        jobs = zip(as_python, as_node, theirs, of_node.result(), strict=True)
        return [Found(ours.result(), other.result(), got_in.result(), node) for ours, other, got_in, node in jobs]


def _ours(login: Login, context: CheckContext, client: ClientProfile) -> Code:
    own = replace(context, client=client)
    wanted = Authentication.LOGIN if login.user else Authentication.NONE
    endpoint = Endpoint(login.protocol, LOOPBACK, login.port, login.security, authentication=wanted)
    checked = check_endpoint(endpoint, own)
    assert checked.code is Code.OK, checked.seen
    return check_mailbox(open_route(checked, own), login.credential, own, login.address).code


def _libraries(login: Login, certificates: CertificateLab) -> bool:
    trust = ssl.create_default_context(cadata=certificates.ca_pem)
    try:
        return _imapclient(login, trust) if login.protocol is Protocol.IMAP else _smtplib(login, trust)
    except (imapclient.IMAPClient.Error, smtplib.SMTPException, UnicodeEncodeError):
        return False


def _imapclient(login: Login, trust: ssl.SSLContext) -> bool:
    implicit = login.security is Security.TLS
    context = trust if implicit else None
    with imapclient.IMAPClient(LOOPBACK, login.port, ssl=implicit, ssl_context=context, timeout=_PATIENCE) as client:
        if not implicit:
            client.starttls(trust)
        ways = {"XOAUTH2": client.oauth2_login, "OAUTHBEARER": client.oauthbearer_login}
        way = ways[login.token] if login.token else client.login
        way(login.user, login.secret)
        client.select_folder("INBOX", readonly=True)
    return True


def _smtplib(login: Login, trust: ssl.SSLContext) -> bool:
    plain = login.security is Security.STARTTLS
    with (
        smtplib.SMTP(LOOPBACK, login.port, "lab.example", timeout=_PATIENCE)
        if plain
        else smtplib.SMTP_SSL(LOOPBACK, login.port, "lab.example", timeout=_PATIENCE, context=trust)
    ) as client:
        if plain:
            client.starttls(context=trust)
        if login.token:
            client.ehlo()
            client.auth(login.token, lambda _=None: token_response(login.token or "", login.user, login.secret))
        elif login.user:
            client.login(login.user, login.secret)
        else:
            client.ehlo()
        return client.mail(login.address)[0] == 250


def token_response(mechanism: str, user: str, token: str) -> str:
    """What an app hands to smtplib, written down without our own code."""
    first = f"user={user}" if mechanism == "XOAUTH2" else f"n,a={user},"
    return f"{first}\1auth=Bearer {token}\1\1"


def _node(logins: Sequence[Login], certificates: CertificateLab) -> list[Answer | None]:
    questions = [
        Question(
            "imap" if login.protocol is Protocol.IMAP else "smtp",
            login.port,
            login.user,
            login.secret,
            login.address,
            tls=login.security is Security.TLS,
            token=login.token is not None,
        )
        for login in logins
    ]
    try:
        return list(ask(questions, certificates.ca_file))
    except ServerError:
        return [None] * len(logins)
