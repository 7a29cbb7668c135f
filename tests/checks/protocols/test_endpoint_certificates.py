"""Refused chains: the causes, what the option would do, and Python's own clients as the judge of what is accepted."""

import contextlib
import imaplib
import smtplib
import ssl
from dataclasses import dataclass
from typing import Literal

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Option, Protocol, Security
from tests.checks.helpers import LOOPBACK, examine, trusting
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.certificates import CertificateFiles, CertificateLab, Validity
from tests.servers.conversation import Script
from tests.servers.hostile import HostileServer

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
WAYS = [
    ("imap", IMAP, Security.TLS),
    ("imap_starttls", IMAP, Security.STARTTLS),
    ("smtp", SMTP, Security.TLS),
    ("smtp_starttls", SMTP, Security.STARTTLS),
]
FAULTS = {
    Code.OK: (),
    Code.TLS_SELF_SIGNED: ("subject", "issuer"),
    Code.TLS_CHAIN_UNCLEAR: ("subject", "issuer"),
    Code.TLS_EXPIRED: ("subject", "date"),
    Code.TLS_NOT_YET_VALID: ("subject", "date"),
    Code.TLS_NAME_MISMATCH: ("names",),
}


@dataclass(frozen=True)
class Shop:
    """Leaves by the fault that they have."""

    good: CertificateLab
    stranger: CertificateLab

    def leaf(self, fault: Code) -> CertificateFiles:
        if fault is Code.TLS_SELF_SIGNED:
            return self.good.issue(self_signed=True)
        if fault is Code.TLS_CHAIN_UNCLEAR:
            return self.stranger.issue()
        if fault is Code.TLS_NAME_MISMATCH:
            return self.good.issue("elsewhere.example", "*.elsewhere.example")
        validity = {Code.TLS_EXPIRED: Validity.EXPIRED, Code.TLS_NOT_YET_VALID: Validity.NOT_YET}
        return self.good.issue(validity=validity.get(fault, Validity.CURRENT))


@pytest.fixture(scope="module")
def shop(certificates: CertificateLab, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(certificates, CertificateLab(tmp_path_factory.mktemp("stranger"), "A root that nobody knows"))


def shut(client: imaplib.IMAP4) -> None:
    """Without a word: after a refused handshake there is nobody to talk to."""
    client.file.close()
    client.sock.close()


def accepted_by_python(name: str, leaf: CertificateFiles, certificates: CertificateLab) -> bool:
    """What the standard library's client does with its default context and the lab's root."""
    trust = ssl.create_default_context(cafile=certificates.ca_file)
    with HostileServer(name, leaf) as server, contextlib.ExitStack() as stack:
        try:
            if name == "imap":
                imaplib.IMAP4_SSL(LOOPBACK, server.port, ssl_context=trust).shutdown()
            elif name == "smtp":
                smtplib.SMTP_SSL(LOOPBACK, server.port, "client", context=trust).close()
            elif name == "imap_starttls":
                imap = imaplib.IMAP4(LOOPBACK, server.port)
                stack.callback(lambda: shut(imap))
                imap.capabilities += ("STARTTLS",)  # the hostile server says it in its greeting only
                imap.starttls(trust)
            else:
                smtp = smtplib.SMTP(LOOPBACK, server.port, "client")
                stack.callback(smtp.close)
                smtp.starttls(context=trust)
        except ssl.SSLCertVerificationError:
            return False
    return True


@pytest.mark.parametrize(("name", "protocol", "security"), WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_with_the_option_off(
    name: str, protocol: Protocol, security: Security, fault: Code, shop: Shop, context: CheckContext
) -> None:
    leaf = shop.leaf(fault)
    result = examine(name, leaf, context, protocol, security)

    assert result.code is fault
    assert (result.verdict is Verdict.OK) == accepted_by_python(name, leaf, shop.good)
    assert result.option is (Option.NEEDED if fault is not Code.OK else Option.NOT_NEEDED)
    assert not result.insecure
    assert result.tls is not None
    assert result.tls.version == "TLSv1.3"
    assert len(result.tls.chain) == 1
    assert all(result.facts[name] for name in FAULTS[fault])
    if fault is not Code.OK:
        assert result.steps[-1].name == "tls"
        assert result.steps[-1].verdict is Verdict.FAIL
        assert result.seen == result.steps[-1].seen != ""


@pytest.mark.parametrize(("name", "protocol", "security"), WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_with_the_option_on(
    name: str, protocol: Protocol, security: Security, fault: Code, shop: Shop, certificates: CertificateLab
) -> None:
    result = examine(name, shop.leaf(fault), trusting(certificates, insecure=True), protocol, security)

    assert (result.verdict, result.code) == (Verdict.OK, Code.OK)
    assert result.option is (Option.NEEDED if fault is not Code.OK else Option.NOT_NEEDED)
    assert result.insecure is (fault is not Code.OK)
    assert [warning.code for warning in result.warnings] == ([fault] if fault is not Code.OK else [])
    assert [step.name for step in result.steps][-1] == "capabilities"
    assert all(step.verdict is Verdict.OK for step in result.steps)
    assert result.capabilities
    assert result.tls is not None
    assert result.tls.chain


def unusable(protocol: Protocol, security: Security) -> Script:
    """A server that nobody could log in to, whatever its certificate."""
    way: Literal["starttls", "implicit"] = "starttls" if security is Security.STARTTLS else "implicit"
    if protocol is SMTP:
        rules = (("^EHLO", "250-mail.lab.example\r\n250 STARTTLS"), *smtp_script().rules)
        return Script(smtp_script().greeting, rules, tls=way)
    offer = "IMAP4rev1 LOGINDISABLED STARTTLS"
    rules = (("CAPABILITY", f"* CAPABILITY {offer}\r\n{{tag}} OK Done"), *imap_script().rules)
    return Script(f"* OK [CAPABILITY {offer}] Ready", rules, tls=way)


@pytest.mark.parametrize(("_", "protocol", "security"), WAYS)
def test_the_option_would_not_help_where_something_else_is_in_the_way(
    _: str, protocol: Protocol, security: Security, shop: Shop, certificates: CertificateLab
) -> None:
    leaf = shop.leaf(Code.TLS_SELF_SIGNED)
    off = examine(unusable(protocol, security), leaf, trusting(certificates), protocol, security)
    on = examine(unusable(protocol, security), leaf, trusting(certificates, insecure=True), protocol, security)

    assert (off.code, off.option) == (Code.TLS_SELF_SIGNED, Option.WOULD_NOT_HELP)
    assert (on.code, on.option, on.insecure) == (Code.AUTH_NOT_OFFERED, Option.WOULD_NOT_HELP, False)
    assert on.steps[-1].verdict is Verdict.FAIL
    assert [warning.code for warning in on.warnings] == [Code.TLS_SELF_SIGNED]


def test_a_client_certificate_is_not_replaced_by_the_option(shop: Shop, context: CheckContext) -> None:
    script = Script(imap_script().greeting, imap_script().rules, kind="client_certificate")
    result = examine(script, shop.leaf(Code.TLS_SELF_SIGNED), context)
    assert (result.code, result.option) == (Code.TLS_SELF_SIGNED, Option.WOULD_NOT_HELP)


def test_all_causes_are_named(shop: Shop, context: CheckContext) -> None:
    leaf = shop.stranger.issue("elsewhere.example", validity=Validity.EXPIRED, self_signed=True)
    result = examine("imap", leaf, context)
    assert result.code is Code.TLS_SELF_SIGNED
    assert [warning.code for warning in result.warnings] == [Code.TLS_EXPIRED, Code.TLS_NAME_MISMATCH]


def test_whether_the_option_helps_is_not_said_when_the_proof_did_not_come(shop: Shop, context: CheckContext) -> None:
    """Given a server that is gone for the second connection."""
    served = []

    def once(conversation: object) -> None:
        served.append(conversation)
        if len(served) == 1:
            imap_script()(conversation)  # type: ignore[arg-type] # a Conversation

    result = examine(once, shop.leaf(Code.TLS_EXPIRED), context, IMAP, Security.TLS)
    assert (result.code, result.option) == (Code.TLS_EXPIRED, None)


def test_a_certificate_near_its_end_is_a_warning(shop: Shop, context: CheckContext) -> None:
    result = examine("imap", shop.good.issue(validity=Validity.EXPIRES_SOON), context)
    assert (result.verdict, result.option) == (Verdict.OK, Option.NOT_NEEDED)
    warning = result.warnings[0]
    assert warning.code is Code.TLS_EXPIRES_SOON
    assert warning.facts["days"] in ("0", "1")
    assert len(warning.facts["date"]) == len("2026-01-31")


def test_a_root_for_one_domain_is_trusted_for_that_domain_only(shop: Shop) -> None:
    leaf = shop.leaf(Code.OK)
    assert examine("imap", leaf, trusting(shop.good)).code is Code.OK
    assert examine("imap", leaf, trusting(shop.stranger)).code is Code.TLS_CHAIN_UNCLEAR
