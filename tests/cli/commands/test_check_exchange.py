"""`mail-preflight check --exchange URL` in every scenario of the stand-in Exchange, in this process."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from cli.main import run
from tests.cli.reports.test_json_documents import validator
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.scenarios import ENDPOINT_SCENARIOS
from tests.servers.exchange.server import ExchangeServer

STATUS = {Verdict.OK: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}


@pytest.fixture(scope="module")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    users = {"a@lab.example": "sesame"}
    with ExchangeServer(server_folder / "exchange-cli", certificates.issue(), users, ("Basic", "NTLM")) as server:
        yield server


@pytest.fixture
def server(exchange: ExchangeServer, monkeypatch: pytest.MonkeyPatch) -> ExchangeServer:
    exchange.reset()
    monkeypatch.setattr("checks.context.CheckContext", functools.partial(CheckContext, deadline_seconds=1.5))
    return exchange


@pytest.mark.parametrize("name", ENDPOINT_SCENARIOS)
def test_every_scenario(
    name: str, server: ExchangeServer, certificates: CertificateLab, capsys: pytest.CaptureFixture[str]
) -> None:
    server.play(name)

    status = run(["check", "--exchange", server.url, "--ca-file", str(certificates.ca_file), "--json"])

    said = capsys.readouterr()
    document = json.loads(said.out)
    validator("check.schema.json").validate(document)
    expected = ENDPOINT_SCENARIOS[name]
    assert (document["code"], said.err) == (expected.code, "")
    assert status == STATUS[verdict_of(Code(expected.code))]
    assert not any(one.scheme for one in server.requests())
    assert server.asked_elsewhere() == 0


@pytest.mark.parametrize("form", ["check localhost:{port} --protocol https", "check --exchange localhost:{port}/owa"])
def test_what_is_typed_is_told(
    form: str, server: ExchangeServer, certificates: CertificateLab, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = form.format(port=server.port).split()

    assert run([*arguments, "--ca-file", str(certificates.ca_file)]) == 0

    said = capsys.readouterr().out
    assert f"Exchange {server.url}: works" in said
    typed = next(word for word in arguments if word.startswith("localhost"))
    assert f"You typed {typed}; what is used is {server.url}" in said
    assert f"What would repair it: {server.url}" in said
