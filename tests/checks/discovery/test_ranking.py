"""Which proposal comes first, and what becomes of two that are the same."""

from dataclasses import replace

import pytest

from checks.codes import Code, Verdict
from checks.discovery.model import Candidate, Confidence, Evidence, LoginName, Password, Source
from checks.discovery.proposals import Offer, Proposal
from checks.discovery.ranking import ranked
from checks.model import Endpoint, EndpointResult, Protocol, Security

IMAP = Endpoint(Protocol.IMAP, "imap.corp.example", 993, Security.TLS)
SMTP = Endpoint(Protocol.SMTP, "smtp.corp.example", 465, Security.TLS)
OTHER = replace(IMAP, host="mail.corp.example")


def proposal(source: Source, evidence: Evidence, *servers: Endpoint, works: bool = True, **more: object) -> Proposal:
    verdict, code = (Verdict.OK, Code.OK) if works else (Verdict.FAIL, Code.CONNECT_REFUSED)
    endpoints = servers or (IMAP, SMTP)
    candidate = Candidate(source, evidence, "x", **more)  # type: ignore[arg-type] # a test's own
    offers = tuple(Offer(EndpointResult(each, verdict, code), evidence) for each in endpoints)
    return Proposal(candidate, offers, Confidence.LOW)


SRV = proposal(Source.SRV, Evidence.DNS, OTHER, SMTP)
PACC = proposal(Source.PACC, Evidence.PUBLISHED)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (SRV, proposal(Source.PACC, Evidence.PUBLISHED, works=False)),
        (SRV, proposal(Source.PACC, Evidence.PUBLISHED, IMAP)),
        (PACC, SRV),
        (proposal(Source.SRV, Evidence.CERTIFICATE, OTHER, SMTP), proposal(Source.AUTOCONFIG, Evidence.PLAIN_HTTP)),
        (PACC, proposal(Source.AUTOCONFIG, Evidence.PUBLISHED, OTHER, SMTP)),
        (SRV, proposal(Source.GUESS, Evidence.GUESSED)),
    ],
    ids=["works", "complete", "trusted", "rather trusted than published", "source", "no guess"],
)
def test_what_comes_first(better: Proposal, worse: Proposal) -> None:
    for order in ((better, worse), (worse, better)):
        assert [each.candidate.source for each in ranked(order)] == [better.candidate.source, worse.candidate.source]


def test_the_same_servers_are_one_proposal() -> None:
    known = proposal(Source.PROVIDER, Evidence.KNOWN, login=LoginName.LOCAL_PART, password=Password.APP_PASSWORD)
    (one,) = ranked([proposal(Source.SRV, Evidence.DNS), known, proposal(Source.AUTOCONFIG, Evidence.PUBLISHED)])
    assert (one.candidate.source, set(one.also)) == (Source.AUTOCONFIG, {Source.PROVIDER, Source.SRV})
    assert (one.candidate.login, one.candidate.password) == (LoginName.LOCAL_PART, Password.APP_PASSWORD)
    assert one.trusted


@pytest.mark.parametrize(
    ("found", "confidence"),
    [
        ([PACC], Confidence.HIGH),
        ([SRV], Confidence.MEDIUM),
        ([proposal(Source.SRV, Evidence.DNS), proposal(Source.AUTOCONFIG, Evidence.PLAIN_HTTP)], Confidence.HIGH),
        ([proposal(Source.AUTOCONFIG, Evidence.PLAIN_HTTP)], Confidence.LOW),
        ([proposal(Source.PACC, Evidence.PUBLISHED, works=False)], Confidence.LOW),
    ],
)
def test_how_sure_it_is(found: list[Proposal], confidence: Confidence) -> None:
    assert ranked(found)[0].confidence is confidence


def test_guesses_that_fail_are_not_shown() -> None:
    for source in (Source.GUESS, Source.PROVIDER_BY_MX, Source.AUTOCONFIG_BY_MX):
        assert ranked([proposal(source, Evidence.DNS, works=False)]) == ()
