"""The endpoints of a run: each is checked once, and what came of it is kept for the mailboxes that log in there."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from checks.codes import Code, Verdict
from checks.context import CheckContext, Script
from checks.model import Authentication, Endpoint, EndpointResult, Pin
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.settings import ExchangeSettings, Settings
from checks.trust import Trust
from settings_store import domains
from settings_store.runs import endpoints, quarantine, runs
from settings_store.runs.runs import CANDIDATE, Phase, Run
from worker import tracing, watchdog
from worker.config import Config
from worker.pacing import endpoint_slot
from worker.resources import Resources
from worker.sandbox import script_of


def check_endpoints(resources: Resources, run: Run, phase: Phase, settings_id: int) -> tuple[EndpointResult, ...]:
    """The endpoints of a version of the settings, each checked once, side by side."""
    with resources.database.begin() as conn:
        runs.move(conn, run.id, ("queued",), "endpoints", resources.now())
        known = endpoints.documents(conn, run.id, phase)
        settings = domains.load_settings(conn, settings_id)
        domain = domains.name_of(conn, run.domain_id)
        quarantined = quarantine.active(conn, resources.now())
        script = script_of(conn, settings_id, resources.now())
    open_ones = [endpoint for endpoint in settings.endpoints if endpoint.protocol.value not in known]
    pins = pins_of(resources, run, phase, settings_id)
    context = context_of(resources.config, settings, domain, pins, script=script)
    carrier = tracing.carried()

    def check(endpoint: Endpoint) -> EndpointResult:
        protocol = endpoint.protocol.value
        with tracing.continued(carrier), tracing.span("endpoint_check", protocol=protocol) as seen:
            result = check_watched(endpoint, context, resources, quarantined)
            tracing.concluded(seen, result.verdict.value, result.code.value)
            return result

    with ThreadPoolExecutor(max(1, len(open_ones)), thread_name_prefix="endpoint") as pool:
        for done in as_completed([pool.submit(check, endpoint) for endpoint in open_ones]):
            result = done.result()  # told at once: somebody may be looking
            with resources.database.begin() as conn:
                document = dump_endpoint_result(result)
                endpoints.save(conn, run.id, phase, result.endpoint.protocol, document)
    return endpoint_results(resources, run.id, phase)


def check_watched(
    endpoint: Endpoint, context: CheckContext, resources: Resources, quarantined: Mapping[str, str]
) -> EndpointResult:
    """Checks an endpoint in its turn, or says what did not end there; somebody outside looks at how long it computes.

    `quarantined` is as `quarantine.active` has it.
    """
    if work := quarantined.get(str(endpoint)):
        seen = f"{work} computed beyond its deadline; not checked for an hour"
        return EndpointResult(endpoint, Verdict.INCONCLUSIVE, Code.INTERNAL, seen=seen)
    with watchdog.during("endpoint check", endpoint, endpoint_slot.PATIENCE_SECONDS + context.deadline_seconds):
        return endpoint_slot.check_in_turn(endpoint, context, resources.pacer)


def endpoint_results(resources: Resources, run_id: str, phase: Phase) -> tuple[EndpointResult, ...]:
    """What is known of a run's endpoints."""
    with resources.database.read() as conn:
        return results_of(endpoints.documents(conn, run_id, phase))


def pins_of(resources: Resources, run: Run, phase: Phase, settings_id: int) -> dict[str, Pin]:
    """The keys that were let in when settings now in force were verified; proposed ones are looked at afresh."""
    return {} if phase == CANDIDATE and run.kind == "preflight" else pins_in_force(resources, settings_id)


def pins_in_force(resources: Resources, settings_id: int) -> dict[str, Pin]:
    """The keys that were let in when a version of the settings was verified, by the endpoint as text."""
    with resources.database.read() as conn:
        results = results_of(endpoints.verified(conn, settings_id))
    return {str(result.endpoint): result.pin for result in results if result.pin}


def context_of(
    config: Config,
    settings: Settings,
    domain: str = "",
    pins: Mapping[str, Pin] | None = None,
    *,
    script: Script | None,
) -> CheckContext:
    """The context in which settings are checked; `domain` is that of the mailboxes, where it matters.

    `script` is what `worker.sandbox` says of these settings: nobody may leave out to ask.
    """
    return CheckContext(
        script=script,
        pins=pins or {},
        trust=client_trust(config, settings.ca_pem, exchange=isinstance(settings, ExchangeSettings)),
        client=config.client_profile,
        policy=config.policy,
        deadline_seconds=config.endpoint_seconds,
        login_seconds=config.login_seconds,
        allow_insecure_certificate=settings.allow_insecure_certificate,
        source=config.shared_source,
        static=config.own_static if settings.static_addresses else None,
        shared_name=config.shared_name,
        domain=domain,
        revocation=config.revocation,
    )


def client_trust(config: Config, ca_pem: str = "", *, exchange: bool = False) -> Trust:
    """Whom checks trust, how they read certificates and what they offer: as the client that will connect.

    As its profile says, as the settings say where it does not. Exchange is asked by exchangelib whatever the profile,
    so names of its hosts (requests' rule) and ciphers are not the profile's matter. Raises `Invalid` for a CA.
    """
    tls = config.client_profile.tls
    if exchange:
        return Trust(ca_pem, strictly(config), config.tls_ciphers, tls.minimum, "requests")
    return Trust(ca_pem, strictly(config), tls.ciphers or config.tls_ciphers, tls.minimum, tls.names)


def strictly(config: Config) -> bool:
    """How certificates are read: as the client's profile says, as the setting says where it does not."""
    strict = config.client_profile.tls.strict
    return config.x509_strict if strict is None else strict


def servers_of(results: Iterable[EndpointResult]) -> dict[str, str]:
    """Protocol -> the server that logins of it go to, as rejections are remembered by."""
    asked = (item.endpoint for item in results if item.endpoint.authentication is Authentication.LOGIN)
    return {str(endpoint.protocol): f"{endpoint.host}:{endpoint.port}" for endpoint in asked}


def results_of(documents: Mapping[str, Mapping[str, Any]]) -> tuple[EndpointResult, ...]:
    """Stored endpoint documents as results, in the order of their protocols."""
    return tuple(load_endpoint_result(dict(document)) for document in documents.values())


def decisive(results: Iterable[EndpointResult]) -> EndpointResult | None:
    """The endpoint that settles every mailbox, failures before the undecided; None where logins must tell."""
    order = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1}
    settling = [result for result in results if result.verdict in order]
    return min(settling, key=lambda result: order[result.verdict], default=None)
