"""What failing endpoints have in common, by table; and what must never come of it, whatever is seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.codes import Code, Verdict
from checks.model import MailboxState, Protocol
from settings_store.incidents.evidence import Boxes, Known, Probe, Sick
from settings_store.incidents.incidents import Open, Opening, Scope, Severity
from worker.incidents.correlation import Findings, correlate, place
from worker.incidents.lifecycle import Pace, Step, endpoint_condition, step_of, together
from worker.incidents.mailbox_causes import mailbox_findings, single_condition, together_condition
from worker.incidents.own_outage import Condition, Limits, ours_condition

NOW = 1_800_000_000.0
LIMITS = Limits(fails=3, retry_seconds=60, fresh_seconds=900)
BEGAN = NOW - 130


def row(domain: int = 1, host: str = "dead.example", **values: Any) -> Known:
    """An endpoint that has failed for certain just now."""
    known = Known(
        domain_id=domain,
        account_id=1,
        protocol=Protocol.IMAP,
        server=f"{host}:993",
        source="",
        state="fail",
        since=BEGAN,
        verdict=Verdict.FAIL,
        code=Code.CONNECT_REFUSED,
        seen="refused",
        fails=3,
        silent=0,
        first_bad_at=BEGAN,
        checked_at=NOW,
        notices=(),
        key_changed_at=None,
        key_change=None,
        moved=True,
        in_force=True,
        resting=False,
    )
    return replace(known, **values)


SMTP = row(1, protocol=Protocol.SMTP, server="dead.example:465", code=Code.CONNECT_TIMEOUT)
"""The other endpoint of the same server, which dies in another way."""


def probe(host: str, bad: int = 0, source: str = "", at: float = NOW, began: float = BEGAN) -> Probe:
    code = Code.CONNECT_REFUSED if bad else Code.OK
    return Probe(host, source, bad, bad >= LIMITS.fails, began if bad else None, at, code)


def others(count: int, bad: int = 0, at: float = NOW) -> list[Probe]:
    return [probe(f"other{number}.example", bad, at=at) for number in range(count)]


def incident(opening: Opening, **values: object) -> Open:
    """What an opening has become."""
    made = Open(
        id=opening.subject,
        account_id=opening.account_id,
        scope=opening.scope,
        subject=opening.subject,
        mailbox_id=opening.mailbox_id,
        severity=opening.severity,
        code=opening.code,
        facts=opening.facts,
        since=opening.since,
        opened_at=NOW,
        recovered_at=None,
        reopened=0,
        remind_at=None,
        reminders=0,
        domain_ids=opening.domain_ids,
    )
    return replace(made, **values)  # type: ignore[arg-type] # any field


def found(rows: Sequence[Known], probes: Sequence[Probe] = (), open_ones: Sequence[Open] = ()) -> Findings:
    return correlate(rows, [*probes, *(_probe_of(item) for item in rows)], (), open_ones, LIMITS, NOW)


def _probe_of(item: Known) -> Probe:
    bad = max(item.fails, item.silent)
    return Probe(item.host, item.source, bad, item.bad, item.first_bad_at, item.checked_at, item.code)


def scopes(findings: Findings) -> list[tuple[Scope, int]]:
    return [(opening.scope, len(opening.domain_ids)) for opening in findings.openings]


# -- servers and endpoints


def test_one_endpoint() -> None:
    (opening,) = found([row()], others(5)).openings
    assert (opening.scope, opening.account_id, opening.domain_ids) == (Scope.ENDPOINT, 1, frozenset({1}))
    assert (opening.severity, opening.code, opening.since) == (Severity.CRITICAL, Code.CONNECT_REFUSED, BEGAN)
    assert opening.facts["host"] == "dead.example"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(1), row(1, protocol=Protocol.SMTP, server="dead.example:465")], [(Scope.ENDPOINT, 1)]),
        ([row(1), SMTP], [(Scope.ENDPOINT, 1)]),
        ([row(1), row(2), SMTP, replace(SMTP, domain_id=2)], [(Scope.SERVER, 2)]),
        ([row(1), replace(SMTP, domain_id=2)], [(Scope.ENDPOINT, 1), (Scope.ENDPOINT, 1)]),
        ([row(1), row(2)], [(Scope.SERVER, 2)]),
        ([row(1), row(2, account_id=2)], [(Scope.ENDPOINT, 1), (Scope.ENDPOINT, 1)]),
        ([row(1), row(2, "elsewhere.example")], [(Scope.ENDPOINT, 1), (Scope.ENDPOINT, 1)]),
        ([row(1), row(2, code=Code.TLS_EXPIRED)], [(Scope.ENDPOINT, 1), (Scope.ENDPOINT, 1)]),
        ([row(1), row(2, state="silent", fails=0, silent=9, code=Code.CONNECT_TIMEOUT)], [(Scope.SERVER, 2)]),
        ([row(resting=True)], []),
        ([row(in_force=False)], []),
        ([row(checked_at=NOW - 1000)], []),
        ([row(fails=0, verdict=Verdict.OK, code=Code.OK)], []),
        ([row(state="ok", fails=2)], []),
    ],
)
def test_what_opens(rows: list[Known], expected: list[tuple[Scope, int]]) -> None:
    assert scopes(found(rows, others(9))) == expected


def test_two_endpoints_of_a_server_that_die_differently_are_one_incident_that_names_both() -> None:
    (opening,) = found([row(1), SMTP], others(5)).openings
    assert opening.facts["endpoints"] == "imap@dead.example:993 smtp@dead.example:465"
    assert (opening.code, opening.facts["also"]) == (Code.CONNECT_REFUSED, "smtp@dead.example:465=connect.timeout")
    first = incident(found([row(1)], others(5)).openings[0], since=BEGAN)
    (extension,) = found([row(1), SMTP], others(5), [first]).extensions
    assert extension.rows == (SMTP,)
    later = replace(SMTP, first_bad_at=NOW + 1000, since=NOW + 1000)
    assert scopes(found([row(1), later], others(5), [first])) == [(Scope.ENDPOINT, 1)]


@pytest.mark.parametrize(("last_ok_at", "worked"), [(NOW - 900, "yes"), (None, None)])
def test_it_is_known_whether_the_settings_worked_before(last_ok_at: float | None, worked: str | None) -> None:
    (opening,) = found([row(last_ok_at=last_ok_at)], others(5)).openings
    assert opening.facts.get("worked") == worked


def test_silence_is_a_warning_and_takes_in_those_about_to_be_silent() -> None:
    silent: dict[str, Any] = {"fails": 0, "silent": 9, "code": Code.CONNECT_TIMEOUT, "verdict": Verdict.INCONCLUSIVE}
    began = NOW - 1900
    rows = [
        row(1, state="silent", first_bad_at=began, since=began, **silent),
        row(2, state="ok", first_bad_at=began + 60, **silent),
    ]
    (opening,) = found(rows, others(9)).openings
    assert (opening.scope, opening.severity, opening.domain_ids) == (Scope.SERVER, Severity.WARNING, frozenset({1, 2}))


def test_it_waits_for_others_on_the_server_but_not_for_ever() -> None:
    undecided = probe("dead.example", bad=1)
    assert found([row()], [*others(5), undecided]).openings == ()
    long_ago = row(first_bad_at=NOW - 241, since=NOW - 241)
    assert scopes(found([long_ago], [*others(5), undecided])) == [(Scope.ENDPOINT, 1)]


def test_it_waits_for_a_look_at_other_servers_but_not_for_ever() -> None:
    before = others(5, at=BEGAN - 1)
    assert found([row()], before).openings == ()
    long_ago = row(first_bad_at=NOW - 300, since=NOW - 300)
    assert scopes(found([long_ago], others(5, at=NOW - 301))) == [(Scope.ENDPOINT, 1)]


def test_where_there_are_no_other_servers_there_is_nothing_to_wait_for() -> None:
    assert scopes(found([row()])) == [(Scope.ENDPOINT, 1)]


def test_what_may_be_us_is_told_to_nobody_before_it_is_certain() -> None:
    assert found([row()], others(5, bad=1)) == Findings()


# -- us


def test_everything_at_once_is_us() -> None:
    findings = found([row(1), row(2, "b.example")], others(5, bad=3))
    assert findings.service is not None
    assert (findings.service.account_id, findings.openings) == (None, ())
    assert (findings.service.facts["count"], findings.service.facts["total"]) == ("7", "7")


@pytest.mark.parametrize(("works", "us"), [(0, True), (1, True), (2, False)])
def test_nearly_everything_is_enough(works: int, us: bool) -> None:
    rows = [row(number, f"dead{number}.example") for number in range(4)]
    assert (found(rows, others(works)).service is not None) is us


def test_two_servers_are_no_everything() -> None:
    assert found([row(1), row(2, "b.example")]).service is None


def test_what_worked_before_it_began_is_no_excuse() -> None:
    rows = [row(number, f"dead{number}.example") for number in range(4)]
    assert found(rows, others(40, at=BEGAN - 1)).service is not None
    assert found(rows, others(40, at=BEGAN + 1)).service is None


def test_one_connection_address_is_ours_too() -> None:
    mine = [probe(f"h{number}", 1, "192.0.2.2", began=NOW - 200) for number in range(5)]
    good = [probe(f"g{number}", 0, "192.0.2.1") for number in range(5)]
    rows = [row(source="192.0.2.2")]
    findings = correlate(rows, [*mine, *good], [*mine, *good], (), LIMITS, NOW)
    assert [opening.subject for opening in findings.sources] == ["source:192.0.2.2"]
    assert (findings.service, findings.openings) == (None, ())
    both = [replace(item, bad=3, first_bad_at=NOW - 200) for item in good]
    everywhere = correlate(rows, [*mine, *both], [*mine, *both], (), LIMITS, NOW)
    assert everywhere.service is not None


def test_an_address_that_was_not_used_since_leaves_it_open() -> None:
    mine = [probe(f"h{number}", 3, "192.0.2.2") for number in range(5)]
    idle = [probe("g", 0, "192.0.2.1", at=BEGAN - 10)]
    findings = correlate([], mine, [*mine, *idle], (), LIMITS, NOW)
    assert (findings.service, findings.sources) == (None, ())


def test_how_our_own_incidents_go_on() -> None:
    service = incident(Opening(Scope.SERVICE, "service", None, Severity.CRITICAL, Code.CONNECT_REFUSED, NOW))
    assert ours_condition(service, (), others(3), (), NOW) == "ok"
    assert ours_condition(service, (), others(3, bad=1), (), NOW) == "unclear"
    assert ours_condition(service, (), (), (), NOW) == "unclear"
    assert ours_condition(service, {"service"}, others(3), (), NOW) == "bad"
    facts = {"source": "192.0.2.2"}
    source = incident(Opening(Scope.SOURCE, "source:192.0.2.2", None, Severity.CRITICAL, Code.DEADLINE, NOW, facts))
    works = [probe("a", 0, "192.0.2.2")]
    assert ours_condition(source, (), works, works, NOW) == "ok"
    assert ours_condition(source, (), works, (), NOW) == "unclear"
    assert ours_condition(source, (), works, (), NOW + 90_000) == "gone"


# -- what is open already


def test_an_open_incident_takes_in_what_belongs_to_it() -> None:
    server = incident(found([row(1), row(2)], others(5)).openings[0])
    assert found([row(1), row(2)], others(5), [server]) == Findings()
    later = found([row(1), row(2), row(3)], others(5), [server])
    assert [[item.domain_id for item in extension.rows] for extension in later.extensions] == [[3]]
    assert later.openings == ()


def test_an_incident_of_one_endpoint_takes_in_its_own_domain_only() -> None:
    endpoint = incident(found([row(1)], others(5)).openings[0])
    smtp = row(1, protocol=Protocol.SMTP, server="dead.example:465")
    findings = found([row(1), smtp, row(2), row(3)], others(5), [endpoint])
    assert [extension.rows for extension in findings.extensions] == [(smtp,)]
    assert scopes(findings) == [(Scope.SERVER, 2)]


def test_silence_that_turns_into_failure_is_news() -> None:
    silent = row(state="silent", fails=0, silent=9, code=Code.CONNECT_TIMEOUT)
    open_one = incident(found([silent], others(5)).openings[0])
    assert found([silent], others(5), [open_one]) == Findings()
    assert [item.incident for item in found([row()], others(5), [open_one]).extensions] == [open_one]


def test_nothing_opens_while_everything_fails() -> None:
    service = incident(Opening(Scope.SERVICE, "service", None, Severity.CRITICAL, Code.CONNECT_REFUSED, NOW))
    assert found([row()], others(9), [service]) == Findings()


_HOSTS = st.sampled_from([f"h{number}.example" for number in range(6)])
_ROWS = st.lists(
    st.builds(
        row,
        st.integers(1, 9),
        _HOSTS,
        account_id=st.integers(1, 3),
        state=st.sampled_from(["ok", "unknown", "fail", "silent"]),
        fails=st.integers(0, 4),
        silent=st.integers(0, 9),
        code=st.sampled_from([Code.CONNECT_REFUSED, Code.TLS_EXPIRED, Code.CONNECT_TIMEOUT]),
        first_bad_at=st.floats(NOW - 2000, NOW),
        checked_at=st.floats(NOW - 1500, NOW + 100),
        resting=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda item: (item.domain_id, item.protocol),
)


@given(_ROWS, st.lists(st.builds(probe, _HOSTS, st.integers(0, 4)), max_size=9))
def test_each_endpoint_is_in_one_incident_at_most(rows: list[Known], probes: list[Probe]) -> None:
    findings = found(rows, probes)
    places = [
        (item, name) for opening in findings.openings for item in [opening] for name in item.facts["endpoints"].split()
    ]
    named = [
        (domain, name) for opening, name in places for domain in opening.domain_ids if opening.scope is Scope.ENDPOINT
    ]
    assert len(named) == len(set(named))
    assert len({opening.subject for opening in findings.openings}) == len(findings.openings)
    if findings.service is not None:
        assert findings.openings == () == findings.extensions
    for opening in findings.openings:
        mine = [item for item in rows if item.domain_id in opening.domain_ids and item.account_id == opening.account_id]
        assert any(item.bad for item in mine)
        assert all(not item.resting for item in mine if place(item) in opening.facts["endpoints"])
    again = found(rows, probes, [incident(opening) for opening in findings.openings])
    assert again.openings == ()


# -- the course of an incident

PACE = Pace(settle_seconds=600, reminder_seconds=86400)
ENDPOINT = incident(found([row()], others(5)).openings[0], remind_at=NOW + 86400)


@pytest.mark.parametrize(
    ("condition", "changes", "after", "stirring", "step"),
    [
        ("bad", {}, 10, True, None),
        ("unclear", {}, 10, False, None),
        ("ok", {}, 10, False, "recover"),
        ("gone", {}, 10, False, "drop"),
        ("bad", {}, 86400, True, "remind"),
        ("unclear", {}, 86400, False, None),
        ("bad", {"recovered_at": NOW}, 10, True, "reopen"),
        ("ok", {"recovered_at": NOW}, 599, False, None),
        ("ok", {"recovered_at": NOW}, 600, False, "resolve"),
        ("ok", {"recovered_at": NOW}, 600, True, "unsettle"),
        ("ok", {"recovered_at": NOW, "reopened": 1}, 1199, False, None),
        ("ok", {"recovered_at": NOW, "reopened": 1}, 1200, False, "resolve"),
        ("ok", {"recovered_at": NOW, "reopened": 99}, 3600, False, "resolve"),
        ("unclear", {"recovered_at": NOW}, 9000, False, None),
        ("ok", {"recovered_at": NOW}, -9000, False, None),
    ],
)
def test_a_step(
    condition: Condition, changes: dict[str, object], after: float, stirring: bool, step: Step | None
) -> None:
    changed = replace(ENDPOINT, **changes)  # type: ignore[arg-type] # any field
    assert step_of(changed, condition, PACE, NOW + after, stirring=stirring) == step


def test_reminders_by_what_it_is() -> None:
    assert PACE.reminder(Scope.ENDPOINT, Severity.CRITICAL) == 86400
    assert PACE.reminder(Scope.NOTICE, Severity.WARNING) == 7 * 86400
    assert PACE.reminder(Scope.NOTICE, Severity.INFO) is None
    assert Pace(600, 0).reminder(Scope.ENDPOINT, Severity.CRITICAL) is None


@pytest.mark.parametrize(
    ("rows", "condition"),
    [
        ([row()], "bad"),
        ([row(state="ok", fails=0)], "ok"),
        ([row(state="unknown", fails=0)], "unclear"),
        ([row(resting=True)], "unclear"),
        ([row(in_force=False)], "unclear"),
        ([], "unclear"),
        ([row(host="new.example", state="ok", fails=0)], "ok"),
        ([row(host="new.example", state="unknown", fails=0)], "unclear"),
        ([row(host="new.example")], "gone"),
        ([row(state="ok", fails=0), row(protocol=Protocol.SMTP, server="b:465")], "ok"),
    ],
)
def test_the_condition_of_an_endpoint(rows: list[Known], condition: Condition) -> None:
    assert endpoint_condition(ENDPOINT, {1: rows}, ())[0] == condition
    assert endpoint_condition(ENDPOINT, {1: rows}, {1})[0] == "gone"


def test_a_server_works_when_all_that_is_left_works() -> None:
    assert together(["ok", "bad", "gone"]) == "bad"
    assert together(["ok", "unclear"]) == "unclear"
    assert together(["ok", "gone"]) == "ok"
    assert together(["gone"]) == together([]) == "gone"


# -- mailboxes


def sick(*ids: int, code: Code = Code.AUTH_REJECTED, domain: int = 1) -> list[Sick]:
    return [Sick(number, domain, 1, code, NOW - number) for number in ids]


@pytest.mark.parametrize(
    ("boxes", "counts", "expected"),
    [
        (sick(1), Boxes(9, 1), [Scope.MAILBOX]),
        (sick(1, 2), Boxes(0, 2), [Scope.MAILBOX, Scope.MAILBOX]),
        (sick(1, 2, 3), Boxes(12, 3), [Scope.MAILBOXES]),
        (sick(1, 2, 3), Boxes(13, 3), [Scope.MAILBOX] * 3),
        (sick(1, 2, 3), Boxes(900, 3, broken_off=True), [Scope.MAILBOXES]),
        (sick(1, 2) + sick(3, code=Code.AUTH_LOCKED), Boxes(0, 3), [Scope.MAILBOX] * 3),
        (sick(1, 2, 3) + sick(4, code=Code.AUTH_LOCKED), Boxes(0, 4), [Scope.MAILBOXES, Scope.MAILBOX]),
    ],
)
def test_mailboxes_that_fail_alike(boxes: list[Sick], counts: Boxes, expected: list[Scope]) -> None:
    findings = mailbox_findings(boxes, {1: counts}, ())
    assert [opening.scope for opening in findings.openings] == expected
    again = mailbox_findings(boxes, {1: counts}, [incident(opening) for opening in findings.openings])
    assert (again.openings, again.merged) == ((), ())


def test_single_ones_become_part_of_the_larger() -> None:
    first = [incident(opening) for opening in mailbox_findings(sick(1, 2), {1: Boxes(5, 2)}, ()).openings]
    findings = mailbox_findings(sick(1, 2, 3), {1: Boxes(4, 3)}, first)
    assert [opening.scope for opening in findings.openings] == [Scope.MAILBOXES]
    assert set(findings.merged) == {incident.id for incident in first}


def test_the_condition_of_mailboxes() -> None:
    def single(state: MailboxState | None, unclear: bool = False, unwatched: bool = False) -> Condition:
        return single_condition(state, unclear=unclear, unwatched=unwatched)

    assert single(MailboxState.CONNECTED) == "ok"
    assert single(MailboxState.DISCONNECTED) == "bad"
    assert single(MailboxState.UNKNOWN) == "unclear"
    assert single(MailboxState.DISCONNECTED, unclear=True) == "unclear"
    assert single(None) == single(MailboxState.CONNECTED, unwatched=True) == "gone"
    assert together_condition(3, unclear=False, unwatched=False) == "bad"
    assert together_condition(2, unclear=False, unwatched=False) == "ok"
    assert together_condition(2, unclear=True, unwatched=False) == "unclear"
    assert together_condition(2, unclear=False, unwatched=True) == "gone"
