"""Every scenario of the stand-in Exchange in one table, with the code that a check is expected to find.

Codes are those of `checks.model.Code`, as strings: the server knows nothing of the checks.
"""

from collections.abc import Mapping

from tests.servers.exchange.endpoints import ENDPOINTS
from tests.servers.exchange.kinds import EndpointScenario, MailboxScenario, Scenario
from tests.servers.exchange.mailboxes import MAILBOXES

ENDPOINT_SCENARIOS: Mapping[str, EndpointScenario] = {scenario.name: scenario for scenario in ENDPOINTS}
MAILBOX_SCENARIOS: Mapping[str, MailboxScenario] = {scenario.name: scenario for scenario in MAILBOXES}
SCENARIOS: Mapping[str, Scenario] = {**ENDPOINT_SCENARIOS, **MAILBOX_SCENARIOS}
assert len(SCENARIOS) == len(ENDPOINTS) + len(MAILBOXES), "two scenarios share a name"
