"""A report put into words: its document in a language. Pure: what a report holds and reads in, the document out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from checks.clients.comparison import client_facts
from checks.codes import CODES, Blame, Code, Verdict
from checks.language import Language
from checks.messages import Wording, blame_word, wording
from checks.messages.endpoints import endpoint_document, endpoint_facts, place_facts, warning_facts
from checks.model import EndpointResult, Facts, Option, Protocol
from settings_store.changes.changes import SHORT
from worker.changes.document import (
    CauseDocument,
    CommonCauseDocument,
    GroupDocument,
    MailboxDocument,
    NextDocument,
    ReportDocument,
    ServiceDocument,
    StopDocument,
    UntriedDocument,
)
from worker.changes.impact import Impact
from worker.changes.report import LEFT, Cause, MailboxLine, Report, suspect
from worker.wording import phrase

LISTED = 50
"""So many mailboxes of each impact are in the document; the others are read as they are asked for."""

_BEFORE_A_LOGIN = ("dns.", "connect.", "tls.", "greeting.")
"""Codes of what a connection meets before its login: of a server that passed its check it says what became of it."""

_SIGNS = {"safe": Verdict.OK, "unsafe": Verdict.FAIL, "cannot_tell": Verdict.INCONCLUSIVE}


def report_document(report: Report, listed: int = LISTED, *, commands: bool = True) -> ReportDocument:
    """The report in its language. Reads the mailboxes once and holds no more than `listed` of each impact.

    `commands`: whoever reads it has those of this program; else the words name none.
    """
    language, found = report.language, report.findings(listed)
    words = _Words(report, found.causes)
    needed = any(result.option is Option.NEEDED for result in report.endpoints)
    return ReportDocument(
        language=language,
        change_id=report.change_id,
        short_id=report.short_id or report.change_id,
        domain=report.domain,
        verdict=report.verdict,
        sign=_SIGNS[report.verdict],
        headline=language.text(_headline(report)),
        stop=words.stop(),
        endpoints=tuple(
            endpoint_document(result, language, ticked=report.ticked, elsewhere=needed) for result in report.endpoints
        ),
        common_cause=words.common_cause(found.causes),
        causes=tuple(words.cause(cause) for cause in found.causes if cause.code is not Code.OK),
        untried=_untried(found.causes, language, "" if commands else "api."),
        groups=tuple(_group(report, impact, found.first.get(impact, ())) for impact in Impact),
        services=_services(report, found.services),
        next=_next(report) if commands else _next_without_command(report),
        checksum=report.checksum,
        read=lambda: (mailbox_document(line, language) for line in report.mailboxes()),
    )


def _next(report: Report) -> NextDocument:
    """What can be done with the change now. A command is given where it would be accepted."""
    disconnects = report.counts[Impact.WILL_DISCONNECT]
    name: str = report.step
    command: tuple[str, ...] = ("mail-preflight", report.step, report.short_id or report.change_id)
    if report.step == "apply":
        name = report.verdict if report.total else "empty"
        command += ("--checksum", report.checksum[:SHORT])
        if disconnects or any(result.verdict is Verdict.FAIL for result in report.endpoints):
            command += ("--accept-disconnects", str(disconnects))
    if report.step == "approve":
        command += ("--checksum", report.checksum[:SHORT])
    sentence = phrase(report.language, f"next.{name}")
    return NextDocument(sentence, disconnects, report.step, command if report.step != "none" else ())


def _next_without_command(report: Report) -> NextDocument:
    disconnects, name = report.counts[Impact.WILL_DISCONNECT], str(report.step)
    if report.step == "apply":
        name = report.verdict if report.total else "empty"
    return NextDocument(phrase(report.language, f"api.next.{name}"), disconnects, report.step, ())


def _headline(report: Report) -> Iterator[str]:
    language, unclear = report.language, report.counts[Impact.CANNOT_TELL]
    values = {"domain": report.domain, "total": report.total, "unclear": unclear}
    if not report.total:
        yield phrase(language, f"verdict.empty.{_servers(report.endpoints)}", **values)
        return
    yield phrase(language, f"verdict.{report.verdict}", disconnect=report.counts[Impact.WILL_DISCONNECT], **values)
    if report.verdict == "unsafe" and unclear:
        yield phrase(language, "verdict.unsafe.unclear", **values)
    if report.verdict == "safe":
        yield phrase(language, "verdict.safe.all", **values)


def _servers(endpoints: Iterable[EndpointResult]) -> Verdict:
    """What all endpoints together came to: without mailboxes it is all that is known."""
    found = {result.verdict for result in endpoints}
    return next((verdict for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE) if verdict in found), Verdict.OK)


class _Words:
    """The words for what mailboxes met, which need to know what was found at the endpoints."""

    def __init__(self, report: Report, causes: Sequence[Cause]) -> None:
        self._report, self._causes, self._language = report, causes, report.language

    def stop(self) -> StopDocument | None:
        """Why mailboxes were left untried; None where none were."""
        code, left = self._report.stop_code, self._report.stop_detail
        if code is None or not left.isdecimal() or left == "0":  # what stopped nothing is told with the servers
            return None
        return StopDocument(code, wording(Code.RUN_NOT_TRIED, self._stop_facts(), self._language).sentence, int(left))

    def cause(self, cause: Cause) -> CauseDocument:
        """What mailboxes met, who acts, and what to do."""
        words, blame = self._cause_words(cause), self._blame(cause)
        return CauseDocument(
            code=cause.code,
            protocol=cause.protocol,
            where=_label(cause.protocol),
            impact=cause.impact,
            count=cause.count,
            words=phrase(self._language, f"impact.{cause.impact}", count=cause.count),
            sentence=words.sentence,
            advice=words.advice,
            blame=blame,
            who_acts=blame_word(blame, self._language),
            field=words.field,
            seen=cause.seen,
        )

    def common_cause(self, causes: Sequence[Cause]) -> CommonCauseDocument | None:
        """The one cause that is likely behind most failures, with what to look at."""
        cause = suspect(causes)
        if cause is None:
            return None
        words = wording(cause.code, cause_facts(cause, self._report.endpoints), self._language)
        mailboxes = CODES[cause.code].blame is Blame.MAILBOX
        return CommonCauseDocument(
            code=cause.code,
            protocol=cause.protocol,
            count=cause.count,
            words=phrase(self._language, "suspect", count=cause.count),
            sentence=words.sentence,
            hint=phrase(self._language, "suspect.mailboxes") if mailboxes else "",
            field=None if mailboxes else words.field,
        )

    def _blame(self, cause: Cause) -> Blame:
        """Who acts; where the server was there a moment before, not who typed the settings."""
        blame = CODES[cause.code].blame
        typed = blame is Blame.SETTINGS and "worked" in cause_facts(cause, self._report.endpoints)
        return Blame.SERVER if typed else blame

    def _cause_words(self, cause: Cause) -> Wording:
        not_tried = cause.code is Code.RUN_NOT_TRIED
        facts = self._stop_facts() if not_tried else cause_facts(cause, self._report.endpoints)
        return wording(cause.code, facts, self._language)

    def _stop_facts(self) -> Facts:
        """Why mailboxes were left untried: how many, and what the others met."""
        code, endpoints = self._report.stop_code, self._report.endpoints
        if code is None:
            return {}
        place = place_facts(endpoints[0].endpoint) if len(endpoints) == 1 else {}
        met = next((cause for cause in self._causes if cause.code is code), None)
        place = cause_facts(met, endpoints) if met else place
        for result in endpoints:
            for warn in result.warnings:
                if warn.code is code:
                    place = warning_facts(result, warn)
        reason = wording(code, place, self._language).sentence.rstrip(".。")
        return {"reason": reason, "count": self._report.stop_detail}


def cause_facts(cause: Cause, endpoints: Iterable[EndpointResult]) -> Facts:
    """The facts of the endpoint where the cause was met; what was found there counts only if it is the same cause."""
    count = {"count": str(cause.count)}
    for result in endpoints:
        if result.endpoint.protocol == cause.protocol:
            same = result.code is cause.code
            shown = next((warn.facts for warn in result.warnings if warn.code is cause.code), {})
            place = endpoint_facts(result) if same else place_facts(result.endpoint)
            gone = result.verdict is Verdict.OK and cause.code.startswith(_BEFORE_A_LOGIN)
            worked = {"worked": "just now"} if gone else {}
            return {
                **place,
                **shown,
                **count,
                **worked,
                **client_facts(cause.code, result.endpoint.protocol, result.client),
            }
    return count


def _untried(causes: Iterable[Cause], language: Language, prefix: str) -> UntriedDocument | None:
    left = sum(cause.count for cause in causes if cause.code in LEFT)
    return UntriedDocument(left, phrase(language, f"{prefix}left", count=left)) if left else None


def _group(report: Report, impact: Impact, first: Iterable[MailboxLine]) -> GroupDocument:
    language, count = report.language, report.counts[impact]
    words = phrase(language, f"impact.{impact}", count=count)
    return GroupDocument(impact, count, words, tuple(mailbox_document(line, language) for line in first))


def mailbox_document(line: MailboxLine, language: Language) -> MailboxDocument:
    """One mailbox, worded."""
    return MailboxDocument(
        address=line.address,
        impact=line.impact,
        code=line.code,
        protocol=line.endpoint,
        where=_label(line.endpoint),
        seen=line.seen,
        services=line.services,
        apart=_apart(line.services, language) if line.services else "",
    )


def _apart(services: Mapping[str, str], language: Language) -> str:
    """Mail and calendar, where they came to different ends."""
    if len(set(services.values())) < 2:
        return ""
    return language.listed(f"{phrase(language, f'service.{name}')}: {code}" for name, code in services.items())


def _services(report: Report, found: Mapping[str, Mapping[Verdict, int]]) -> tuple[ServiceDocument, ...]:
    """How mail and calendar fared apart from each other."""
    if all(result.endpoint.protocol is not Protocol.HTTPS for result in report.endpoints):
        return ()
    return tuple(
        ServiceDocument(
            name,
            phrase(report.language, f"service.{name}"),
            *(verdicts.get(verdict, 0) for verdict in (Verdict.OK, Verdict.FAIL, Verdict.INCONCLUSIVE)),
        )
        for name, verdicts in found.items()
    )


def _label(protocol: str | None) -> str:
    return Protocol(protocol).label if protocol else ""
