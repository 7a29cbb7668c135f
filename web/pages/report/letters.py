"""`/admin/changes/{id}/letters`: what to send to whom, in either language, to be copied or opened in a mail program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import quote

from starlette.responses import Response

from checks.codes import Code
from checks.language import Language
from settings_store.access.roles import Right
from web.api.changes.change_document import change_of
from web.documents import Prefix, public_id
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from worker.changes.report import Report
from worker.changes.wording import report_document
from worker.letters.document import Letter, Recipient

routes = page_router()

_LONGEST_LINK = 1900
"""Characters: what mail programs and browsers take of a `mailto:` everywhere."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter with what a browser makes of it. `link` opens a mail program with it, '' where that cannot be.

    `whole`: with its text, too; else that is to be pasted.
    """

    number: int
    letter: Letter
    link: str
    whole: bool

    @property
    def bcc(self) -> str:
        """The addresses, to be copied."""
        return ", ".join(self.letter.addresses)


@routes.get("/admin/changes/{change_id}/letters")
def show(page: Annotated[Page, page_for(Right.READ)], change_id: str, lang: str = "") -> Response:
    """Every letter that there is a reason for."""
    look = page.account.changes.look(change_of(change_id))
    language = Language(lang) if lang in set(Language) else page.language
    report = page.account.changes.report(look.id, language)
    found = page.account.letters.of_report(report)
    return page.show(
        "report/letters.html",
        id=public_id(Prefix.CHANGE, look.id),
        look=look,
        written=language,
        ready_letters=_ready(found),
        sentences=_sentences(page, report),
        bothers=[each for each in found if each.to is not Recipient.TICKET],
    )


def _sentences(page: Page, report: Report) -> Mapping[tuple[Code, str | None], str]:
    """What each cause means, to tell the letters apart in the language of who sends them."""
    worded = report_document(replace(report, language=page.language), listed=0, commands=False)
    return {(cause.code, cause.protocol): cause.sentence for cause in worded.causes}


def _ready(found: Sequence[Letter]) -> list[Ready]:
    return [_with_link(number, letter) for number, letter in enumerate(found, 1)]


def _with_link(number: int, letter: Letter) -> Ready:
    """As much of it as a link may hold: text in Japanese is often too long, and so are many addresses."""
    incomplete = bool(letter.addresses) and len(letter.addresses) != letter.count
    if letter.to is not Recipient.TICKET and not incomplete:
        for body in (letter.body.replace("\n", "\r\n"), ""):
            if len(link := _link(letter, body)) <= _LONGEST_LINK:
                return Ready(number, letter, link, bool(body))
    return Ready(number, letter, "", False)


def _link(letter: Letter, body: str) -> str:
    """RFC 6068. Owners learn nothing of each other: they are in Bcc."""
    parts = {"bcc": ",".join(letter.addresses), "subject": letter.subject, "body": body}
    return "mailto:?" + "&".join(f"{name}={quote(text, safe='@,')}" for name, text in parts.items() if text)
