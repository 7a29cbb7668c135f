"""The logons that the stand-in Exchange takes: Basic, NTLM (alone or inside Negotiate) and OAuth2 bearer tokens."""

import base64
import binascii
import hashlib
import json
import os
import secrets
import struct
import threading
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import spnego
from spnego._ntlm_raw.crypto import ntowfv1
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import BadBindingsError, SpnegoError

from tests.servers.exchange.accounts import REFUSED, Account, Directory
from tests.servers.exchange.wire import Answer, Request

NTLM_SIGNATURE = b"NTLMSSP\x00"
NTLM_AUTHENTICATE = 3
UNICODE = 1
AUDIENCE = "00000002-0000-0ff1-ce00-000000000000"
"""Exchange's own id in Microsoft's directory: https://github.com/rvrsh3ll/TokenTactics/issues/6"""
BAD_TOKEN = (
    ("x-ms-diagnostics", '2000003;reason="The token has expired.";error_category="invalid_lifetime"'),
    ("WWW-Authenticate", f'Bearer client_id="{AUDIENCE}", error="invalid_token"'),
)


@dataclass(slots=True)
class Session:
    """What is known of one connection. `account` is set once NTLM let it in: NTLM authenticates connections.

    `application` is set for a request with an application's own token.
    """

    account: Account | None = None
    handshake: spnego.ContextProxy | None = None
    application: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """An application that gets tokens for itself (OAuth2 client credentials)."""

    client_id: str
    secret: str = field(repr=False)


class NtlmAcceptor:
    """pyspnego's acceptor. It reads the account from a file, so that logons are taken one at a time.

    `bindings` are demanded of the client (Extended Protection) unless they are None.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ntlm-account"
        self._file.touch(mode=0o600)
        self._lock = threading.Lock()
        os.environ["NTLM_USER_FILE"] = str(self._file)
        os.environ["LM_COMPAT_LEVEL"] = "5"  # NTLMv2 only, as domain controllers have it by default

    def begin(self, token: bytes, bindings: GssChannelBindings | None) -> tuple[spnego.ContextProxy, bytes]:
        """Take the first message. The handshake and the challenge. Raises `SpnegoError`."""
        protocol = "ntlm" if token.startswith(NTLM_SIGNATURE) else "negotiate"
        options = spnego.NegotiateOptions.use_ntlm if protocol == "ntlm" else spnego.NegotiateOptions.use_negotiate
        handshake = spnego.server(channel_bindings=bindings, protocol=protocol, options=options)
        return handshake, handshake.step(token) or b""

    def finish(self, handshake: spnego.ContextProxy, token: bytes, name: str, password: str) -> bool:
        """Take the last message. Whether the password and the message's integrity are right.

        Raises `BadBindingsError` when the channel binding is not.
        """
        hashed = ntowfv1(password).hex().upper()
        with self._lock:
            # the smbpasswd format of pyspnego's NTLM_USER_FILE
            self._file.write_text(f"{name}:1000:{'0' * 32}:{hashed}:[U]:LCT-00000000\n", encoding="utf-8")
            try:
                handshake.step(token)
            except BadBindingsError:
                raise
            except SpnegoError:
                return False
        return handshake.complete


def ntlm_name(token: bytes) -> str:
    r"""The logon name `DOMAIN\user` in an NTLM AUTHENTICATE message ([MS-NLMP] 2.2.1.3), empty in any other token."""
    message = token[token.find(NTLM_SIGNATURE) :] if NTLM_SIGNATURE in token else b""
    if len(message) < 64 or struct.unpack_from("<I", message, 8)[0] != NTLM_AUTHENTICATE:
        return ""
    encoding = "utf-16-le" if struct.unpack_from("<I", message, 60)[0] & UNICODE else "latin-1"
    domain, user = (_field(message, at).decode(encoding, errors="replace") for at in (28, 36))
    return f"{domain}\\{user}"


def _field(message: bytes, at: int) -> bytes:
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset : offset + length]


def end_point_bindings(certificate: bytes) -> GssChannelBindings:
    """The binding `tls-server-end-point` of a DER certificate that is signed with SHA-256 (RFC 5929, section 4.1)."""
    return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(certificate).digest())


class Gate:
    """Lets requests in. One for the whole server."""

    def __init__(self, directory: Directory, application: Application, folder: Path) -> None:
        self._directory = directory
        self._application = application
        self._ntlm = NtlmAcceptor(folder)
        self._tokens: dict[str, str] = {}

    def grant(self, address: str) -> str:
        """A token of that mailbox's owner. An empty address: of the application itself."""
        token = secrets.token_urlsafe(24)
        self._tokens[token] = address
        return token

    def revoke(self) -> None:
        """All tokens expire."""
        self._tokens.clear()

    def token(self, request: Request) -> Answer:
        """The token endpoint: OAuth2 client credentials.

        https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
        """
        form = {name: values[0] for name, values in urllib.parse.parse_qs(request.body.decode()).items()}
        given = (form.get("client_id"), form.get("client_secret"))
        if given != (self._application.client_id, self._application.secret):
            text = "AADSTS7000215: Invalid client secret provided."
            return _json(401, {"error": "invalid_client", "error_description": text, "error_codes": [7000215]})
        granted = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
        return _json(200, {**granted, "access_token": self.grant("")})

    def basic(self, request: Request) -> tuple[Account | None, Answer]:
        """Basic (RFC 7617), in UTF-8 or, as Exchange also takes it, Latin-1."""
        try:
            raw = base64.b64decode(request.credential, validate=True)
        except binascii.Error:
            return None, Answer(400)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        name, _, password = text.partition(":")
        account = self._directory.find(name)
        return self._directory.judge(name, account is not None and account.password == password)

    def bearer(self, request: Request, session: Session) -> tuple[Account | None, Answer]:
        """A bearer token (RFC 6750). An application's own token lets in nobody in particular: `session.application`."""
        address = self._tokens.get(request.credential)
        if address is None:
            return None, REFUSED.plus(*BAD_TOKEN)
        session.application = not address
        return self._directory.judge(address, True) if address else (None, REFUSED)

    def ntlm(
        self, request: Request, session: Session, bindings: GssChannelBindings | None
    ) -> tuple[Account | None, Answer]:
        """One message of NTLM, alone or inside Negotiate. The answer carries the challenge."""
        try:
            token = base64.b64decode(request.credential, validate=True)
            if session.handshake is None:
                session.handshake, challenge = self._ntlm.begin(token, bindings)
                value = f"{request.scheme} {base64.b64encode(challenge).decode()}"
                return None, Answer(401, headers=(("WWW-Authenticate", value),))
        except (ValueError, struct.error, SpnegoError):
            # ValueError covers what is no base64, and a last message that comes first, on a new connection
            return None, REFUSED
        handshake, session.handshake = session.handshake, None
        return self._finish(handshake, token, session)

    def _finish(self, handshake: spnego.ContextProxy, token: bytes, session: Session) -> tuple[Account | None, Answer]:
        name = ntlm_name(token)
        if not name:
            return None, REFUSED
        account = self._directory.find(name)
        try:
            right = account is not None and self._ntlm.finish(handshake, token, name, account.password)
        except BadBindingsError:
            return None, self._directory.refuse(name)
        session.account, answer = self._directory.judge(name, right)
        return session.account, answer


def _json(status: int, document: dict[str, object]) -> Answer:
    return Answer(status, json.dumps(document).encode(), (("Content-Type", "application/json; charset=utf-8"),))
