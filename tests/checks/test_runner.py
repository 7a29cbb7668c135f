"""Our own defects are results too, without their text; what belongs to the caller passes."""

import logging
from typing import Any

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, Endpoint, Protocol
from checks.network.address_policy import AddressPolicy
from checks.network.stream import Stream
from checks.protocols.exchange.url import endpoint_of
from checks.protocols.imap.dialect import Imap
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER, route_to
from tests.servers.certificates import CertificateFiles
from tests.servers.hostile import HostileServer


class TimeLimit(Exception):
    """Stands for a task's soft time limit."""


class BrokenPolicy(AddressPolicy):
    """Stands for a defect of ours in the endpoint check."""

    def admits(self, text: str) -> bool:
        raise ERROR(f"{SECRET} {text}")


class BrokenImap(Imap):
    """Stands for a defect of ours in a login."""

    def login(self, stream: Stream, credential: Credential, *_: Any, **__: Any) -> None:  # noqa: ARG002 - the dialect's
        raise ERROR(f"cannot encode {credential.secret}")


ERROR: type[Exception] = LookupError


@pytest.fixture(params=[LookupError, UnicodeError, TimeLimit])
def error(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    kind: type[Exception] = request.param
    monkeypatch.setattr(f"{__name__}.ERROR", kind)
    return kind


def test_a_defect_in_the_endpoint_check(error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = check_endpoint(Endpoint(Protocol.IMAP, LOOPBACK, 1), CheckContext(policy=BrokenPolicy()))
    assert (result.code, result.verdict, result.seen) == (Code.INTERNAL, Verdict.INCONCLUSIVE, error.__name__)
    assert f"endpoint check broke: {error.__name__} at " in caplog.text
    assert "test_runner.py" in caplog.text
    assert SECRET not in caplog.text + repr(result)


def test_a_defect_in_a_login(
    error: type[Exception], caplog: pytest.LogCaptureFixture, leaf: CertificateFiles, context: CheckContext
) -> None:
    caplog.set_level(logging.DEBUG)
    with HostileServer("imap", leaf) as server:
        route = route_to(server.port, context)
        route.dialect = BrokenImap()
        result = check_mailbox(route, Credential(USER, SECRET), context)
    assert (result.code, result.verdict, result.seen) == (Code.INTERNAL, Verdict.INCONCLUSIVE, error.__name__)
    assert SECRET not in caplog.text + repr(result)


def test_what_the_caller_names_passes(
    monkeypatch: pytest.MonkeyPatch, leaf: CertificateFiles, context: CheckContext
) -> None:
    monkeypatch.setattr(f"{__name__}.ERROR", TimeLimit)
    own = CheckContext(context.trust, BrokenPolicy(), let_through=(TimeLimit,))
    with pytest.raises(TimeLimit):
        check_endpoint(Endpoint(Protocol.IMAP, LOOPBACK, 1), own)
    with HostileServer("imap", leaf) as server:
        route = route_to(server.port, context)
        route.dialect = BrokenImap()
        with pytest.raises(TimeLimit):
            check_mailbox(route, Credential(USER, SECRET), own)


def test_a_defect_in_the_exchange_check() -> None:
    result = check_endpoint(endpoint_of(f"https://{LOOPBACK}/"), CheckContext(policy=BrokenPolicy()))
    assert (result.endpoint.protocol, result.code) == (Protocol.HTTPS, Code.INTERNAL)
