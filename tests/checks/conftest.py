"""Certificates that the tests of checks share."""

import pytest

from checks.context import CheckContext
from tests.checks.helpers import trusting
from tests.servers.certificates import CertificateFiles, CertificateLab


@pytest.fixture(scope="session")
def leaf(certificates: CertificateLab) -> CertificateFiles:
    """A leaf without any fault."""
    return certificates.issue()


@pytest.fixture(scope="session")
def context(certificates: CertificateLab) -> CheckContext:
    """Trusts the lab's root and waits three seconds."""
    return trusting(certificates)
