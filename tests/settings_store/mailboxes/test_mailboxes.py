"""Import of mailboxes and re-encryption of their credentials."""

import tracemalloc
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from checks.model import CredentialKind, Fault, Invalid
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.mailboxes import ImportCounts, import_mailboxes, rotate_credentials
from settings_store.mailboxes.rows import MailboxRow
from settings_store.schema import mailboxes
from settings_store.secrets import Vault, new_key

PLANTED = "Planted-Pa55word"


def _rows(count: int, password: str = PLANTED) -> Iterator[MailboxRow]:
    for i in range(count):
        yield MailboxRow(f"box{i}@lab.example", f"user{i}", password, row=i + 2)


def _import(database: Database, domain_id: int, rows: Iterable[MailboxRow], vault: Vault) -> ImportCounts:
    with database.begin() as conn:
        return import_mailboxes(conn, domain_id, rows, vault)


def _stored(database: Database) -> dict[str, sa.RowMapping]:
    with database.read() as conn:
        return {row["address"]: row for row in conn.execute(sa.select(mailboxes)).mappings()}


def _set_state(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(mailboxes.update().values(state="connected", state_code="ok", state_since=1.0))


def test_another_kind_of_credential_is_another_credential(database: Database, domain_id: int, vault: Vault) -> None:
    as_password = MailboxRow("a@lab.example", "a", PLANTED, row=2)
    as_token = MailboxRow("a@lab.example", "a", PLANTED, row=2, kind=CredentialKind.OAUTH2_TOKEN)
    _import(database, domain_id, [as_password], vault)
    assert _import(database, domain_id, [as_token], vault) == ImportCounts(updated=1)
    assert _import(database, domain_id, [as_token], vault) == ImportCounts(unchanged=1)
    assert _stored(database)["a@lab.example"]["credential_kind"] == "oauth2_token"


def test_new_mailboxes_are_stored_encrypted_and_unknown(database: Database, domain_id: int, vault: Vault) -> None:
    assert _import(database, domain_id, _rows(1201), vault) == ImportCounts(added=1201)
    stored = _stored(database)
    row = stored["box1200@lab.example"]
    assert len(stored) == 1201
    assert (row["username"], row["state"], row["credential_kind"]) == ("user1200", "unknown", "password")
    assert vault.open(row["credential"]) == PLANTED


def test_the_same_file_again_writes_nothing(database: Database, domain_id: int, vault: Vault) -> None:
    _import(database, domain_id, _rows(600), vault)
    _set_state(database)
    before = _stored(database)
    assert _import(database, domain_id, _rows(600), vault) == ImportCounts(unchanged=600)
    assert _stored(database) == before


def test_what_changed_is_updated_and_unknown_again(database: Database, domain_id: int, vault: Vault) -> None:
    _import(database, domain_id, _rows(4), vault)
    _set_state(database)
    news = [
        MailboxRow("box0@lab.example", "user0", "changed", row=2),
        MailboxRow("box1@lab.example", "changed", PLANTED, row=3),
        MailboxRow("box2@lab.example", "user2", PLANTED, row=4),
        MailboxRow("box9@lab.example", "user9", PLANTED, row=5),
    ]
    assert _import(database, domain_id, news, vault) == ImportCounts(added=1, updated=2, unchanged=1)
    stored = _stored(database)
    assert vault.open(stored["box0@lab.example"]["credential"]) == "changed"
    assert stored["box1@lab.example"]["username"] == "changed"
    states = {address: (row["state"], row["state_code"], row["state_since"]) for address, row in stored.items()}
    assert states == {
        "box0@lab.example": ("unknown", None, None),
        "box1@lab.example": ("unknown", None, None),
        "box2@lab.example": ("connected", "ok", 1.0),
        "box3@lab.example": ("connected", "ok", 1.0),
        "box9@lab.example": ("unknown", None, None),
    }


@pytest.mark.parametrize(
    "stored", [{"credential": None}, {"credential": b"damaged"}, {"credential_kind": "oauth2_token"}]
)
def test_what_is_no_readable_password_is_replaced(
    database: Database, domain_id: int, vault: Vault, stored: dict[str, object]
) -> None:
    _import(database, domain_id, _rows(1), vault)
    with database.begin() as conn:
        conn.execute(mailboxes.update().values(**stored))
    assert _import(database, domain_id, _rows(1), vault) == ImportCounts(updated=1)
    assert vault.open(_stored(database)["box0@lab.example"]["credential"]) == PLANTED


def test_domains_have_their_own_mailboxes(database: Database, domain_id: int, vault: Vault) -> None:
    with database.begin() as conn:
        other = ensure_domain(conn, ensure_account(conn, "other"), "lab.example")
    _import(database, domain_id, _rows(1), vault)
    assert _import(database, other, _rows(1, "other"), vault) == ImportCounts(added=1)


def test_a_bad_row_leaves_nothing_behind(database: Database, domain_id: int, vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "mailboxes.csv"
    good = "".join(f"box{i}@lab.example,x\n" for i in range(700))
    path.write_text(f"address,password\n{good}box0@lab.example,x\n")
    with pytest.raises(Invalid, match="row 702"):
        _import(database, domain_id, read_csv(path, "lab.example"), vault)
    assert _stored(database) == {}


def test_two_imports_at_once_do_not_collide(database: Database, domain_id: int, vault: Vault) -> None:
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: _import(database, domain_id, _rows(600), vault), range(4)))
    assert sorted(count.added for count in counts) == [0, 0, 0, 600]
    assert sum(count.unchanged for count in counts) == 1800


def _write_csv(path: Path, count: int) -> Path:
    with path.open("w") as file:
        file.write("address,password\n")
        file.writelines(f"mailbox.number{i}@lab.example,{PLANTED}-{i}\n" for i in range(count))
    return path


def test_memory_does_not_grow_with_the_file(database: Database, domain_id: int, vault: Vault, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = _write_csv(tmp_path / "mailboxes.csv", count)
        tracemalloc.start()
        _import(database, domain_id, read_csv(path, "lab.example"), vault)
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    peak(10)  # what is kept once: compiled statements, prepared ones
    small, large = peak(1_000), peak(5_000)
    # Only the addresses are kept, to find duplicates: some 200 bytes each.
    assert large - small < 4_000 * 300


def test_no_file_of_the_database_and_no_repr_holds_the_password(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    database, vault = Database(f"sqlite:///{path}"), Vault([new_key()])
    database.migrate()
    rows = list(_rows(50))
    with database.begin() as conn:
        domain_id = ensure_domain(conn, ensure_account(conn), "lab.example")
        import_mailboxes(conn, domain_id, rows, vault)
        stored = conn.execute(sa.select(mailboxes)).all()
    # First with what is still in the write-ahead log, then with the database in one file.
    for _ in range(2):
        content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert b"box49@lab.example" in content
        assert PLANTED.encode() not in content
        database.close()
    assert PLANTED not in repr((rows, stored, vault, database))


def test_rotation_leaves_every_credential_to_the_first_key(database: Database, domain_id: int) -> None:
    old, new = new_key(), new_key()
    _import(database, domain_id, _rows(25), Vault([old]))
    both = Vault([new, old])
    assert rotate_credentials(database, both, batch=10) == 25
    assert rotate_credentials(database, both, batch=10) == 0
    only_new = Vault([new])
    assert {only_new.open(row["credential"]) for row in _stored(database).values()} == {PLANTED}


def test_mailboxes_without_a_credential_are_passed_over(database: Database, domain_id: int, vault: Vault) -> None:
    with database.begin() as conn:
        conn.execute(mailboxes.insert().values(domain_id=domain_id, address="a@lab.example", username="a"))
    assert rotate_credentials(database, vault) == 0


class _Interrupted(Vault):
    """Gives out in the middle of the second batch of ten."""

    calls = 0

    def rotate(self, token: bytes) -> bytes:
        self.calls += 1
        if self.calls > 15:
            raise KeyboardInterrupt
        return super().rotate(token)


def test_an_interrupted_rotation_is_taken_up_again(database: Database, domain_id: int) -> None:
    old, new = new_key(), new_key()
    _import(database, domain_id, _rows(25), Vault([old]))
    with pytest.raises(KeyboardInterrupt):
        rotate_credentials(database, _Interrupted([new, old]), batch=10)
    both = Vault([new, old])
    assert {both.open(row["credential"]) for row in _stored(database).values()} == {PLANTED}
    assert rotate_credentials(database, both, batch=10) == 15


def test_rotation_says_what_no_key_can_read(database: Database, domain_id: int) -> None:
    old, new = new_key(), new_key()
    _import(database, domain_id, _rows(3), Vault([new_key()]))
    _import(database, domain_id, [MailboxRow("z@lab.example", "z", PLANTED, row=2)], Vault([old]))
    with pytest.raises(
        Invalid, match=r"3 credentials cannot be read with any of the keys \(1 others were re-encrypted\)"
    ):
        rotate_credentials(database, Vault([new, old]), batch=2)
    stored = _stored(database)
    assert Vault([new]).open(stored["z@lab.example"]["credential"]) == PLANTED
    with pytest.raises(Fault):
        Vault([new, old]).open(stored["box0@lab.example"]["credential"])
