"""The endpoint check for Exchange: resolve, connect, TLS, one request, and how it asks for a log-on. No credential.

It is a request of our own. What libraries do to guess an EWS endpoint (many requests, redirects followed, any page
taken for success) says nothing to an admin.
"""

import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from checks import redact
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Facts, Fault, Fix, Invalid, Option, Security, Warn
from checks.network.dial import Deadline
from checks.network.http import USER_AGENT, Reply, Request, exchange
from checks.network.stream import Stream
from checks.protocols import exchange_online
from checks.protocols.conversation import Conversation
from checks.protocols.endpoint import EndpointCheck
from checks.protocols.exchange import product_marks
from checks.protocols.exchange.autodiscover import other_url
from checks.protocols.exchange.replies import judge_probe, require_usable, server_version
from checks.protocols.exchange.url import endpoint_of, host_header, normalise_url, same_place
from checks.x509 import refusal_causes

# A GetFolder that nobody has logged in for: the server refuses it before it looks at it.
_QUESTION = (
    b'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    b' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    b' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>'
    b'<t:RequestServerVersion Version="Exchange2010_SP2"/></s:Header><s:Body><m:GetFolder><m:FolderShape>'
    b"<t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>"
    b'<t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></s:Body></s:Envelope>'
)
HEADERS = (
    ("User-Agent", USER_AGENT),
    ("Content-Type", "text/xml; charset=utf-8"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
)


def probe(endpoint: Endpoint, context: CheckContext) -> EndpointResult:
    """Checks an Exchange endpoint (`exchange.url.endpoint_of`). The domain of the mailboxes, if known, is asked too.

    The canonical URL is the fact `url`, what was typed the fact `typed`. `capabilities` holds `AUTH=` with the schemes
    that log-ins can use there or are refused for (`AUTH=BASIC`, `AUTH=NTLM`, `AUTH=NEGOTIATE`, `AUTH=BEARER`) and
    `VERSION=`.
    """
    return ExchangeCheck(endpoint, context).run()


class ExchangeCheck(EndpointCheck):
    """One Exchange URL, once: what an endpoint check does, with another conversation."""

    def __init__(self, endpoint: Endpoint, context: CheckContext, *, follow: bool = True) -> None:
        """`follow`: where a redirect leads to on the same host is looked at too."""
        super().__init__(endpoint, context)
        self._follow = follow

    def run(self) -> EndpointResult:
        """The result, whatever comes. Private Outlook.com mailboxes have no EWS: that takes no connection."""
        if exchange_online.is_consumer(self._endpoint.host):
            return self._failed(Fault(Code.EXCHANGE_CONSUMER))
        result = self._proved(super().run())
        if result.code is Code.OK and not exchange_online.is_online(self._endpoint.host):
            other = other_url(self._endpoint.url, self._context, self._deadline)
            if other:
                differs = Warn(Code.EXCHANGE_AUTODISCOVER_DIFFERS, self._facts({"target": other}))
                result = replace(result, warnings=(*result.warnings, differs))
        return result

    def _proved(self, result: EndpointResult) -> EndpointResult:
        """Without the URL that a redirect named, unless a probe of it, without a credential, finds Exchange there.

        Another host than the one that was typed is not asked: whoever redirects could send us anywhere.
        """
        if result.fix is None or result.code not in _REDIRECTED:
            return result
        place = endpoint_of(result.fix.detail)
        works = place.host == self._endpoint.host and self._follow and self._works(place)
        return result if works else replace(result, fix=None)

    def _works(self, place: Endpoint) -> bool:
        try:
            context = replace(self._context, deadline_seconds=self._deadline.remaining(), admit=_at_once)
        except TimeoutError:
            return False
        return ExchangeCheck(place, context, follow=False).run().code is Code.OK

    def _conversation(self, security: Security) -> "ExchangeConversation":
        return ExchangeConversation(self._endpoint, security, self._deadline)

    def _explained(self, fault: Fault) -> Fault:
        """HTTP without TLS, told from a port that is something else altogether. Nothing secret is sent in clear."""
        if self._talk.shake is not None or fault.code not in _MAYBE_CLEAR:
            return fault
        try:
            with contextlib.closing(self._again()) as stream:
                path = urlsplit(self._endpoint.url).path
                stream.send(Request("HEAD", path, host_header(self._endpoint.url)).encoded())
                words = redact.decoded(stream.readline())
                target = _location(stream) if words.startswith("HTTP/") else ""
        except (Fault, OSError):
            return fault
        if words.startswith("HTTP/"):
            return Fault(Code.EXCHANGE_PLAIN_HTTP, words, **({"target": target} if target else {}))
        return Fault(Code.PROTOCOL_MISMATCH, words) if words else fault

    def _result(
        self, code: Code, *, facts: Facts | None = None, seen: str = "", option: Option | None
    ) -> EndpointResult:
        result = super()._result(code, facts=facts, seen=seen, option=option)
        warnings = [*result.warnings, *self._online_warnings(code)]
        if self._endpoint.typed:
            warnings.append(Warn(Code.EXCHANGE_URL_CHANGED, self._facts({})))
        return replace(result, fix=result.fix or self._fix(code, result.facts), warnings=tuple(warnings))

    def _online_warnings(self, code: Code) -> list[Warn]:
        if code is not Code.OK or not self._talk_is_online():
            return []
        return [Warn(Code.EXCHANGE_ONLINE, self._facts({"date": exchange_online.ENDS.isoformat()}))]

    def _talk_is_online(self) -> bool:
        return isinstance(self._talk, ExchangeConversation) and self._talk.online

    def _allowed(self, refusal: str, trial: Conversation, obstacle: Fault | None, root: str | None) -> EndpointResult:
        if isinstance(trial, ExchangeConversation) and isinstance(self._talk, ExchangeConversation):
            self._talk.told, self._talk.online = trial.told, trial.online
        return super()._allowed(refusal, trial, obstacle, root)

    def _fix(self, code: Code, facts: Facts) -> Fix | None:
        """Another URL to enter: where an accepted server sent us, or the canonical form of what was typed."""
        if code in _REDIRECTED and facts.get("target"):
            return _fix_for(facts.get("target", ""), self._endpoint.url)
        return Fix("use_url", self._endpoint.url) if self._endpoint.typed and code is Code.OK else None

    def _facts(self, facts: Facts) -> dict[str, str]:
        own = {"url": self._endpoint.url} | ({"typed": self._endpoint.typed} if self._endpoint.typed else {})
        told = self._talk.told if isinstance(self._talk, ExchangeConversation) else {}
        return super()._facts(own | told | dict(facts))


def _location(stream: Stream) -> str:
    """Where an answer in clear sends us by https, '' where it does not."""
    for _ in range(_HEAD_LINES):
        name, colon, value = redact.decoded(stream.readline()).partition(":")
        if not colon:
            break
        if name.lower() == "location" and value.strip().lower().startswith("https://"):
            return value.strip()
    return ""


def _at_once(_addresses: Sequence[str]) -> None:
    """The check that this is a part of has waited already."""


def _fix_for(target: str, url: str) -> Fix | None:
    """A redirect's target in canonical form, unless that is what was asked already."""
    try:
        canonical = normalise_url(target).url
    except Invalid:
        return None
    return None if same_place(canonical, url) else Fix("use_url", canonical)


_REDIRECTED = frozenset({Code.EXCHANGE_REDIRECTED, Code.EXCHANGE_REDIRECTED_ELSEWHERE, Code.EXCHANGE_PLAIN_HTTP})
_HEAD_LINES = 100
_MAYBE_CLEAR = frozenset({Code.TLS_PLAINTEXT_PORT, Code.TLS_HANDSHAKE, Code.TLS_TIMEOUT, Code.CONNECT_CLOSED})
_TLS_SHARE = 0.6  # of the deadline


class ExchangeConversation(Conversation):
    """One handshake and one request. `told` are facts that the answer gave away; `online` that Microsoft answered."""

    def __init__(self, endpoint: Endpoint, security: Security, deadline: Deadline) -> None:
        super().__init__(endpoint, security, deadline)
        self.told: dict[str, str] = {}
        self.online = False
        self._url = endpoint.url

    def hold(self, stream: Stream, context: ssl.SSLContext) -> None:
        """Everything up to the schemes for logging in, or up to the refused handshake. Raises `Fault`."""
        if not self._secured(stream, context):
            return
        with self.steps.step("request", Code.DEADLINE) as note:
            reply = exchange(stream, question(self._url).encoded())
            note.append(reply.line)
            self._remember(reply)
            offered = judge_probe(reply, self._url)
        with self.steps.step("authentication", Code.DEADLINE) as note:
            note.append(", ".join(offered))
            self._offer(offered)

    def _secured(self, stream: Stream, context: ssl.SSLContext) -> bool:
        """Leaves time to find out whether a port that does not answer TLS speaks HTTP in clear."""
        stream.deadline = Deadline(self._deadline.remaining() * _TLS_SHARE)
        accepted = super()._secured(stream, context)
        stream.deadline = self._deadline
        return accepted

    def _remember(self, reply: Reply) -> None:
        self.online = product_marks.is_online(reply, self._url)
        found = {"server": reply.header("server")[:100], "version": server_version(reply)}
        self.told = {name: value for name, value in found.items() if value}

    def _offer(self, offered: tuple[str, ...]) -> None:
        if self.online:
            # Its 401 still names Basic, which ended in 2022.
            offered = ("BEARER",)
            if refusal_causes.utc_now().date() >= exchange_online.ENDS:
                raise Fault(Code.EXCHANGE_ONLINE_RETIRED, date=exchange_online.ENDS.isoformat())
        version = (f"VERSION={self.told['version']}",) if "version" in self.told else ()
        self.capabilities = (*(redact.words(f"AUTH={scheme}") for scheme in offered), *version)
        require_usable(offered)


def question(url: str) -> Request:
    """The one request of the probe."""
    return Request("POST", urlsplit(url).path, host_header(url), HEADERS, _QUESTION)
