"""exchangelib on a connection of ours: one GetFolder for inbox and calendar.

Importing exchangelib takes a quarter of a second, so only an answer that is no plain yes has this file imported
(`checks.protocols.exchange.get_folder`). exchangelib writes the request and reads the answer. Connection, TLS,
deadline, limits and the logon are ours: to exchangelib the server asks for no authentication, so no credential is in
its objects, its log or its cache. Its Protocol keeps class attributes and a cache of instances for the whole process;
here every check has an instance of its own, made past the cache.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from exchangelib import errors
from exchangelib.account import Identity
from exchangelib.configuration import Configuration
from exchangelib.credentials import DELEGATE, IMPERSONATION
from exchangelib.errors import EWSError, MalformedResponseError
from exchangelib.items import ID_ONLY
from exchangelib.properties import DistinguishedFolderId, Mailbox
from exchangelib.protocol import FailFast
from exchangelib.protocol import Protocol as EwsProtocol
from exchangelib.services import GetFolder
from exchangelib.transport import NOAUTH
from exchangelib.version import Build, Version

from checks import library_guard
from checks.codes import Code
from checks.model import Fault
from checks.network.http import Reply, Request, excerpt
from checks.protocols.exchange.get_folder import FOLDERS, VERSIONS, Answer, VersionRefused
from checks.protocols.exchange.replies import named_code, passing_code
from checks.protocols.exchange.response_codes import RESPONSES, translate

library_guard.ignore_warnings(__name__)
_BUILDS = (Build(14, 3, 123, 4), Build(14, 1, 218, 15), Build(14, 0, 639, 21), Build(8, 1, 240, 6))
"""One of each of `get_folder.VERSIONS`."""
_TOO_NEW = frozenset(
    {"ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorInvalidSchemaVersionForMailboxVersion"}
)


class Wire(Protocol):
    """Sends one request as the mailbox. Raises `Fault` and `OSError`; what came back is no refusal of the logon."""

    def __call__(self, request: Request) -> Reply:
        """The answer."""


_NO_ANSWER = Answer("NoAnswer", "the server did not answer for this folder")  # no response code of EWS


def ask(url: str, host: str, address: str, wire: Wire, *, impersonate: bool, version: int = 0) -> tuple[Answer, Answer]:
    """Inbox and calendar of a mailbox ('' is the caller's own). Raises `Fault` where neither was answered.

    `impersonate`: the logon is of an application or a service account, which acts for `address`. `version` is a place
    in `get_folder.VERSIONS`.
    """
    adapter = _Adapter(wire, host)
    protocol = _new_protocol(url, adapter, Version(_BUILDS[version], VERSIONS[version]))
    account = _Account(protocol, protocol.config.version, address, impersonate)
    try:
        with library_guard.Reading(adapter.unread):
            answers = list(_answers(account, adapter))
    finally:
        protocol.close()
    if adapter.fault:
        raise adapter.fault
    answers += [_NO_ANSWER] * (len(FOLDERS) - len(answers))
    return answers[0], answers[1]


def _answers(account: "_Account", adapter: "_Adapter") -> Iterator[Answer]:
    try:
        yield from map(_answer, _Folders(account=account).each())
    except EWSError as error:
        raise adapter.fault or _fault_of(type(error).__name__, _words(error), adapter.named) from None


def _fault_of(error: str, words: str, named: str) -> Fault:
    """exchangelib reads a SOAP fault only where it is written as Exchange writes it; `named` is what we read in it."""
    name = error if error in RESPONSES else named or error
    kind = VersionRefused if name in _TOO_NEW else Fault
    return kind(translate(name), words)


def _answer(item: object) -> Answer:
    return Answer(_name(item), _words(item)) if isinstance(item, Exception) else Answer()


def _name(error: Exception) -> str:
    return error.response_code if isinstance(error, _OtherError) else type(error).__name__


def _words(error: Exception) -> str:
    return f"{_name(error)}: {error}"


class _OtherError(EWSError):  # type: ignore[misc] # exchangelib is untyped
    """A response code that exchangelib has no exception for."""

    def __init__(self, response_code: str, text: str) -> None:
        super().__init__(text)
        self.response_code = response_code


def _new_protocol(url: str, adapter: "_Adapter", version: Version) -> "_Protocol":
    configuration = Configuration(
        service_endpoint=url, auth_type=NOAUTH, version=version, retry_policy=FailFast(), max_connections=1
    )
    protocol = _Protocol.__new__(_Protocol)  # calling the class would go through exchangelib's cache of instances
    protocol.__init__(config=configuration)  # type: ignore[misc] # the other half of the same
    protocol.adapter = adapter
    return protocol


class _Protocol(EwsProtocol):  # type: ignore[misc] # exchangelib is untyped
    """Sessions that know one adapter, ours, and nothing of the environment (proxies, netrc)."""

    adapter: "_Adapter"

    def create_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount(self.service_endpoint, self.adapter)
        session.headers.update({"Content-Type": "text/xml; charset=utf-8", "Accept-Encoding": "gzip, deflate"})
        session.session_id = 0  # type: ignore[attr-defined] # exchangelib's, for its log
        session.usage_count = 0  # type: ignore[attr-defined] # exchangelib's
        return session

    def retire_session(self, session: requests.Session) -> None:
        """A failed check needs no other session: exchangelib would make one."""
        session.close()


@dataclass(slots=True)
class _Account:
    """What exchangelib's services ask of an account. Its own Account would guess a time zone and use the cache."""

    protocol: _Protocol
    version: Version
    primary_smtp_address: str
    impersonate: bool
    default_timezone: None = None
    affinity_cookie: None = None
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        self.identity = Identity(primary_smtp_address=self.primary_smtp_address)

    @property
    def access_type(self) -> str:
        return str(IMPERSONATION if self.impersonate else DELEGATE)


class _FolderId(DistinguishedFolderId):  # type: ignore[misc] # exchangelib is untyped
    """A folder of the named mailbox, or of the caller's own where none is named: exchangelib demands one."""

    def clean(self, version: Version | None = None) -> None:
        super(DistinguishedFolderId, self).clean(version=version)


class _Folders(GetFolder):  # type: ignore[misc] # exchangelib is untyped
    """GetFolder that keeps every folder's own error and never asks twice."""

    ERRORS_TO_CATCH_IN_RESPONSE = (EWSError,)

    def each(self) -> Iterator[object]:
        """One item for each answer: an exception, or anything else for a folder that can be opened."""
        mailbox = Mailbox(email_address=self.account.primary_smtp_address) if self._names_mailbox else None
        folders = [_FolderId(id=name, mailbox=mailbox) for name in FOLDERS]
        yield from self._get_elements(self._payload(folders))

    @property
    def _names_mailbox(self) -> bool:
        """Whether there is an address to name. With a bare user name the server takes the caller's own mailbox."""
        address = self.account.primary_smtp_address
        return "@" in address and address.isprintable()

    def _extra_headers(self) -> dict[str, str]:
        """The address as a hint for front ends, where a header can hold it."""
        address = self.account.primary_smtp_address
        return {"X-AnchorMailbox": address} if self._names_mailbox and address.isascii() else {}

    def _payload(self, folders: list[DistinguishedFolderId]) -> Any:
        return self.get_payload(folders=folders, additional_fields=None, shape=ID_ONLY)

    def _api_versions_to_try(self) -> tuple[str, ...]:
        # exchangelib's own goes on to other versions, and every try is a logon.
        return (self.account.version.api_version,)

    def _handle_backoff(self, e: EWSError) -> None:  # noqa: ARG002 - exchangelib's
        # exchangelib calls every passing error "busy", in an except clause: what it handles there is the error itself.
        raise

    def _update_api_version(self, api_version: str, header: Any) -> None:
        """Nothing is asked after this, so the server's version is of no use."""

    @staticmethod
    def _get_exception(code: str | None, text: str | None, msg_xml: Any = None, rule_errors: Any = None) -> Exception:
        code, text = (code or "").strip(), text or ""
        if code and code in RESPONSES and not hasattr(errors, code):
            return _OtherError(code, text)
        found: Exception = GetFolder._get_exception(code, text, msg_xml, rule_errors)  # noqa: SLF001 - the other half of it
        return found

    def _get_elements_in_response(self, response: Any) -> Iterator[object]:
        for message in response:
            found = self._get_element_container(message=message, name=self.element_container_name)
            empty = not isinstance(found, (bool, Exception)) and len(found) == 0
            yield MalformedResponseError("success without a folder") if empty else found


class _Adapter(requests.adapters.BaseAdapter):
    """requests on the wire of the check. `fault` is what the wire met; requests and exchangelib would reword it."""

    def __init__(self, wire: Wire, host: str) -> None:
        super().__init__()
        self.fault: Fault | None = None
        self._reply: Reply | None = None
        self._wire = wire
        self._host = host

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        del stream, timeout, verify, cert, proxies  # the wire has its own, and no proxy
        try:
            self._reply = self._wire(self._request(request))
            return _response(request, self._reply)
        except Fault as fault:
            self.fault = fault
            raise requests.ConnectionError(str(fault.code)) from None

    @property
    def named(self) -> str:
        """The response code that the answer names, '' where it names none."""
        return named_code(self._reply) if self._reply else ""

    def unread(self) -> Fault:
        """What is left to say of an answer that exchangelib stumbles over, in the server's own words."""
        if self.fault or self._reply is None:
            return self.fault or Fault(Code.PROTOCOL_ERROR)
        return Fault(passing_code(self._reply) or Code.PROTOCOL_ERROR, excerpt(self._reply))

    def close(self) -> None:
        """The check closes the wire."""

    def _request(self, request: requests.PreparedRequest) -> Request:
        headers = tuple(
            (name, str(value))
            for name, value in request.headers.items()
            if name not in ("Content-Length", "Connection")
        )
        body = request.body if isinstance(request.body, bytes) else b""
        return Request("POST", urlsplit(str(request.url)).path, self._host, headers, body)


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.reason = reply.reason
    response.headers.update(reply.headers)
    response.headers.pop("Content-Encoding", None)
    response.url = str(request.url)
    response.request = request
    response._content = reply.body  # noqa: SLF001 - requests' own adapter has a stream to read from, we have the body
    response._content_consumed = True  # noqa: SLF001 - as above
    return response
