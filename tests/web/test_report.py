"""The report by the API: the words of `verify --json` without its commands, and its mailboxes by address."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from checks.codes import Code, Verdict
from checks.language import Language
from settings_store import schema
from settings_store.changes import changes
from tests.web.api import ANNA, Api
from tests.web.planted_changes import Box, Planted, plant
from worker.changes.impact import Impact
from worker.changes.report import MailboxLine
from worker.changes.wording import report_document

REMEMBERED = "rejected on 2026-11-28; not sent again before 2026-11-29 10:00 UTC unless the password changes"
BOXES = (
    Box("ada@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", "NO no"),
    Box("=bob@x", Verdict.FAIL, Code.AUTH_LOCKED, "smtp", '-ERR, "go"'),
    Box("cem@x", before="disconnected"),
    Box("dee_1@x", Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED),
    Box("deea1@x"),
    Box(
        "eve@x",
        Verdict.FAIL,
        Code.AUTH_REJECTED,
        "imap",
        f"{REMEMBERED}; `mail-preflight mailboxes retry x` lets it be tried at once: NO",
        "disconnected",
    ),
    Box("zoë@x", before="unknown"),
    *(Box(f"works{number:02}@x") for number in range(12)),
)


@pytest.fixture(scope="module")
def change(shared_api: Api) -> Planted:
    return plant(shared_api, "verified", BOXES, fails=Code.CONNECT_REFUSED)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(item)


class TestReport:
    @pytest.mark.parametrize("language", Language)
    @pytest.mark.parametrize("state", ["verified", "stale", "untried", "applied", "followed", "discarded"])
    def test_is_what_the_command_says_without_its_commands(
        self, shared_api: Api, language: Language, state: str
    ) -> None:
        change = plant(shared_api, state)
        answer = shared_api.ask("GET", f"{change.path}/report?lang={language}")
        if state == "discarded":
            assert (answer.status, answer.body["reason"]) == (409, "no_report")
            return
        assert (answer.status, answer.headers["Content-Language"]) == (200, language)
        account = shared_api.preflight.account(actor=ANNA)
        said = json.loads(json.dumps(report_document(account.changes.report(change.id, language)).head()))
        found = answer.body
        assert found["change_id"] == f"chg_{said.pop('change_id')}"
        assert [found.pop("change_id"), found["next"].pop("message")]
        assert found["next"].pop("action") == {"again": "verify", "rollback": "roll_back", "none": None}.get(
            said["next"]["action"], said["next"]["action"]
        )
        for untried in filter(None, (said["untried"], found["untried"])):
            assert untried.pop("message")
        assert found.pop("next") == {"accept_disconnects": said.pop("next")["accept_disconnects"]}
        for theirs, ours in zip(said.pop("endpoints"), found.pop("endpoints"), strict=True):
            assert {"authentication": "login", "url": None, "typed": None} | theirs.pop("endpoint") == ours.pop(
                "endpoint"
            )
            assert theirs == ours
        assert said == found
        assert not [text for text in texts(answer.body) if "mail-preflight" in text or "--" in text]
        assert not answer.body["next"]["message"].endswith((":", "："))

    def test_its_verdict_is_no_error(self, shared_api: Api, change: Planted) -> None:
        cases = {"unsafe": change, "cannot_tell": plant(shared_api, "untried")}
        cases["safe"] = plant(shared_api, "verified", (Box("ada@x"),))
        for verdict, planted in cases.items():
            answer = shared_api.ask("GET", f"{planted.path}/report")
            assert (answer.status, answer.body["verdict"]) == (200, verdict)
            assert shared_api.ask("GET", planted.path).body["verdict"] == verdict
            assert shared_api.ask("GET", planted.path).body["counts"] == answer.body["counts"]

    @pytest.mark.parametrize(
        ("header", "language"),
        [("ja", "ja"), ("en;q=0.1, ja", "ja"), ("fr, en-GB;q=0.8", "en"), ("fr", "en"), ("*", "en"), ("ja;q=x", "en")],
    )
    def test_speaks_the_language_that_is_liked_best(
        self, shared_api: Api, change: Planted, header: str, language: str
    ) -> None:
        answer = shared_api.ask("GET", f"{change.path}/report", headers={"Accept-Language": header})
        assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (language, "Accept-Language")

    def test_another_language_than_ours_is_told_at_its_field(self, shared_api: Api, change: Planted) -> None:
        answer = shared_api.ask("GET", f"{change.path}/report?lang=fr")
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "query:lang")

    def test_its_checksum_is_its_etag(self, shared_api: Api, change: Planted) -> None:
        answer = shared_api.ask("GET", f"{change.path}/report")
        etag = answer.headers["ETag"]
        assert etag == f'"{answer.body["checksum"]}"' == f'"{shared_api.ask("GET", change.path).body["checksum"]}"'
        for named in (etag, f'"x", W/{etag}', "*"):
            again = shared_api.ask("GET", f"{change.path}/report", headers={"If-None-Match": named})
            assert (again.status, again.text, again.headers["ETag"]) == (304, "", etag)
        assert shared_api.ask("GET", f"{change.path}/report", headers={"If-None-Match": '"x"'}).status == 200

    def test_there_is_none_while_it_is_verified(self, shared_api: Api) -> None:
        answer = shared_api.ask("GET", f"{plant(shared_api, 'verifying').path}/report")
        assert (answer.status, answer.body["reason"], answer.body["allowed_actions"]) == (
            409,
            "no_report",
            ["resume", "cancel", "discard"],
        )


def judged(change: Planted) -> list[MailboxLine]:
    return list(change.api.preflight.account(actor=ANNA).changes.report(change.id).mailboxes())


def walk(change: Planted, query: str) -> tuple[list[str], int]:
    """The addresses of all pages, and how many pages there were."""
    found, cursor, pages = [], "", 0
    while cursor is not None:
        body = change.api.ask("GET", f"{change.path}/report/mailboxes?{query}{cursor}").body
        found += [item["address"] for item in body["items"]]
        cursor = body["next_cursor"] and f"&cursor={body['next_cursor']}"
        pages += 1
    return found, pages


class TestMailboxes:
    def test_pages_lead_through_all_by_address(self, change: Planted) -> None:
        found, pages = walk(change, "limit=5")
        assert (found, pages) == (sorted(box.address for box in BOXES), 4)
        assert walk(change, f"limit={len(BOXES)}")[1] == 1

    @pytest.mark.parametrize("impact", Impact)
    def test_of_an_impact(self, change: Planted, impact: Impact) -> None:
        expected = [line.address for line in judged(change) if line.impact is impact]
        assert walk(change, f"limit=2&impact={impact}")[0] == expected

    @pytest.mark.parametrize("code", [Code.OK, Code.AUTH_REJECTED, Code.RUN_NOT_TRIED, Code.TLS_EXPIRED])
    def test_of_a_code(self, change: Planted, code: Code) -> None:
        expected = [line.address for line in judged(change) if line.code is code]
        assert walk(change, f"limit=2&code={code}")[0] == expected

    @pytest.mark.parametrize(
        ("text", "addresses"),
        [
            ("EE_", ["dee_1@x"]),
            ("%25", []),
            ("ZO%C3%8B", ["zoë@x"]),
            ("@x&impact=will_disconnect&code=auth.locked", ["=bob@x"]),
        ],
    )
    def test_with_a_text_in_the_address(self, change: Planted, text: str, addresses: list[str]) -> None:
        assert walk(change, f"text={text}")[0] == addresses

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("impact=lost", "query:impact"),
            ("code=x", "query:code"),
            ("limit=0", "query:limit"),
            ("cursor=x", "query:cursor"),
        ],
    )
    def test_a_wrong_filter_is_told_at_its_field(self, change: Planted, query: str, pointer: str) -> None:
        answer = change.api.ask("GET", f"{change.path}/report/mailboxes?{query}")
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)

    def test_of_a_change_that_brought_them(self, shared_api: Api) -> None:
        """They are the domain's when it is applied, and nobody's when it is given up: the report names them still."""
        change = plant(shared_api, "verified", BOXES[:3])
        _disown(change)
        assert len(walk(change, "limit=2")[0]) == 3

    def test_all_of_them_as_lines(self, change: Planted) -> None:
        answer = change.api.ask("GET", f"{change.path}/report/mailboxes", headers={"Accept": "application/x-ndjson"})
        assert answer.headers["Content-Type"].startswith("application/x-ndjson")
        page = change.api.ask("GET", f"{change.path}/report/mailboxes?limit=1000").body["items"]
        assert [json.loads(line) for line in answer.text.splitlines()] == page
        assert "mail-preflight" not in answer.text
        assert [item["seen"] for item in page if item["address"] == "eve@x"] == [f"{REMEMBERED}: NO"]

    def test_all_of_them_as_a_table_that_computes_nothing(self, change: Planted) -> None:
        path = f"{change.path}/report/mailboxes?impact=will_disconnect"
        answer = change.api.ask("GET", path, headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["address"] for row in rows] == ["'=bob@x", "ada@x"]
        assert (rows[0]["seen"], rows[0]["code"], rows[0]["mail"]) == ('\'-ERR, "go"', "auth.locked", "")

    def test_in_no_other_form(self, change: Planted) -> None:
        answer = change.api.ask("GET", f"{change.path}/report/mailboxes", headers={"Accept": "application/xml"})
        assert (answer.status, answer.body["code"]) == (406, "not_acceptable")


def _disown(change: Planted) -> None:
    with change.api.preflight.database.begin() as conn:
        domain_id = changes.load(conn, change.id).domain_id
        mine = schema.mailboxes.c.domain_id == domain_id
        conn.execute(schema.mailboxes.update().where(mine).values(domain_id=None))
