"""What is removed is gone on both databases, also what is only referred to, and nobody else loses anything by it."""

import sqlalchemy as sa

from checks.codes import Code
from settings_store import domains, removal, schema
from settings_store.actors import Actor
from settings_store.changes import applying, changes, credentials
from settings_store.changes.changes import Saved
from settings_store.db import Database
from settings_store.events import events
from settings_store.incidents import incidents
from settings_store.incidents.incidents import Opening, Scope, Severity
from settings_store.mailboxes.listing import list_mailboxes
from settings_store.mailboxes.removal import remove_mailboxes
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs import planning, runs
from settings_store.secrets import Vault, new_key
from tests.settings_store.in_force import NOW, add_mailboxes, mail_settings, put_in_force

ADA = Actor("ada")
VAULT = Vault([new_key()])


def counts(conn: sa.Connection) -> dict[str, int]:
    """How many rows each table has, but for what happened."""
    tables = {name: table for name, table in schema.metadata.tables.items() if name not in ("events", "accounts")}
    count = sa.select(sa.func.count())
    return {name: conn.execute(count.select_from(table)).scalar_one() for name, table in tables.items()}


def change_with_credentials(conn: sa.Connection, domain_id: int, *addresses: str) -> Saved:
    """A change that comes with a credential for each address, planned."""
    saved = changes.save(conn, domain_id, mail_settings("new.example"), NOW, ADA)
    rows = [MailboxRow(address, address, "secret", number) for number, address in enumerate(addresses)]
    credentials.propose(conn, saved.change_id, domain_id, rows, VAULT, NOW)
    run = runs.load(conn, saved.run_id)
    assert run
    planning.plan(conn, run, 2, 10)
    return saved


def test_all_of_a_domain_goes_and_nothing_of_another(database: Database) -> None:
    """A domain with a change under way, one in force, mailboxes that come with it, and an incident it shares."""
    with database.begin() as conn:
        other = put_in_force(conn, "other.example")
        add_mailboxes(conn, other, 2)
        before = counts(conn)
        mine = put_in_force(conn, "mine.example")
        known = add_mailboxes(conn, mine, 3)
        addresses = conn.execute(sa.select(schema.mailboxes.c.address).where(schema.mailboxes.c.id.in_(known)))
        change_with_credentials(conn, mine, *addresses.scalars(), "new@mine.example")
        opening = Opening(
            Scope.SERVER, "s", 1, Severity.CRITICAL, Code.CONNECT_REFUSED, NOW, domain_ids=frozenset({mine, other})
        )
        incident_id = incidents.open_one(conn, opening, NOW, None)
        assert counts(conn)["mailboxes"] == before["mailboxes"] + 4

    with database.begin() as conn:
        row = domains.find_domain(conn, domains.ensure_account(conn), "mine.example")
        removal.remove_domain(conn, row, NOW, ADA)

    with database.read() as conn:
        shared = {"incidents": 1, "incident_domains": 1}  # it goes on with the domain that is left
        assert counts(conn) == before | shared
        assert incidents.open_ones(conn)[0].domain_ids == frozenset({other})
        assert incident_id
        (told,) = events.removals(conn, row.account_id, "mine.example")
    assert (told.actor, told.payload["mailboxes"]) == (ADA, 3)


def test_what_a_change_proposes_for_a_removed_mailbox_goes_too(database: Database) -> None:
    with database.begin() as conn:
        domain_id = put_in_force(conn, "mine.example")
        first, second = add_mailboxes(conn, domain_id, 2)
        names = dict(conn.execute(sa.select(schema.mailboxes.c.id, schema.mailboxes.c.address)).all())
        saved = change_with_credentials(conn, domain_id, names[first], names[second])

        assert remove_mailboxes(conn, domain_id, [names[first]], NOW, ADA) == 1

        held = conn.execute(sa.select(schema.change_credentials.c.mailbox_id)).scalars().all()
        assert held == [second]
        assert [box.address for box in list_mailboxes(conn, domain_id)] == [names[second]]
        run = runs.of_change(conn, saved.change_id)
        assert run
        runs.finish(conn, run.id, dict.fromkeys(("will_disconnect", "keeps_working"), 0), "c0ffee", NOW)
        changes.mark_verified(conn, saved.change_id, NOW)
        applying.apply(conn, changes.load(conn, saved.change_id), None, NOW, 60)
        applying.roll_back(conn, changes.load(conn, saved.change_id), NOW)
        secrets = sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.credential.is_not(None))
        assert conn.execute(secrets).scalars().all() == [second]
