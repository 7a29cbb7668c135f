"""Results and reports as the worker would give them, for what is only rendered here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from checks.codes import Code, Verdict
from checks.language import Language
from checks.model import Certificate, Endpoint, EndpointResult, Fix, Option, Protocol, Security, Step, TlsFacts, Warn
from worker.changes.document import ReportDocument
from worker.changes.report import Findings, findings_of
from worker.changes.wording import report_document

IMPACTS = ("keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell")

GOOD_IMAP = EndpointResult(
    endpoint=Endpoint(Protocol.IMAP, "imap.demo.example", 993, Security.TLS),
    verdict=Verdict.OK,
    code=Code.OK,
    address="192.0.2.10",
    option=Option.NOT_NEEDED,
    steps=(
        Step("resolve", Verdict.OK, 1.23, "192.0.2.10"),
        Step("connect", Verdict.OK, 2.0),
        Step("tls", Verdict.OK, 9.0),
        Step("greeting", Verdict.OK, 3.0, "* OK Dovecot ready."),
    ),
    tls=TlsFacts(
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        (
            Certificate(
                "CN=imap.demo.example",
                "CN=Demo CA",
                "2026-01-01T00:00:00+00:00",
                "2026-12-01T00:00:00+00:00",
                "ab" * 32,
            ),
        ),
    ),
)

UNKNOWN_IMAP = EndpointResult(
    endpoint=Endpoint(Protocol.IMAP, "imap.demo.example", 993, Security.TLS),
    verdict=Verdict.FAIL,
    code=Code.DNS_NOT_FOUND,
)

EXPIRED_SMTP = EndpointResult(
    endpoint=Endpoint(Protocol.SMTP, "smtp.demo.example", 465, Security.TLS),
    verdict=Verdict.FAIL,
    code=Code.TLS_EXPIRED,
    address="192.0.2.11",
    facts={"date": "2026-03-03", "subject": "CN=smtp.demo.example"},
    seen="certificate has expired",
    option=Option.NEEDED,
    fix=Fix("renew", "Renew the certificate of smtp.demo.example."),
    warnings=(Warn(Code.CONNECT_SOME_ADDRESSES, {"addresses": "2001:db8::11"}),),
    steps=(
        Step("resolve", Verdict.OK, 1.0),
        Step("connect", Verdict.OK, 2.0),
        Step("tls", Verdict.FAIL, 9.0, "certificate has expired"),
    ),
    tls=TlsFacts(None, None, ()),
)


@dataclass
class FakeProgress:
    stage: str = "mailboxes"
    endpoints: tuple[EndpointResult, ...] = (GOOD_IMAP, GOOD_IMAP)
    total: int = 60
    ok: int = 0
    fail: int = 0
    inconclusive: int = 0

    @property
    def done(self) -> int:
        return self.ok + self.fail + self.inconclusive


@dataclass
class FakeLine:
    address: str
    impact: str
    code: Code
    endpoint: str | None = "imap"
    seen: str = ""
    services: Mapping[str, str] | None = None


@dataclass
class FakeCause:
    code: Code
    protocol: str | None
    impact: str
    count: int
    seen: str = ""


@dataclass
class FakeReport:
    """A report over `lines`; `counts` and the verdict follow from them."""

    lines: list[FakeLine]
    endpoints: tuple[EndpointResult, ...] = (GOOD_IMAP,)
    change_id: str = "chg_1"
    domain: str = "demo.example"
    checksum: str = "c0ffee"
    stop_code: Code | None = None
    stop_detail: str = ""
    found: list[FakeCause] = field(default_factory=list)
    language: Language = Language.EN
    short_id: str = ""
    ticked: bool = False

    @property
    def step(self) -> str:
        return "resume" if any(line.code is Code.RUN_NOT_TRIED for line in self.lines) else "apply"

    @property
    def counts(self) -> Mapping[str, int]:
        return {impact: sum(line.impact == impact for line in self.lines) for impact in IMPACTS}

    @property
    def verdict(self) -> str:
        failing = any(result.verdict is Verdict.FAIL for result in self.endpoints)
        if self.counts["will_disconnect"] or (failing and not self.lines):
            return "unsafe"
        return "cannot_tell" if self.counts["cannot_tell"] or not self.lines else "safe"

    def mailboxes(self) -> Iterator[FakeLine]:
        return iter(self.lines)

    @property
    def total(self) -> int:
        return len(self.lines)

    def findings(self, listed: int) -> Findings:
        """With the causes that were `found`, whatever the lines say."""
        seen = findings_of(self.mailboxes(), listed)  # type: ignore[arg-type]  # stand-ins
        return replace(seen, causes=self.found)  # type: ignore[arg-type]  # stand-ins

    def document(self, language: Language = Language.EN) -> ReportDocument:
        """The report, worded."""
        return report_document(replace(self, language=language))  # type: ignore[arg-type]  # a stand-in


def lines(impact: str, count: int, code: Code = Code.OK, seen: str = "") -> list[FakeLine]:
    """`count` mailboxes of one impact; the addresses tell impacts and numbers."""
    return [FakeLine(f"{impact}{number}@demo.example", impact, code, seen=seen) for number in range(count)]
