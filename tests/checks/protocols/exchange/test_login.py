"""One logon for each mailbox, a verdict for mail and one for the calendar, and nothing that outlives the check."""

import base64
import dataclasses
import gc
import json
import logging
import os
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from exchangelib.protocol import CachingProtocol

from checks.clients.python import PYTHON
from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, CredentialKind, Fault, Option
from checks.network.address_policy import AddressPolicy
from checks.protocols.exchange.auth import choose
from checks.protocols.exchange.login import (
    ExchangeLogin,
    ExchangeRoute,
    ServiceVerdicts,
    is_application_token,
    log_in,
    open_route,
)
from checks.protocols.exchange.probe import probe
from checks.protocols.exchange.url import endpoint_of
from tests.checks.helpers import briefly
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.scenarios import ENDPOINT_SCENARIOS, MAILBOX_SCENARIOS
from tests.servers.exchange.server import ExchangeServer, Mailbox

ADDRESS = "u0@lab.example"
SECRET = "Planted-secret-4711"
OTHER_LETTERS = "ユーザー@lab.example"
USERS = {ADDRESS: SECRET, "u1@lab.example": "pässwörd-ß", OTHER_LETTERS: "パスワード-2", "u3@lab.example": "a:b:c"}
PASSWORDS = ("BASIC", "NTLM", "NEGOTIATE")


@pytest.fixture(scope="module")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    folder, leaf = server_folder / "exchange-login", certificates.issue()
    with ExchangeServer(folder, leaf, USERS, ("Basic", "NTLM", "Negotiate", "Bearer"), lockout=0) as server:
        yield server


@pytest.fixture
def server(exchange: ExchangeServer) -> ExchangeServer:
    exchange.reset()
    return exchange


def route_to(server: ExchangeServer, context: CheckContext, scheme: str = "") -> ExchangeRoute:
    """The route of an accepted probe, narrowed to one scheme; what the server counts starts afterwards."""
    route = open_route(probe(endpoint_of(server.url), context), context)
    server.forget()
    return dataclasses.replace(route, capabilities=(f"AUTH={scheme}",)) if scheme else route


def token_of(secret: str) -> Credential:
    return Credential(ADDRESS, secret, CredentialKind.OAUTH2_TOKEN)


@pytest.mark.parametrize("scheme", PASSWORDS)
@pytest.mark.parametrize("name", MAILBOX_SCENARIOS)
def test_what_is_found_in_every_scenario(
    name: str, scheme: str, server: ExchangeServer, context: CheckContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scenario = MAILBOX_SCENARIOS[name]
    route = route_to(server, context, scheme)
    server.act(name)

    found = log_in(route, Credential(ADDRESS, SECRET), briefly(context))

    assert (found.services.mail, found.services.calendar) == (scenario.mail, scenario.calendar), found.result.seen
    assert found.result.code == scenario.code
    assert found.result.services == {"mail": scenario.mail, "calendar": scenario.calendar}
    lower = 3 if name == "old" else 0  # the versions below the one that was asked for first, on the same connection
    assert server.logons().total() + server.bad_logons().total() == (1 + lower if scheme == "BASIC" else 1)
    assert len(server.requests()) == (1 if scheme == "BASIC" else 2) + lower
    assert SECRET not in repr(found) + caplog.text
    assert base64.b64encode(f"{ADDRESS}:{SECRET}".encode()).decode() not in repr(found) + caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("name", [name for name, scenario in ENDPOINT_SCENARIOS.items() if scenario.code == "ok"])
def test_a_logon_in_every_scenario_that_has_one(name: str, server: ExchangeServer, context: CheckContext) -> None:
    server.play(name)
    result = probe(endpoint_of(server.url), context)
    found = log_in(open_route(result, context), Credential(ADDRESS, SECRET), context)
    assert found.result.code == ENDPOINT_SCENARIOS[name].logon, found.result.seen
    assert server.misplaced_credentials() == []
    assert server.bad_logons().total() <= 1


@pytest.mark.parametrize("scheme", PASSWORDS)
@pytest.mark.parametrize("address", USERS)
def test_every_letter_can_be_sent(scheme: str, address: str, server: ExchangeServer, context: CheckContext) -> None:
    found = log_in(route_to(server, context, scheme), Credential(address, USERS[address]), context)
    if scheme == "BASIC" and address == OTHER_LETTERS:  # requests raises UnicodeEncodeError
        assert (found.result.verdict, found.result.code) == (Verdict.FAIL, Code.AUTH_UNSENDABLE)
        assert server.requests() == []
        return
    assert (found.result.verdict, found.services) == (Verdict.OK, ServiceVerdicts(Code.OK, Code.OK)), found.result.seen
    assert server.logons() == {address: 1}


@pytest.mark.parametrize("scheme", PASSWORDS)
@pytest.mark.parametrize("name", ["LAB\\u0", "u0"])
def test_a_user_name_that_is_no_address(scheme: str, name: str, server: ExchangeServer, context: CheckContext) -> None:
    route = route_to(server, context, scheme)
    assert log_in(route, Credential(name, SECRET), context).result.code is Code.OK
    assert log_in(route, Credential(name, SECRET), context, ADDRESS).result.code is Code.OK


@pytest.mark.parametrize("gone", ["ErrorFolderNotFound", "ErrorItemNotFound"])
def test_another_mailbox_without_any_folder_is_one_that_we_may_not_open(
    gone: str, server: ExchangeServer, context: CheckContext
) -> None:
    name = f"nothing_there_{gone}"
    server.act(name)
    route = route_to(server, context, "BASIC")
    own = log_in(route, Credential(ADDRESS, SECRET), context)
    other = log_in(route, Credential(ADDRESS, SECRET), context, "u1@lab.example")
    assert own.services == ServiceVerdicts(Code.MAILBOX_NO_INBOX, Code.EXCHANGE_CALENDAR_MISSING)
    assert other.services == ServiceVerdicts(Code.EXCHANGE_ACCESS_DENIED, Code.EXCHANGE_ACCESS_DENIED)


@pytest.mark.parametrize("scheme", PASSWORDS)
def test_a_wrong_password_is_sent_once(scheme: str, server: ExchangeServer, context: CheckContext) -> None:
    found = log_in(route_to(server, context, scheme), Credential(ADDRESS, "wrong-" + SECRET), context)
    assert (found.result.verdict, found.result.code) == (Verdict.FAIL, Code.AUTH_REJECTED)
    assert server.bad_logons() == {ADDRESS: 1}


@pytest.mark.parametrize("resumed", [False, True])
def test_ntlm_is_bound_to_the_channel(resumed: bool, server: ExchangeServer, context: CheckContext) -> None:
    server.play("protected")
    route = route_to(server, context, "NTLM")
    if resumed:
        log_in(route, Credential(ADDRESS, SECRET), context)
        assert route.session is not None
    assert log_in(route, Credential(ADDRESS, SECRET), context).result.code is Code.OK


def test_a_token(server: ExchangeServer, context: CheckContext) -> None:
    route = route_to(server, context)
    token = server.token(ADDRESS)
    assert log_in(route, token_of(token), context).result.code is Code.OK
    server.revoke_tokens()
    found = log_in(route, token_of(token), context)
    assert (found.result.verdict, found.result.code) == (Verdict.FAIL, Code.AUTH_TOKEN_REJECTED)
    assert token not in repr(found)


def test_an_applications_token_impersonates(server: ExchangeServer, context: CheckContext) -> None:
    route = dataclasses.replace(route_to(server, context), impersonate=True)
    assert log_in(route, token_of(server.token()), context).result.code is Code.OK


@pytest.mark.parametrize(
    ("claims", "application"),
    [
        ({"idtyp": "app", "roles": ["full_access_as_app"]}, True),
        ({"roles": ["full_access_as_app"]}, True),
        ({"scp": "EWS.AccessAsUser.All", "roles": ["x"]}, False),
        ({"scp": "EWS.AccessAsUser.All"}, False),
        ([], False),
    ],
)
def test_whose_token_it_is_can_be_read(claims: object, application: bool) -> None:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert is_application_token(f"eyJ.{part}.signature") is application


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "..", "a.é.c"])
def test_a_token_that_cannot_be_read_is_somebodys_own(token: str) -> None:
    assert is_application_token(token) is False


@pytest.mark.parametrize(
    ("offered", "username", "insecure", "scheme"),
    [
        (("BASIC", "NTLM"), "u", False, "BASIC"),
        (("NTLM", "BASIC"), "u", True, "NTLM"),
        (("NTLM", "BASIC"), "u:v", False, "NTLM"),
        (("BASIC",), "u", True, "BASIC"),
        (("NEGOTIATE", "NTLM"), "u", False, "NTLM"),
        (("NEGOTIATE",), "u", False, "NEGOTIATE"),
        (("BASIC", "NEGOTIATE"), "u", True, "NEGOTIATE"),
    ],
)
def test_which_scheme_is_taken(offered: tuple[str, ...], username: str, insecure: bool, scheme: str) -> None:
    capabilities = [f"AUTH={name}" for name in offered]
    assert choose([*capabilities, "VERSION=15.2"], Credential(username, SECRET), insecure=insecure) == scheme


@pytest.mark.parametrize(
    ("offered", "kind", "code"),
    [
        (("BEARER",), CredentialKind.PASSWORD, Code.AUTH_OAUTH_REQUIRED),
        (("DIGEST",), CredentialKind.PASSWORD, Code.EXCHANGE_AUTH_UNUSABLE),
        (("BASIC", "NTLM"), CredentialKind.OAUTH2_TOKEN, Code.EXCHANGE_AUTH_UNUSABLE),
    ],
)
def test_a_credential_that_does_not_fit_is_not_sent(
    offered: tuple[str, ...], kind: CredentialKind, code: Code, server: ExchangeServer, context: CheckContext
) -> None:
    route = dataclasses.replace(route_to(server, context), capabilities=tuple(f"AUTH={name}" for name in offered))
    found = log_in(route, Credential(ADDRESS, SECRET, kind), context)
    assert (found.result.code, found.result.verdict) == (code, Verdict.FAIL)
    assert server.connections().total() == 0


@pytest.mark.parametrize(
    ("scheme", "credential"),
    [
        ("BASIC", Credential("u:v", SECRET)),
        ("BASIC", Credential(ADDRESS, SECRET + "\r\nX: y")),
        ("NTLM", Credential(ADDRESS, SECRET + "\ud800")),
        ("BEARER", token_of(SECRET + "é")),
    ],
)
def test_a_credential_that_cannot_be_sent(
    scheme: str, credential: Credential, server: ExchangeServer, context: CheckContext
) -> None:
    found = log_in(route_to(server, context, scheme), credential, context)
    assert found.result.code is Code.CREDENTIAL_UNREADABLE
    assert SECRET not in repr(found)
    assert server.connections().total() == 0


def test_exchange_online_takes_no_passwords(server: ExchangeServer, context: CheckContext) -> None:
    server.play("online")
    route = route_to(server, context)
    found = log_in(route, Credential(ADDRESS, SECRET), context)
    assert (found.result.verdict, found.result.code) == (Verdict.FAIL, Code.EXCHANGE_ONLINE_PASSWORD)
    assert server.connections().total() == 0


@pytest.mark.parametrize(
    ("mail", "calendar", "decisive"),
    [
        (Code.OK, Code.OK, Code.OK),
        (Code.OK, Code.EXCHANGE_CALENDAR_DENIED, Code.EXCHANGE_CALENDAR_DENIED),
        (Code.EXCHANGE_MAIL_DENIED, Code.EXCHANGE_CALENDAR_DENIED, Code.EXCHANGE_MAIL_DENIED),
        (Code.SERVER_THROTTLED, Code.OK, Code.SERVER_THROTTLED),
        (Code.SERVER_THROTTLED, Code.EXCHANGE_CALENDAR_MISSING, Code.EXCHANGE_CALENDAR_MISSING),
    ],
)
def test_the_code_that_decides(mail: Code, calendar: Code, decisive: Code) -> None:
    assert ServiceVerdicts(mail, calendar).decisive is decisive


def test_the_name_is_looked_up_once(
    server: ExchangeServer, context: CheckContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = route_to(server, context)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a logon has looked a name up")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert log_in(route, Credential(ADDRESS, SECRET), context).result.code is Code.OK


def test_the_address_policy_holds_for_logons(server: ExchangeServer, context: CheckContext) -> None:
    result = probe(endpoint_of(server.url), context)
    with pytest.raises(Fault) as met:
        open_route(result, dataclasses.replace(context, policy=AddressPolicy()))
    assert met.value.code is Code.ADDRESS_NOT_ALLOWED


def test_proxies_of_the_environment_are_not_used(
    server: ExchangeServer, context: CheckContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert log_in(route_to(server, context), Credential(ADDRESS, SECRET), context).result.code is Code.OK


def test_a_certificate_that_is_not_trusted_gets_no_credential(server: ExchangeServer, context: CheckContext) -> None:
    strict = CheckContext().trust.strict
    route = dataclasses.replace(route_to(server, context), tls_context=strict)
    found = log_in(route, Credential(ADDRESS, SECRET), context)
    assert found.result.verdict is Verdict.INCONCLUSIVE
    assert server.requests() == []


def test_the_option_logs_in_with_ntlm_first(server: ExchangeServer, context: CheckContext) -> None:
    insecure = dataclasses.replace(context, trust=CheckContext().trust, allow_insecure_certificate=True)
    result = probe(endpoint_of(server.url), insecure)
    assert result.option is Option.NEEDED
    server.forget()
    assert log_in(open_route(result, insecure), Credential(ADDRESS, SECRET), insecure).result.code is Code.OK
    assert {one.scheme for one in server.requests()} == {"NTLM"}


def test_a_server_that_is_gone_says_nothing_of_the_mailbox(
    server_folder: Path, certificates: CertificateLab, context: CheckContext
) -> None:
    folder = server_folder / "exchange-gone"
    with ExchangeServer(folder, certificates.issue(), {ADDRESS: SECRET}) as server:
        route = open_route(probe(endpoint_of(server.url), context), context)
    found = log_in(route, Credential(ADDRESS, SECRET), context)
    assert (found.result.code, found.result.verdict) == (Code.CONNECT_REFUSED, Verdict.INCONCLUSIVE)


def test_a_service_account_meets_the_mailbox_of_somebody_else(
    server_folder: Path, certificates: CertificateLab, context: CheckContext
) -> None:
    users = {ADDRESS: Mailbox(SECRET), "service@lab.example": Mailbox("service-secret", impersonates=True)}
    with ExchangeServer(server_folder / "exchange-service", certificates.issue(), users) as server:
        route = route_to(server, context)
        service = Credential("service@lab.example", "service-secret")
        as_itself = log_in(route, service, context, ADDRESS)
        route = dataclasses.replace(route, impersonate=True)
        as_the_other = log_in(route, service, context, ADDRESS)
        nobody = log_in(route, Credential(ADDRESS, SECRET), context, "service@lab.example")
    assert as_itself.result.verdict is Verdict.FAIL
    assert as_the_other.result.code is Code.OK
    assert nobody.result.code is Code.EXCHANGE_IMPERSONATION


@pytest.mark.parametrize("scheme", PASSWORDS)
def test_a_canary_finds_out_that_a_service_account_acts_for_others(
    scheme: str, server_folder: Path, certificates: CertificateLab, context: CheckContext
) -> None:
    """Given an account that may impersonate, when a canary has found it out, then the others begin with that."""
    users = {
        **{f"u{number}@lab.example": Mailbox(SECRET) for number in range(3)},
        "service@lab.example": Mailbox("service-secret", impersonates=True),
        "clerk@lab.example": Mailbox("clerk-secret"),
    }
    folder = server_folder / f"exchange-acting-{scheme}"
    with ExchangeServer(folder, certificates.issue(), users, ("Basic", "NTLM", "Negotiate"), lockout=0) as server:
        route = dataclasses.replace(route_to(server, context, scheme), canaries=True)
        service, clerk = (
            Credential("service@lab.example", "service-secret"),
            Credential("clerk@lab.example", "clerk-secret"),
        )
        first = log_in(route, service, context, ADDRESS)
        asked = len(server.requests())
        elsewhere = dataclasses.replace(route, canaries=False)
        found = [log_in(elsewhere, service, context, f"u{number}@lab.example").result.code for number in (1, 2)]
        denied = log_in(route, clerk, context, ADDRESS)
        own = log_in(route, service, context, "service@lab.example")
        wrong = server.bad_logons().total()
    assert first.result.code is own.result.code is Code.OK
    assert found == [Code.OK, Code.OK]
    assert asked == (2 if scheme == "BASIC" else 3)
    assert denied.result.code is Code.EXCHANGE_ACCESS_DENIED
    assert wrong == 0


def test_a_profile_may_say_that_one_account_acts_for_all(server: ExchangeServer, context: CheckContext) -> None:
    client = dataclasses.replace(PYTHON, ews=dataclasses.replace(PYTHON.ews, impersonation=True))
    route = open_route(probe(endpoint_of(server.url), context), dataclasses.replace(context, client=client))
    assert route.impersonate


@pytest.mark.parametrize("scheme", PASSWORDS)
def test_five_hundred_logons_leave_nothing_behind(scheme: str, server: ExchangeServer, context: CheckContext) -> None:
    route = route_to(server, context, scheme)
    _many(route, context, 200)
    sockets, objects = _descriptors(), _ours_alive()
    others = list(CachingProtocol._protocol_cache)  # noqa: SLF001 -- of tests that ask exchangelib itself

    found, grown = [], []
    for _ in range(3):
        memory = _resident()
        found += [one.result.code for one in _many(route, context, 100)]
        grown.append(_resident() - memory)

    assert Counter(found) == {Code.OK: 300}
    assert min(grown) < 0.5, "what is left behind is left by every hundred; an allocator takes more now and then"
    assert _descriptors() == sockets
    assert _ours_alive() <= objects
    assert list(CachingProtocol._protocol_cache) == others  # noqa: SLF001 -- that none is added is the point
    assert server.logons() == {ADDRESS: 500}


def _many(route: ExchangeRoute, context: CheckContext, count: int) -> list[ExchangeLogin]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: log_in(route, Credential(ADDRESS, SECRET), context), range(count)))


def _resident() -> float:
    """Memory of this process in MiB (proc(5): the second field of statm, in pages)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _ours_alive() -> int:
    """Objects of a check that the collector still finds."""
    gc.collect()
    names = {"_Protocol", "_Adapter", "_Account", "_Folders", "_Attempt"}
    return sum(type(one).__name__ in names and "exchange" in type(one).__module__ for one in gc.get_objects())
