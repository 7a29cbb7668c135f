"""The use case of finding out what the settings of a domain are. Nothing is kept of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Protocol
from worker.runs.endpoints import client_trust
from worker.service.bound_to import Binding

if TYPE_CHECKING:  # the DNS library takes its time to load, and only whoever discovers needs it
    from checks.discovery.model import Source, SourceReport
    from checks.discovery.proposals import Discovery
    from checks.discovery.run import Ask
    from checks.discovery.web import Outside


@dataclass(frozen=True, slots=True)
class Discoveries:
    """Of one account."""

    _to: Binding

    def discover(
        self,
        text: str,
        imap: Endpoint | None = None,
        smtp: Endpoint | None = None,
        tell: "Callable[[SourceReport], None]" = lambda _: None,
    ) -> "Discovery":
        """Proposals for a domain or an address, each server checked as a run would. Takes up to half a minute.

        `imap` and `smtp` are what somebody has entered: checked, and repaired where that can be. `tell` hears of each
        source as it ends. Raises `Invalid` for what is neither a domain nor an address.
        """
        from checks.discovery.model import Candidate, Evidence, Source, Subject
        from checks.discovery.run import discover

        subject = Subject.of(text)
        typed = None
        if imap or smtp:
            servers = (imap,) if imap else (), (smtp,) if smtp else ()
            typed = Candidate(Source.TYPED, Evidence.TYPED, "", *servers)
        outside = outside_of(self._context())
        return discover(subject, outside, self._check, typed=typed, tell=tell, sources=self._sources())

    def _context(self) -> CheckContext:
        config = self._to.config
        return CheckContext(
            trust=client_trust(config),
            policy=config.policy,
            deadline_seconds=config.endpoint_seconds,
            source=config.shared_source,
            client=config.client_profile,
        )

    def _check(self, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        """In its turn at the server; Exchange with the trust of the client that asks Exchange."""
        if endpoint.protocol is Protocol.HTTPS:
            context = replace(context, trust=client_trust(self._to.config, exchange=True))
        return self._to.check(endpoint, context)

    def _sources(self) -> "Mapping[Source, Ask]":
        from checks.discovery.run import SOURCES
        from checks.discovery.sources import sandbox

        return sandbox.SOURCES if self._to.sandboxed() else SOURCES


def outside_of(context: CheckContext) -> "Outside":
    """How discovery reaches the world: as the system's resolver has it, under the policy of the context."""
    from checks.discovery.web import Outside

    return Outside(context)
