"""The credentials of a change: nothing of it is in force before `apply`, and nothing is left of it after a way back."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.changes.lifecycle import Refused
from tests.flows.harness import (
    Box,
    Outcome,
    System,
    account_of,
    boxes_of,
    outcome,
    seen,
    settings_of,
    user_of,
    write_csv,
)
from tests.servers.lab import MailLab
from worker.service.preflight import Preflight

DOMAIN = "credentials.example"
COUNT = 10
WRONG = (1, 4)
"""Whose password in the file of the change is wrong; box 9 is new."""


def addresses(*numbers: int) -> set[str]:
    return {f"box{number:03}@{DOMAIN}" for number in numbers}


@pytest.fixture
def working(system: System, lab: MailLab) -> System:
    """A domain with settings in force, and nine mailboxes that work with them."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT - 1))
    system.apply(DOMAIN, settings_of(lab))
    lab.forget()
    return system


def propose(system: System, lab: MailLab, boxes: Sequence[Box], host: str = "localhost") -> Outcome:
    """Verifies a change that comes with credentials."""
    path = write_csv(system.folder / "proposed.csv", boxes)
    with system.open() as preflight, preflight.processes.working():
        saved = account_of(preflight).changes.save(DOMAIN, settings_of(lab, host=host), path)
        return outcome(preflight, saved)


OF_A_CHANGE = {"changes", "change_credentials", "change_rejections"}
HISTORY = {"events", "runs", "pages", "run_mailboxes", "endpoint_results", "login_budget"}
"""What happened and what it cost; whatever else there is says what is in force, and is compared."""


def in_force(preflight: Preflight) -> dict[str, list[dict[str, object]]]:
    """Whole rows of all that says what is in force and what is known of it, a table that is new tomorrow too."""
    box, domain, kept = schema.mailboxes, schema.domains, schema.rejections
    own = sa.select(box.c.id).where(box.c.domain_id.is_not(None))
    narrowed = {
        "mailboxes": sa.select(box).where(box.c.id.in_(own)),
        "rejections": sa.select(kept).where(kept.c.mailbox_id.in_(own)),
        "settings": sa.select(schema.settings).where(schema.settings.c.id.in_(sa.select(domain.c.settings_id))),
    }
    tables = {name: table for name, table in schema.metadata.tables.items() if name not in OF_A_CHANGE | HISTORY}
    with preflight.database.read() as conn:
        queries = {name: narrowed.get(name, sa.select(table)) for name, table in tables.items()}
        ordered = {name: query.order_by(*tables[name].primary_key) for name, query in queries.items()}
        found = {name: [dict(row) for row in conn.execute(query).mappings()] for name, query in ordered.items()}
        told = sa.select(schema.events).where(~schema.events.c.kind.startswith("change."))
        told = told.where(~schema.events.c.kind.startswith("run.")).order_by(schema.events.c.seq)
        return found | {"events": [dict(row) for row in conn.execute(told).mappings()]}


def logins_in_force(preflight: Preflight) -> dict[str, tuple[str, str]]:
    """Address -> user name and password."""
    box = schema.mailboxes
    with preflight.database.read() as conn:
        found = conn.execute(sa.select(box).where(box.c.domain_id.is_not(None))).all()
    return {row.address: (row.username, preflight.vault.open(row.credential)) for row in found}


def held(preflight: Preflight) -> int:
    """How many secrets changes hold: proposed or replaced ones, and those of mailboxes of no domain."""
    box, held = schema.mailboxes, schema.change_credentials
    coming = sa.select(sa.func.count()).where(box.c.domain_id.is_(None), box.c.credential.is_not(None))
    with preflight.database.read() as conn:
        proposed = conn.execute(sa.select(sa.func.count()).select_from(held)).scalar_one()
        return int(proposed) + int(conn.execute(coming).scalar_one())


def test_nothing_of_a_change_is_in_force_before_it_is_applied(working: System, lab: MailLab) -> None:
    """Given nine that work, when a change brings two wrong passwords and a mailbox, then these two would disconnect.

    The whole store is compared after each step: saved, verified, taken up again after another, and discarded.
    """
    path = write_csv(working.folder / "proposed.csv", boxes_of(lab, DOMAIN, COUNT, wrong=WRONG))
    with working.open() as preflight:
        changes = account_of(preflight).changes
        before = in_force(preflight)

        saved = changes.save(DOMAIN, settings_of(lab), path)
        assert in_force(preflight) == before
        with preflight.processes.working():
            found = outcome(preflight, saved)
        assert in_force(preflight) == before
        assert saved.proposed is not None
        assert (saved.proposed.added, saved.proposed.updated, saved.proposed.unchanged) == (1, 2, 7)
        assert held(preflight) == 3

        other = changes.save(DOMAIN, settings_of(lab, host="127.0.0.1"))
        changes.discard(other.change_id)
        changes.reopen(saved.change_id)
        assert in_force(preflight) == before
        assert held(preflight) == 3

        changes.discard(saved.change_id)
        assert in_force(preflight) == before
        assert held(preflight) == 0

    assert {address for address, impact in found.impacts.items() if impact == "will_disconnect"} == addresses(*WRONG)
    assert found.counts == {"keeps_working": 8, "will_disconnect": 2}
    assert account_report(working, found) == found.counts


def account_report(system: System, found: Outcome) -> dict[str, int]:
    """What the stored report says afterwards."""
    with system.open() as preflight:
        lines = list(account_of(preflight).changes.report(found.saved.change_id).mailboxes())
    return {impact: sum(line.impact == impact for line in lines) for impact in {str(line.impact) for line in lines}}


@pytest.mark.both_modes
def test_applied_and_rolled_back(working: System, lab: MailLab) -> None:
    """The credentials are in force with the change; the earlier ones are with its rollback, and new ones are gone."""
    boxes = boxes_of(lab, DOMAIN, COUNT, wrong=WRONG)
    with working.open() as preflight:
        earlier, before = logins_in_force(preflight), in_force(preflight)
        found = propose(working, lab, boxes)

        account_of(preflight).changes.apply(found.saved.change_id, 2)

        assert logins_in_force(preflight) == {box.address: (box.username, box.password) for box in boxes}
        states = {row["address"]: row["state"] for row in in_force(preflight)["mailboxes"]}
        assert {address for address, state in states.items() if state == "disconnected"} == addresses(*WRONG)
        assert len(in_force(preflight)["rejections"]) == 2

        account_of(preflight).changes.roll_back(found.saved.change_id)

        assert logins_in_force(preflight) == earlier
        after = in_force(preflight)
        assert after["rejections"] == before["rejections"]
        assert after["settings"] == before["settings"]
        assert {row["address"]: row["state"] for row in after["mailboxes"]} == dict.fromkeys(earlier, "connected")
        assert held(preflight) == 0


def test_a_rejected_candidate_is_not_sent_again_and_blames_nobody_else(working: System, lab: MailLab) -> None:
    """Verified again, the wrong passwords stay unsent; and the next change tries what is stored, which works."""
    found = propose(working, lab, boxes_of(lab, DOMAIN, COUNT - 1, wrong=WRONG))
    rejected = seen(lab).imap_rejected
    with working.open() as preflight, preflight.processes.working():
        again = outcome(preflight, account_of(preflight).changes.verify_again(found.saved.change_id))
    assert again.counts == {"keeps_working": 7, "will_disconnect": 2}
    assert seen(lab).imap_rejected == rejected
    assert set(rejected) == {user_of(number) for number in WRONG}

    assert working.verify(DOMAIN, settings_of(lab)).counts == {"keeps_working": 9}


def test_where_the_state_is_not_known_the_stored_credential_is_asked(working: System, lab: MailLab) -> None:
    """The same server has rejected the candidate: that says nothing of the stored one, which is tried."""
    with working.open() as preflight, preflight.database.begin() as conn:
        conn.execute(schema.mailboxes.update().values(state="unknown"))

    found = propose(working, lab, boxes_of(lab, DOMAIN, COUNT - 1, wrong=WRONG))

    assert found.counts == {"keeps_working": 7, "will_disconnect": 2}


def test_a_candidate_that_mends_a_mailbox(system: System, lab: MailLab) -> None:
    """Given a stored password that is wrong, when the change brings the right one, then it would connect again."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 3, wrong=(2,)))
    system.apply(DOMAIN, settings_of(lab))
    found = propose(system, lab, boxes_of(lab, DOMAIN, 3))
    assert found.counts == {"keeps_working": 2, "will_reconnect": 1}
    with system.open() as preflight:
        account_of(preflight).changes.apply(found.saved.change_id)
        assert in_force(preflight)["rejections"] == []


@pytest.mark.both_modes
def test_what_is_imported_meanwhile_stays(working: System, lab: MailLab) -> None:
    """An import ends what the report knew; after applying, a rollback keeps what was imported since."""
    found = propose(working, lab, boxes_of(lab, DOMAIN, COUNT, wrong=WRONG))
    working.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=(7,)))
    with working.open() as preflight, preflight.processes.working():
        with pytest.raises(Refused, match="verify it again"):
            account_of(preflight).changes.apply(found.saved.change_id, 2)
        again = outcome(preflight, account_of(preflight).changes.verify_again(found.saved.change_id))
        # Box 7 has a wrong password in force now, and the change none for it; the new one is the domain's by now.
        assert again.counts["will_disconnect"] + again.counts["already_disconnected"] == 3
        account_of(preflight).changes.apply(found.saved.change_id, again.counts["will_disconnect"])
        imported = boxes_of(lab, DOMAIN, COUNT)[1]
        working.load(DOMAIN, [imported])

        account_of(preflight).changes.roll_back(found.saved.change_id)

        logins = logins_in_force(preflight)
        assert logins[imported.address][1] == imported.password
        assert set(logins) == addresses(*range(COUNT))


def test_a_file_with_a_mistake_saves_nothing(working: System, lab: MailLab, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(f"address,password\nbox000@{DOMAIN},x\nbox000@{DOMAIN},y\n")
    with working.open() as preflight:
        changes = sa.select(sa.func.count()).select_from(schema.changes)
        with preflight.database.read() as conn:
            before = conn.execute(changes).scalar_one()
        with pytest.raises(ValueError, match="row 3"):
            account_of(preflight).changes.save(DOMAIN, settings_of(lab), file)
        with preflight.database.read() as conn:
            assert conn.execute(changes).scalar_one() == before
        assert held(preflight) == 0
