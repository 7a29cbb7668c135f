"""The SASL mechanisms of SMTP (RFC 4954), as the client speaks them."""

import base64
import hmac
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checks.clients.profile import NextWay, SmtpClient
from checks.codes import Code
from checks.model import Credential, Fault
from checks.network.stream import Stream
from checks.protocols.choice import Choice
from checks.protocols.dialect import TOKEN_MECHANISMS, challenge_text, initial_response
from checks.protocols.smtp.replies import refuses_mechanism, translate_smtp
from checks.protocols.smtp.wire import read_reply
from checks.protocols.words.oauth import translate_oauth

# Stalwart asks for a second factor so and ends the exchange: what is sent then is taken for a command. A challenge is
# base64 (RFC 4954, 4), which has no dots.
_REFUSAL = re.compile(r"5\.\d{1,3}\.\d{1,3} ")


class _MechanismRefused(Fault):
    """The server does not know the mechanism that it offered, and has not looked at the credential."""


class Believed(Fault):
    """A 503, which the client takes for a success: it tries no other mechanism, and goes on."""


def log_in(stream: Stream, credential: Credential, ways: Sequence[str], choice: Choice, client: SmtpClient) -> None:
    """Logs in by one of the mechanisms `ways`; see `checks.protocols.choice`.

    Raises `Believed` where the client only takes it for done; else `Fault` and `OSError`.
    """
    said = _said(credential, client)
    rejected: Fault | None = None
    refused: Fault | None = None
    for mechanism in choice.order(ways):
        try:
            if mechanism in TOKEN_MECHANISMS:
                _token(stream, mechanism, credential, client)
            else:
                _password(stream, mechanism, said, client)
        except Believed:
            raise
        except _MechanismRefused as fault:
            refused = fault
        except (Fault, ConnectionError) as error:
            if rejected:  # by another mechanism: what this one met, or that the server has had enough, changes nothing
                raise rejected from None
            if not _goes_on(error, mechanism, choice, client):
                raise
            rejected = error if isinstance(error, Fault) else None
        else:
            choice.works = mechanism
            return
    raise rejected or refused or Fault(Code.AUTH_NO_MECHANISM)


def _goes_on(error: Exception, mechanism: str, choice: Choice, client: SmtpClient) -> bool:
    """Whether this login tries the next mechanism after what may be a rejection of the password."""
    rejection = isinstance(error, Fault) and error.code is Code.AUTH_REJECTED
    return rejection and client.next_mechanism is NextWay.REFUSAL and choice.another(mechanism)


class _Said(NamedTuple):
    """A credential as the client sends it."""

    user: bytes
    secret: bytes


def _said(credential: Credential, client: SmtpClient) -> _Said:
    """Raises `Fault` for what the client cannot send: smtplib raises UnicodeEncodeError, before anything is judged."""
    user, secret = client.user.encode(credential.username), client.password.encode(credential.secret)
    if user is None or secret is None:
        raise Fault(Code.AUTH_UNSENDABLE, names=client.library)
    return _Said(user, secret)


def _password(stream: Stream, mechanism: str, said: _Said, client: SmtpClient) -> None:
    """One login; the first response goes with the command where the client sends it so (RFC 4954, 4)."""
    if mechanism == "CRAM-MD5":  # it has none
        _respond(stream, b"AUTH CRAM-MD5", _cram_md5(stream, said), client, any_success=False)
        return
    ahead = mechanism in client.initial_response
    again = client.asked_again == "response" or not ahead
    responses = _plain(said, again=again) if mechanism == "PLAIN" else _login(stream, said, ahead=ahead)
    command = b"AUTH " + mechanism.encode()
    line = command + b" " + base64.b64encode(next(responses)) if ahead else command
    _respond(stream, line, responses, client, any_success=client.any_success)


def _respond(
    stream: Stream, command: bytes, responses: Iterator[bytes], client: SmtpClient, *, any_success: bool
) -> None:
    """Sends AUTH and a response to each challenge. One challenge too many is cancelled (RFC 4954, 4)."""
    stream.send(command + b"\r\n")
    status, text, asked = *read_reply(stream), False
    while status == 334 and not _REFUSAL.match(text):
        response = next(responses, None)
        stream.send(b"*\r\n" if response is None else base64.b64encode(response) + b"\r\n")
        if response is None:
            read_reply(stream)
            raise Fault(Code.PROTOCOL_ERROR, f"334 {text}: the server asks again and again")
        status, text, asked = *read_reply(stream), True
    if status == 334:
        raise Fault(translate_smtp(535, text, "auth"), f"334 {text}")
    if status == 235 and not (asked or b" " in command[5:]):
        raise _MechanismRefused(Code.PROTOCOL_ERROR, f"{status} {text}: before there was a credential")
    if not _is_success(status, any_success):
        code = translate_smtp(status, text, "auth")
        _require_disbelief(status, text, code, client)
        kind = _MechanismRefused if refuses_mechanism(status, text, code) else Fault
        raise kind(code, f"{status} {text}")


def _require_disbelief(status: int, text: str, code: Code, client: SmtpClient) -> None:
    if status == 503 and client.believes_503:
        raise Believed(code, f"{status} {text}")


def _is_success(status: int, any_success: bool) -> bool:
    return status == 235 or (any_success and 200 <= status < 300)


def _plain(said: _Said, *, again: bool) -> Iterator[bytes]:
    """RFC 4616. Asked again, the server did not take the first response; not every client repeats it."""
    response = b"\0" + said.user + b"\0" + said.secret
    yield response
    yield response if again else b""


def _cram_md5(stream: Stream, said: _Said) -> Iterator[bytes]:
    """RFC 2195: the password is the key to a hash of the challenge, and is not sent."""
    digest = hmac.new(said.secret, challenge_text(_words(stream)), "md5").hexdigest()
    yield said.user + b" " + digest.encode()


def _login(stream: Stream, said: _Said, *, ahead: bool) -> Iterator[bytes]:
    """AUTH LOGIN (draft-murchison-sasl-login)."""
    yield said.user
    if ahead and b"user" in challenge_text(_words(stream)).lower():  # it was not taken
        yield said.user
    yield said.secret


def _words(stream: Stream) -> bytes:
    """What stands behind the 334 that was read last."""
    return stream.last_line[4:].strip()


def _token(stream: Stream, mechanism: str, credential: Credential, client: SmtpClient) -> None:
    first = base64.b64encode(initial_response(mechanism, credential))
    stream.send(b"AUTH " + mechanism.encode() + b" " + first + b"\r\n")
    status, text = read_reply(stream)
    refusal = b""
    if status == 334:
        # Nothing said: the server did not take the initial response. Else a refusal (RFC 7628, 3.2.3).
        refusal = challenge_text(text.strip().encode())
        answer = b"AQ==" if mechanism == "OAUTHBEARER" else b""  # to a refusal, so that the status of it comes
        stream.send((first if not refusal and client.asked_again == "response" else answer) + b"\r\n")
        status, text = read_reply(stream)
    if not _is_success(status, client.any_success):
        code = translate_oauth(refusal) if refusal else translate_smtp(status, text, "auth")
        _require_disbelief(status, text, code, client)
        raise Fault(code, f"{status} {text}")
