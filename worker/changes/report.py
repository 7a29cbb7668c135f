"""The report of a run: a pure function of what is stored, read in portions, with a checksum."""

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection

from checks.codes import CODES, Blame, Code, Verdict, verdict_of
from checks.language import Language
from checks.model import Authentication, EndpointResult, Warn
from checks.model import Protocol as Endpoints
from settings_store.changes.applying import Step
from settings_store.mailboxes.rejections import without_remedy
from settings_store.runs import outcomes, report_rows
from settings_store.runs.outcomes import Row
from worker.changes.impact import Impact, Safety, before_of, impact_of, safety_of

SERVICES = ("mail", "calendar")
LEFT = frozenset(outcomes.LEFT)
_KEPT = 64  # reports whose sums are remembered


class Reads(Protocol):
    """What a report needs of a database."""

    def read(self) -> AbstractContextManager[Connection]:
        """A read transaction."""

    def __hash__(self) -> int:
        """It is itself and no other."""


@dataclass(frozen=True, slots=True)
class MailboxLine:
    """One mailbox of the report. `endpoint` is the protocol of the endpoint that decided, None where none did.

    `services` has the codes of mail and calendar where Exchange was asked, None where it was not.
    """

    address: str
    impact: Impact
    code: Code
    endpoint: str | None
    seen: str
    services: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Mailboxes with the same impact for the same reason. `seen` is what a server said to one of them."""

    code: Code
    protocol: str | None
    impact: Impact
    count: int
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a change would do. Mailboxes are read from the database as they are asked for.

    `step` is what can be done with the change now, `short_id` enough of its id for a command, and `ticked` whether its
    settings have "allow insecure certificate" on. `reported_at` is when its run ended (UTC seconds since 1970).
    """

    change_id: str
    run_id: str
    domain: str
    endpoints: tuple[EndpointResult, ...]
    counts: Mapping[str, int]
    checksum: str
    stop_code: Code | None
    stop_detail: str
    database: Reads
    language: Language = Language.EN
    step: Step = "apply"
    short_id: str = ""
    ticked: bool = False
    reported_at: float = 0.0

    @property
    def verdict(self) -> Safety:
        """The verdict on the whole change."""
        return safety_of(self.counts, [result.verdict for result in self.endpoints])

    @property
    def total(self) -> int:
        """How many mailboxes there are."""
        return sum(self.counts.values())

    def mailboxes(self) -> Iterator[MailboxLine]:
        """Every mailbox by address."""
        with self.database.read() as conn:
            yield from map(line_of, outcomes.rows(conn, self.run_id))

    def findings(self, listed: int = 0) -> "Findings":
        """What all mailboxes came to, and the first `listed` of each impact: read once, and summed up for none."""
        if listed:
            return findings_of(self.mailboxes(), listed)
        return _summed_up(self.database, self.run_id, self.checksum)

    def causes(self) -> list[Cause]:
        """Mailboxes grouped by impact and reason, most frequent first."""
        return self.findings().causes


@dataclass(frozen=True, slots=True)
class Findings:
    """What mailboxes came to: grouped by impact and reason, the most frequent first, and the first of each impact.

    `services` are Exchange's, and how many mailboxes have each verdict on them; empty for mail.
    """

    causes: list[Cause]
    services: Mapping[str, Mapping[Verdict, int]]
    first: Mapping[Impact, Sequence[MailboxLine]]


@functools.lru_cache(_KEPT)
def _summed_up(
    database: Reads,
    run_id: str,
    checksum: str,  # noqa: ARG001 - with another one it is another report
) -> Findings:
    """Whoever reads a report comes back to it: filtered, page by page, and with its letters."""
    with database.read() as conn:
        return _summed((line_of(row), count) for row, count in report_rows.sums(conn, run_id))


def findings_of(lines: Iterable[MailboxLine], listed: int = 0) -> Findings:
    """Sums mailboxes up in one pass; keeps the first `listed` of each impact."""
    first: dict[Impact, list[MailboxLine]] = {}
    found = _summed(_kept(lines, first, listed))
    return replace(found, first=first)


def _kept(
    lines: Iterable[MailboxLine], first: dict[Impact, list[MailboxLine]], listed: int
) -> Iterator[tuple[MailboxLine, int]]:
    for line in lines:
        if len(kept := first.setdefault(line.impact, [])) < listed:
            kept.append(line)
        yield line, 1


def _summed(lines: Iterable[tuple[MailboxLine, int]]) -> Findings:
    """Sums up lines, each of which stands for so many mailboxes."""
    found: Counter[tuple[Code, str | None, Impact]] = Counter()
    seen: dict[tuple[Code, str | None, Impact], str] = {}
    services: dict[str, Counter[Verdict]] = {}
    for line, count in lines:
        key = line.code, line.endpoint, line.impact
        found[key] += count
        seen[key] = max(seen.get(key, ""), line.seen)
        for name, code in (line.services or {}).items():
            services.setdefault(name, Counter())[verdict_of(Code(code))] += count
    causes = [Cause(*key, count, without_remedy(seen[key])) for key, count in found.items()]
    causes.sort(key=lambda cause: (-cause.count, cause.code, cause.protocol or "", cause.impact))
    return Findings(causes, services, {})


def suspect(causes: Iterable[Cause]) -> Cause | None:
    """The one cause that explains more than half of the failures, with how many; None where there is none.

    A mailbox alone is a mailbox problem, and so are a few: what would blame a mailbox counts as common only where more
    than half of those tried met it. `causes` are all of a report's, the good ones too.
    """
    tried = [cause for cause in causes if cause.code not in LEFT]
    found: Counter[tuple[Code, str | None]] = Counter()
    for cause in tried:
        if cause.code is not Code.OK:
            found[cause.code, cause.protocol] += cause.count
    for (code, protocol), count in found.most_common(1):
        total = sum(cause.count for cause in tried) if CODES[code].blame is Blame.MAILBOX else found.total()
        if count > 1 and 2 * count > total:
            impact = max((c for c in tried if (c.code, c.protocol) == (code, protocol)), key=lambda c: c.count).impact
            return Cause(code, protocol, impact, count)
    return None


def line_of(row: Row) -> MailboxLine:
    """A stored row, judged."""
    impact = impact_of(before_of(row.before, row.baseline_verdict), row.verdict)
    code = Code(row.code) if row.code else Code.RUN_NOT_TRIED
    endpoint = row.protocol if code is not Code.OK else None
    return MailboxLine(row.address, impact, code, endpoint, row.seen, _services(row))


def _services(row: Row) -> Mapping[str, str] | None:
    """Mail and calendar apart. What settled a mailbox without a login settled both."""
    if row.services or row.protocol != Endpoints.HTTPS or row.code is None:
        return row.services
    return dict.fromkeys(SERVICES, row.code)


def with_findings(
    results: Iterable[EndpointResult], found: Mapping[str, tuple[Code, str]], total: int
) -> tuple[EndpointResult, ...]:
    """Endpoints with what their mailboxes have shown of them: that all were rejected alike, how many it concerns.

    `found` has code and evidence by protocol, as `correlation.found` reads them.
    """
    return tuple(_with_findings(result, found.get(result.endpoint.protocol.value), total) for result in results)


def _with_findings(result: EndpointResult, found: tuple[Code, str] | None, total: int) -> EndpointResult:
    concerned = {"concerned": str(total)}
    warnings = [
        replace(warn, facts={**warn.facts, **concerned}) if warn.code is Code.EXCHANGE_ONLINE else warn
        for warn in result.warnings
    ]
    if found is not None:
        warnings.append(Warn(found[0], {"evidence": found[1]}))
    facts = {**result.facts, **concerned} if result.code is Code.EXCHANGE_ONLINE else result.facts
    return replace(result, warnings=tuple(warnings), facts=facts)


def summarise(rows: Iterable[Row], endpoints: Iterable[EndpointResult]) -> tuple[dict[str, int], str]:
    """Counts of every impact, and the checksum (SHA-256, hex) over all that the verdict rests on."""
    digest = hashlib.sha256()
    for result in endpoints:
        how = "" if result.endpoint.authentication is Authentication.LOGIN else "\tno login"
        for each in result.admissions:
            digest.update(f"{each.source}\t{each.outcome}\n".encode())
        digest.update(f"{result.endpoint}{how}\t{result.endpoint.security}\t{result.verdict}\t{result.code}\n".encode())
    counts = dict.fromkeys((str(impact) for impact in Impact), 0)
    for row in rows:
        line = line_of(row)
        counts[str(line.impact)] += 1
        digest.update(f"{line.address}\t{line.impact}\t{line.code}\n".encode())
    return counts, digest.hexdigest()
