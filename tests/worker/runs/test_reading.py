"""How certificates are read: as the app that will connect does, whatever Python this service runs on."""

import ssl

import pytest

from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from checks.tls.what_if import Supposition, context_for
from checks.trust import STRICT_READING, Trust
from checks.x509.certificates import load
from tests.servers.pki.chain import good_chain
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
    trust = context_of(load_config(), SETTINGS).trust

    assert trust.strict.verify_flags == flags
    assert context_for(trust, Supposition()).verify_flags == flags


def test_what_is_supposed_to_be_at_hand_is_not_trusted_by_itself() -> None:
    known = load(good_chain().path[1].der)
    assert known is not None
    supposed = context_for(Trust(x509_strict=True), Supposition(known=(known,)))

    assert ssl.VerifyFlags.VERIFY_X509_STRICT in supposed.verify_flags
    assert ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN not in supposed.verify_flags
