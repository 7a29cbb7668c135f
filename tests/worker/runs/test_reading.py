"""Settings that say which client judges, and how it reads certificates, reach the checks."""

import json
import ssl
from pathlib import Path

import pytest

from checks.codes import Verdict
from checks.model import Endpoint, EndpointResult, Invalid, Protocol
from checks.runner import check_endpoint
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.settings import ExchangeSettings, ImapSettings
from checks.tls.what_if import Supposition, context_for
from checks.trust import STRICT_READING, Trust
from checks.x509.certificates import load
from tests.servers.pki.chain import good_chain
from tests.servers.process import free_port
from worker.config import load_config
from worker.runs.endpoints import context_of

SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.lab.example", 993), Endpoint(Protocol.SMTP, "smtp.lab.example", 465)
)
BEFORE_3_13 = ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST


@pytest.mark.parametrize(
    ("value", "flags"), [("", BEFORE_3_13), ("false", BEFORE_3_13), ("true", BEFORE_3_13 | STRICT_READING)]
)
def test_the_setting_reaches_the_context_that_decides(
    value: str, flags: ssl.VerifyFlags, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_PREFLIGHT_X509_STRICT", raising=False)
    if value:
        monkeypatch.setenv("MAIL_PREFLIGHT_X509_STRICT", value)
    trust = context_of(load_config(), SETTINGS, script=None).trust

    assert trust.strict.verify_flags == flags
    assert context_for(trust, Supposition()).verify_flags == flags


def test_what_is_supposed_to_be_at_hand_is_not_trusted_by_itself() -> None:
    known = load(good_chain().path[1].der)
    assert known is not None
    supposed = context_for(Trust(x509_strict=True), Supposition(known=(known,)))

    assert ssl.VerifyFlags.VERIFY_X509_STRICT in supposed.verify_flags
    assert ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN not in supposed.verify_flags


@pytest.mark.parametrize(("value", "name"), [("", "python"), ("python", "python"), ("node", "node")])
def test_the_client_that_will_connect_reaches_the_checks(
    value: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", value)
    assert context_of(load_config(), SETTINGS, script=None).client.name == name


def test_a_profile_says_how_certificates_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "app.toml"
    own.write_text("[tls]\nstrict = true\n")
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", str(own))
    monkeypatch.setenv("MAIL_PREFLIGHT_X509_STRICT", "false")
    assert context_of(load_config(), SETTINGS, script=None).trust.x509_strict


def test_a_profile_says_what_tls_its_client_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "app.toml"
    own.write_text('[tls]\nminimum = "TLSv1.3"\n')
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", str(own))
    monkeypatch.setenv("MAIL_PREFLIGHT_TLS_CIPHERS", "openssl")
    trust = context_of(load_config(), SETTINGS, script=None).trust
    assert trust.strict.minimum_version == trust.insecure.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context_for(trust, Supposition()).minimum_version == ssl.TLSVersion.TLSv1_3
    assert trust.ciphers == "openssl"


def test_node_offers_openssls_ciphers_whatever_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", "node")
    monkeypatch.setenv("MAIL_PREFLIGHT_TLS_CIPHERS", "python")
    assert context_of(load_config(), SETTINGS, script=None).trust.ciphers == "openssl"


@pytest.mark.parametrize(("profile", "names"), [("python", "openssl"), ("node", "node")])
def test_a_profile_says_which_hosts_a_wildcard_covers(
    profile: str, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for Exchange: nobody but exchangelib asks it, by requests."""
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", profile)
    exchange = ExchangeSettings("https://mail.lab.example/EWS/Exchange.asmx")
    assert context_of(load_config(), SETTINGS, script=None).trust.names == names
    assert context_of(load_config(), exchange, script=None).trust.names == "requests"


def test_what_is_supposed_of_a_chain_is_told_by_the_same_rule_of_names() -> None:
    strict, supposed = Trust(names="node").strict, context_for(Trust(names="node"), Supposition())
    assert (strict.check_hostname, strict.verify_mode) == (False, ssl.CERT_REQUIRED)
    assert type(strict) is type(supposed)
    assert Trust().strict.check_hostname


@pytest.mark.parametrize(("value", "asked"), [("", False), ("false", False), ("true", True)])
def test_whether_revocation_is_asked_for_reaches_the_checks(
    value: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value:
        monkeypatch.setenv("MAIL_PREFLIGHT_REVOCATION", value)
    assert context_of(load_config(), SETTINGS, script=None).revocation is asked


@pytest.mark.parametrize("value", ["perl", "/no/such.toml"])
def test_no_such_profile_is_one_line_that_names_the_variable(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", value)
    with pytest.raises(Invalid, match=r"^the environment variable MAIL_PREFLIGHT_CLIENT_PROFILE is not usable: .*$"):
        load_config()


def test_a_result_says_which_client_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PREFLIGHT_CLIENT_PROFILE", "node")
    nowhere = Endpoint(Protocol.IMAP, "127.0.0.1", free_port())
    result = check_endpoint(nowhere, context_of(load_config(), SETTINGS, script=None))
    kept: EndpointResult = load_endpoint_result(json.loads(json.dumps(dump_endpoint_result(result))))
    assert (kept.verdict, kept.client) == (Verdict.FAIL, "node")
