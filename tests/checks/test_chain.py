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

from checks import chain
from checks.model import Code, Invalid
from checks.tls import Trust, describe
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
        (dns("*.lab.example"), "deep.mail.lab.example", False),
        (dns("other.example", "mail.lab.example"), "mail.lab.example", True),
        (dns("other.example"), "mail.lab.example", False),  # the common name does not count beside a SAN
        ([], "mail.lab.example", True),  # and does without one
        ([], "other.example", False),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "192.0.2.1", True),
        ([x509.IPAddress(ipaddress.ip_address("2001:db8::1"))], "2001:db8::1", True),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "192.0.2.2", False),
        (dns("192.0.2.1"), "192.0.2.1", False),
    ],
)
def test_names_are_judged_as_openssl_judges_them(
    names: list[x509.GeneralName], host: str, covered: bool, tmp_path: Path
) -> None:
    assert openssl_accepts(certificate(*names, now=datetime.now(UTC)), host, tmp_path) is covered
    assert chain.covers(certificate(*names), host) is covered


def test_self_signed_is_about_the_signature_not_the_name() -> None:
    assert chain.self_signed(certificate())
    assert not chain.self_signed(certificate(issuer="somebody else"))


@pytest.mark.parametrize(
    ("number", "code"),
    [(9, Code.TLS_NOT_YET_VALID), (10, Code.TLS_EXPIRED), (18, Code.TLS_SELF_SIGNED), (19, Code.TLS_UNTRUSTED_ROOT),
     (20, Code.TLS_UNTRUSTED_ROOT), (21, Code.TLS_UNTRUSTED_ROOT), (26, Code.TLS_BAD_CERTIFICATE),
     (62, Code.TLS_NAME_MISMATCH), (64, Code.TLS_NAME_MISMATCH), (0, Code.TLS_BAD_CERTIFICATE)],
)  # fmt: skip
def test_openssls_own_error_comes_first(number: int, code: Code) -> None:
    assert [warn.code for warn in chain.causes([], "mail.lab.example", NOW, number)] == [code]
    good = certificate(*dns("mail.lab.example"), issuer="a root")
    assert chain.causes([good], "mail.lab.example", NOW, number)[0].code is code


def test_what_the_first_error_hides_is_found() -> None:
    bad = certificate(*dns("other.example"), days=(-30, -3))
    found = {warn.code: warn.facts for warn in chain.causes([bad], "mail.lab.example", NOW, 62)}
    assert list(found) == [Code.TLS_NAME_MISMATCH, Code.TLS_SELF_SIGNED, Code.TLS_EXPIRED]
    assert found[Code.TLS_NAME_MISMATCH] == {"names": "other.example", "host": "mail.lab.example"}
    assert found[Code.TLS_EXPIRED]["date"] == "2026-05-29"


def test_the_date_is_that_of_the_certificate_that_ended() -> None:
    leaf = certificate(*dns("mail.lab.example"), issuer="a root")
    late = certificate(common="intermediate", issuer="a root", days=(-100, -1))
    facts = chain.causes([leaf, late], "mail.lab.example", NOW, 10)[0].facts
    assert facts == {"subject": "CN=intermediate", "date": "2026-05-31"}


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
    presented = [certificate(days=leaf), *(certificate(common="intermediate", days=item) for item in others)]
    found = chain.warnings(presented, NOW)
    assert [warn.facts["days"] for warn in found] == ([days] if days else [])
    assert chain.warnings([], NOW) == ()


def test_names_that_cannot_be_decoded_do_not_end_the_check() -> None:
    """Given a common name that says it is UTF-8 and is not."""
    raw = certificate(common="AAAAAAAA", issuer="BBBBBBBB").public_bytes(serialization.Encoding.DER)
    for name in (b"AAAAAAAA", b"BBBBBBBB"):
        raw = raw.replace(name, name[:1] + b"\xff\xfe" + name[3:])
    odd = x509.load_der_x509_certificate(raw)
    assert chain.causes([odd], "mail.lab.example", NOW, 20)[0].code is Code.TLS_UNTRUSTED_ROOT
    assert describe(odd).subject
    assert chain.names(odd) == []


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
