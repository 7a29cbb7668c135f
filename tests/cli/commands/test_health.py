"""`mail-preflight health`: what it makes of rows as health checks leave them."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from cli.failures import Status
from settings_store import maintenance, schema
from tests.cli.planted import DAY, EXCHANGE, HOUR, Planted
from tests.cli.reports.test_json_documents import validator

pytestmark = pytest.mark.usefixtures("tokyo")


class TestStates:
    def test_all_is_well(self, planted: Planted) -> None:
        planted.mailboxes(planted.healthy(), 3)

        said = planted.run("health", "Demo.Example")

        assert said.status == 0
        assert said.out.startswith("✓ demo.example is healthy.\n")
        assert "✓ IMAP imap.demo.example:993 (tls): works since 2" in said.out
        assert "✓ SMTP smtp.demo.example:465 (tls): works since 2" in said.out
        assert "3 connected, 0 disconnected, 0 not known" in said.out
        assert said.err == ""

    def test_an_endpoint_fails(self, planted: Planted) -> None:
        domain_id = planted.domain()
        facts = {"date": "2026-03-03", "subject": "CN=imap.demo.example"}
        planted.endpoint(domain_id, "imap", "fail", code=Code.TLS_EXPIRED, facts=facts, seen="said \x1b[2J")
        planted.endpoint(domain_id, "smtp")

        said = planted.run("health", "demo.example")

        assert said.status == 1
        assert said.out.startswith("✗ Something of demo.example does not work.\n")
        assert "✗ IMAP imap.demo.example:993 (tls): does not work since" in said.out
        assert "tls.expired: The certificate for imap.demo.example expired on 3 March 2026." in said.out
        assert "What to do: Ask whoever runs the mail server to renew the certificate" in said.out
        assert "Seen: said \\x1b[2J" in said.out
        assert "\x1b" not in said.out

    def test_an_open_incident_is_a_failure_where_all_endpoints_work(self, planted: Planted) -> None:
        """Given one that has just recovered, it is not over before that has lasted."""
        planted.incident([planted.healthy()], recovered_at=planted.now - 60)

        said = planted.run("health", "demo.example")

        assert said.status == 1
        assert "Open incidents" in said.out
        assert "over when that has lasted a while" in said.out

    def test_a_notice_is_no_failure(self, planted: Planted) -> None:
        domain_id = planted.domain()
        notice = {"code": "tls.expires_soon", "facts": {"date": "2030-03-03"}}
        planted.endpoint(domain_id, "imap", notices=[notice])
        planted.endpoint(domain_id, "smtp")
        planted.incident(
            [domain_id], {"date": "2030-03-03"}, scope="notice", severity="warning", code="tls.expires_soon"
        )

        said = planted.run("health", "demo.example")

        assert said.status == 0
        words = "! Ahead of time: tls.expires_soon: The certificate for imap.demo.example expires on 3 March 2030."
        assert words in said.out
        assert "warning, ahead of time: tls.expires_soon" in said.out

    @pytest.mark.parametrize(
        ("state", "values"),
        [
            ("unknown", {}),
            ("silent", {"code": Code.CONNECT_TIMEOUT, "verdict": Verdict.INCONCLUSIVE}),
            ("ok", {"checked_at": 1_700_000_000.0}),
        ],
        ids=["unknown", "silent", "stale"],
    )
    def test_what_is_not_known_is_status_3(self, planted: Planted, state: str, values: dict[str, Any]) -> None:
        domain_id = planted.domain()
        planted.endpoint(domain_id, "imap", state, **values)
        planted.endpoint(domain_id, "smtp")

        said = planted.run("health", "demo.example")

        assert said.status == 3
        assert said.out.startswith("? It is not known how demo.example is.")
        assert planted.run("health").status == 3

    def test_what_worked_long_ago_is_said_to_be_stale(self, planted: Planted) -> None:
        domain_id = planted.domain()
        planted.endpoint(domain_id, "imap", checked_at=planted.now - 25 * 60)
        planted.endpoint(domain_id, "smtp")

        said = planted.run("health", "demo.example")

        assert "? IMAP imap.demo.example:993 (tls): not known" in said.out
        assert "Is `mail-preflight serve` running" in said.out
        assert planted.run("health", "demo.example", "--json").document["endpoints"][0]["stale"] is True

    def test_nothing_checked_yet(self, planted: Planted) -> None:
        planted.domain()

        said = planted.run("health", "demo.example")

        assert said.status == 3
        assert said.out.count("Not checked yet.") == 2

    def test_what_was_checked_under_other_settings_says_nothing(self, planted: Planted) -> None:
        planted.endpoint(planted.domain(), "imap", "fail")
        planted.domain()  # other settings are in force now

        assert planted.run("health", "demo.example").out.count("Not checked yet.") == 2

    def test_begun_and_not_yet_certain(self, planted: Planted) -> None:
        domain_id = planted.domain()
        refused = {"code": Code.CONNECT_REFUSED, "verdict": Verdict.FAIL, "fails": 2}
        planted.endpoint(domain_id, "imap", "ok", **refused)
        planted.endpoint(domain_id, "smtp", "fail", code=Code.OK, oks=1, fails=0)

        out = planted.run("health", "demo.example").out

        assert "Checks in a row that were not ok: 2. It is not yet certain." in out
        assert "Checks in a row that were ok again: 1. It is not yet certain." in out

    def test_facts_are_those_of_the_cause_that_is_spoken_of(self, planted: Planted) -> None:
        """Given a newest check that was inconclusive, what the conclusive one before it found is not mixed in."""
        domain_id = planted.domain()
        planted.endpoint(domain_id, "imap", "fail", code=Code.TLS_EXPIRED, facts={"date": "2026-03-03"})
        newest = {"code": "connect.timeout", "verdict": "inconclusive"}
        with planted.database.begin() as conn:
            conn.execute(schema.health_endpoints.update().values(**newest))

        said = planted.run("health", "demo.example")

        assert said.status == 1
        assert "connect.timeout: imap.demo.example did not answer on port 993" in said.out
        assert "March" not in said.out

    def test_paused(self, planted: Planted) -> None:
        domain_id = planted.healthy()
        with planted.database.begin() as conn:
            maintenance.pause(conn, planted.account_id, "demo.example", planted.now - DAY)

        said = planted.run("health", "demo.example")

        assert said.status == 3
        assert said.out.startswith("? demo.example is paused: nobody watches it.")
        assert "mail-preflight domains resume demo.example" in said.out
        assert "long ago" not in said.out
        assert domain_id

    def test_in_maintenance(self, planted: Planted) -> None:
        planted.healthy()
        planted.insert(
            schema.maintenance,
            account_id=planted.account_id,
            starts_at=planted.now - 60,
            ends_at=1_900_000_000.0,
            note="move to new hosts",
        )

        said = planted.run("health", "demo.example")

        assert said.status == 3
        assert "is in maintenance" in said.out
        assert "until 2030-03-18 02:46+09:00 (1). move to new hosts\n" in said.out

    def test_no_settings_in_force(self, planted: Planted) -> None:
        planted.domain(settings=None)

        said = planted.run("health", "demo.example")

        assert said.status == 3
        assert "has no settings in force: nothing is checked" in said.out

    def test_trouble_of_the_service_is_told_and_blames_no_server(self, planted: Planted) -> None:
        domain_id = planted.domain()
        for protocol in ("imap", "smtp"):
            planted.endpoint(domain_id, protocol, "fail")
        stranger = planted.domain("stranger.example", account="stranger")
        planted.incident([domain_id, stranger], scope="service", account_id=None)

        said = planted.run("health", "demo.example")

        assert said.status == 3
        assert "The service itself has trouble" in said.out
        assert "stranger" not in said.out + planted.run("health", "--json").out

    def test_exchange(self, planted: Planted) -> None:
        domain_id = planted.domain(settings=EXCHANGE)
        planted.endpoint(domain_id, "https")

        said = planted.run("health", "demo.example", "--json")

        assert said.status == 0
        validator("health.schema.json").validate(said.document)
        assert said.document["endpoints"][0]["endpoint"]["url"] == EXCHANGE.url


class TestParts:
    def test_disconnected_mailboxes_are_listed_up_to_20(self, planted: Planted) -> None:
        domain_id = planted.healthy()
        planted.mailboxes(domain_id, 23, "disconnected", state_code="auth.rejected", state_since=1_900_000_000.0 - 1)
        planted.mailboxes(domain_id, 2, "unknown")

        said = planted.run("health", "demo.example")

        assert "0 connected, 23 disconnected, 2 not known" in said.out
        assert "disconnected000@demo.example  auth.rejected  since 2030-03-18 02:46+09:00\n" in said.out
        assert "disconnected019@demo.example" in said.out
        assert "disconnected020@demo.example" not in said.out
        assert "and 3 more" in said.out
        assert len(planted.run("health", "demo.example", "--json").document["mailboxes"]["list"]) == 20

    def test_incidents_that_are_open_and_those_of_the_last_week(self, planted: Planted) -> None:
        domain_id, other = planted.healthy(), planted.healthy("other.example")
        box = {"domain_id": domain_id, "address": "ada@demo.example", "username": "u"}
        mailbox: dict[str, Any] = {"code": "auth.rejected", "severity": "warning", "scope": "mailbox"}
        planted.incident([domain_id], mailbox_id=planted.insert(schema.mailboxes, **box), **mailbox)
        ended: dict[str, Any] = {
            "recovered_at": planted.now - 2 * DAY,
            "closed_at": planted.now - 2 * DAY + 600,
            "reopened": 2,
        }
        planted.incident([domain_id], since=planted.now - 2 * DAY - 60, code="dns.not_found", **ended)
        planted.incident([domain_id], closed_at=planted.now - 8 * DAY, code="tls.expired")
        planted.incident([domain_id, other], scope="server", code="connect.unreachable")
        planted.incident([other], code="tls.revoked")

        out = planted.run("health", "demo.example").out

        present, past = out.split("Incidents of the last 7 days")
        assert present.index("critical, server of several domains: connect.unreachable") < present.index(
            "auth.rejected"
        )
        assert "Domains: demo.example, other.example" in present
        assert "warning, mailbox ada@demo.example: auth.rejected: imap.demo.example rejected the user name" in present
        assert present.count("What to do: The mailbox's owner enters the current password again.") == 1
        assert "critical, server: dns.not_found" in past
        assert "Times it came back: 2." in past
        assert "tls.expired" not in out
        assert "tls.revoked" not in out

    def test_more_incidents_than_are_listed_are_counted(self, planted: Planted) -> None:
        domain_id = planted.healthy()
        for _ in range(53):
            planted.incident([domain_id], scope="mailbox")

        assert "and 3 more" in planted.run("health", "demo.example").out
        document = planted.run("health", "demo.example", "--json").document
        assert (len(document["incidents"]), document["incident_count"]) == (50, 53)

    def test_who_is_told(self, planted: Planted) -> None:
        domain_id, other = planted.healthy(), planted.healthy("other.example")
        out = planted.run("health", "demo.example").out
        assert "Nobody is told when something fails. To have somebody told:\n    mail-preflight alerts add NAME" in out
        planted.channel("of-the-other", domain_id=other)
        assert "Nobody is told" in planted.run("health", "demo.example").out

        planted.channel("admins")
        planted.channel("mine", domain_id=domain_id)

        assert "Told when something fails: admins, mine" in planted.run("health", "demo.example").out

    def test_in_japanese(self, planted: Planted) -> None:
        domain_id = planted.domain()
        planted.endpoint(domain_id, "imap", "fail")
        planted.hours(domain_id, range(3), fail=3)
        planted.incident([domain_id])

        out = planted.run("--language", "ja", "health", "demo.example").out

        assert out.startswith("✗ demo.example に障害があります。")
        assert "可用性 24 時間" in out
        assert not re.search(r"\b(since|Available|Latency|until|critical)\b", out)


class TestDocument:
    def test_follows_its_schema(self, planted: Planted) -> None:
        domain_id = planted.domain()
        notice = {"code": "tls.expires_soon", "facts": {"date": "2030-03-03"}}
        planted.endpoint(domain_id, "imap", "fail", code=Code.TLS_EXPIRED, source="192.0.2.7", notices=[notice])
        planted.hours(domain_id, range(50), fail=4, inconclusive=1)
        planted.mailboxes(domain_id, 2, "disconnected", state_code="auth.rejected", state_since=planted.now)
        planted.mailboxes(domain_id, 1, "unknown")
        planted.incident([domain_id], recovered_at=planted.now - 60)
        planted.incident([domain_id], scope="notice", severity="info", closed_at=planted.now - 60)
        planted.channel()
        with planted.database.begin() as conn:
            ends = planted.now + HOUR
            maintenance.add(conn, planted.account_id, None, planted.now - 1, ends, "moving", planted.now)

        said = planted.run("health", "demo.example", "--json")

        document = said.document
        validator("health.schema.json").validate(document)
        assert said.status == 1
        assert said.err == ""
        imap, smtp = document["endpoints"]
        assert imap["check"]["code"] == "tls.expired"
        assert imap["check"]["connection_ip"] == "192.0.2.7"
        assert imap["check"]["at"].endswith("+00:00")
        assert imap["history"]["availability"]["hours"] == 0.75
        assert [item["ok"] for item in imap["history"]["days"][-3:]] == [24, 288, 288]
        assert smtp["check"] is None
        assert document["mailboxes"]["disconnected"] == 2
        assert document["maintenance"]["note"] == "moving"
        assert [item["closed"] is None for item in document["incidents"]] == [True, False]

    def test_holds_the_words_that_are_printed_with_its_times_in_utc(self, planted: Planted) -> None:
        domain_id = planted.domain()
        planted.endpoint(domain_id, "imap", "fail", since=1_900_000_000.0)
        planted.incident([domain_id], since=1_900_000_000.0)
        with planted.database.begin() as conn:
            maintenance.pause(conn, planted.account_id, "demo.example", planted.now - DAY)

        out = planted.run("health", "demo.example").out
        document = planted.run("health", "demo.example", "--json").document

        imap, smtp = document["endpoints"]
        (incident,) = document["incidents"]
        assert "does not work since 2030-03-18 02:46+09:00\n" in out
        assert imap["headline"] == ("IMAP imap.demo.example:993 (tls): does not work since 2030-03-17T17:46:40+00:00")
        assert incident["course"] == "Since 2030-03-17T17:46:40+00:00."
        said = [document["headline"], document["alerts"], document["mailboxes"]["message"], imap["message"]]
        said += [smtp["headline"], smtp["remark"], incident["title"], incident["message"]]
        assert [text for text in said if text not in out] == []
        assert [remark.endswith("To watch it again:") for remark in document["remarks"]] == [True]

    @pytest.mark.parametrize("language", ["en", "ja"])
    def test_is_in_the_language_asked_for(self, planted: Planted, language: str) -> None:
        planted.healthy()

        document = planted.run("--language", language, "health", "--json").document

        words = {"en": "healthy; mailboxes: 0 connected", "ja": "正常; メールボックス：接続中 0"}
        assert document[0]["headline"].startswith(f"demo.example: {words[language]}")

    @pytest.mark.parametrize("count", [0, 3])
    def test_of_all_domains_follows_its_schema(self, planted: Planted, count: int) -> None:
        for number in range(count):
            planted.healthy(f"d{number}.example")

        said = planted.run("health", "--json")

        validator("health-list.schema.json").validate(said.document)
        assert len(said.document) == count

    def test_other_days(self, planted: Planted) -> None:
        planted.healthy()

        document = planted.run("health", "demo.example", "--json", "--days", "7").document

        assert len(document["endpoints"][0]["history"]["days"]) == 7


class TestAllDomains:
    def test_the_worst_come_first(self, planted: Planted) -> None:
        planted.mailboxes(planted.healthy("a-good.example"), 2)
        planted.domain("b-bare.example", settings=None)
        planted.domain("c-new.example")
        broken = planted.domain("d-broken.example")
        planted.endpoint(broken, "imap", "fail")
        worse = planted.healthy("e-worse.example")
        for _ in range(2):
            planted.incident([worse])
        planted.incident([worse, broken], scope="server")
        planted.incident([worse], scope="notice", severity="info")
        planted.healthy("f-paused.example")
        with planted.database.begin() as conn:
            maintenance.pause(conn, planted.account_id, "f-paused.example", planted.now)
        planted.healthy("g-moving.example")
        with planted.database.begin() as conn:
            until = planted.now + HOUR
            maintenance.add(conn, planted.account_id, "g-moving.example", planted.now, until, "", planted.now)
        planted.domain("stranger.example", account="stranger")

        said = planted.run("health")

        assert said.status == 1
        assert said.out.splitlines() == [
            "✗ e-worse.example: failing; open incidents: 3; notices: 1; mailboxes: "
            "0 connected, 0 disconnected, 0 not known",
            "✗ d-broken.example: failing; open incidents: 1; mailboxes: 0 connected, 0 disconnected, 0 not known",
            "? c-new.example: not known; mailboxes: 0 connected, 0 disconnected, 0 not known",
            "? g-moving.example: in maintenance; mailboxes: 0 connected, 0 disconnected, 0 not known",
            "? f-paused.example: paused; mailboxes: 0 connected, 0 disconnected, 0 not known",
            "? b-bare.example: no settings; mailboxes: 0 connected, 0 disconnected, 0 not known",
            "✓ a-good.example: healthy; mailboxes: 2 connected, 0 disconnected, 0 not known",
            "Domains: 7 (2 failing, 1 not known, 1 in maintenance, 1 paused, 1 no settings, 1 healthy)",
        ]

    def test_a_page_says_how_to_go_on_and_counts_all(self, planted: Planted) -> None:
        planted.incident([planted.healthy("b.example")])
        planted.healthy("a.example")
        planted.mailboxes(planted.healthy("c.example"), 2)

        first, rest = planted.run("health", "--limit", "2"), planted.run("health", "--after", "a.example")

        assert [line.split(":")[0] for line in first.out.splitlines()] == ["✗ b.example", "✓ a.example", "Domains"]
        assert first.err == "There are more; to go on: mail-preflight health --after a.example\n"
        assert [line.split(":")[0] for line in rest.out.splitlines()] == ["✓ c.example", "Domains"]
        assert (first.status, rest.status, rest.err) == (1, 1, "")
        assert first.out.splitlines()[-1] == rest.out.splitlines()[-1] == "Domains: 3 (1 failing, 2 healthy)"

        listed = planted.run("domains", "--limit", "2")
        assert (listed.out.count("\n"), listed.err) == (
            2,
            "There are more; to go on: mail-preflight domains --after b.example\n",
        )
        assert planted.run("domains", "--after", "b.example").out.startswith("c.example:")
        boxes = planted.run("mailboxes", "list", "c.example", "--limit", "1")
        assert f"mailboxes list c.example --after {boxes.out.partition(':')[0]}" in boxes.err

    def test_what_nobody_watches_does_not_count(self, planted: Planted) -> None:
        planted.domain("bare.example", settings=None)
        assert planted.run("health").status == 3
        planted.healthy()
        assert planted.run("health").status == 0

    def test_nothing_there(self, planted: Planted) -> None:
        said = planted.run("health")

        assert said.status == 3
        assert said.out.startswith("There is no domain yet.")

    def test_more_domains_take_no_more_queries(self, planted: Planted) -> None:
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            counts = [self.queries(planted, asked, f"d{number}.example") for number in range(30)]
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)

        assert len(set(counts[1:])) == 1

    def queries(self, planted: Planted, asked: list[str], name: str) -> int:
        """How many the command makes when there is one domain more."""
        planted.incident([planted.healthy(name)])
        asked.clear()
        planted.run("health")
        return len(asked)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["strange.example"], "domain strange.example is not known"),
        (["no domain"], "is not a valid name"),
        (["demo.example", "--days", "0"], "--days"),
        (["demo.example", "--days", "x"], "--days"),
    ],
)
def test_bad_input_is_one_line_and_status_2(planted: Planted, arguments: list[str], words: str) -> None:
    said = planted.run("health", *arguments)

    assert said.status == Status.USAGE
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert words in said.err
