"""The SASL mechanisms of SMTP (RFC 4954), as the client's library speaks them."""

import base64
import hmac
from collections.abc import Iterator, Sequence

from checks.codes import Code
from checks.model import Credential, Fault
from checks.network.stream import Stream
from checks.protocols.choice import Choice
from checks.protocols.dialect import challenge_text, initial_response
from checks.protocols.oauth_replies import translate_oauth
from checks.protocols.smtp.replies import refuses_mechanism, translate_smtp
from checks.protocols.smtp.wire import read_reply

PASSWORD = ("CRAM-MD5", "PLAIN", "LOGIN")
"""Python's smtplib tries those that are offered, in this order, and goes on to the next after whatever refusal."""


class _MechanismRefused(Fault):
    """The server does not know the mechanism that it offered, and has not looked at the credential."""


def log_in(stream: Stream, credential: Credential, ways: Sequence[str], choice: Choice) -> None:
    """Logs in by one of the mechanisms `ways`; see `checks.protocols.choice`. Raises `Fault` and `OSError`."""
    rejected: Fault | None = None
    refused: Fault | None = None
    for mechanism in choice.order(ways):
        try:
            _authenticate(stream, mechanism, credential)
        except _MechanismRefused as fault:
            refused = fault
        except (Fault, ConnectionError) as error:
            if rejected:  # by another mechanism: what this one met, or that the server has had enough, changes nothing
                raise rejected from None
            plainly = isinstance(error, Fault) and error.code is Code.AUTH_REJECTED
            if not (plainly and choice.another(mechanism)):
                raise
            rejected = error if isinstance(error, Fault) else None
        else:
            choice.works = mechanism
            return
    raise rejected or refused or Fault(Code.AUTH_NO_MECHANISM)


def _authenticate(stream: Stream, mechanism: str, credential: Credential) -> None:
    if mechanism == "CRAM-MD5":
        _respond(stream, b"AUTH CRAM-MD5", _cram_md5(stream, credential))
    elif mechanism == "LOGIN":
        user = base64.b64encode(credential.username.encode())
        _respond(stream, b"AUTH LOGIN " + user, _login(stream, credential))
    elif mechanism == "PLAIN":
        first = initial_response(mechanism, credential)
        # Asked again: the server did not take the initial response.
        _respond(stream, b"AUTH PLAIN " + base64.b64encode(first), iter((first,)))
    else:
        _token(stream, mechanism, credential)


def _respond(stream: Stream, command: bytes, responses: Iterator[bytes]) -> None:
    """Sends AUTH and a response to each challenge. One challenge too many is cancelled (RFC 4954, 4)."""
    stream.send(command + b"\r\n")
    status, text, asked = *read_reply(stream), False
    while status == 334:
        response = next(responses, None)
        stream.send(b"*\r\n" if response is None else base64.b64encode(response) + b"\r\n")
        if response is None:
            read_reply(stream)
            raise Fault(Code.PROTOCOL_ERROR, f"334 {text}: the server asks again and again")
        status, text, asked = *read_reply(stream), True
    if status == 235 and not (asked or b" " in command[5:]):
        raise _MechanismRefused(Code.PROTOCOL_ERROR, f"{status} {text}: before there was a credential")
    if status != 235:
        code = translate_smtp(status, text, "auth")
        kind = _MechanismRefused if refuses_mechanism(status, text, code) else Fault
        raise kind(code, f"{status} {text}")


def _cram_md5(stream: Stream, credential: Credential) -> Iterator[bytes]:
    """RFC 2195: the password is the key to a hash of the challenge, and is not sent."""
    challenge = challenge_text(_words(stream))
    digest = hmac.new(credential.secret.encode(), challenge, "md5").hexdigest()
    yield f"{credential.username} {digest}".encode()


def _login(stream: Stream, credential: Credential) -> Iterator[bytes]:
    """AUTH LOGIN (draft-murchison-sasl-login), where the user name has gone out already, as smtplib sends it."""
    if b"user" in challenge_text(_words(stream)).lower():  # it was not taken
        yield credential.username.encode()
    yield credential.secret.encode()


def _words(stream: Stream) -> bytes:
    """What stands behind the 334 that was read last."""
    return stream.last_line[4:].strip()


def _token(stream: Stream, mechanism: str, credential: Credential) -> None:
    first = base64.b64encode(initial_response(mechanism, credential))
    stream.send(b"AUTH " + mechanism.encode() + b" " + first + b"\r\n")
    status, text = read_reply(stream)
    refusal = b""
    if status == 334:
        # Nothing said: the server did not take the initial response. Else a refusal (RFC 7628, 3.2.3).
        refusal = challenge_text(text.strip().encode())
        answer = b"AQ==" if mechanism == "OAUTHBEARER" else b""  # to a refusal, so that the status of it comes
        stream.send((answer if refusal else first) + b"\r\n")
        status, text = read_reply(stream)
    if status != 235:
        raise Fault(translate_oauth(refusal) if refusal else translate_smtp(status, text, "auth"), f"{status} {text}")
