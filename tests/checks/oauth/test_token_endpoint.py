"""An application gets its token once for a run, over verified TLS only, and acts for the mailboxes with it."""

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, CredentialKind, LoginResult
from checks.network.address_policy import AddressPolicy
from checks.protocols.exchange.url import endpoint_of
from checks.runner import check_endpoint, check_mailbox, open_route
from checks.tokens import Tokens
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import CLIENT_ID, CLIENT_SECRET, ExchangeServer

ADDRESSES = tuple(f"u{number}@lab.example" for number in range(4))


@pytest.fixture(scope="module")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    users = dict.fromkeys(ADDRESSES, "sesame")
    with ExchangeServer(server_folder / "exchange-tokens", certificates.issue(), users, ("Bearer",)) as server:
        yield server


@pytest.fixture
def server(exchange: ExchangeServer) -> ExchangeServer:
    exchange.reset()
    return exchange


@pytest.fixture
def own(context: CheckContext) -> CheckContext:
    return dataclasses.replace(context, tokens=Tokens())


def client(server: ExchangeServer, secret: str = CLIENT_SECRET, url: str = "") -> str:
    values = {
        "token_url": url or server.token_url,
        "client_id": CLIENT_ID,
        "client_secret": secret,
        "scope": ".default",
    }
    return json.dumps(values)


def log_in(server: ExchangeServer, context: CheckContext, secret: str) -> list[LoginResult]:
    """Every mailbox, two at a time."""
    route = open_route(check_endpoint(endpoint_of(server.url), context), context)
    server.forget()
    with ThreadPoolExecutor(2) as pool:
        credentials = [Credential(address, secret, CredentialKind.OAUTH2_CLIENT) for address in ADDRESSES]
        return list(pool.map(lambda one: check_mailbox(route, one, context, one.username), credentials))


def asked(server: ExchangeServer) -> int:
    return sum("/token" in one.target for one in server.requests())


def test_one_token_opens_every_mailbox(server: ExchangeServer, own: CheckContext) -> None:
    found = log_in(server, own, client(server))
    assert {result.code for result in found} == {Code.OK}
    assert asked(server) == 1
    assert CLIENT_SECRET not in repr(own) + repr(found)


def test_a_refused_application_is_not_sent_again(server: ExchangeServer, own: CheckContext) -> None:
    found = log_in(server, own, client(server, "wrong-secret"))
    assert {(result.code, result.verdict) for result in found} == {(Code.AUTH_CLIENT_REJECTED, Verdict.FAIL)}
    assert "AADSTS7000215" in found[0].seen
    assert asked(server) == len(server.requests()) == 1
    assert "wrong-secret" not in repr(found)


def test_the_option_for_the_servers_is_none_for_the_token_endpoint(server: ExchangeServer, own: CheckContext) -> None:
    insecure = dataclasses.replace(own, trust=CheckContext().trust, allow_insecure_certificate=True)
    found = log_in(server, insecure, client(server))
    assert {(result.code, result.verdict) for result in found} == {(Code.TLS_CHAIN_UNCLEAR, Verdict.INCONCLUSIVE)}
    assert server.requests() == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://x.invalid/token", None),
        ("https://127.0.0.1:1/token", Code.CONNECT_REFUSED),
    ],
)
def test_a_token_endpoint_that_is_not_there_blames_no_mailbox(
    url: str, code: Code | None, server: ExchangeServer, own: CheckContext
) -> None:
    found = log_in(server, own, client(server, url=url))
    assert {result.verdict for result in found} == {Verdict.INCONCLUSIVE}
    assert code is None or {result.code for result in found} == {code}


def test_the_address_policy_holds_for_it(server: ExchangeServer, own: CheckContext) -> None:
    route = open_route(check_endpoint(endpoint_of(server.url), own), own)
    closed = dataclasses.replace(own, policy=AddressPolicy(), tokens=Tokens())
    result = check_mailbox(route, Credential("a", client(server), CredentialKind.OAUTH2_CLIENT), closed)
    assert (result.code, result.verdict) == (Code.ADDRESS_NOT_ALLOWED, Verdict.INCONCLUSIVE)


def test_a_credential_that_is_no_application(server: ExchangeServer, own: CheckContext) -> None:
    found = log_in(server, own, "no-json-Planted")
    assert {result.code for result in found} == {Code.CREDENTIAL_UNREADABLE}
    assert "Planted" not in repr(found)
