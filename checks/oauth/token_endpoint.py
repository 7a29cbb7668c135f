"""Access tokens of applications: OAuth2 client credentials (RFC 6749, 4.4), one request for a whole run.

The request is our own, under the address policy and with a deadline, over a verified chain whatever the option for the
domain's servers says. An application that was refused is not sent again in the run either.
"""

import contextlib
import json
from urllib.parse import quote_plus, urlencode

from checks import redact
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, CredentialKind, Fault, Invalid
from checks.network.dial import Deadline, dial, fault_of, resolve
from checks.network.http import USER_AGENT, Reply, Request, excerpt, exchange
from checks.network.stream import Stream
from checks.oauth.client_secret import ClientSecret, parse_client_secret
from checks.tls import handshake

SECONDS = 15.0
_TEMPORARY = {429: Code.SERVER_THROTTLED, 503: Code.SERVER_THROTTLED}


def redeem(credential: Credential, context: CheckContext) -> Credential:
    """The same mailbox with the application's token. Raises `Fault`, the same one for each mailbox of the run."""
    token = context.tokens.once(credential.secret, lambda: _fetch(credential.secret, context))
    return Credential(credential.username, token, CredentialKind.OAUTH2_TOKEN, application=True)


def _fetch(secret: str, context: CheckContext) -> str:
    try:
        client = parse_client_secret(secret)
    except Invalid:
        raise Fault(Code.CREDENTIAL_UNREADABLE, "the application's credential cannot be read") from None
    try:
        reply = _ask(client, context)
    except TimeoutError:
        raise Fault(Code.DEADLINE, f"no answer of {client.host} in time", seconds=f"{SECONDS:.0f}") from None
    except OSError as error:
        raise handshake.after_handshake(error) or fault_of(error) from None
    return _token_in(reply, client)


def _ask(client: ClientSecret, context: CheckContext) -> Reply:
    deadline = Deadline(SECONDS)
    addresses = resolve(client.host, client.port, context.policy, deadline)
    named = f"[{client.host}]" if ":" in client.host else client.host
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.client_secret}
    body = urlencode(form | ({"scope": client.scope} if client.scope else {})).encode()
    headers = (("User-Agent", USER_AGENT), ("Content-Type", "application/x-www-form-urlencoded"))
    host = named if client.port == 443 else f"{named}:{client.port}"
    sock = dial(addresses, client.port, deadline, context.way_out)
    with contextlib.closing(Stream(sock, deadline)) as stream:
        handshake.secure(stream, context.trust.strict, client.host)
        return exchange(stream, Request("POST", client.target, host, headers, body).encoded())


def _token_in(reply: Reply, client: ClientSecret) -> str:
    """The token of an answer (RFC 6749, 5.1). Raises `Fault`; 400 and 401 are refusals (5.2)."""
    seen = redact.words(excerpt(reply), client.client_secret, quote_plus(client.client_secret))
    if reply.status in (400, 401):
        raise Fault(Code.AUTH_CLIENT_REJECTED, seen)
    if reply.status != 200:
        raise Fault(_TEMPORARY.get(reply.status, Code.SERVER_UNAVAILABLE), seen)
    try:
        token = json.loads(reply.body)["access_token"]
    except (ValueError, RecursionError, KeyError, TypeError):
        token = None
    if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
        raise Fault(Code.PROTOCOL_ERROR, f"{client.host} sent no access token")
    return token
