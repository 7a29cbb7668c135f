"""`check --revocation` asks who issued the certificate; without it nobody is asked."""

from pathlib import Path

import pytest

from cli.main import run
from tests.servers.pki.aia import AiaServer
from tests.servers.pki.setups import answered_by_ocsp, staged


@pytest.mark.parametrize(("arguments", "asked"), [([], False), (["--revocation"], True)])
def test_the_authority_is_asked_where_that_is_wanted(
    arguments: list[str], asked: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca_file = tmp_path / "ca.pem"
    with AiaServer() as authority:
        setup = answered_by_ocsp(revoked=True)(authority)
        ca_file.write_text(setup.chain.ca_pem)
        with staged(setup, "imap", "tls") as server:
            target = [f"{setup.chain.host}:{server.port}", "--protocol", "imap", "--security", "tls"]
            status = run(["check", *target, "--ca-file", str(ca_file), *arguments])

    said = capsys.readouterr()
    assert status == 0, said.err  # no mail client looks
    assert ("was revoked on" in " ".join(said.out.split())) is asked
    assert bool(authority.requests) is asked
