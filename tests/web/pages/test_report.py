"""The report, what is done with it, letters, the watch and the history: as a browser without JavaScript has them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from checks.codes import Code, Verdict
from checks.model import Endpoint, Fix, Option, Protocol, Security
from checks.model import EndpointResult as Result
from settings_store import schema
from tests.web.api import ANNA, Api, running
from tests.web.pages.reading import PASSWORD, Reader, make_user
from tests.web.planted_changes import SETTINGS, Box, plant
from worker.changes.repair import repairs
from worker.service.mailboxes import Form as MailboxForm

BOXES = (
    Box("ada@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", "NO <b>no</b>"),
    Box("bob@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap", "NO no"),
    Box("cem@x", Verdict.FAIL, Code.AUTH_LOCKED, "imap"),
    *(Box(f"works{number:03}@x") for number in range(117)),
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("report"), web_rate_expensive=0, web_rate_sign_in=0) as api:
        yield api


@pytest.fixture(scope="module")
def anna(service: Api) -> Reader:
    return Reader(service).sign_in("anna")


def path_of(change_id: str, *parts: str) -> str:
    return "/".join([f"/admin/changes/chg_{change_id}", *parts])


class TestReport:
    def test_says_first_how_many_would_disconnect_and_why(self, service: Api, anna: Reader) -> None:
        change = plant(service, "verified", BOXES)
        shown = anna.get(path_of(change.id, "report"))
        heading = re.search(r"<h1>(.*?)</h1>", shown.html)
        assert heading is not None
        assert heading[1] == (
            "3 of 120 mailboxes would disconnect, 2 of them for this: imap.example.com rejected the user name or the"
            " password."
        )
        assert "Whose turn it is" in shown.text
        assert "NO &lt;b&gt;no&lt;/b&gt;" in shown.html, "what a server says is text"
        assert shown.status == 200

    def test_in_japanese(self, service: Api) -> None:
        change = plant(service, "verified", BOXES[:1])
        shown = Reader(service, language="ja").sign_in("jun").get(path_of(change.id, "report"))
        assert "メールボックス 1 件のうち 1 件が切断されます：" in shown.text

    def test_its_mailboxes_by_pages_and_as_they_are_wanted(self, service: Api, anna: Reader) -> None:
        change = plant(service, "verified", BOXES)
        path = path_of(change.id, "report")
        found: list[str] = []
        asked: str | None = f"{path}?text=works"
        while asked:
            html = anna.get(asked).html
            found += re.findall(r"<td>(works\d+@x)</td>", html)
            links = re.findall(r'href="(/admin/changes/[^"]*after=[^"]*)#mailboxes"', html)
            asked = links[0].replace("&amp;", "&") if links else None
        assert found == [box.address for box in BOXES[3:]]
        rejected = anna.get(f"{path}?impact=will_disconnect&code=auth.rejected").html
        assert re.findall(r"<td>(\w+@x)</td>", rejected) == ["ada@x", "bob@x"]
        assert "No mailbox is like that." in anna.get(f"{path}?text=nobody").text
        assert anna.get(f"{path}?impact=bogus&code=bogus").status == 200

    def test_as_csv_and_json(self, service: Api, anna: Reader) -> None:
        change = plant(service, "verified", BOXES)
        table = anna.get(path_of(change.id, "report", "mailboxes.csv?impact=will_disconnect"))
        assert [row["address"] for row in csv.DictReader(io.StringIO(table.html))] == ["ada@x", "bob@x", "cem@x"]
        document = json.loads(anna.get(path_of(change.id, "report.json")).html)
        assert (document["counts"]["will_disconnect"], len(document["mailboxes"])) == (3, 120)
        assert document["causes"][0]["seen"].startswith("NO ")

    def test_there_is_none_while_it_is_verified(self, service: Api, anna: Reader) -> None:
        change = plant(service, "verifying")
        assert anna.get(path_of(change.id, "report")).url == path_of(change.id)

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ("stale", "It is 30 minutes old."),
            ("added", "1 mailbox was added or changed since: new@x"),
            ("moved", "The settings in force were changed since it was made."),
        ],
    )
    def test_a_stale_one_says_what_has_moved_and_offers_to_verify_again(
        self, service: Api, anna: Reader, state: str, said: str
    ) -> None:
        change = plant(service, state)
        shown = anna.get(path_of(change.id, "apply"))
        assert shown.url == path_of(change.id, "report"), "there is nothing to apply"
        assert said in shown.text
        assert f'action="{path_of(change.id, "verify")}"' in shown.html

    def test_what_is_not_there_is_not_found(self, anna: Reader) -> None:
        nobody = path_of("0" * 32)
        for path in ("/report", "/report.json", "/report/mailboxes.csv", "/apply", "/watch", "/letters"):
            assert anna.get(nobody + path).status == 404, path


IMAP = Result(SETTINGS.imap, Verdict.FAIL, Code.TLS_NAME_MISMATCH)
SMTP = Result(SETTINGS.smtp, Verdict.OK, Code.OK, option=Option.NOT_NEEDED)


class TestRepairs:
    def test_only_what_was_tried_out_is_offered(self) -> None:
        tried = replace(IMAP, fix=Fix("use_host", "", {"name": "mx.example.net", "resolves": "yes"}))
        elsewhere = replace(IMAP, fix=Fix("use_host", "", {"name": "mx.example.net", "resolves": "no"}))
        by_others = replace(IMAP, fix=Fix("renew", ""))
        (found,) = repairs(SETTINGS, [tried, SMTP])
        assert found.settings == replace(SETTINGS, imap=replace(SETTINGS.imap, host="mx.example.net"))
        assert repairs(SETTINGS, [elsewhere, SMTP]) == repairs(SETTINGS, [by_others, SMTP]) == []

    def test_security_and_the_option(self) -> None:
        starttls, needed = replace(IMAP, fix=Fix("use_starttls", "")), replace(SMTP, option=Option.NEEDED)
        first, last = repairs(SETTINGS, [starttls, needed])
        assert first.settings == replace(SETTINGS, imap=replace(SETTINGS.imap, security=Security.STARTTLS))
        assert last.name == "smtp.allow_insecure_certificate"
        ticked = replace(SETTINGS, allow_insecure_certificate=True)
        fine = replace(SMTP, endpoint=SETTINGS.imap)
        assert [each.settings for each in repairs(ticked, [fine, SMTP])] == [SETTINGS]
        assert repairs(ticked, [fine, needed]) == []

    def test_the_button_saves_a_corrected_change_with_the_credentials_of_the_first(
        self, service: Api, anna: Reader
    ) -> None:
        account = service.preflight.account(actor=ANNA)
        old = Endpoint(Protocol.IMAP, "127.0.0.1", 1), Endpoint(Protocol.SMTP, "127.0.0.1", 1)
        settings = replace(SETTINGS, imap=old[0], smtp=old[1], allow_insecure_certificate=True)
        account.mailboxes.import_rows(
            "known.example", io.BytesIO(b"address,password\nada@known.example,old\n"), MailboxForm.CSV
        )
        boxes = [{"address": f"{name}@known.example", "password": "new"} for name in ("ada", "bob")]
        saved = account.changes.save("known.example", settings, boxes)
        corrected = account.changes.save("known.example", SETTINGS, corrects=saved.change_id)
        with service.preflight.database.read() as conn:
            held = schema.change_credentials
            proposed = conn.execute(held.select().where(held.c.change_id == corrected.change_id)).all()
            coming = schema.mailboxes.select().where(schema.mailboxes.c.change_id == corrected.change_id)
            assert [row.address for row in conn.execute(coming)] == ["bob@known.example"]
            assert [row.holds for row in proposed] == ["proposed"]
        reopened = account.changes.reopen(saved.change_id)
        assert account.changes.look(reopened.id).settings == settings
        assert anna.send(path_of(saved.change_id, "repair"), {"repair": "imap.use_host"}).status == 409, "no report"


class TestApplying:
    def test_takes_the_number_typed_and_then_watches_and_goes_back(self, service: Api, anna: Reader) -> None:
        change = plant(service, "verified", BOXES)
        path = path_of(change.id, "apply")
        asked = anna.get(path)
        checksum = re.search(r'name="checksum" value="([0-9a-f]{64})"', asked.html)
        assert checksum is not None
        assert "Type 3 to accept that" in asked.text
        fields = {"checksum": checksum[1], "minutes": "60", "afterwards": "roll_back"}
        for typed in ("", "2", "three"):
            wrong = anna.send(path, {**fields, "accept": typed})
            assert (wrong.status, "That is not the number" in wrong.text) == (422, True), typed
            assert 'value="60" selected' in wrong.html
        moved = anna.send(path, {**fields, "checksum": "0" * 64, "accept": "3"})
        assert "The report is another one by now" in moved.text
        done = anna.send(path, {**fields, "accept": "3"})
        assert done.url == path_of(change.id, "watch")
        assert "60 minutes left" in done.text or "59 minutes left" in done.text
        assert "rolled back by itself" in done.text
        back = anna.send(path_of(change.id, "roll-back"))
        assert (back.url, "Rolled back" in back.text) == (path_of(change.id, "watch"), True)

    def test_a_server_that_fails_is_accepted_expressly(self, service: Api, anna: Reader) -> None:
        change = plant(service, "verified", BOXES[3:5], fails=Code.CONNECT_REFUSED)
        path = path_of(change.id, "apply")
        asked = anna.get(path)
        checksum = re.findall(r'name="checksum" value="([0-9a-f]{64})"', asked.html)[0]
        fields = {"checksum": checksum, "minutes": "0", "afterwards": "tell"}
        assert "say that you accept it" in anna.send(path, fields).text
        done = anna.send(path, {**fields, "failing": "yes"})
        assert "This change is not watched" in done.text

    def test_is_for_who_may(self, service: Api) -> None:
        change = plant(service, "verified", BOXES[3:5])
        make_user(service, "max", "member", change.domain)
        member = Reader(service)
        member.send("/admin/sign-in", {"name": "max", "password": PASSWORD})
        for path in ("apply", "report", "roll-back", "repair"):
            ask = member.send if path in ("roll-back", "repair") else member.get
            assert ask(path_of(change.id, path)).status == 403, path


def test_letters_in_the_language_of_their_readers(service: Api, anna: Reader) -> None:
    change = plant(service, "verified", BOXES)
    shown = anna.get(path_of(change.id, "letters"))
    assert "To the owners of 2 mailboxes" in shown.text
    assert 'href="mailto:?bcc=ada@x,bob@x&amp;subject=' in shown.html
    assert "お世話になっております。" in anna.get(path_of(change.id, "letters?lang=ja")).text


def test_the_history_of_a_domain(service: Api, anna: Reader) -> None:
    change = plant(service, "rolled_back")
    with service.preflight.database.begin() as conn:
        domain_id = conn.execute(schema.domains.select().where(schema.domains.c.name == change.domain)).one().id
        hour = int(change.now // 3600)
        for back, ok, fail in ((0, 10, 0), (24, 9, 1), (72, 0, 4)):
            row = {"domain_id": domain_id, "protocol": "imap", "hour": hour - back, "ok": ok, "fail": fail}
            row |= {"inconclusive": 0, "ms_sum": 40.0 * ok, "ms_max": 90.0 if ok else 0.0}
            conn.execute(schema.health_hours.insert().values(row))
        conn.execute(
            schema.domains.update()
            .where(schema.domains.c.id == domain_id)
            .values(settings_id=conn.execute(schema.settings.select()).first().id)  # type: ignore[union-attr] # there are
        )
    shown = anna.get(f"/admin/domains/{change.domain}/history")
    told = ["anna rolled the change back", "anna applied the settings", "anna saved other settings"]
    places = [shown.text.index(words) for words in told]
    assert places == sorted(places), "the newest first"
    assert "Verified · Report" in shown.text
    assert "79.16 % of the checks were ok" in shown.text
    assert shown.html.count('<rect class="all"') == 1
    assert '<th scope="row">' in shown.html, "the numbers behind the picture"
    assert anna.get("/admin/domains/nowhere.example/history").status == 404
