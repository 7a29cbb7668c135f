"""What a file of mailboxes may look like, and the one line that says what is wrong with it."""

import os
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from checks.model import CredentialKind, Invalid
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.rows import MailboxRow

PLANTED = "Planted-Pa55word"


def _read(folder: Path, content: str | bytes, domain: str = "lab.example", limit: int = 100_000) -> list[MailboxRow]:
    path = folder / "mailboxes.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_csv(path, domain, limit))


def _refusal(folder: Path, content: str | bytes, limit: int = 100_000) -> Invalid:
    with pytest.raises(Invalid) as caught:
        _read(folder, content, limit=limit)
    error = caught.value
    assert PLANTED not in f"{error}{error!r}{error.__context__ if not error.__suppress_context__ else ''}"
    assert "\n" not in str(error)
    return error


@pytest.mark.parametrize(
    ("content", "username", "password"),
    [
        ("address,password\na@lab.example,pw\n", "a@lab.example", "pw"),
        ("address,password\r\na@lab.example,pw\r\n", "a@lab.example", "pw"),
        ("address,password\na@lab.example,pw", "a@lab.example", "pw"),
        ("\ufeffaddress,password\na@lab.example,pw\n", "a@lab.example", "pw"),
        ('\ufeff"address","password"\n"a@lab.example","pw"\n', "a@lab.example", "pw"),
        ("Password , ADDRESS\npw, a@LAB.example \n", "a@lab.example", "pw"),
        ("username,address,password\nLAB\\a,a@lab.example,pw\n", "LAB\\a", "pw"),
        ("address,username,password\na@lab.example,,pw\n", "a@lab.example", "pw"),
        ('address,password\na@lab.example,"p,""w"""\n', "a@lab.example", 'p,"w"'),
        ("address,password\na@lab.example, p;w \n", "a@lab.example", " p;w "),
        ("address,password\na@lab.example,пароль 密码\n", "a@lab.example", "пароль 密码"),
        ("address,password\n\n\r\na@lab.example,pw\n\n", "a@lab.example", "pw"),
    ],
)
def test_files_that_are_read(tmp_path: Path, content: str, username: str, password: str) -> None:
    [row] = _read(tmp_path, content)
    assert (row.address, row.username, row.password) == ("a@lab.example", username, password)


def test_the_address_is_in_lower_case_and_the_user_name_as_written(tmp_path: Path) -> None:
    [row] = _read(tmp_path, "address,password\nAnna.B@LAB.Example,pw\n")
    assert row == MailboxRow("anna.b@lab.example", "Anna.B@lab.example", "pw", row=2)


@pytest.mark.parametrize("domain", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.EXAMPLE"])
@pytest.mark.parametrize(
    "written", ["bücher.example", "Bücher.Example", "xn--bcher-kva.example", "bu\u0308cher.example"]
)
def test_international_domains_are_one(tmp_path: Path, domain: str, written: str) -> None:
    [row] = _read(tmp_path, f"address,password\nä@{written},pw\n", domain)
    assert row.address == row.username == "ä@xn--bcher-kva.example"


HEADER = "address,username,password\n"
GOOD = f"a@lab.example,,{PLANTED}\n"


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        ("", "mailboxes", "mailboxes.csv is empty"),
        ("\n\r\n", "mailboxes", "mailboxes.csv is empty"),
        (HEADER, "mailboxes", "mailboxes.csv has no mailbox below its header row"),
        # the header
        (f"a@lab.example,{PLANTED}\n", "", "row 1: the header row is missing; the first line must name the columns"),
        (f"{PLANTED}\n", "", "row 1: the header row is missing"),
        (f"\n{PLANTED},a@lab.example\n", "", "row 2: the header row is missing"),
        ("address,username\n", "password", "row 1: the column password is missing"),
        (f"password\n{PLANTED}\n", "address", "row 1: the column address is missing"),
        ("address;password\n", "", "row 1: columns are separated by semicolons; separate them by commas"),
        ('"address";"password"\n', "", "row 1: columns are separated by semicolons"),
        ("\ufeffAddress\tPassword\n", "", "row 1: columns are separated by tabs"),
        ("address,password,imap_host,x\n", "", "row 1: column 3 is called 'imap_host'; the first line must name"),
        ("address,password,Address\n", "address", "row 1: the column address is there twice"),
        (f"address,password\ra@lab.example,{PLANTED}\r", "", "row 1: lines end with CR alone"),
        # the whole line
        (f"{HEADER}a@lab.example,{PLANTED}\n", "", "row 2: 2 fields instead of 3; put a field with a comma in quotes"),
        (f"{HEADER}{GOOD}a@lab.example,,{PLANTED},{PLANTED}\n", "", "row 3: 4 fields instead of 3"),
        (f"{HEADER}a@lab.example;;{PLANTED}\n", "", "row 2: 1 fields instead of 3"),
        (f'{HEADER}a@lab.example,,"{PLANTED}\n{GOOD}', "", "row 2: the quotes do not match"),
        (f'{HEADER}a@lab.example,,"{PLANTED}"x\n', "", "row 2: the quotes do not match"),
        (f'{HEADER}a@lab.example,, "{PLANTED}"\n', "", "row 2: the quotes do not match"),
        (f'{HEADER}a@lab.example,,x"{PLANTED}\n', "", "row 2: the quotes do not match"),
        (f"{HEADER}a@lab.example,,é{PLANTED}\n".encode("latin-1"), "", "row 2: the text is not UTF-8; save the file"),
        (f"{HEADER}{GOOD}".encode("utf-16"), "", "row 1: the text is not UTF-8"),
        (f"{HEADER}a@lab.example,,{PLANTED * 2000}\n", "", "row 2: the line is longer than 16,384 bytes"),
        # one field
        (f"{HEADER},,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}{PLANTED},,a@lab.example\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}@lab.example,,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}a b@lab.example,,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}a@b@lab.example,,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}<a@lab.example>,,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}a@lab..example,,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (f"{HEADER}{'a' * 65}@lab.example,,{PLANTED}\n", "address", "row 2: the address is not an e-mail address"),
        (
            f"{HEADER}a@other.example,,{PLANTED}\n",
            "address",
            "row 2: the address does not belong to the domain lab.example",
        ),
        (f"{HEADER}a@sub.lab.example,,{PLANTED}\n", "address", "row 2: the address does not belong to the domain"),
        (f"{HEADER}{PLANTED}@other.example,,a\n", "address", "row 2: the address does not belong to the domain"),
        (f"{HEADER}{GOOD}\n{GOOD}", "address", "row 4: the address is already in row 2"),
        (f"{HEADER}{GOOD}A@LAB.example,,{PLANTED}\n", "address", "row 3: the address is already in row 2"),
        (f"{HEADER}a@lab.example,,\n", "password", "row 2: the password is empty"),
        (f'{HEADER}a@lab.example,,""\n', "password", "row 2: the password is empty"),
        (f"{HEADER}a@lab.example,,{PLANTED}\0\n", "password", "row 2: the password holds a NUL byte"),
        (f"{HEADER}a@lab.example,a\tb,{PLANTED}\n", "username", "row 2: the username holds a control character"),
        (f"{HEADER}a\0@lab.example,,{PLANTED}\n", "address", "row 2: the address holds a NUL byte"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: str | bytes, field: str, message: str) -> None:
    error = _refusal(tmp_path, content)
    assert message in str(error)
    assert str(error).startswith("mailboxes.csv")
    assert error.field == field


def test_a_long_file_is_refused_before_its_first_row_is_used(tmp_path: Path) -> None:
    rows = "".join(f"{i}@lab.example,,x\n" for i in range(11))
    path = tmp_path / "mailboxes.csv"
    path.write_text(f"\n{HEADER}\n{rows}")
    with pytest.raises(Invalid, match=r"row 14: the file has more than 10 mailboxes; split it"):
        next(read_csv(path, "lab.example", limit=10))
    assert len(list(read_csv(path, "lab.example", limit=11))) == 11


def test_a_million_lines_are_refused_at_once(tmp_path: Path) -> None:
    error = _refusal(tmp_path, HEADER + "x\n" * 1_000_000)
    assert str(error) == "mailboxes.csv, row 100002: the file has more than 100,000 mailboxes; split it"


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe through which three mailboxes come."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content = HEADER + "".join(f"{i}@lab.example,,x\n" for i in range(3))
    writer = threading.Thread(target=path.write_text, args=(content,))
    writer.start()
    yield path
    writer.join()


def test_a_pipe_is_read_as_it_comes(pipe: Path) -> None:
    assert [row.row for row in read_csv(pipe, "lab.example", limit=3)] == [2, 3, 4]


def test_a_pipe_has_the_same_limit(pipe: Path) -> None:
    rows = read_csv(pipe, "lab.example", limit=2)
    assert [row.row for row in islice(rows, 2)] == [2, 3]
    with pytest.raises(Invalid, match=r"pipe, row 4: the file has more than 2 mailboxes"):
        next(rows)


@pytest.mark.parametrize(("name", "reason"), [("", "Is a directory"), ("missing.csv", "No such file or directory")])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        next(read_csv(tmp_path / name, "lab.example"))
    assert str(caught.value) == f"{tmp_path / name} cannot be read: {reason}"


def test_a_file_of_one_endless_line_takes_no_memory() -> None:
    tracemalloc.start()
    with pytest.raises(Invalid, match="zero, row 1: the line is longer than"):
        next(read_csv(Path("/dev/zero"), "lab.example"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_password_is_not_in_the_repr(tmp_path: Path) -> None:
    [row] = _read(tmp_path, HEADER + GOOD)
    assert PLANTED not in repr(row)
    assert row.password == PLANTED


CLIENT = '{"token_url": "https://login.lab.example/token", "client_id": "app", "client_secret": "%s", "scope": ""}'


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("column", "secret", "kind"),
    [
        ("password", "pw", CredentialKind.PASSWORD),
        ("", "pw", CredentialKind.PASSWORD),
        (" OAuth2_Token ", "eyJ.x.y", CredentialKind.OAUTH2_TOKEN),
        ("oauth2_client", CLIENT % PLANTED, CredentialKind.OAUTH2_CLIENT),
    ],
)
def test_the_kind_of_credential(tmp_path: Path, column: str, secret: str, kind: CredentialKind) -> None:
    [row] = _read(tmp_path, f"address,kind,password\na@lab.example,{column},{_quoted(secret)}\n")
    assert (row.kind, row.password) == (kind, secret)


@pytest.mark.parametrize(
    ("column", "secret", "words", "field"),
    [
        ("token", PLANTED, "the kind must be one of password, oauth2_token, oauth2_client", "kind"),
        ("oauth2_client", PLANTED, "it must be a JSON object with token_url", "password"),
        ("oauth2_client", f'["{PLANTED}"]', "it must be a JSON object with token_url", "password"),
        ("oauth2_client", f'{{"client_secret": "{PLANTED}"}}', "it must be a JSON object with token_url", "password"),
        ("oauth2_client", (CLIENT % PLANTED).replace("https:", "http:"), "token_url must be like https://", "password"),
        ("oauth2_client", (CLIENT % PLANTED).replace("login.", "a:b@login."), "token_url must be like", "password"),
    ],
)
def test_a_kind_that_cannot_be_used(tmp_path: Path, column: str, secret: str, words: str, field: str) -> None:
    error = _refusal(tmp_path, f"address,kind,password\na@lab.example,{column},{_quoted(secret)}\n")
    assert words in str(error)
    assert "row 2" in str(error)
    assert error.field == field
