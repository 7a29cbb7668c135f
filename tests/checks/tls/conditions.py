"""Every condition of the TLS verdict, as RFC 5280, 6125 (now 9525), 8314 and 8446 would have it judged.

Nothing here was found by running the project's own code, and whether a server is accepted is asked of Python's own
clients besides (`tests.servers.pki.oracle`).
"""

from tests.checks.tls.condition import Condition
from tests.checks.tls.conditions_accepted import ACCEPTED
from tests.checks.tls.conditions_issuers import ISSUERS
from tests.checks.tls.conditions_leaf import LEAVES
from tests.checks.tls.conditions_server import SERVERS

CONDITIONS: tuple[Condition, ...] = (*ACCEPTED, *LEAVES, *ISSUERS, *SERVERS)

ORDER = (
    "tls.self_signed",
    "tls.untrusted_root",
    "tls.incomplete_chain",
    "tls.chain_unclear",
    "tls.wrong_intermediate",
    "tls.intermediate_expired",
    "tls.expired",
    "tls.not_yet_valid",
    "tls.name_mismatch",
    "tls.weak_key",
    "tls.weak_signature",
    "tls.wrong_purpose",
    "tls.not_a_ca",
    "tls.path_length",
    "tls.name_constraints",
    "tls.critical_extension",
    "tls.bad_signature",
    "tls.chain_too_large",
    "tls.bad_certificate",
    "tls.strict_only",
)
"""The order in which causes are given. The first one that applies is the code."""
