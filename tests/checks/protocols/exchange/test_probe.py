"""An Exchange URL is checked with one request and no credential, and says which of sixty ways to behave it met."""

import contextlib
import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.language import Language
from checks.messages import wording
from checks.messages.endpoints import endpoint_document
from checks.model import Endpoint, EndpointResult, Fix, Option, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline
from checks.protocols import exchange_online
from checks.protocols.exchange.autodiscover import other_url
from checks.protocols.exchange.probe import probe
from checks.protocols.exchange.url import endpoint_of
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.x509 import refusal_causes
from tests.checks.helpers import briefly, trusting
from tests.servers.certificates import CertificateLab, Validity
from tests.servers.exchange.scenarios import ENDPOINT_SCENARIOS
from tests.servers.exchange.server import ExchangeServer

NEW = "https://new.lab.example/EWS/Exchange.asmx"
ADDRESS = "u0@lab.example"
STEPS = ["resolve", "connect", "tls", "request", "authentication"]


@pytest.fixture(scope="module")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    folder = server_folder / "exchange-probe"
    with ExchangeServer(folder, certificates.issue(), {ADDRESS: "sesame"}, ("Basic", "NTLM")) as server:
        yield server


@pytest.fixture
def server(exchange: ExchangeServer) -> ExchangeServer:
    exchange.reset()
    return exchange


@pytest.mark.parametrize("name", ENDPOINT_SCENARIOS)
def test_what_is_found_in_every_scenario(name: str, server: ExchangeServer, context: CheckContext) -> None:
    scenario = ENDPOINT_SCENARIOS[name]
    server.play(name)

    # Who computes for longer on a busy machine is not who does not answer.
    result = probe(endpoint_of(server.url), briefly(context, 1.0 if scenario.code == Code.DEADLINE else 10.0))

    assert result.code == scenario.code, result.seen
    if scenario.warning:
        assert scenario.warning in [warn.code for warn in result.warnings]
    posts = [one for one in server.requests() if one.method == "POST"]
    # The target of a redirect on the host is proved before it is offered.
    assert len(posts) <= (2 if scenario.code == Code.EXCHANGE_REDIRECTED else 1)
    assert not any(one.scheme for one in server.requests())
    assert server.asked_elsewhere() == 0
    _is_presentable(result)


def _is_presentable(result: EndpointResult) -> None:
    """It can be kept, shown and put into words; the first red step is the last one."""
    assert load_endpoint_result(json.loads(json.dumps(dump_endpoint_result(result)))) == result
    document = endpoint_document(result).as_json()
    assert document["verdict"] == result.verdict.value
    for language in Language:
        assert wording(result.code, result.facts, language).sentence
    names = [step.name for step in result.steps]
    assert names == STEPS[: len(names)]
    assert all(step.verdict is Verdict.OK for step in result.steps[:-1])


def test_a_plain_exchange(server: ExchangeServer, context: CheckContext) -> None:
    result = probe(endpoint_of(server.url), context)
    assert (result.verdict, result.code, result.option) == (Verdict.OK, Code.OK, Option.NOT_NEEDED)
    assert result.endpoint == Endpoint(Protocol.HTTPS, "localhost", server.port, Security.TLS, server.url)
    assert result.capabilities == ("AUTH=BASIC", "AUTH=NTLM", "VERSION=15.2.1544.4")
    assert (result.facts["url"], result.facts["version"]) == (server.url, "15.2.1544.4")
    assert [step.name for step in result.steps] == STEPS
    assert result.tls is not None
    assert (result.fix, result.warnings) == (None, ())


def test_what_was_typed_sloppily_is_told_and_offered_as_a_fix(server: ExchangeServer, context: CheckContext) -> None:
    typed = f"http://somebody:Planted-secret-4711@LOCALHOST:{server.port}/owa/?x=1"
    result = probe(endpoint_of(typed), context)
    assert result.code is Code.OK
    assert result.fix == Fix("use_url", server.url)
    assert [warn.code for warn in result.warnings] == [Code.EXCHANGE_URL_CHANGED]
    assert (result.facts["url"], result.facts["typed"]) == (server.url, f"http://LOCALHOST:{server.port}/owa/")
    assert "Planted-secret-4711" not in repr(result)
    assert server.connections()["plain"] == 0


def test_a_redirect_from_http_is_followed_and_offered(server: ExchangeServer, context: CheckContext) -> None:
    typed = f"https://localhost:{server.http_port}/EWS/Exchange.asmx"
    result = probe(endpoint_of(typed), context)
    assert (result.code, result.fix) == (Code.EXCHANGE_PLAIN_HTTP, Fix("use_url", server.url))
    assert server.misplaced_credentials() == []


@pytest.mark.parametrize("name", ["not_found", "owa_page", "no_scheme", "internal_error", "redirect_other_host"])
def test_what_was_not_proved_is_not_offered(name: str, server: ExchangeServer, context: CheckContext) -> None:
    server.play(name)
    result = probe(endpoint_of(f"https://localhost:{server.http_port}/EWS/Exchange.asmx"), context)
    assert (result.code, result.fix) == (Code.EXCHANGE_PLAIN_HTTP, None)


@pytest.mark.parametrize("name", ["redirect_path", "redirect_relative", "redirect_308"])
def test_a_redirect_on_the_host_is_offered_as_a_fix(name: str, server: ExchangeServer, context: CheckContext) -> None:
    server.play(name)
    result = probe(endpoint_of(server.url), context)
    target = f"https://localhost:{server.port}/mail/EWS/Exchange.asmx"
    assert result.fix == Fix("use_url", target)
    assert probe(endpoint_of(target), context).code is Code.OK


def test_a_redirect_elsewhere_names_the_place(server: ExchangeServer, context: CheckContext) -> None:
    server.play("redirect_other_host")
    result = probe(endpoint_of(server.url), context)
    assert result.fix is None, "nobody was asked there"
    assert "another server" in wording(result.code, result.facts).sentence
    assert str(server.other_port) in wording(result.code, result.facts).sentence


def test_an_untrusted_certificate_needs_the_option(server: ExchangeServer, context: CheckContext) -> None:
    result = probe(endpoint_of(server.url), dataclasses.replace(context, trust=CheckContext().trust))
    assert (result.code, result.option) == (Code.TLS_UNTRUSTED_ROOT, Option.NEEDED)
    assert [step.name for step in result.steps] == ["resolve", "connect", "tls"]
    assert result.steps[-1].verdict is Verdict.FAIL


def test_the_option_does_not_help_where_exchange_is_not_reached(server: ExchangeServer, context: CheckContext) -> None:
    server.play("not_found")
    result = probe(endpoint_of(server.url), dataclasses.replace(context, trust=CheckContext().trust))
    assert (result.code, result.option) == (Code.TLS_UNTRUSTED_ROOT, Option.WOULD_NOT_HELP)


def test_the_option_lets_the_check_go_on(server: ExchangeServer, context: CheckContext) -> None:
    insecure = dataclasses.replace(context, trust=CheckContext().trust, allow_insecure_certificate=True)
    result = probe(endpoint_of(server.url), insecure)
    assert (result.code, result.option, result.insecure) == (Code.OK, Option.NEEDED, True)
    assert result.facts["version"] == "15.2.1544.4"
    assert result.capabilities[:2] == ("AUTH=BASIC", "AUTH=NTLM")
    assert [step.name for step in result.steps] == STEPS
    assert Code.TLS_UNTRUSTED_ROOT in [warn.code for warn in result.warnings]


def test_the_option_is_no_way_around_a_redirect(server: ExchangeServer, context: CheckContext) -> None:
    server.play("redirect_path")
    insecure = dataclasses.replace(context, trust=CheckContext().trust, allow_insecure_certificate=True)
    assert probe(endpoint_of(server.url), insecure).code is Code.EXCHANGE_REDIRECTED


@pytest.mark.parametrize(
    ("names", "validity", "code"),
    [
        (("localhost",), Validity.EXPIRED, Code.TLS_EXPIRED),
        (("other.lab.example",), Validity.CURRENT, Code.TLS_NAME_MISMATCH),
    ],
)
def test_certificates_are_judged_as_for_mail(
    names: tuple[str, ...],
    validity: Validity,
    code: Code,
    server_folder: Path,
    certificates: CertificateLab,
    context: CheckContext,
) -> None:
    leaf = certificates.issue(*names, validity=validity)
    with ExchangeServer(server_folder / f"exchange-{code}", leaf, {ADDRESS: "sesame"}) as server:
        result = probe(endpoint_of(server.url), context)
    assert (result.code, result.option) == (code, Option.NEEDED)


def test_an_address_that_is_not_allowed_is_not_connected_to(server: ExchangeServer, context: CheckContext) -> None:
    result = probe(endpoint_of(server.url), dataclasses.replace(context, policy=AddressPolicy()))
    assert result.code is Code.ADDRESS_NOT_ALLOWED
    assert server.connections().total() == 0


def test_a_port_that_nobody_listens_on(context: CheckContext) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert probe(endpoint_of(f"https://127.0.0.1:{free.getsockname()[1]}/"), context).code is Code.CONNECT_REFUSED


def test_the_http_port_of_exchange(server: ExchangeServer, context: CheckContext) -> None:
    result = probe(endpoint_of(f"https://localhost:{server.http_port}/"), briefly(context))
    assert result.code is Code.EXCHANGE_PLAIN_HTTP
    assert server.misplaced_credentials() == []


def test_a_port_that_speaks_another_protocol(context: CheckContext) -> None:
    with _greeting(b"220 mail.lab.example ESMTP\r\n") as port:
        assert probe(endpoint_of(f"https://127.0.0.1:{port}/"), context).code is Code.PROTOCOL_MISMATCH


@contextlib.contextmanager
def _greeting(words: bytes) -> Iterator[int]:
    """A server that greets and waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _ = listener.accept()
                    with accepted:
                        accepted.sendall(words)
                        accepted.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize("host", ["outlook.live.com", "https://www.hotmail.com/owa", "outlook.com"])
def test_private_outlook_mailboxes_have_no_ews(host: str, context: CheckContext) -> None:
    result = probe(endpoint_of(host), context)
    assert (result.code, result.verdict, result.steps) == (Code.EXCHANGE_CONSUMER, Verdict.FAIL, ())
    assert "IMAP" in wording(result.code, result.facts).advice


@pytest.fixture
def online(
    server_folder: Path, certificates: CertificateLab, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExchangeServer]:
    """A server that has the name and the certificate of Exchange Online."""

    def on_loopback(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    leaf = certificates.issue("outlook.office365.com")
    with ExchangeServer(server_folder / "exchange-online", leaf, {ADDRESS: "sesame"}, ("Basic", "Bearer")) as server:
        monkeypatch.setattr(socket, "getaddrinfo", on_loopback)
        yield server


def test_exchange_online_takes_tokens_only_and_ends(online: ExchangeServer, context: CheckContext) -> None:
    result = probe(endpoint_of(f"outlook.office365.com:{online.port}/owa"), context)
    assert result.code is Code.OK
    assert "AUTH=BEARER" in result.capabilities
    assert "AUTH=BASIC" not in result.capabilities
    warning = next(warn for warn in result.warnings if warn.code is Code.EXCHANGE_ONLINE)
    assert "1 April 2027" in wording(warning.code, warning.facts).sentence


def test_exchange_online_after_the_end_of_ews(
    online: ExchangeServer, context: CheckContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_online, "ENDS", refusal_causes.utc_now().date())
    result = probe(endpoint_of(f"outlook.office365.com:{online.port}"), context)
    assert (result.code, result.verdict) == (Code.EXCHANGE_ONLINE_RETIRED, Verdict.FAIL)


def test_autodiscover_of_the_domain_is_asked_too(online: ExchangeServer, certificates: CertificateLab) -> None:
    """Everything resolves to loopback here, where port 443 is closed: the domain's own host stays silent."""
    url = f"https://outlook.office365.com:{online.port}/EWS/Exchange.asmx"
    context = dataclasses.replace(trusting(certificates), domain="lab.example")
    assert other_url(url, context, Deadline(5)) == ""
    online.play("autodiscover_other")
    assert other_url(url, context, Deadline(5)) != ""
    forbidden = dataclasses.replace(context, policy=AddressPolicy())
    assert other_url(url, forbidden, Deadline(5)) == ""


def test_no_mailbox_is_named_to_autodiscover(server: ExchangeServer, context: CheckContext) -> None:
    probe(endpoint_of(server.url), dataclasses.replace(context, domain="lab.example"))
    gets = [one for one in server.requests() if one.method == "GET"]
    assert [one.target for one in gets] == ["/autodiscover/autodiscover.json?Email=postmaster@lab.example&Protocol=EWS"]
