"""Why a chain was refused, and what would repair it. A repair is claimed only after a handshake has shown that it works.

The certificates say what may be wrong (`checks.chain`); OpenSSL says what is: every "what if" is one more strict
handshake with the same server (`checks.whatif`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import ssl

from cryptography import x509

from checks import aia, candidates, chain
from checks.chain import Cause, Evidence
from checks.context import CheckContext
from checks.model import Code, Endpoint, Fault, Fix
from checks.network import Deadline
from checks.paths import End, Path, build, current
from checks.certificates import fingerprint, signed_by, subject
from checks.repairs import repair
from checks.store import store_of
from checks.tls import Handshake, Refusal
from checks.whatif import Supposition, context_for

MAX_FETCHES = 2
_BY_TIME = frozenset({Code.TLS_EXPIRED, Code.TLS_INTERMEDIATE_EXPIRED})
_CHAIN = frozenset({Code.TLS_INCOMPLETE_CHAIN, Code.TLS_WRONG_INTERMEDIATE, Code.TLS_INTERMEDIATE_EXPIRED})
_NOBODY_KNOWS = frozenset({Code.TLS_CHAIN_UNCLEAR, Code.TLS_WRONG_INTERMEDIATE})
