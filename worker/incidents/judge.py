"""Judges what health checks have found: opens incidents, says how they go on, and has them announced.

One transaction reads everything and writes what follows from it. Every step is done once, whoever takes it.
What is to be concluded is pure and elsewhere: `correlation`, `lifecycle`, `notice_incidents`, `mailbox_causes`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import Connection

from checks.messages.endpoints import endpoint_facts
from checks.serialize import load_endpoint_result
from settings_store.alerts import outbox
from settings_store.incidents import effects, evidence, incidents
from settings_store.incidents.incidents import ALSO, Open, Opening, Scope, Severity
from settings_store.incidents.last_failures import last_failure
from settings_store.sandbox import accounts as sandboxes
from worker.incidents import notice_incidents
from worker.incidents.correlation import Extension, also_of, endpoints_of
from worker.incidents.evidence import OF_SERVERS, Case
from worker.incidents.lifecycle import LONGEST_SETTLE_SECONDS, Step, step_of
from worker.incidents.mailbox_causes import crowded, mailbox_findings
from worker.resources import Resources

log = logging.getLogger(__name__)

Kind = Literal["opened", "reminder", "resolved"]
Announce = Callable[[Connection, str, Kind, int, float], int]


def judge(resources: Resources, announce: Announce = outbox.announce) -> int:
    """Judges everything once, unless somebody is at it. Returns how many incidents were opened, reminded of or ended.

    `announce` tells the channels of an incident, in the same transaction.
    """
    with resources.database.begin() as conn:
        if not incidents.begin_judging(conn):
            return 0
        count = Judge(Case(conn, resources.config, resources.now()), announce).run()
    return count + judge_sandboxes(resources, announce)


def judge_sandboxes(resources: Resources, announce: Announce = outbox.announce) -> int:
    """Judges what is in sandboxes once, apart from all that is real: neither says anything of the other."""
    with resources.database.begin() as conn:
        if not sandboxes.all_ids(conn):
            return 0
        return Judge(Case(conn, resources.config, resources.now(), sandboxed=True), announce).run()


@dataclass
class Judge:
    """One judgement of a case."""

    case: Case
    announce: Announce
    count: int = 0
    closed: set[str] = field(default_factory=set)

    @property
    def _conn(self) -> Connection:
        return self.case.conn

    def run(self) -> int:
        """Goes on with what is open, then opens what is new."""
        for incident in self.case.open:
            self._go_on(incident)
        self._ours()
        if not self.case.all_bad:
            self._servers()
            self._mailboxes()
            self._notices()
            # What rests is judged when it is watched again.
            evidence.settle_moved(self._conn, [row for row in self.case.rows if not row.resting])
        return self.count

    # -- what is open

    def _go_on(self, incident: Open) -> None:
        """While everything fails nothing is concluded about a customer's."""
        if self.case.all_bad and incident.account_id is not None:
            return
        condition, stirring = self.case.condition(incident)
        step = step_of(incident, condition, self.case.pace, self.case.now, stirring=stirring)
        if step is not None:
            self._take(incident, step)

    def _take(self, incident: Open, step: Step) -> None:
        if step == "remind":
            self._remind(incident)
        elif step == "reopen":
            if incidents.reopen(self._conn, incident.id, self.case.now):
                self._follow(incident)
        elif step == "recover":
            if incidents.recover(self._conn, incident.id, self.case.now):
                self._release(incident)
        elif step == "unsettle":
            incidents.set_times(self._conn, incident.id, self.case.now, incident.remind_at)
        elif incidents.close(self._conn, incident.id, self.case.now, resolved=step == "resolve"):
            self.closed.add(incident.id)
            self._release(incident)
            if step == "resolve" and incident.scope is not Scope.NOTICE:
                self._tell(incident.id, "resolved")

    def _remind(self, incident: Open) -> None:
        every = self.case.pace.reminder(incident.scope, incident.severity)
        number = incident.reminders + 1
        if every is not None and incidents.remind(
            self._conn, incident.id, number, self.case.now + every, self.case.now
        ):
            self._tell(incident.id, "reminder", number)

    def _follow(self, incident: Open) -> None:
        """The mailboxes of a domain whose server fails for certain are disconnected."""
        if incident.scope in OF_SERVERS and incident.severity is Severity.CRITICAL:
            failing = [key for key in incident.domain_ids if any(row.bad for row in self.case.by_domain.get(key, ()))]
            effects.disconnect(self._conn, failing, incident.code, incident.since, incident.id, self.case.now)

    def _release(self, incident: Open) -> None:
        if incident.scope in OF_SERVERS:
            effects.release(self._conn, incident.domain_ids, incident.since, incident.id, self.case.now)

    # -- what opens

    def _ours(self) -> None:
        subjects = {incident.subject for incident in self.case.open}
        for opening in self.case.found.ours:
            if opening.subject not in subjects:
                self._open(opening)

    def _servers(self) -> None:
        for extension in self.case.found.extensions:
            if extension.incident.id not in self.closed:
                self._extend(extension)
        for opening in self.case.found.openings:
            mailboxes = evidence.mailbox_counts(self._conn, opening.domain_ids)
            facts = {**self._facts(opening), **opening.facts}
            self._open(replace(opening, facts=facts, mailboxes=mailboxes))

    def _facts(self, opening: Opening) -> Mapping[str, str]:
        """What the check found, where its newest conclusive result is what the incident is about."""
        alike = (row for row in self.case.rows if row.domain_id in opening.domain_ids and row.code is opening.code)
        first = min(alike, key=lambda row: (row.protocol.label != opening.facts["protocol"], row.domain_id))
        document = evidence.result_of(self._conn, first.domain_id, first.protocol)
        if not document or document["code"] != opening.code.value:
            return {}
        return endpoint_facts(load_endpoint_result(dict(document)))

    def _extend(self, extension: Extension) -> None:
        """An incident takes in more endpoints. What was silent and fails now is graver, and tells more channels."""
        incident, rows = extension.incident, extension.rows
        failing = next((row for row in rows if row.state == "fail"), None)
        better: dict[str, object] = {}
        if failing is not None and incident.severity is Severity.WARNING:
            better = {"severity": Severity.CRITICAL.value, "code": failing.code.value, "seen": failing.seen}
            incident = replace(incident, severity=Severity.CRITICAL, code=failing.code)
        domain_ids = incident.domain_ids | {row.domain_id for row in rows}
        also = also_of(rows, incident.code, incident.facts.get(ALSO, ""))
        facts = {**incident.facts, **endpoints_of(rows, incident.endpoints), **also}
        mailboxes = evidence.mailbox_counts(self._conn, domain_ids)
        incidents.extend(self._conn, incident.id, domain_ids, facts=facts, mailboxes=mailboxes, **better)
        self._follow(replace(incident, domain_ids=domain_ids))
        self._tell(incident.id, "opened")

    def _mailboxes(self) -> None:
        sick = [box for box in evidence.sick_mailboxes(self._conn, self.case.now) if self.case.is_mine(box.account_id)]
        boxes = evidence.boxes_of(self._conn, crowded(sick))
        found = mailbox_findings(sick, boxes, self.case.open)
        for incident_id in found.merged:
            incidents.close(self._conn, incident_id, self.case.now, resolved=False)
        for opening in found.openings:
            self._open(self._with_words(opening))

    def _with_words(self, opening: Opening) -> Opening:
        """With the server, and its words when it refused the mailboxes last."""
        (domain_id,) = opening.domain_ids
        last = last_failure(self._conn, domain_id, opening.code, opening.mailbox_id)
        return opening if last is None else replace(opening, facts=last.facts, seen=last.seen)

    def _notices(self) -> None:
        for opening in notice_incidents.to_open(self.case.foreseen, {incident.subject for incident in self.case.open}):
            if not notice_incidents.once(opening) or not incidents.told_already(self._conn, opening.subject):
                self._open(opening)
        still_open = [incident for incident in self.case.open if incident.id not in self.closed]
        for incident_id, domain_ids in notice_incidents.to_extend(self.case.foreseen, still_open).items():
            incidents.extend(self._conn, incident_id, domain_ids)
            self._tell(incident_id, "opened")

    def _open(self, opening: Opening) -> None:
        every = self.case.pace.reminder(opening.scope, opening.severity)
        remind_at = None if every is None else self.case.now + every
        lately = self.case.now - LONGEST_SETTLE_SECONDS
        reopened = incidents.reopened_lately(self._conn, opening.subject, lately)
        incident_id = incidents.open_one(self._conn, opening, self.case.now, remind_at, reopened)
        if incident_id is None:
            return
        if opening.account_id is None:
            log.error("%s: %s of %s servers fail", opening.subject, opening.facts["count"], opening.facts["total"])
        if opening.scope in OF_SERVERS and opening.severity is Severity.CRITICAL:
            since = min(opening.since, self.case.now)
            effects.disconnect(self._conn, opening.domain_ids, opening.code, since, incident_id, self.case.now)
        self._tell(incident_id, "opened")

    def _tell(self, incident_id: str, kind: Kind, number: int = 0) -> None:
        self.announce(self._conn, incident_id, kind, number, self.case.now)
        self.count += 1
