"""The report of a run: a pure function of what is stored, read in portions, with a checksum."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Connection

from checks.document import endpoint_document
from checks.messages import Language
from checks.model import Code, EndpointResult, Verdict, Warn, verdict_of
from checks.model import Protocol as Endpoints
from checks.serialize import load_endpoint_result
from settings_store import runs
from settings_store.runs import Row
from worker.impact import Impact, Safety, before_of, impact_of, safety_of

SERVICES = ("mail", "calendar")


class Reads(Protocol):
    """What a report needs of a database."""

    def read(self) -> AbstractContextManager[Connection]:
        """A read transaction."""


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
    """Mailboxes with the same impact for the same reason."""

    code: Code
    protocol: str | None
    impact: Impact
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a change would do. Mailboxes are read from the database as they are asked for."""

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

    @property
    def verdict(self) -> Safety:
        """The verdict on the whole change."""
        return safety_of(self.counts, [result.verdict for result in self.endpoints])

    def mailboxes(self) -> Iterator[MailboxLine]:
        """Every mailbox by address."""
        with self.database.read() as conn:
            yield from map(line_of, runs.rows(conn, self.run_id))

    def causes(self) -> list[Cause]:
        """Mailboxes grouped by impact and reason, most frequent first."""
        found = Counter((line.code, line.endpoint, line.impact) for line in self.mailboxes())
        causes = [Cause(*key, count) for key, count in found.items()]
        return sorted(causes, key=lambda cause: (-cause.count, cause.code, cause.protocol or "", cause.impact))

    def services(self) -> Mapping[str, Counter[Verdict]]:
        """Exchange's services, and how many mailboxes have each verdict on them; empty for mail."""
        found: dict[str, Counter[Verdict]] = {}
        for line in self.mailboxes():
            for name, code in (line.services or {}).items():
                found.setdefault(name, Counter())[verdict_of(Code(code))] += 1
        return found

    def document_head(self) -> dict[str, Any]:
        """The `verify` document without its mailboxes."""
        return {
            "change_id": self.change_id,
            "domain": self.domain,
            "verdict": self.verdict,
            "endpoints": [endpoint_document(result, self.language) for result in self.endpoints],
            "counts": dict(self.counts),
            "checksum": self.checksum,
        }


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


def with_findings(results: Iterable[EndpointResult], stop_code: Code | None, total: int) -> tuple[EndpointResult, ...]:
    """Endpoints with what their mailboxes have shown of them: that all were rejected alike, how many it concerns."""
    return tuple(_with_findings(result, stop_code, total) for result in results)


def _with_findings(result: EndpointResult, stop_code: Code | None, total: int) -> EndpointResult:
    concerned = {"concerned": str(total)}
    warnings = [
        replace(warn, facts={**warn.facts, **concerned}) if warn.code is Code.EXCHANGE_ONLINE else warn
        for warn in result.warnings
    ]
    if stop_code is Code.EXCHANGE_ALL_REJECTED:
        warnings.append(Warn(stop_code))
    facts = {**result.facts, **concerned} if result.code is Code.EXCHANGE_ONLINE else result.facts
    return replace(result, warnings=tuple(warnings), facts=facts)


def results_of(documents: Mapping[str, Mapping[str, Any]]) -> tuple[EndpointResult, ...]:
    """Stored endpoint documents as results, in the order of their protocols."""
    return tuple(load_endpoint_result(dict(document)) for document in documents.values())


def summarise(rows: Iterable[Row], endpoints: Iterable[EndpointResult]) -> tuple[dict[str, int], str]:
    """Counts of every impact, and the checksum (SHA-256, hex) over all that the verdict rests on."""
    digest = hashlib.sha256()
    for result in endpoints:
        digest.update(f"{result.endpoint}\t{result.endpoint.security}\t{result.verdict}\t{result.code}\n".encode())
    counts = dict.fromkeys((str(impact) for impact in Impact), 0)
    for row in rows:
        line = line_of(row)
        counts[str(line.impact)] += 1
        digest.update(f"{line.address}\t{line.impact}\t{line.code}\n".encode())
    return counts, digest.hexdigest()


def decisive(results: Iterable[EndpointResult]) -> EndpointResult | None:
    """The endpoint that settles every mailbox, failures before the undecided; None where logins must tell."""
    order = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1}
    settling = [result for result in results if result.verdict in order]
    return min(settling, key=lambda result: order[result.verdict], default=None)
