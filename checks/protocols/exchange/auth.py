"""How a mailbox logs in to EWS: Basic, NTLM with channel binding, or an OAuth2 bearer token. One logon, never a second.

The credential is put on the wire here and nowhere else: no library keeps it, and no request object that somebody may
log has it.
"""

import base64
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import spnego
import spnego.channel_bindings
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from checks import library_guard
from checks.clients.profile import EwsClient
from checks.codes import Code
from checks.model import Credential, CredentialKind, Fault
from checks.network.http import Reply, Request, excerpt, exchange
from checks.network.stream import Stream
from checks.protocols.dialect import refuse_control_characters
from checks.protocols.exchange.replies import schemes
from checks.x509.certificates import UNREADABLE

Logon = Callable[[Stream, Request], Reply]
"""Sends a request as somebody, and returns the answer to it. Raises `Fault` and `OSError`."""


_HASHED = {"NTLM": "NTLM", "NEGOTIATE": "Negotiate"}
"""Schemes that never show the password, as they are written in a header."""
_CHALLENGE_LONGEST = 16_384  # characters of WWW-Authenticate; Windows' own challenge has some 600


def choose(capabilities: Sequence[str], credential: Credential, *, insecure: bool) -> str:
    """The scheme to log in with. Raises `Fault` when none fits.

    Basic is the cheapest, one request. Where the certificate was refused and the option lets us in all the same, NTLM
    goes first: Basic would hand the password to whoever stands in between. So it does for a user name with a colon,
    which Basic cannot carry (RFC 7617, 2). Negotiate is last: whether it takes NTLM is known only when it is tried.
    """
    offered = {item.removeprefix("AUTH=") for item in capabilities if item.startswith("AUTH=")}
    if credential.kind is not CredentialKind.PASSWORD:
        fitting = ["BEARER"]
    else:
        hashed_first = insecure or ":" in credential.username
        fitting = [*_HASHED, "BASIC"] if hashed_first else ["BASIC", *_HASHED]
    for scheme in fitting:
        if scheme in offered:
            return scheme
    names = ", ".join(sorted(offered))
    lacking = Code.AUTH_OAUTH_REQUIRED if offered == {"BEARER"} else Code.EXCHANGE_AUTH_UNUSABLE
    raise Fault(lacking, names, names=names)


def logon(scheme: str, credential: Credential, hidden: list[str], client: EwsClient) -> Logon:
    """How to send as this mailbox. What must never be shown besides the secret itself is put into `hidden`.

    Raises `Fault`: `credential.unreadable` for what cannot be sent, `auth.unsendable` for what the client cannot send.
    """
    refuse_control_characters(credential)
    if scheme in _HASHED:
        return _Ntlm(_HASHED[scheme], credential, hidden)
    if scheme == "BEARER":
        if not credential.secret.isascii():
            raise Fault(Code.CREDENTIAL_UNREADABLE, "the token has a character that cannot be sent")
        return _header(f"Bearer {credential.secret}")
    if ":" in credential.username:
        raise Fault(Code.CREDENTIAL_UNREADABLE, "a user name with a colon cannot be sent with Basic authentication")
    # RFC 7617, 2.1 knows UTF-8 only where the server asks for it; requests, and so exchangelib, sends Latin-1.
    user, secret = client.basic.encode(credential.username), client.basic.encode(credential.secret)
    if user is None or secret is None:
        raise Fault(Code.AUTH_UNSENDABLE, names=client.library)
    token = base64.b64encode(user + b":" + secret).decode()
    hidden.append(token)
    return _header(f"Basic {token}")


def _header(value: str) -> Logon:
    return lambda stream, request: exchange(stream, request.encoded(("Authorization", value)))


class _Ntlm:
    """NTLM over HTTP ([MS-NTHT]): two requests on one connection, the first without the body.

    The first goes out at once, because the probe has seen that the scheme is offered. Negotiate takes NTLM's messages
    bare as well, without an envelope of SPNEGO's: Windows tells them by their signature, and requests-ntlm, with which
    exchangelib logs in, sends them so.
    """

    def __init__(self, scheme: str, credential: Credential, hidden: list[str]) -> None:
        self._scheme = scheme
        self._credential = credential
        self._hidden = hidden
        self._done = False

    def __call__(self, stream: Stream, request: Request) -> Reply:
        if self._done:  # it is the connection that was let in
            return exchange(stream, request.encoded())
        client = spnego.client(
            self._credential.username,
            self._credential.secret,
            hostname=urlsplit(f"//{request.host}").hostname or "",
            service="http",
            channel_bindings=channel_bindings(stream),
            protocol="ntlm",
            options=spnego.NegotiateOptions.use_ntlm,
        )
        first = exchange(stream, request.encoded(self._token(client.step() or b""), body=b""))
        if first.status != 401:
            return first
        answer = self._token(_answer(client, first, self._scheme))
        self._hidden.append(answer[1].partition(" ")[2])  # it would do to guess the password offline
        self._done = True
        return exchange(stream, request.encoded(answer))

    def _token(self, message: bytes) -> tuple[str, str]:
        return "Authorization", f"{self._scheme} {base64.b64encode(message).decode()}"


def _answer(client: spnego.ContextProxy, reply: Reply, scheme: str) -> bytes:
    """The last message, for the challenge in `reply`. Raises `Fault`: no password has been judged up to here."""
    offered = ",".join(reply.values("www-authenticate"))[:_CHALLENGE_LONGEST]
    values = [value.strip().partition(" ") for value in offered.split(",")]
    challenge = next((rest.strip() for name, _, rest in values if rest and name.lower() == scheme.lower()), "")
    if not challenge:
        raise _unchallenged(reply, scheme)
    if not reply.stays:
        raise Fault(Code.EXCHANGE_NTLM_BROKEN, "the connection was closed after the NTLM challenge")
    with library_guard.Reading(lambda: Fault(Code.EXCHANGE_NTLM_BROKEN, "the NTLM challenge cannot be read")):
        return client.step(base64.b64decode(challenge, validate=True)) or b""


def _unchallenged(reply: Reply, scheme: str) -> Fault:
    """Negotiate without an answer to NTLM wants Kerberos; NTLM without one is broken."""
    names = ", ".join(schemes(reply))
    if scheme == "Negotiate":
        return Fault(Code.EXCHANGE_AUTH_UNUSABLE, f"{excerpt(reply)}; Negotiate takes no NTLM", names="Kerberos")
    return Fault(Code.EXCHANGE_NTLM_BROKEN, f"{excerpt(reply)}; no NTLM challenge among {names or 'no schemes'}")


def channel_bindings(stream: Stream) -> spnego.channel_bindings.GssChannelBindings | None:
    """The binding `tls-server-end-point` of the connection (RFC 5929, 4.1): the hash of the server's certificate.

    MD5 and SHA-1 are replaced by SHA-256. None where the certificate's signature names no hash that we know.
    """
    der = stream.sock.getpeercert(binary_form=True) if isinstance(stream.sock, ssl.SSLSocket) else None
    if not der:
        return None
    try:
        algorithm = x509.load_der_x509_certificate(der).signature_hash_algorithm
        if algorithm is None or algorithm.name in ("md5", "sha1"):
            algorithm = hashes.SHA256()
        digest = hashes.Hash(algorithm)
    except UNREADABLE:
        return None
    digest.update(der)
    return spnego.channel_bindings.GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())
