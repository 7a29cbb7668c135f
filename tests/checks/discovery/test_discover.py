"""A whole discovery against a small Internet on loopback: every source, and what may be trusted."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from checks.discovery.document import discovery_document
from checks.discovery.model import Confidence, Evidence, FindingKind, Outcome, Source, SourceReport, Subject
from checks.discovery.proposals import Discovery
from checks.discovery.run import SOURCES, discover
from checks.discovery.sources.asking import Asked
from checks.language import Language
from checks.model import Invalid, Protocol
from checks.network.address_policy import AddressPolicy
from checks.settings import ExchangeSettings, ImapSettings
from tests.servers.certificates import CertificateLab
from tests.servers.internet import EXCHANGE, Internet, Page, autoconfig

DOMAIN = "corp.example"
OWN = tuple(
    prefix + DOMAIN for prefix in ("", "autoconfig.", "autodiscover.", "imap.", "mail.", "smtp.", "ua-auto-config.")
)
ELSEWHERE = ("autoconfig.hoster.example", "imap.hoster.example", "smtp.hoster.example", "mx.hoster.example")
AUTOCONFIG = f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml"
XML = autoconfig([(f"imap.{DOMAIN}", 993, "SSL")], [(f"smtp.{DOMAIN}", 587, "STARTTLS")])
PACC = f"https://ua-auto-config.{DOMAIN}/.well-known/user-agent-configuration.json"
DOCUMENT = json.dumps(
    {
        "protocols": {"imap": {"host": f"imap.{DOMAIN}"}, "smtp": {"host": f"smtp.{DOMAIN}"}, "jmap": {"url": "x"}},
        "authentication": {"password": True},
        "info": {"provider": {"name": "Corp"}},
    }
).encode()
MAIL = (f"imap.{DOMAIN}:993", f"smtp.{DOMAIN}:465", f"smtp.{DOMAIN}:587")
World = Callable[..., Internet]


def digest(body: bytes) -> str:
    return f'"v=UAAC1; a=sha256; " "d={base64.b64encode(hashlib.sha256(body).digest()).decode()}"'


@pytest.fixture
def world(certificates: CertificateLab) -> Iterator[World]:
    """Makes an Internet with these parts, and starts it."""
    with ExitStack() as stack:

        def make(**parts: object) -> Internet:
            mail = parts.pop("serves", MAIL)
            made = Internet(certificates, (*OWN, *ELSEWHERE), **parts)  # type: ignore[arg-type] # a test's own
            made.hosts.update(OWN)
            made.serve_mail(*mail)  # type: ignore[misc] # names of a test
            return stack.enter_context(made.running())

        yield make


def found(internet: Internet, text: str = DOMAIN, seconds: float = 10.0) -> Discovery:
    return discover(Subject.of(text), internet.outside(2.0), internet.check, seconds=seconds)


def places(discovery: Discovery) -> list[tuple[str, int, str]]:
    """Host, port and security of the best proposal."""
    return [
        (offer.endpoint.host, offer.endpoint.port, offer.endpoint.security.value)
        for offer in discovery.proposals[0].offers
    ]


def kinds(discovery: Discovery) -> set[FindingKind]:
    return {finding.kind for finding in discovery.findings}


def test_pacc_with_its_digest_is_believed(world: World) -> None:
    internet = world(pages={PACC: (200, {}, DOCUMENT)}, zone={(f"_ua-auto-config.{DOMAIN}", "TXT"): [digest(DOCUMENT)]})
    discovery = found(internet)
    best = discovery.proposals[0]
    assert (best.candidate.source, best.confidence, best.trusted) == (Source.PACC, Confidence.HIGH, True)
    assert places(discovery) == [(f"imap.{DOMAIN}", 993, "tls"), (f"smtp.{DOMAIN}", 465, "tls")]
    assert isinstance(best.settings(), ImapSettings)
    assert discovery.findings == ()


def test_pacc_with_another_digest_is_a_finding_and_nothing_else(world: World) -> None:
    internet = world(
        pages={PACC: (200, {}, DOCUMENT)},
        zone={(f"_ua-auto-config.{DOMAIN}", "TXT"): [digest(DOCUMENT + b" ")]},
        serves=(),
    )
    discovery = found(internet)
    assert (discovery.proposals, kinds(discovery)) == ((), {FindingKind.PACC_DIGEST_DIFFERS})


def test_pacc_without_a_digest_is_not_trusted(world: World) -> None:
    discovery = found(world(pages={PACC: (200, {}, DOCUMENT)}))
    best = discovery.proposals[0]
    assert (best.candidate.source, best.trusted) == (Source.PACC, False)
    assert kinds(discovery) == {FindingKind.PACC_DIGEST_MISSING}


def test_a_digest_without_its_document(world: World) -> None:
    discovery = found(world(zone={(f"_ua-auto-config.{DOMAIN}", "TXT"): [digest(b"")]}, serves=()))
    assert kinds(discovery) == {FindingKind.PACC_DOCUMENT_MISSING}


@pytest.mark.parametrize(
    ("pages", "evidence"),
    [
        ({AUTOCONFIG: (200, {}, XML)}, Evidence.PUBLISHED),
        ({f"https://{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml": (200, {}, XML)}, Evidence.PUBLISHED),
        ({AUTOCONFIG.replace("https", "http"): (200, {}, XML)}, Evidence.PLAIN_HTTP),
        (
            {
                AUTOCONFIG: (302, {"Location": "https://autoconfig.hoster.example/x"}, b""),
                "https://autoconfig.hoster.example/x": (200, {}, XML),
            },
            Evidence.PUBLISHED,
        ),
        (
            {
                AUTOCONFIG.replace("https", "http"): (302, {"Location": "https://autoconfig.hoster.example/x"}, b""),
                "https://autoconfig.hoster.example/x": (200, {}, XML),
            },
            Evidence.PLAIN_HTTP,
        ),
        (
            {
                AUTOCONFIG: (302, {"Location": AUTOCONFIG.replace("https", "http")}, b""),
                AUTOCONFIG.replace("https", "http"): (200, {}, XML),
            },
            Evidence.PLAIN_HTTP,
        ),
    ],
    ids=["autoconfig", "well-known", "http", "redirected", "http redirected to https", "https redirected to http"],
)
def test_autoconfig_counts_as_it_was_fetched(
    world: World, pages: dict[str, tuple[int, dict[str, str], bytes]], evidence: Evidence
) -> None:
    discovery = found(world(pages=pages))
    best = discovery.proposals[0]
    assert best.candidate.source is Source.AUTOCONFIG
    assert {offer.evidence for offer in best.offers} == {evidence}
    assert best.trusted is (evidence is Evidence.PUBLISHED)
    assert places(discovery) == [(f"imap.{DOMAIN}", 993, "tls"), (f"smtp.{DOMAIN}", 587, "starttls")]


def test_an_untrusted_host_needs_its_name_said(world: World) -> None:
    best = found(world(pages={AUTOCONFIG.replace("https", "http"): (200, {}, XML)})).proposals[0]
    hosts = (f"imap.{DOMAIN}", f"smtp.{DOMAIN}")
    assert best.hosts_to_accept == hosts
    for accepted in ((), hosts[:1], (DOMAIN,)):
        with pytest.raises(Invalid, match="vouches"):
            best.settings(accepted)
    assert isinstance(best.settings(hosts), ImapSettings)


def test_a_mailbox_is_named_to_its_own_domain_by_https_only(world: World) -> None:
    internet = world(zone={(DOMAIN, "MX"): ["10 mx.hoster.example."]}, serves=())
    internet.pages |= {"https://autoconfig.hoster.example/mail/config-v1.1.xml": (404, {}, b"")}
    found(internet, f"ada.planted@{DOMAIN}")
    named = {url.split("/")[2] for _, url in internet.requests if "planted" in url and url.startswith("https:")}
    assert named == {f"autoconfig.{DOMAIN}", f"autodiscover.{DOMAIN}"}
    assert not [url for _, url in internet.requests if "planted" in url and url.startswith("http:")]
    assert any(url.startswith("https://autoconfig.hoster.example/") for _, url in internet.requests)


SRV = {
    (f"_imaps._tcp.{DOMAIN}", "SRV"): [
        "20 0 993 backup.corp.example.", f"10 1 993 mail.{DOMAIN}.", f"10 9 993 imap.{DOMAIN}."
    ],
    (f"_imap._tcp.{DOMAIN}", "SRV"): ["0 0 0 ."],
    (f"_submissions._tcp.{DOMAIN}", "SRV"): [f"0 1 465 smtp.{DOMAIN}."],
}  # fmt: skip


def test_srv_in_the_domain_with_a_certificate(world: World) -> None:
    discovery = found(world(zone=SRV))
    best = discovery.proposals[0]
    assert places(discovery) == [(f"imap.{DOMAIN}", 993, "tls"), (f"smtp.{DOMAIN}", 465, "tls")]
    assert [offer.evidence for offer in best.offers] == [Evidence.CERTIFICATE] * 2
    assert kinds(discovery) == {FindingKind.SRV_DECLINED}


FOREIGN = {
    (f"_imaps._tcp.{DOMAIN}", "SRV"): ["0 1 993 imap.hoster.example."],
    (f"_submissions._tcp.{DOMAIN}", "SRV"): ["0 1 465 smtp.hoster.example."],
}
HOSTED = ("imap.hoster.example:993", "smtp.hoster.example:465")


def test_srv_elsewhere_with_a_certificate_for_the_mail_domain(world: World) -> None:
    best = found(world(zone=FOREIGN, serves=HOSTED)).proposals[0]
    assert [offer.evidence for offer in best.offers] == [Evidence.CERTIFICATE] * 2


@pytest.mark.parametrize(("signed", "evidence"), [(False, Evidence.DNS), (True, Evidence.DNSSEC)])
def test_srv_elsewhere_is_trusted_by_dnssec_only(
    certificates: CertificateLab, signed: bool, evidence: Evidence
) -> None:
    internet = Internet(certificates, ELSEWHERE, FOREIGN, authenticated=signed)
    internet.serve_mail(*HOSTED)
    with internet.running():
        best = found(internet).proposals[0]
    assert ({offer.evidence for offer in best.offers}, best.trusted) == ({evidence}, signed)


def test_the_provider_that_receives_the_mail(world: World) -> None:
    xml = autoconfig([("imap.hoster.example", 993, "SSL")], [("smtp.hoster.example", 465, "SSL")])
    discovery = found(
        world(
            zone={(DOMAIN, "MX"): ["20 mx.elsewhere.example.", "10 mx.hoster.example."]},
            pages={"https://autoconfig.hoster.example/mail/config-v1.1.xml": (200, {}, xml)},
            serves=HOSTED,
        )
    )
    best = discovery.proposals[0]
    assert best.candidate.source is Source.AUTOCONFIG_BY_MX
    assert [offer.endpoint.host for offer in best.offers] == ["imap.hoster.example", "smtp.hoster.example"]


def test_autodiscover_v2_and_what_needs_a_password(world: World) -> None:
    url = f"https://mail.{DOMAIN}/EWS/Exchange.asmx"
    internet = world(
        pages={
            f"https://autodiscover.{DOMAIN}/autodiscover/autodiscover.json": (
                200, {}, json.dumps({"Protocol": "EWS", "Url": url}).encode()
            ),
            f"https://autodiscover.{DOMAIN}/autodiscover/autodiscover.xml": EXCHANGE,
            url: EXCHANGE,
        },
        serves=(),
    )  # fmt: skip
    best = found(internet).proposals[0]
    assert (best.kind, best.trusted, best.works) == ("exchange", True, True)
    settings = best.settings()
    assert isinstance(settings, ExchangeSettings)
    assert settings.url == url


def test_autodiscover_by_plain_http_is_not_trusted(world: World) -> None:
    url = "https://autoconfig.hoster.example/EWS/Exchange.asmx"
    internet = world(
        pages={
            f"http://autodiscover.{DOMAIN}/autodiscover/autodiscover.xml": (
                302, {"Location": "https://autoconfig.hoster.example/autodiscover/autodiscover.xml"}, b""
            ),
            "https://autoconfig.hoster.example/autodiscover/autodiscover.json": (
                200, {}, json.dumps({"Url": url}).encode()
            ),
            url: EXCHANGE,
        },
        serves=(),
    )  # fmt: skip
    best = found(internet).proposals[0]
    assert (best.kind, best.hosts_to_accept) == ("exchange", ("autoconfig.hoster.example",))


def test_guesses_are_the_last_resort_and_never_trusted(world: World) -> None:
    discovery = found(world(serves=(f"mail.{DOMAIN}:993", f"smtp.{DOMAIN}:587")))
    best = discovery.proposals[0]
    assert (best.candidate.source, best.confidence, best.trusted) == (Source.GUESS, Confidence.LOW, False)
    assert places(discovery) == [(f"mail.{DOMAIN}", 993, "tls"), (f"smtp.{DOMAIN}", 587, "starttls")]
    published = found(world(pages={AUTOCONFIG: (200, {}, XML)}))
    assert Source.GUESS not in {report.source for report in published.reports}


def test_what_is_published_and_fails_is_repaired_where_that_was_tried(world: World) -> None:
    xml = autoconfig([(f"imap.{DOMAIN}", 143, "STARTTLS")], [(f"smtp.{DOMAIN}", 587, "SSL")])
    discovery = found(world(pages={AUTOCONFIG: (200, {}, xml)}))
    imap, smtp = discovery.proposals[0].offers
    assert imap.repair is not None
    assert (imap.repair.kind, imap.endpoint.port) == ("other_port", 993)
    assert smtp.repair is not None
    assert (smtp.repair.kind, smtp.endpoint.port, smtp.endpoint.security) == ("starttls_here", 587, "starttls")
    assert discovery.proposals[0].trusted, "the host is the one that was published"
    assert kinds(discovery) == {FindingKind.REPAIRED}


def test_a_name_of_the_certificate_is_proposed_but_not_trusted(certificates: CertificateLab) -> None:
    xml = autoconfig([("mail.corp.example", 993, "SSL")], [("smtp.hoster.example", 465, "SSL")])
    names = ("autoconfig.corp.example", "imap.hoster.example", "smtp.hoster.example")
    internet = Internet(certificates, names, pages={AUTOCONFIG: (200, {}, xml)})
    internet.serve_mail("mail.corp.example:993", "autoconfig.corp.example:993", *HOSTED)
    with internet.running():
        imap, smtp = found(internet).proposals[0].offers
    assert imap.repair is not None
    assert (imap.repair.kind, imap.endpoint.host) == ("name_of_certificate", "autoconfig.corp.example")
    assert (imap.trusted, smtp.trusted) == (False, True)


def test_what_does_not_work_is_a_finding(world: World) -> None:
    discovery = found(world(pages={AUTOCONFIG: (200, {}, XML)}, serves=()))
    assert [proposal.works for proposal in discovery.proposals] == [False]
    assert kinds(discovery) == {FindingKind.PUBLISHED_FAILS}
    document = discovery_document(discovery, Language.JA).as_json()
    assert document["verdict"] == "fail"


def test_no_address_that_is_not_allowed_is_connected_to(world: World) -> None:
    internet = world(pages={AUTOCONFIG: (200, {}, XML), PACC: (200, {}, DOCUMENT)}, policy=AddressPolicy())
    discovery = found(internet)
    assert (discovery.proposals, internet.requests) == ((), [])
    outcomes = {attempt.outcome for report in discovery.reports for attempt in report.attempts}
    assert Outcome.NOT_ALLOWED in outcomes
    seen = " ".join(attempt.seen for report in discovery.reports for attempt in report.attempts)
    assert "127.0.0.1" not in seen, "a refusal tells nothing of the inside"


def test_sources_are_told_as_they_come_and_one_that_hangs_holds_up_nobody(world: World) -> None:
    internet = world(pages={AUTOCONFIG: (200, {}, XML)})
    internet.dns.silent = {DOMAIN, f"_imaps._tcp.{DOMAIN}"}
    told: list[SourceReport] = []
    discovery = discover(Subject.of(DOMAIN), internet.outside(2.0), internet.check, tell=told.append, seconds=1.5)
    assert discovery.seconds < 2.5
    assert Source.AUTOCONFIG in {report.source for report in told}
    assert discovery.proposals[0].works
    assert Source.SRV in discovery.unfinished
    assert {offer.endpoint.protocol for offer in discovery.proposals[0].offers} == {Protocol.IMAP, Protocol.SMTP}


def test_what_we_only_conclude_is_left_out_where_it_fails(world: World) -> None:
    internet = world(pages={f"https://autodiscover.{DOMAIN}/autodiscover/autodiscover.xml": EXCHANGE}, serves=())
    assert (found(internet).proposals, found(internet).findings) == ((), ())


def test_dnssec_does_not_vouch_for_what_we_take_for_the_registered_name(certificates: CertificateLab) -> None:
    xml = autoconfig([("imap.hoster.example", 993, "SSL")], [("smtp.hoster.example", 465, "SSL")])
    page: dict[str, Page] = {"https://autoconfig.hoster.example/mail/config-v1.1.xml": (200, {}, xml)}
    for host, evidence in (("mx.hoster.example", Evidence.DNSSEC), ("mx.eu.hoster.example", Evidence.DNS)):
        zone = {(DOMAIN, "MX"): [f"10 {host}."]}
        internet = Internet(certificates, ELSEWHERE, zone, dict(page), authenticated=True)
        internet.serve_mail(*HOSTED)
        with internet.running():
            assert {offer.evidence for offer in found(internet).proposals[0].offers} == {evidence}


def test_a_source_that_breaks_is_no_end_to_the_others(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Asked) -> SourceReport:
        raise KeyError("what a stranger said")

    internet = world(pages={AUTOCONFIG: (200, {}, XML)})
    sources = {**SOURCES, Source.SRV: broken}
    discovery = discover(Subject.of(DOMAIN), internet.outside(2.0), internet.check, sources=sources)
    assert discovery.proposals[0].works
    assert "KeyError" in caplog.text
    assert "stranger" not in caplog.text


@pytest.mark.parametrize("by_http", [True, False])
def test_autodiscover_is_asked_again_where_it_redirects_but_not_about_the_mailbox(world: World, by_http: bool) -> None:
    here, there = (f"https://{host}/autodiscover/autodiscover.xml" for host in (f"autodiscover.{DOMAIN}", ELSEWHERE[0]))
    action = f"<Account><Action>redirectUrl</Action><RedirectUrl>{there}</RedirectUrl></Account>"
    first: Page = (
        (302, {"Location": there}, b"") if by_http else (200, {}, f"<Autodiscover>{action}</Autodiscover>".encode())
    )
    url = f"https://{ELSEWHERE[0]}/EWS/Exchange.asmx"
    answer = f"<Autodiscover><Protocol><EwsUrl>{url}</EwsUrl></Protocol></Autodiscover>".encode()
    internet = world(pages={here: first, there: (200, {}, answer), url: EXCHANGE}, serves=())
    best = found(internet, f"ada.planted@{DOMAIN}").proposals[0]
    assert (best.works, best.trusted, best.offers[0].endpoint.url) == (True, True, url)
    asked = [(host, b"planted" in body) for host, body in internet.bodies if b"EMailAddress" in body]
    assert sorted(asked) == [(ELSEWHERE[0], False), (f"autodiscover.{DOMAIN}", True), (DOMAIN, True)]


def test_a_domain_that_takes_no_mail(world: World) -> None:
    assert kinds(found(world(zone={(DOMAIN, "MX"): ["0 ."]}, serves=()))) == {FindingKind.MX_DECLINED}
