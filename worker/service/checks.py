"""The use case of one server that is looked at by itself, without a login."""

from dataclasses import dataclass

from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Protocol
from worker.runs.endpoints import client_trust
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Checks:
    """Of one account."""

    _to: Binding

    def endpoint(self, endpoint: Endpoint, ca_pem: str = "", *, revocation: bool = False) -> EndpointResult:
        """Checks a server, from where and as a run would. `ca_pem` holds CAs that are trusted for this check.

        It ends at its deadline, after the wait for its turn at the server. Raises `Invalid` for a CA.
        """
        config = self._to.config
        context = CheckContext(
            trust=client_trust(config, ca_pem, exchange=endpoint.protocol is Protocol.HTTPS),
            policy=config.policy,
            deadline_seconds=config.endpoint_seconds,
            source=config.shared_source,
            client=config.client_profile,
            revocation=revocation,
            thorough=True,
        )
        return self._to.check(endpoint, context)
