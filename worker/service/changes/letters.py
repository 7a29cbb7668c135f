"""The use case of letters: what to send to whom, so that a change can be applied."""

from dataclasses import dataclass

from checks.language import Language
from settings_store import domains
from settings_store.changes import changes
from worker.changes.report import Report
from worker.egress.connection_ips import sources_for
from worker.letters.document import Letter, Recipient
from worker.letters.letters import letters
from worker.letters.material import material
from worker.service.bound_to import Binding
from worker.service.changes.changes import Changes

LISTED = 1000
"""So many addresses are in a letter; its `count` says how many there are."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Of one account's changes."""

    _to: Binding

    def of_change(
        self,
        change_id: str,
        language: Language = Language.EN,
        to: Recipient | None = None,
        listed: int = LISTED,
    ) -> list[Letter]:
        """The letters of a change's report, all or those to one recipient, in a language.

        Raises `Refused` where there is no report, and `Invalid` for a change that the account does not have.
        """
        return self.of_report(Changes(self._to).report(change_id, language), to, listed)

    def of_report(self, report: Report, to: Recipient | None = None, listed: int = LISTED) -> list[Letter]:
        """The letters of a report that was read already, in its language."""
        with self._to.database.read() as conn:
            change = changes.get(conn, self._to.account_id, report.change_id)
            settings = domains.load_settings(conn, change.settings_id)
            sources = sources_for(conn, self._to.config, self._to.account_id, settings, change.domain_id)
        return letters(material(report, sources, listed), to)
