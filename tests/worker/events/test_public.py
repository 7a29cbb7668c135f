"""Events as others see them."""

import pytest

from settings_store.events.event import Event
from settings_store.events.kinds import KINDS, ChangeApplied, IncidentOpened, MailboxesDisconnected, RunBrokenOff
from worker.events.public import public, seq_of, type_of


def test_a_change_is_named_as_the_api_names_it() -> None:
    found = public(ChangeApplied(subject="ab12", at=5.0, seq=7, before="verified", after="applied"), "example.com")
    assert (found.id, found.type, found.subject, found.domain) == (
        "evt_000000000007",
        "change.applied",
        "chg_ab12",
        "example.com",
    )
    assert found.data == {"before": "verified", "after": "applied"}


def test_names_that_are_other_outside() -> None:
    stopped = RunBrokenOff(subject="r1", at=5.0, change_id="ab12", code="auth.rejected", left=3)
    assert public(stopped, None).data == {"code": "auth.rejected", "left": 3, "change_id": "chg_ab12"}
    assert type_of(stopped) == "run.stopped"
    lost = MailboxesDisconnected(subject="domain:1", at=5.0, count=2)
    assert (public(lost, "example.com").subject, type_of(lost)) == ("example.com", "mailbox.disconnected")
    assert type_of(IncidentOpened(subject="i1", at=5.0, scope="notice")) == "notice.raised"
    assert type_of(IncidentOpened(subject="i1", at=5.0, scope="server")) == "incident.opened"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.KIND)
def test_no_event_tells_an_address_or_words(kind: type[Event]) -> None:
    assert not public(kind(subject="x", at=5.0), None).data.keys() & {"detail", "named"}


def test_ids_lead_back_to_the_order() -> None:
    assert seq_of("evt_000000000007") == 7
    assert [seq_of(text) for text in ("7", "evt_", "evt_٣", "evt_" + "9" * 19, "chg_7", "")] == [None] * 6
