"""What would repair settings, as settings: only what was tried out, and only what the admin can do by themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from checks.model import Endpoint, EndpointResult, Option, Protocol, Security
from checks.settings import ImapSettings, Settings

Kind = Literal[
    "use_host", "use_starttls", "use_implicit_tls", "allow_insecure_certificate", "refuse_insecure_certificate"
]


@dataclass(frozen=True, slots=True)
class Repair:
    """Settings as they would be. `protocol` is that of the endpoint which it is for; `host` the new one, '' if none."""

    kind: Kind
    protocol: Protocol
    settings: Settings
    host: str = ""

    @property
    def name(self) -> str:
        """Which of a report's it is."""
        return f"{self.protocol}.{self.kind}"


def repairs(settings: Settings, results: Sequence[EndpointResult]) -> list[Repair]:
    """Each is for one fault, and may leave others. The insecure option is the last resort, so it comes last."""
    fixes = [repair for result in results for repair in _fixes(settings, result)]
    return [*fixes, *_option(settings, results)]


def _fixes(settings: Settings, result: EndpointResult) -> Iterator[Repair]:
    fix, protocol = result.fix, result.endpoint.protocol
    if fix is None or not isinstance(settings, ImapSettings):
        return
    endpoint = settings.imap if protocol is Protocol.IMAP else settings.smtp
    # A name that does not lead to the server yet was not tried: its DNS comes first.
    if fix.kind == "use_host" and fix.facts.get("name") and fix.facts.get("resolves") != "no":
        host = fix.facts["name"]
        yield Repair("use_host", protocol, _with(settings, replace(endpoint, host=host)), host)
    if fix.kind == "use_starttls":
        yield Repair("use_starttls", protocol, _with(settings, replace(endpoint, security=Security.STARTTLS)))
    if fix.kind == "use_implicit_tls":
        yield Repair("use_implicit_tls", protocol, _with(settings, replace(endpoint, security=Security.TLS)))


def _with(settings: ImapSettings, endpoint: Endpoint) -> ImapSettings:
    if endpoint.protocol is Protocol.IMAP:
        return replace(settings, imap=endpoint)
    return replace(settings, smtp=endpoint)


def _option(settings: Settings, results: Sequence[EndpointResult]) -> Iterator[Repair]:
    """On where a server needs it, off where none does."""
    needed = [result.endpoint.protocol for result in results if result.option is Option.NEEDED]
    if needed and not settings.allow_insecure_certificate:
        for protocol in needed:
            yield Repair("allow_insecure_certificate", protocol, replace(settings, allow_insecure_certificate=True))
    elif settings.allow_insecure_certificate and results and all(r.option is Option.NOT_NEEDED for r in results):
        switched = replace(settings, allow_insecure_certificate=False)
        yield Repair("refuse_insecure_certificate", results[0].endpoint.protocol, switched)
