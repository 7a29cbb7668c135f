"""The report as it is read: the answer first, then why, whose turn it is, and what can be done about it here.

All of it is in the report's document and its facts; nothing is judged again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from checks.document import EndpointDocument
from checks.language import Language
from checks.messages.endpoints import said_by_server
from checks.model import EndpointResult, Option
from settings_store.changes.lifecycle import ChangeState
from web.pages.frame.comparison import Compared, compared
from web.pages.wording import Words
from worker.changes.document import URGENCY, CauseDocument, ReportDocument
from worker.changes.impact import Impact
from worker.changes.repair import Repair, repairs
from worker.changes.report import Report
from worker.changes.wording import report_document
from worker.service.changes.change_view import Looked

Kind = Literal["good", "bad", "warn", "idle"]

KINDS: Mapping[str, Kind] = {
    "safe": "good",
    "unsafe": "bad",
    "cannot_tell": "warn",
    "ok": "good",
    "fail": "bad",
    "inconclusive": "warn",
    Impact.KEEPS_WORKING: "good",
    Impact.WILL_RECONNECT: "good",
    Impact.ALREADY_DISCONNECTED: "idle",
    Impact.WILL_DISCONNECT: "bad",
    Impact.CANNOT_TELL: "warn",
}
"""How a state looks; its words stand beside it."""

_WIDTH, _NARROWEST = 1000.0, 8.0
_COMMON_WORDS = ("The ", "This ", "Some ", "No ", "There ", "Not ", "Data ", "Encryption ", "A ", "Passwords ")
"""How our sentences begin where it is no name."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the picture of all mailboxes: how many have this impact, from `x` on, `width` of `WIDTH` wide."""

    impact: Impact
    count: int
    words: str
    x: float
    width: float

    @property
    def kind(self) -> Kind:
        """How it looks."""
        return KINDS[self.impact]


@dataclass(frozen=True, slots=True)
class Server:
    """One endpoint, with what would repair it here."""

    document: EndpointDocument
    result: EndpointResult
    repairs: Sequence[Repair]

    @property
    def kind(self) -> Kind:
        """How it looks."""
        return KINDS[self.document.verdict]

    @property
    def needs_option(self) -> bool:
        """Whether nobody connects without "allow insecure certificate"."""
        return self.document.option is Option.NEEDED

    @property
    def key(self) -> str:
        """The SHA-256 of the key that the option lets in; '' where it was not let in yet."""
        return self.result.pin.leaf if self.result.pin else ""


@dataclass(frozen=True)
class View:
    """A change's report for one reader."""

    look: Looked
    report: Report
    t: Words

    @cached_property
    def worded(self) -> ReportDocument:
        """The report in the reader's language, without the names of commands."""
        return report_document(self.report, listed=0, commands=False)

    @property
    def kind(self) -> Kind:
        """How the verdict looks."""
        return KINDS[self.worded.verdict]

    @property
    def causes(self) -> list[CauseDocument]:
        """Those first that people must hear of first."""
        return self.worded.urgent_causes

    @cached_property
    def answer(self) -> str:
        """The whole report in one sentence."""
        lost, total = self.report.counts[Impact.WILL_DISCONNECT], self.report.total
        main = next((cause for cause in self.causes if cause.impact is Impact.WILL_DISCONNECT), None)
        if main is not None:
            key = "report.answer.all" if main.count == lost else "report.answer.most"
            return self.t(key, lost=lost, total=total, count=main.count, cause=self._within(main.sentence))
        failing = next((each for each in self.worded.endpoints if each.verdict == "fail"), None)
        if failing is not None and total:
            return self.t("report.answer.server", cause=self._within(failing.sentence))
        return self.worded.headline

    @property
    def unclear(self) -> str:
        """For how many nobody can tell, where the answer does not say so; else ''."""
        count = self.report.counts[Impact.CANNOT_TELL]
        return self.t("report.unclear", count=count) if count and self.answer != self.worded.headline else ""

    def _within(self, sentence: str) -> str:
        """Set in behind a colon."""
        if self.report.language is Language.EN and sentence.startswith(_COMMON_WORDS):
            return sentence[0].lower() + sentence[1:]
        return sentence

    @property
    def bars(self) -> list[Bar]:
        """The picture of all mailboxes, by urgency. A part that is there is never too narrow to be seen."""
        shown = [self.worded.group(impact) for impact in URGENCY if self.report.counts[impact]]
        weights = [max(group.count / self.report.total * _WIDTH, _NARROWEST) for group in shown]
        bars, x, scale = [], 0.0, _WIDTH / (sum(weights) or 1)
        for group, weight in zip(shown, weights, strict=True):
            bars.append(Bar(group.impact, group.count, group.words, round(x, 1), round(weight * scale, 1)))
            x += weight * scale
        return bars

    @property
    def servers(self) -> list[Server]:
        """The endpoints, with the repairs that were proved."""
        found = self.repairs
        return [
            Server(document, result, [each for each in found if each.protocol == result.endpoint.protocol])
            for document, result in zip(self.worded.endpoints, self.report.endpoints, strict=True)
        ]

    @cached_property
    def repairs(self) -> list[Repair]:
        """What can be repaired with a button, while the change waits."""
        if self.look.state is not ChangeState.VERIFIED:
            return []
        return repairs(self.look.settings, self.report.endpoints)

    def repairs_of(self, cause: CauseDocument) -> list[Repair]:
        """Those of the endpoint where mailboxes met that cause, and nothing else."""
        met = {result.endpoint.protocol: result.code for result in self.report.endpoints}
        return [each for each in self.repairs if each.protocol == cause.protocol and met[each.protocol] is cause.code]

    @property
    def comparison(self) -> list[Compared]:
        """The settings in force, and those proposed."""
        return compared(self.look.base, self.look.settings, self.t)

    @property
    def connected_before(self) -> int:
        """How many mailboxes are connected with the settings in force, as far as is known."""
        counts = self.report.counts
        return counts[Impact.KEEPS_WORKING] + counts[Impact.WILL_DISCONNECT]

    @property
    def connected_after(self) -> int:
        """How many would be."""
        counts = self.report.counts
        return counts[Impact.KEEPS_WORKING] + counts[Impact.WILL_RECONNECT]

    @staticmethod
    def server_said(cause: CauseDocument) -> bool:
        """Whether what was seen are a server's own words, and not those of the network or the library."""
        return said_by_server(cause.code)

    def sentence(self, code: str, protocol: str | None) -> str:
        """What a code means, as the report has worded it; '' where it is no cause."""
        return next((each.sentence for each in self.causes if (each.code, each.protocol) == (code, protocol)), "")
