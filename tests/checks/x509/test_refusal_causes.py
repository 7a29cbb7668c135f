"""What is read from certificates, and what OpenSSL, which decides, makes of the same ones."""

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.codes import Code
from checks.model import Invalid
from checks.tls import accepted_chain
from checks.trust import Trust
from checks.x509 import certificates, refusal_causes
from checks.x509.certificates import describe
from checks.x509.paths import build
from checks.x509.trust_store import store_of
from tests.servers.certificates import CertificateLab

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *names: x509.GeneralName,
    common: str = "mail.lab.example",
    issuer: str | None = None,
    days: tuple[int, int] = (-10, 90),
    now: datetime = NOW,
) -> x509.Certificate:
    """A certificate signed with its own key, whatever its issuer is called."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256())


def dns(*names: str) -> list[x509.GeneralName]:
    return [x509.DNSName(name) for name in names]


def openssl_accepts(subject: x509.Certificate, host: str, folder: Path) -> bool:
    """A handshake in memory with that very certificate as the trusted one: only the name can be wrong."""
    pem = subject.public_bytes(serialization.Encoding.PEM)
    (folder / "leaf.pem").write_bytes(
        pem
        + KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "leaf.pem")
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(left, server_side=True) as served:
                served.recv(1)
        except OSError:
            left.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        ssl.create_default_context(cadata=pem.decode()).wrap_socket(right, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        assert error.verify_code in (62, 64), error.verify_message
        return False
    else:
        return True
    finally:
        right.close()
        thread.join()


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (dns("mail.lab.example"), "mail.lab.example", True),
        (dns("MAIL.lab.example"), "mail.LAB.example", True),
        (dns("*.lab.example"), "mail.lab.example", True),
        (dns("*.lab.example"), "lab.example", False),
        (dns("*.lab.example"), "mail_1.lab.example", False),
        (dns("mail_1.lab.example"), "mail_1.lab.example", True),
        (dns("*.example"), "mail.example", False),
        (dns("*.lab.example"), "deep.mail.lab.example", False),
        (dns("other.example", "mail.lab.example"), "mail.lab.example", True),
        (dns("other.example"), "mail.lab.example", False),  # the common name does not count beside a SAN
        ([], "mail.lab.example", True),  # and does without one
        ([], "other.example", False),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "192.0.2.1", True),
        ([x509.IPAddress(ipaddress.ip_address("2001:db8::1"))], "2001:db8::1", True),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "192.0.2.2", False),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "mail.lab.example", True),  # an address is no host
        ([x509.UniformResourceIdentifier("imap://mail.lab.example")], "mail.lab.example", True),
        (dns("192.0.2.1"), "192.0.2.1", False),
    ],
)
def test_names_are_judged_as_openssl_judges_them(
    names: list[x509.GeneralName], host: str, covered: bool, tmp_path: Path
) -> None:
    assert openssl_accepts(certificate(*names, now=datetime.now(UTC)), host, tmp_path) is covered
    assert certificates.covers(certificate(*names), host) is covered


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (dns("*.lab.example"), "mail_1.lab.example", True),
        (dns("*.lab.example"), "mail.LAB.example", True),
        (dns("*.lab.example"), "-mail.lab.example", True),
        (dns("*.lab.example"), "lab.example", False),
        (dns("*.lab.example"), "deep.mail.lab.example", False),
        (dns("*.example"), "mail.example", False),
        (dns("*"), "mail.lab.example", False),
        (dns("mail*.lab.example"), "mail1.lab.example", True),
        (dns("mail_*.lab.example"), "mail_1.lab.example", True),
        (dns("m*l.lab.example"), "ml.lab.example", True),
        (dns("ma*ail.lab.example"), "mail.lab.example", False),
        (dns("m*i*.lab.example"), "mail.lab.example", False),
        (dns("xn--*.lab.example"), "xn--bcher-kva.lab.example", False),
        (dns("*.lab.example"), "xn--bcher-kva.lab.example", True),
        (dns("mail.lab.example"), "mail.lab.example.", True),
        (dns("mail..example"), "mail..example", False),
        (dns("other.example"), "mail.lab.example", False),
        ([], "mail.lab.example", True),
        (dns("127.0.0.1"), "127.0.0.1", False),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], "127.0.0.1", True),
    ],
)
def test_names_are_judged_as_node_judges_them(names: list[x509.GeneralName], host: str, covered: bool) -> None:
    """What `tls.checkServerIdentity` of Node 20 said of each."""
    assert certificates.covers(certificate(*names), host, "node") is covered


def test_self_signed_is_about_the_signature_not_the_name() -> None:
    assert certificates.self_signed(certificate())
    assert not certificates.self_signed(certificate(issuer="somebody else"))


def evidence(leaf: x509.Certificate, *others: x509.Certificate, reason: str = "") -> refusal_causes.Evidence:
    """What is known of a chain as it was sent, with the usual roots."""
    sent = (leaf, *others)
    return refusal_causes.Evidence(sent, build(leaf, sent, store_of(""), NOW), "mail.lab.example", NOW, reason)


@pytest.mark.parametrize(
    ("number", "code"),
    [(9, Code.TLS_NOT_YET_VALID), (10, Code.TLS_EXPIRED), (18, Code.TLS_SELF_SIGNED), (19, Code.TLS_UNTRUSTED_ROOT),
     (20, Code.TLS_CHAIN_UNCLEAR), (21, Code.TLS_CHAIN_UNCLEAR), (26, Code.TLS_WRONG_PURPOSE),
     (47, Code.TLS_NAME_CONSTRAINTS), (62, Code.TLS_NAME_MISMATCH), (64, Code.TLS_NAME_MISMATCH),
     (66, Code.TLS_WEAK_KEY), (85, Code.TLS_STRICT_ONLY), (0, Code.TLS_BAD_CERTIFICATE)],
)  # fmt: skip
def test_openssls_own_error_is_always_among_the_causes(number: int, code: Code) -> None:
    assert [cause.code for cause in refusal_causes.causes(None, number)] == [code]
    good = certificate(*dns("mail.lab.example"), issuer="a root")
    assert code in [cause.code for cause in refusal_causes.causes(evidence(good), number)]


def test_what_the_first_error_hides_is_found_in_a_fixed_order() -> None:
    bad = certificate(*dns("other.example"), days=(-30, -3))
    found = {cause.code: cause.facts for cause in refusal_causes.causes(evidence(bad), 62)}
    assert list(found) == [Code.TLS_SELF_SIGNED, Code.TLS_EXPIRED, Code.TLS_NAME_MISMATCH]
    assert found[Code.TLS_NAME_MISMATCH] == {"names": "other.example", "host": "mail.lab.example", "count": "1"}
    assert found[Code.TLS_EXPIRED]["date"] == "2026-05-29"


def test_why_nothing_is_known_of_the_issuer_is_told() -> None:
    lone = certificate(*dns("mail.lab.example"), issuer="a root")
    cause = refusal_causes.causes(evidence(lone, reason="HTTP 404"), 20)[0]
    assert (cause.code, cause.facts["issuer"], cause.facts["reason"]) == (
        Code.TLS_CHAIN_UNCLEAR,
        "CN=a root",
        "HTTP 404",
    )


def test_the_date_is_that_of_the_certificate_that_ended() -> None:
    leaf = certificate(*dns("mail.lab.example"), issuer="intermediate")
    late = certificate(common="intermediate", issuer="a root", days=(-100, -1))
    cause = refusal_causes.causes(evidence(leaf, late), 10)[1]
    assert cause.code is Code.TLS_INTERMEDIATE_EXPIRED
    assert cause.facts == {"subject": "CN=intermediate", "date": "2026-05-31"}
    assert cause.about is late


@pytest.mark.parametrize(
    ("leaf", "others", "days"),
    [
        ((-10, 90), [], None),
        ((-81, 19), [], "19"),
        ((-79, 21), [], None),
        ((-1, 5), [], None),  # a short life is no end
        ((-10, 90), [(-3000, 600)], None),  # a fifth of an intermediate's life is years
        ((-10, 90), [(-3000, 10)], "10"),
        ((-10, 90), [(-3000, -200)], None),  # an old cross-signature that is still sent
    ],
)
def test_when_a_certificate_expires_soon(
    leaf: tuple[int, int], others: list[tuple[int, int]], days: str | None
) -> None:
    own = certificate(*dns("mail.lab.example"), days=leaf)
    presented = [own, *(certificate(common="intermediate", days=item) for item in others)]
    found = accepted_chain.warnings(presented, (), "mail.lab.example", NOW)
    assert [warn.facts["days"] for warn in found] == ([days] if days else [])
    assert accepted_chain.warnings([], (), "mail.lab.example", NOW) == ()


def test_names_that_cannot_be_decoded_do_not_end_the_check() -> None:
    """Given a common name that says it is UTF-8 and is not."""
    raw = certificate(common="AAAAAAAA", issuer="BBBBBBBB").public_bytes(serialization.Encoding.DER)
    for name in (b"AAAAAAAA", b"BBBBBBBB"):
        raw = raw.replace(name, name[:1] + b"\xff\xfe" + name[3:])
    odd = x509.load_der_x509_certificate(raw)
    assert refusal_causes.causes(evidence(odd), 20)[0].code is Code.TLS_CHAIN_UNCLEAR
    assert describe(odd).subject
    assert certificates.names(odd) == []


class TestTrust:
    def test_a_bundle_with_comments_in_any_language(self, certificates: CertificateLab) -> None:
        text = f"# Főtanúsítvány\nSubject: Größe\n{certificates.ca_pem}\n# 終わり\n"
        stats = Trust(text).strict.cert_store_stats()
        assert stats["x509_ca"] == Trust().strict.cert_store_stats()["x509_ca"] + 1

    @pytest.mark.parametrize(
        "text",
        ["hello", "\0\1\2", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", "ä",
         "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\nMIIB"],
    )  # fmt: skip
    def test_what_is_no_certificate_is_refused_in_one_line(self, text: str) -> None:
        with pytest.raises(Invalid, match="PEM") as refusal:
            Trust(text)
        assert refusal.value.field == "ca_file"
        assert "\n" not in str(refusal.value)

    def test_the_strict_context_verifies_and_is_made_once(self, certificates: CertificateLab) -> None:
        trust = Trust(certificates.ca_pem)
        assert trust.strict is Trust(certificates.ca_pem).strict
        assert trust.strict.verify_mode is ssl.CERT_REQUIRED
        assert trust.strict.check_hostname
        assert trust.strict.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert trust.insecure is not trust.strict
        assert Trust().strict is not trust.strict
