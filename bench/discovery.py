"""How long a discovery takes with every source answering from far away, beside the slowest source by itself."""

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.field import say
from bench.plan import ROUND_TRIP, Void
from checks.discovery.model import Source, Subject
from checks.discovery.run import SOURCES, Ask, discover
from tests.servers.certificates import CertificateLab
from tests.servers.delay import DelayProxy
from tests.servers.internet import EXCHANGE, Internet, autoconfig

LIMIT = 1.5
_ROUNDS = 15
_DOMAIN = "corp.example"
_ASKED: Mapping[Source, Ask] = {
    source: ask for source, ask in SOURCES.items() if source not in {Source.GUESS, Source.PROVIDER}
}
"""All but guesses, which come last, and the table of providers, which asks nobody."""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds, medians: of each source by itself with its servers checked, and of all of them together."""

    single: Mapping[Source, float]
    together: float

    @property
    def ratio(self) -> float:
        """To the slowest."""
        return self.together / max(self.single.values())


def measure_discovery(folder: Path, rounds: int = _ROUNDS) -> Found:
    """All in turn, round by round. Raises `Void` where a source does not answer, or its servers do not work."""
    with _internet(folder / "discovery") as internet:
        for source, ask in _ASKED.items():
            _timed(internet, {source: ask})  # whatever is done once is done
        single: dict[Source, list[float]] = {source: [] for source in _ASKED}
        together = []
        for _ in range(rounds):
            for source, ask in _ASKED.items():
                single[source].append(_timed(internet, {source: ask}))
            together.append(_timed(internet, _ASKED))
    found = Found({source: median(times) for source, times in single.items()}, median(together))
    say("  " + ", ".join(f"{source} {seconds * 1000:.0f} ms" for source, seconds in found.single.items()))
    return found


def _timed(internet: Internet, sources: Mapping[Source, Ask]) -> float:
    begun = time.perf_counter()
    found = discover(Subject(_DOMAIN), internet.outside(), internet.check, sources=sources)
    took = time.perf_counter() - begun
    silent = [report.source for report in found.reports if not report.candidates]
    if silent or not found.proposals or not found.proposals[0].works:
        raise Void(f"discovery found nothing by {', '.join(silent or sources)}")
    return took


@contextlib.contextmanager
def _internet(folder: Path) -> Iterator[Internet]:
    """Every source names the same servers; Autodiscover names Exchange beside them."""
    internet = _published(CertificateLab(folder / "authority"))
    with internet.running(), contextlib.ExitStack() as stack:
        internet.dns.delay = ROUND_TRIP
        for port, there in list(internet.ports.items()):
            internet.ports[port] = stack.enter_context(DelayProxy(folder, there, ROUND_TRIP / 2)).port
        yield internet


def _published(lab: CertificateLab) -> Internet:
    own = [f"{prefix}{_DOMAIN}" for prefix in ("", "autoconfig.", "autodiscover.", "imap.", "smtp.", "ua-auto-config.")]
    names = (*own, "mail.corp.example", "autoconfig.hoster.example")
    internet = Internet(lab, names, hosts=set(names))
    imap, smtp = f"imap.{_DOMAIN}", f"smtp.{_DOMAIN}"
    xml = autoconfig([(imap, 993, "SSL")], [(smtp, 465, "SSL")])
    pacc = json.dumps({"protocols": {"imap": {"host": imap}, "smtp": {"host": smtp}}}).encode()
    digest = base64.b64encode(hashlib.sha256(pacc).digest()).decode()
    ews = f"https://mail.{_DOMAIN}/EWS/Exchange.asmx"
    internet.serve_mail(f"{imap}:993", f"{smtp}:465", "imap.gmail.com:993", "smtp.gmail.com:587")
    internet.certified = (*names, "imap.gmail.com", "smtp.gmail.com")
    internet.zone = {
        (f"_ua-auto-config.{_DOMAIN}", "TXT"): [f'"v=UAAC1; a=sha256; d={digest}"'],
        (f"_imaps._tcp.{_DOMAIN}", "SRV"): [f"0 1 993 {imap}."],
        (f"_submissions._tcp.{_DOMAIN}", "SRV"): [f"0 1 465 {smtp}."],
        (f"_autodiscover._tcp.{_DOMAIN}", "SRV"): [f"0 1 443 autodiscover.{_DOMAIN}."],
        (_DOMAIN, "MX"): ["10 aspmx.l.google.com."],
    }
    internet.pages = {
        f"https://ua-auto-config.{_DOMAIN}/.well-known/user-agent-configuration.json": (200, {}, pacc),
        f"https://autoconfig.{_DOMAIN}/mail/config-v1.1.xml": (200, {}, xml),
        f"https://{_DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml": (200, {}, xml),
        f"http://autoconfig.{_DOMAIN}/mail/config-v1.1.xml": (200, {}, xml),
        "https://autoconfig.l.google.com/mail/config-v1.1.xml": (200, {}, xml),
        f"https://autodiscover.{_DOMAIN}/autodiscover/autodiscover.json": (200, {}, json.dumps({"Url": ews}).encode()),
        f"https://autodiscover.{_DOMAIN}/autodiscover/autodiscover.xml": EXCHANGE,
        ews: EXCHANGE,
    }
    internet.certified = (*internet.certified, "autoconfig.l.google.com", "autoconfig.google.com")
    return internet


def discovery_table(found: Found) -> Iterator[str]:
    """The lines of the table."""
    slowest = max(found.single, key=lambda source: found.single[source])
    told = f"{found.ratio:.2f}" if found.ratio <= LIMIT else f"**{found.ratio:.2f}, missed**"
    yield (
        f"| a domain's settings found out, {len(found.single)} sources answering, round trip "
        f"{ROUND_TRIP * 1000:.0f} ms | the slowest source and its check | all of them | ratio | target |"
    )
    yield "|---|---:|---:|---:|---|"
    single, together = f"{found.single[slowest] * 1000:.0f} ms ({slowest})", f"{found.together * 1000:.0f} ms"
    yield f"| from the question to checked proposals | {single} | {together} | {told} | ≤ {LIMIT} |"
