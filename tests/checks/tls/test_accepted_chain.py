"""When an end is announced: by the share of a lifetime that is left, whatever that lifetime is; the clock is told."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.codes import Code
from checks.tls.accepted_chain import warnings

BEGIN = datetime(2027, 3, 15, tzinfo=UTC)
HOST = "mail.lab.example"
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(days: float) -> x509.Certificate:
    """A leaf of so many days from `BEGIN` on."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, BEGIN, BEGIN + timedelta(days))
    names = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    return builder.add_extension(names, critical=False).sign(KEY, hashes.SHA256())


@pytest.mark.parametrize(
    ("days", "warned_days_before"),
    [
        pytest.param(398, 79.6, id="398 days, before March 2026"),
        pytest.param(200, 40, id="200 days, since March 2026"),
        pytest.param(100, 20, id="100 days, from March 2027"),
        pytest.param(64, 12.8, id="64 days"),
        pytest.param(47, 9.4, id="47 days, from March 2029"),
        pytest.param(6, 1.2, id="six days"),
    ],
)
def test_the_end_is_announced_when_renewal_is_overdue(days: float, warned_days_before: float) -> None:
    leaf = certificate(days)

    def said(left: float) -> list[Code]:
        return [warn.code for warn in warnings((leaf,), (), HOST, BEGIN + timedelta(days - left))]

    assert said(days) == []
    assert said(days / 3) == [], "clients of ACME renew about here"
    assert said(warned_days_before + 0.1) == []
    assert said(warned_days_before - 0.1) == said(0.01) == [Code.TLS_EXPIRES_SOON]


def test_the_day_is_the_one_of_the_certificate() -> None:
    (warn,) = warnings((certificate(6),), (), HOST, BEGIN + timedelta(5.5))
    assert (warn.facts["date"], warn.facts["days"]) == ("2027-03-21", "0")
