"""Servers of other makes and ages: letters of Basic, versions before 2010 SP2, faults with any prefix; and exchangelib.

What exchangelib itself meets is asked of the same server, so that our answer is the client's.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import exchangelib
import pytest
import requests
from exchangelib.protocol import BaseProtocol

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.language import Language
from checks.messages import wording
from checks.model import Credential, Option
from checks.protocols.exchange.login import ExchangeRoute, log_in, open_route
from checks.protocols.exchange.probe import probe
from checks.protocols.exchange.url import endpoint_of
from tests.checks.helpers import trusting
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.scripted_ews import Answers, Asked, ScriptedEws, denied, fault, folders

ADDRESS = "ada@lab.example"
VERSIONS = ("Exchange2010_SP2", "Exchange2010_SP1", "Exchange2010", "Exchange2007_SP1")


def route_to(server: ScriptedEws, context: CheckContext) -> ExchangeRoute:
    return open_route(probe(endpoint_of(server.url), context), context)


def decoded(asked: Asked) -> bytes:
    return base64.b64decode(asked.credential)


def takes_latin_1(asked: Asked) -> tuple[int, bytes]:
    """The server of the report: no letters in UTF-8."""
    raw = decoded(asked)
    try:
        utf_8 = bool(raw.decode()) and not raw.isascii()
    except UnicodeDecodeError:
        utf_8 = False
    return (401, b"") if not raw or utf_8 else (200, folders())


def takes_ascii(asked: Asked) -> tuple[int, bytes]:
    return (200, folders()) if asked.credential and decoded(asked).isascii() else (401, b"")


def takes_utf_8(asked: Asked) -> tuple[int, bytes]:
    try:
        return (200, folders()) if decoded(asked).decode() else (401, b"")
    except UnicodeDecodeError:
        return 401, b""


def takes_all(asked: Asked) -> tuple[int, bytes]:
    return (200, folders()) if asked.credential else (401, b"")


@pytest.fixture
def client(certificates: CertificateLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """exchangelib trusts the lab."""
    ca = tmp_path / "ca.pem"
    ca.write_text(certificates.ca_pem)

    class Adapter(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn: object, url: str, verify: object, cert: Any) -> None:  # noqa: ARG002 - requests'
            super().cert_verify(conn, url, str(ca), cert)

    monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", Adapter)
    yield
    exchangelib.close_connections()


def library_connects(
    server: ScriptedEws, user: str, password: str, mailbox: str = "", access: str = exchangelib.DELEGATE
) -> bool:
    """Whether exchangelib opens inbox and calendar, of the user where no other mailbox is named."""
    configuration = exchangelib.Configuration(
        service_endpoint=server.url,
        credentials=exchangelib.Credentials(user, password),
        auth_type=exchangelib.BASIC,
        version=exchangelib.Version(exchangelib.Build(14, 3, 123, 4), VERSIONS[0]),
    )
    account = exchangelib.Account(
        mailbox or user,
        config=configuration,
        autodiscover=False,
        access_type=access,
        default_timezone=exchangelib.EWSTimeZone("UTC"),
    )
    return _opens(account)


def _opens(account: exchangelib.Account) -> bool:
    from exchangelib.items import ID_ONLY
    from exchangelib.properties import DistinguishedFolderId, Mailbox
    from exchangelib.services import GetFolder

    box = Mailbox(email_address=account.primary_smtp_address)
    asked = [DistinguishedFolderId(id=name, mailbox=box) for name in ("inbox", "calendar")]
    service = GetFolder(account=account)
    try:
        payload = service.get_payload(folders=asked, additional_fields=None, shape=ID_ONLY)
        found = list(service._get_elements(payload))  # noqa: SLF001 - its public way reads the folders' fields too
    except (UnicodeEncodeError, exchangelib.errors.EWSError):
        return False
    return len(found) == 2 and not any(isinstance(item, Exception) for item in found)


LETTERS: Mapping[str, Answers] = {
    "Basic: no letters in UTF-8": takes_latin_1,
    "Basic: ASCII only": takes_ascii,
    "Basic: UTF-8 only": takes_utf_8,
    "Basic: anything": takes_all,
}


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        ("Basic: no letters in UTF-8", "pässwörd", Code.OK),
        ("Basic: no letters in UTF-8", "plain", Code.OK),
        ("Basic: no letters in UTF-8", "ÿ£§", Code.OK),
        ("Basic: ASCII only", "pässwörd", Code.AUTH_REJECTED),
        ("Basic: ASCII only", "plain", Code.OK),
        ("Basic: UTF-8 only", "pässwörd", Code.AUTH_REJECTED),
        ("Basic: UTF-8 only", "plain", Code.OK),
        ("Basic: anything", "pässwörd", Code.OK),
        ("Basic: anything", "пароль", Code.AUTH_UNSENDABLE),
        ("Basic: anything", "100 €", Code.AUTH_UNSENDABLE),
        ("Basic: anything", "密码", Code.AUTH_UNSENDABLE),
    ],
)
def test_letters_of_basic_are_the_librarys(
    name: str, password: str, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    with ScriptedEws(LETTERS[name], leaf) as server:
        found = log_in(route_to(server, context), Credential(ADDRESS, password), context)
        ours = {asked.credential for asked in server.asked if asked.credential}
        agreed = library_connects(server, ADDRESS, password)
        theirs = {asked.credential for asked in server.asked if asked.credential}
    assert found.result.code is code, found.result.seen
    assert found.result.verdict is (Verdict.OK if code is Code.OK else Verdict.FAIL)
    assert agreed is (code is Code.OK)
    assert theirs == ours, "the same bytes"


@pytest.mark.usefixtures("client")
def test_a_name_in_the_common_name_only(certificates: CertificateLab) -> None:
    """Given a certificate that Python's ssl takes, and mail libraries with it, then requests does not, nor do we."""
    mail = trusting(certificates)
    exchange = replace(mail, trust=replace(mail.trust, names="requests"))
    leaf = certificates.issue("localhost", alternative=("192.0.2.25",))
    with ScriptedEws(takes_all, leaf) as server:
        endpoint = endpoint_of(server.url)
        found, as_mail = probe(endpoint, exchange), probe(endpoint, mail)
        assert not library_connects(server, ADDRESS, "plain")
        assert [asked for asked in server.asked if asked.credential] == [], "it did not come so far"
    assert (found.code, found.option) == (Code.TLS_NAME_MISMATCH, Option.NEEDED)
    assert found.facts["names"] == "192.0.2.25"
    for language, words in ((Language.EN, "in the common name only"), (Language.JA, "コモンネームにしかなく")):
        assert words in wording(found.code, found.facts, language).sentence
    assert as_mail.code is Code.OK
    assert Code.TLS_CN_ONLY in [warn.code for warn in as_mail.warnings]


DENIALS: Mapping[str, str] = {
    "impersonation, else access denied": "ErrorAccessDenied",
    "impersonation, else no such mailbox": "ErrorNonExistentMailbox",
    "impersonation, else no such folder": "ErrorFolderNotFound",
    "impersonation, else no such item": "ErrorItemNotFound",
}
"""How servers answer an account that has the right to impersonate, where it asks for a mailbox as itself."""


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("name", DENIALS)
def test_an_account_that_may_impersonate(name: str, leaf: CertificateFiles, context: CheckContext) -> None:
    """Given such an account, when a canary has found it out, then its mailboxes work, as they do in exchangelib so."""

    def answer(asked: Asked) -> tuple[int, bytes]:
        if not asked.credential:
            return 401, b""
        return 200, folders() if b"ExchangeImpersonation" in asked.body else denied(DENIALS[name])

    service, password = "service@lab.example", "service-secret"
    with ScriptedEws(answer, leaf) as server:
        plain = route_to(server, context)
        route = replace(plain, canaries=True)
        mailboxes = (ADDRESS, "bob@lab.example")
        credential = Credential(service, password)
        assert log_in(plain, credential, context, ADDRESS).result.verdict is Verdict.FAIL
        assert [log_in(route, credential, context, box).result.code for box in mailboxes] == [Code.OK] * 2
        assert route.learned == {"impersonator": service}
        ways = (exchangelib.DELEGATE, exchangelib.IMPERSONATION)
        agreed = [library_connects(server, service, password, ADDRESS, access) for access in ways]
    assert agreed == [False, True]


def knows(newest: str, *, refusal: str = "ErrorInvalidServerVersion") -> Answers:
    """A server that knows no version after that one."""
    known = VERSIONS[VERSIONS.index(newest) :] if newest else ()

    def answer(asked: Asked) -> tuple[int, bytes]:
        if not asked.credential:
            return 401, b""
        wanted = next(name for name in VERSIONS if f'"{name}"'.encode() in asked.body)
        return (200, folders()) if wanted in known else (500, fault(refusal))

    return answer


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize("refusal", ["ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion"])
def test_a_lower_version_is_found_once_a_run(
    newest: str, refusal: str, leaf: CertificateFiles, context: CheckContext
) -> None:
    with ScriptedEws(knows(newest, refusal=refusal), leaf) as server:
        route = route_to(server, context)
        assert log_in(route, Credential(ADDRESS, "secret"), context).result.code is Code.OK
        first = len(server.asked)
        assert log_in(route, Credential("bob@lab.example", "secret"), context).result.code is Code.OK
        result = replace(probe(endpoint_of(server.url), context), learned=route.learned)
        assert open_route(result, context).version == VERSIONS.index(newest)
    assert first == 1 + 1 + VERSIONS.index(newest)
    assert len(server.asked) == first + 2


def test_a_server_that_knows_no_version(leaf: CertificateFiles, context: CheckContext) -> None:
    with ScriptedEws(knows(""), leaf) as server:
        found = log_in(route_to(server, context), Credential(ADDRESS, "secret"), context)
    assert (found.result.verdict, found.result.code) == (Verdict.FAIL, Code.EXCHANGE_VERSION)


@pytest.mark.parametrize("prefix", ["s", "soap", "soapenv", "SOAP-ENV", "x1", ""])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ErrorServerBusy", Code.SERVER_THROTTLED),
        ("ErrorAccountDisabled", Code.AUTH_ACCOUNT_DISABLED),
        ("ErrorImpersonateUserDenied", Code.EXCHANGE_IMPERSONATION),
        ("ErrorMailboxMoveInProgress", Code.EXCHANGE_MOVING),
        ("ErrorNobodyKnows", Code.PROTOCOL_ERROR),
    ],
)
def test_a_fault_is_read_whatever_its_prefix(
    prefix: str, name: str, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    def answer(asked: Asked) -> tuple[int, bytes]:
        return (500, fault(name, prefix=prefix)) if asked.credential else (401, b"")

    with ScriptedEws(answer, leaf) as server:
        found = log_in(route_to(server, context), Credential(ADDRESS, "secret"), context)
    assert found.result.code is code, found.result.seen


@pytest.mark.parametrize("prefix", ["m", "ns2", "messages", ""])
def test_folders_are_read_whatever_their_prefix(prefix: str, leaf: CertificateFiles, context: CheckContext) -> None:
    def answer(asked: Asked) -> tuple[int, bytes]:
        return (200, folders(prefix=prefix)) if asked.credential else (401, b"")

    with ScriptedEws(answer, leaf) as server:
        assert log_in(route_to(server, context), Credential(ADDRESS, "secret"), context).result.code is Code.OK
