"""The use case of letters: what to send to whom, so that a change can be applied."""

from dataclasses import dataclass

from checks.language import Language
from worker.health.sources import connection_ips
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
        report = Changes(self._to).report(change_id, language)
        with self._to.database.read() as conn:
            sources = connection_ips(conn, self._to.account_id, self._to.config.source_address or "")
        return letters(material(report, sources, listed), to)
