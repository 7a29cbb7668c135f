"""Mailboxes and domains that are listed and removed: what that ends, who did it, and what nobody else loses by it."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from cli import account
from cli.failures import Status
from settings_store import schema
from settings_store.changes import changes
from tests.cli.planted import SETTINGS, Planted, Said

ME = account.actor().name
DOMAIN = "demo.example"


@pytest.fixture
def imported(planted: Planted, tmp_path: Path) -> Planted:
    """Three mailboxes, one of which logs in by another name, and those of another domain."""
    file = tmp_path / "boxes.csv"
    file.write_text("address,password,username\nada@demo.example,one,\nbob@demo.example,two,bob\neve@demo.example,x,\n")
    assert planted.run("mailboxes", "import", DOMAIN, str(file)).status == 0
    file.write_text("address,password\nada@other.example,one\n")
    assert planted.run("mailboxes", "import", "other.example", str(file)).status == 0
    return planted


def rows(planted: Planted) -> dict[str, int]:
    """How many rows each table has."""
    with planted.database.read() as conn:
        count = sa.select(sa.func.count())
        return {
            name: conn.execute(count.select_from(table)).scalar_one() for name, table in schema.metadata.tables.items()
        }


def in_json(planted: Planted, domain: str = DOMAIN) -> Said:
    return planted.run("mailboxes", "list", domain, "--json")


def test_mailboxes_are_listed_without_their_credentials(imported: Planted) -> None:
    said = imported.run("mailboxes", "list", DOMAIN)

    assert said.out.splitlines() == [
        "ada@demo.example: unknown, password",
        "bob@demo.example: unknown, logs in as bob, password",
        "eve@demo.example: unknown, password",
    ]
    first = in_json(imported).document[0]
    assert (first["address"], first["state"], first["credential"]) == ("ada@demo.example", "unknown", "password")


def test_what_is_removed_is_gone_and_written_down(imported: Planted) -> None:
    said = imported.run("mailboxes", "remove", DOMAIN, "Ada@demo.example", "eve@demo.example")

    assert (said.status, said.out) == (0, "Removed, and their credentials are gone: 2.\n")
    assert [box["address"] for box in in_json(imported).document] == ["bob@demo.example"]
    assert len(in_json(imported, "other.example").document) == 1
    with imported.database.read() as conn:
        box = schema.mailboxes
        left = conn.execute(sa.select(box.c.address).where(box.c.credential.is_not(None)).order_by(box.c.address))
        assert left.scalars().all() == ["ada@other.example", "bob@demo.example"]
    last = imported.run("history", DOMAIN).out.splitlines()[-1]
    assert f"{ME} (local): mailboxes.removed" in last
    assert "count 2, named ada@demo.example eve@demo.example" in last


def test_one_address_that_is_not_known_and_nothing_is_removed(imported: Planted) -> None:
    said = imported.run("mailboxes", "remove", DOMAIN, "ada@demo.example", "ada@other.example")

    assert said.status == Status.USAGE
    assert "there is no mailbox 'ada@other.example' in this domain; nothing was removed" in said.err
    assert len(in_json(imported).document) == 3


def test_a_domain_is_removed_only_with_yes_and_it_is_said_what_that_ends(imported: Planted) -> None:
    domain_id = imported.healthy()
    imported.incident([domain_id])
    imported.channel(domain_id=domain_id)
    with imported.database.begin() as conn:
        changes.save(conn, domain_id, SETTINGS, imported.now)
    before = rows(imported)

    said = imported.run("domains", "remove", DOMAIN)

    assert said.status == Status.USAGE
    assert rows(imported) == before
    assert said.err == (
        "mail-preflight: this ends: the settings in force and their health checks, 3 mailboxes with their credentials, "
        "1 changes with their reports, 1 verifications under way, 1 open incidents, 1 alert channels of this domain "
        "alone; to do it: `mail-preflight domains remove demo.example --yes`\n"
    )


def test_it_is_said_in_the_language(imported: Planted) -> None:
    said = imported.run("--language", "ja", "domains", "remove", DOMAIN)
    done = imported.run("--language", "ja", "mailboxes", "remove", DOMAIN, "ada@demo.example")

    assert "失われるもの：メールボックス 3 件とそのパスワードなど。実行するには：" in said.err
    assert done.out == "メールボックス 1 件とそのパスワードなどを削除しました。\n"


def test_nothing_is_left_of_a_removed_domain_but_who_removed_it(imported: Planted) -> None:
    quiet = rows(imported)
    domain_id = imported.healthy("gone.example")
    imported.mailboxes(domain_id, 3)
    imported.hours(domain_id, [1, 2])
    imported.incident([domain_id])
    imported.channel(domain_id=domain_id)
    with imported.database.begin() as conn:
        changes.save(conn, domain_id, SETTINGS, imported.now)

    assert imported.run("domains", "remove", "gone.example", "--yes").out == (
        "Removed: gone.example, with 3 mailboxes and 1 changes.\n"
    )

    assert {name: count for name, count in rows(imported).items() if name != "events"} == {
        name: count for name, count in quiet.items() if name != "events"
    }
    (line,) = imported.run("history", "gone.example").out.splitlines()
    assert f"{ME} (local): domain.removed" in line
    assert imported.run("domains", "remove", "gone.example", "--yes").status == Status.USAGE


def test_a_domain_of_the_same_name_begins_anew(imported: Planted) -> None:
    imported.run("domains", "remove", "other.example", "--yes")
    imported.domain("other.example", settings=None)

    kinds = [event["kind"] for event in imported.run("history", "other.example", "--json").document]

    assert kinds == ["domain.removed"]
