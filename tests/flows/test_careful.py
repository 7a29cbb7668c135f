"""Verifying harms nobody: on a server that locks, bans and limits, whatever is wrong with the settings."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from checks.codes import Blame, Code
from checks.model import Endpoint, Invalid, Protocol, Security
from checks.settings import ImapSettings
from settings_store.changes.lifecycle import ChangeState, Refused
from settings_store.changes.watches import Watch
from settings_store.incidents import overview
from tests.flows.harness import Box, System, account_of, outcome, wait_for
from tests.servers.certificates import CertificateLab
from tests.servers.guarded import GuardedServer, Rules
from tests.servers.process import free_port
from worker.changes.wording import report_document
from worker.runs.lane import OVERTAKEN

DOMAIN = "careful.example"
STRICT = Rules(penalty=0.01, ban_after=10, lock_after=2, per_user=2, in_all=24)
"""A server that forgives little: ten failures of an address ban it, two of an account lock it."""


def users(count: int) -> dict[str, str]:
    return {f"user{number:04}": f"Open-{number:04}" for number in range(count)}


def boxes(count: int, wrong: frozenset[int] | set[int] = frozenset(), domain: str = DOMAIN) -> list[Box]:
    """Mailboxes of the server's users; those in `wrong` have another password."""
    return [
        Box(f"{user}@{domain}", f"not-{password}" if number in wrong else password, user)
        for number, (user, password) in enumerate(users(count).items())
    ]


class Lab:
    """Servers with a certificate of one authority, and settings that reach them."""

    def __init__(self, certificates: CertificateLab) -> None:
        self.leaf, self.ca_pem = certificates.issue(), certificates.ca_pem

    def server(self, count: int, rules: Rules = STRICT) -> GuardedServer:
        return GuardedServer(self.leaf, users(count), rules)

    def settings(self, server: GuardedServer, host: str = "localhost", smtp: int = 0) -> ImapSettings:
        return ImapSettings(
            imap=Endpoint(Protocol.IMAP, host, server.imap_port, Security.TLS),
            smtp=Endpoint(Protocol.SMTP, host, smtp or server.smtp_port, Security.TLS),
            ca_pem=self.ca_pem,
        )


@pytest.fixture(scope="module")
def lab(certificates: CertificateLab) -> Lab:
    return Lab(certificates)


@pytest.fixture
def server(lab: Lab) -> Iterator[GuardedServer]:
    """Sixty accounts on the strict server."""
    with lab.server(60) as running:
        yield running


def assert_harmless(server: GuardedServer) -> None:
    assert not server.seen.banned
    assert server.seen.locked == set()
    assert server.seen.turned_away == 0


class TestWrongSettings:
    def test_all_passwords_wrong_tries_the_canaries_only(self, system: System, server: GuardedServer, lab: Lab) -> None:
        system.load(DOMAIN, boxes(60, set(range(60))))

        found = system.verify(DOMAIN, lab.settings(server))

        assert sum(server.seen.rejected.values()) <= 5
        assert found.report.stop_code == "auth.all_rejected"
        assert list(found.codes.values()).count("run.not_tried") >= 55
        assert_harmless(server)

    def test_a_few_wrong_are_exactly_those(self, system: System, lab: Lab) -> None:
        wrong = {7, 70, 170}
        with lab.server(300) as server:
            system.load(DOMAIN, boxes(300, wrong))

            found = system.verify(DOMAIN, lab.settings(server))

        rejected = {address for address, code in found.codes.items() if code == "auth.rejected"}
        assert rejected == {f"user{number:04}@{DOMAIN}" for number in wrong}
        assert found.counts == {"keeps_working": 297, "will_disconnect": 3}
        assert server.seen.accepted.total() == 2 * 297
        assert server.seen.rejected.total() == 3
        assert_harmless(server)

    def test_a_wrong_smtp_host_ends_in_seconds_without_a_login(
        self, embedded_system: System, server: GuardedServer, lab: Lab
    ) -> None:
        embedded_system.load(DOMAIN, [Box(f"box{n:05}@{DOMAIN}", "anything", f"box{n:05}") for n in range(10_000)])
        begun = time.monotonic()

        found = embedded_system.verify(DOMAIN, lab.settings(server, smtp=free_port()))

        assert time.monotonic() - begun < 10
        assert server.seen.logins == 0
        assert set(found.codes.values()) == {"connect.refused"}
        with embedded_system.open() as preflight:
            (cause,) = account_of(preflight).changes.report(found.saved.change_id).causes()
        assert (cause.protocol, cause.count) == ("smtp", 10_000)

    def test_ten_thousand_wrong_passwords(self, embedded_system: System, server: GuardedServer, lab: Lab) -> None:
        embedded_system.load(DOMAIN, [Box(f"box{n:05}@{DOMAIN}", "anything", f"box{n:05}") for n in range(10_000)])

        with embedded_system.open() as preflight, preflight.processes.working():
            saved = account_of(preflight).changes.save(DOMAIN, lab.settings(server))
            found = outcome(preflight, saved)

        assert server.seen.logins <= 5
        assert found.counts["cannot_tell"] >= 9_995
        assert_harmless(server)

    @pytest.mark.parametrize("break_", ["certificate", "protocol"])
    def test_what_the_endpoints_settle_costs_no_login(
        self, embedded_system: System, server: GuardedServer, lab: Lab, break_: str
    ) -> None:
        embedded_system.load(DOMAIN, boxes(60))
        good = lab.settings(server)
        swapped = ImapSettings(
            Endpoint(Protocol.IMAP, "localhost", server.smtp_port, Security.TLS),
            Endpoint(Protocol.SMTP, "localhost", server.imap_port, Security.TLS),
            ca_pem=lab.ca_pem,
        )
        settings = swapped if break_ == "protocol" else ImapSettings(good.imap, good.smtp)

        found = embedded_system.verify(DOMAIN, settings)

        assert found.counts["keeps_working"] == 0
        assert server.seen.logins == 0
        assert_harmless(server)

    def test_the_accounts_of_another_server(self, embedded_system: System, lab: Lab) -> None:
        """Given a server that knows none of the accounts but one, then it is not asked for all of them."""
        with lab.server(1) as server:
            embedded_system.load(DOMAIN, boxes(60))

            found = embedded_system.verify(DOMAIN, lab.settings(server), like_failures=4, lanes=1, logins_at_once=1)

        # Which canaries are asked is a matter of chance: where the one it knows is among them, somebody got in.
        known = any(line.impact == "keeps_working" for line in found.lines.values())
        assert found.report.stop_code == ("auth.rejected" if known else "auth.all_rejected")
        assert server.seen.rejected.total() < 10
        assert_harmless(server)

    def test_a_server_that_goes_away_in_the_middle_is_not_the_settings_fault(
        self, embedded_system: System, lab: Lab, caplog: pytest.LogCaptureFixture
    ) -> None:
        with lab.server(120, Rules(login_seconds=0.02)) as server, ThreadPoolExecutor(1) as beside:
            embedded_system.load(DOMAIN, boxes(120))
            settings = lab.settings(server)

            def goes_away() -> None:
                wait_for(lambda: server.seen.accepted.total() >= 20, "twenty logins")
                server.stop_listening()

            gone = beside.submit(goes_away)
            found = embedded_system.verify(DOMAIN, settings, like_failures=4, logins_at_once=4, page_size=5)
            gone.result()

        document = report_document(found.report)
        assert document.stop is not None
        assert document.untried is not None
        assert document.stop.count == document.untried.count > 0
        refused = [cause for cause in document.causes if cause.code is Code.CONNECT_REFUSED]
        assert {(cause.field, cause.blame) for cause in refused} == {(None, Blame.SERVER)}
        assert all(cause.advice.startswith("localhost answered when the verification began") for cause in refused)
        assert re.search(r"Reason: localhost refused the connection on port \d+\.", document.stop.sentence)
        assert sum("broken off" in record.message for record in caplog.records) <= 2  # one a lane
        assert OVERTAKEN not in caplog.text


class TestRestraint:
    def test_a_rejected_credential_is_not_sent_again_until_it_changes(
        self, system: System, server: GuardedServer, lab: Lab
    ) -> None:
        wrong = {3, 30}
        system.load(DOMAIN, boxes(60, wrong))
        system.verify(DOMAIN, lab.settings(server))
        assert server.seen.rejected.total() == 2
        server.forget()

        again = system.verify(DOMAIN, lab.settings(server))

        assert server.seen.rejected.total() == 0
        assert again.counts["will_disconnect"] == 2
        remembered = again.lines[f"user0003@{DOMAIN}"].seen
        assert remembered.startswith(f"rejected on {time.strftime('%Y-%m-%d', time.gmtime())}; not sent again before")

        system.load(DOMAIN, boxes(60, {30}))
        last = system.verify(DOMAIN, lab.settings(server))

        assert last.counts == {"keeps_working": 59, "will_disconnect": 1}
        assert server.seen.rejected.total() == 0
        assert_harmless(server)

    def test_an_operator_may_let_them_be_tried_again(
        self, embedded_system: System, server: GuardedServer, lab: Lab
    ) -> None:
        """Given a server that was at fault, when its rejections are forgotten, then the mailboxes work."""
        del server.users["user0003"]
        embedded_system.load(DOMAIN, boxes(20))
        embedded_system.verify(DOMAIN, lab.settings(server))
        server.users["user0003"] = users(4)["user0003"]

        assert embedded_system.command("mailboxes", "retry", DOMAIN).out.startswith("1 rejections forgotten")

        assert embedded_system.verify(DOMAIN, lab.settings(server)).counts == {"keeps_working": 20}

    def test_a_budget_of_logins_an_hour(self, embedded_system: System, server: GuardedServer, lab: Lab) -> None:
        """Given two logins a run and five an hour, then the third run leaves all untried and says so."""
        embedded_system.load(DOMAIN, boxes(20))
        for _ in range(2):
            found = embedded_system.verify(DOMAIN, lab.settings(server), logins_per_hour=5)
            assert found.counts == {"keeps_working": 20}
        server.forget()

        third = embedded_system.verify(DOMAIN, lab.settings(server), logins_per_hour=5)

        assert server.seen.logins == 0
        assert set(third.codes.values()) <= {"run.login_budget", "run.not_tried"}
        assert third.counts == {"cannot_tell": 20}
        assert "resume" in embedded_system.command("report", third.saved.change_id).out

    def test_goes_on_after_a_canary_stop(self, system: System, server: GuardedServer, lab: Lab) -> None:
        """Given canaries that fail alike, when the server is mended, then resuming tries all of them."""
        known = dict(server.users)
        server.users = {}
        system.load(DOMAIN, boxes(60))
        stopped = system.verify(DOMAIN, lab.settings(server))
        tried = {address for address, code in stopped.codes.items() if code == "auth.all_rejected"}
        server.users = known

        with system.open() as preflight:
            report = account_of(preflight).changes.report(stopped.saved.change_id)
            told: Any = report_document(report).head()
        gone_on = system.command("resume", stopped.saved.change_id, "--json")

        assert (told["stop"]["code"], told["stop"]["count"]) == ("auth.all_rejected", 60 - len(tried))
        assert "not for their passwords, it seems" in told["stop"]["message"]
        assert gone_on.status == 0, gone_on.err
        assert gone_on.document["counts"]["keeps_working"] == 60
        assert gone_on.document["stop"] is None
        assert server.seen.rejected.total() == len(tried) <= 5
        assert server.seen.accepted.total() == 2 * 60
        with system.open() as preflight, pytest.raises(Invalid, match="no mailbox left untried"):
            account_of(preflight).changes.resume(stopped.saved.change_id)


class TestPacing:
    def test_across_two_workers(self, own_system: System, lab: Lab) -> None:
        rules = Rules(login_seconds=0.02)
        with lab.server(200, rules) as server, own_system.working(2, LOGINS_AT_ONCE="6"):
            own_system.load(DOMAIN, boxes(200))

            found = own_system.verify(DOMAIN, lab.settings(server), logins_at_once=6)

        assert found.counts == {"keeps_working": 200}
        assert 3 <= server.seen.peak <= 6

    def test_across_two_domains_on_one_server(self, own_system: System, lab: Lab) -> None:
        rules = Rules(login_seconds=0.02)
        with lab.server(120, rules) as server, own_system.working(2, LOGINS_AT_ONCE="6", LEASE="15"):
            for domain in (DOMAIN, "second.example"):
                own_system.load(domain, boxes(120, domain=domain))
            with own_system.open(logins_at_once=6) as preflight:
                saved = [
                    account_of(preflight).changes.save(domain, lab.settings(server))
                    for domain in (DOMAIN, "second.example")
                ]
                # Neither waits for the other to end.
                wait_for(
                    lambda: all(0 < account_of(preflight).runs.progress(one.run_id).ok < 120 for one in saved),
                    "both are under way",
                )
                found = [outcome(preflight, one) for one in saved]

        assert [one.counts for one in found] == [{"keeps_working": 120}] * 2
        assert server.seen.peak <= 6

    @pytest.mark.parametrize("limit", [1, 3])
    def test_checks_of_endpoints_wait_for_their_turn(self, own_system: System, lab: Lab, limit: int) -> None:
        """Given a domain whose logins have every slot, when others are saved, then each gets one, and none too many."""
        names = [f"domain{number}.example" for number in range(6)]
        variables = {"LOGINS_AT_ONCE": str(limit), "LANES": "1", "LEASE": "30"}
        with lab.server(60, Rules(login_seconds=0.1)) as server, own_system.working(2, **variables) as workers:
            for name in names:
                own_system.load(name, boxes(60 if name == names[0] else 4, domain=name))
            with own_system.open(logins_at_once=limit, lanes=1) as preflight:
                first = account_of(preflight).changes.save(names[0], lab.settings(server))
                wait_for(lambda: account_of(preflight).runs.progress(first.run_id).ok > limit, "logins are under way")
                others = [account_of(preflight).changes.save(name, lab.settings(server)) for name in names[1:]]
                wait_for(
                    lambda: all(account_of(preflight).runs.progress(one.run_id).endpoints for one in others),
                    "all are checked",
                )
                assert account_of(preflight).runs.progress(first.run_id).ok < 60
                found = [outcome(preflight, one) for one in (first, *others)]
            assert not any("without one" in worker.words for worker in workers)

        assert [one.counts for one in found] == [{"keeps_working": 60}] + [{"keeps_working": 4}] * 5
        assert server.seen.peak <= limit

    @pytest.mark.parametrize("limit", [1, 5])
    def test_embedded(self, embedded_system: System, lab: Lab, limit: int) -> None:
        with lab.server(60, Rules(login_seconds=0.01)) as server:
            embedded_system.load(DOMAIN, boxes(60))

            found = embedded_system.verify(DOMAIN, lab.settings(server), logins_at_once=limit)

        assert found.counts == {"keeps_working": 60}
        assert server.seen.peak <= limit

    @pytest.mark.both_modes
    def test_a_server_that_throttles_makes_us_slower_not_louder(self, system: System, lab: Lab) -> None:
        """Given a server that takes 4 logins at once, then few of 300 meet the limit of it, and none disconnects."""
        with lab.server(300, Rules(logins_at_once=4, login_seconds=0.01)) as server:
            system.load(DOMAIN, boxes(300))

            found = system.verify(DOMAIN, lab.settings(server))

        assert found.counts["will_disconnect"] == 0
        assert 0 < server.seen.throttled < 100  # of 600; without backing off it was 118 to 170
        assert found.counts["cannot_tell"] < server.seen.throttled  # who was held back is tried once more
        assert Code.SERVER_PATIENCE in {warn.code for one in found.report.endpoints for warn in one.warnings}
        assert max(server.seen.accepted.values()) == 1

    def test_who_is_turned_away_at_the_door_is_tried_once_more(self, system: System, lab: Lab) -> None:
        """Given a server with room for 3 connections, then all 60 get in, and none of them twice."""
        with lab.server(60, Rules(in_all=3, login_seconds=0.02)) as server:
            system.load(DOMAIN, boxes(60))

            found = system.verify(DOMAIN, lab.settings(server))

        assert server.seen.turned_away > 0
        assert found.counts["will_disconnect"] == 0
        assert found.counts["cannot_tell"] < server.seen.turned_away
        assert max(server.seen.accepted.values()) == 1
        # Where localhost has two addresses, there is another warning besides.
        warnings = [warn for one in found.report.endpoints for warn in one.warnings]
        told = [warn.facts["seconds"] for warn in warnings if warn.code is Code.SERVER_PATIENCE]
        assert set(told) == {"1"}  # as usual, which is short here

    def test_cancelled_at_any_time(self, embedded_system: System, lab: Lab) -> None:
        with lab.server(500, Rules(login_seconds=0.05)) as server:
            embedded_system.load(DOMAIN, boxes(500))
            with embedded_system.open(logins_at_once=4) as preflight, preflight.processes.working():
                saved = account_of(preflight).changes.save(DOMAIN, lab.settings(server))
                wait_for(lambda: account_of(preflight).runs.progress(saved.run_id).ok, "logins begin")
                assert embedded_system.command("cancel", saved.change_id).status == 0
                time.sleep(0.7)
                so_far = server.seen.logins
                time.sleep(0.5)

                assert server.seen.logins == so_far < 500
                assert account_of(preflight).runs.progress(saved.run_id).stage == "cancelled"
                with pytest.raises(Invalid, match="is not verified; `mail-preflight again "):
                    account_of(preflight).changes.report(saved.change_id)
                with pytest.raises(Refused, match="cannot be applied"):
                    account_of(preflight).changes.apply(saved.change_id)


class TestApplied:
    @pytest.mark.both_modes
    def test_rollback_restores_the_version_and_the_states(
        self, system: System, server: GuardedServer, lab: Lab
    ) -> None:
        system.load(DOMAIN, boxes(20, {3}))
        first, second = lab.settings(server), lab.settings(server, host="127.0.0.1")
        with system.open() as preflight:
            before_any = account_of(preflight).domains.summaries()
        one = system.verify(DOMAIN, first)
        with system.open() as preflight:
            account_of(preflight).changes.apply(one.saved.change_id, 1)
            before = account_of(preflight).domains.summaries()
        two = system.verify(DOMAIN, second)
        with system.open() as preflight:
            account_of(preflight).changes.apply(two.saved.change_id)
            with pytest.raises(Refused, match="is not in force any more"):
                account_of(preflight).changes.roll_back(one.saved.change_id)

        with system.open() as preflight:
            account_of(preflight).changes.roll_back(two.saved.change_id)
            assert account_of(preflight).domains.summaries() == before
            assert account_of(preflight).domains.summaries()[0].settings == first
        assert system.command("rollback", one.saved.change_id).status == 0
        with system.open() as preflight:
            assert account_of(preflight).domains.summaries() == before_any
            _, told = account_of(preflight).changes.history(one.saved.change_id)
        assert [line.event for line in told] == ["save", "verify", "finish", "apply", "roll_back"]
        assert told[-1].actor.source == "local"

    def test_refused_with_another_checksum(self, embedded_system: System, server: GuardedServer, lab: Lab) -> None:
        embedded_system.load(DOMAIN, boxes(10))
        found = embedded_system.verify(DOMAIN, lab.settings(server))
        change_id, checksum = found.saved.change_id, found.report.checksum

        refused = embedded_system.command("apply", change_id, "--checksum", checksum[:-1] + "x")
        applied = embedded_system.command("apply", change_id, "--checksum", checksum, "--watch-minutes", "0")

        assert (refused.status, "not the one that was reviewed" in refused.err) == (2, True)
        assert applied.status == 0, applied.err

    @pytest.mark.parametrize("by_itself", [True, False])
    def test_the_watch(self, embedded_system: System, server: GuardedServer, lab: Lab, by_itself: bool) -> None:
        """Given a change that was applied, when its server begins to reject, then it goes back, or that is noted."""
        embedded_system.load(DOMAIN, boxes(40))
        found = embedded_system.verify(DOMAIN, lab.settings(server))
        change_id = found.saved.change_id
        with embedded_system.start("serve", WATCH_EVERY_MINUTES="0.01"), embedded_system.open() as preflight:
            account_of(preflight).changes.apply(change_id, watch=Watch(60, roll_back_by_itself=by_itself))
            server.users = {}
            event = "roll_back" if by_itself else "watch_failed"
            wait_for(
                lambda: event in [entry.event for entry in account_of(preflight).changes.history(change_id)[1]],
                event,
                20,
            )

            change, entries = account_of(preflight).changes.history(change_id)
            (domain,) = account_of(preflight).domains.summaries()
            with preflight.database.read() as conn:
                ((incident,), _) = overview.incidents_of(conn, change.domain_id, 0.0, 5)

        assert change.state == ("rolled_back" if by_itself else "applied")
        assert (domain.settings is None) is by_itself
        assert "mailboxes that were to work fail after the change" in entries[-1].detail
        assert (incident.scope, incident.code, incident.mailboxes) == ("mailboxes", "auth.all_rejected", 5)
        assert (incident.facts["protocol"], incident.seen.startswith("NO ")) == ("IMAP", True)
        assert (incident.facts["change"], bool(incident.facts["undone"])) == (change_id, by_itself)
        assert (incident.facts["failing"], incident.facts["total"]) == ("5", "40")
        assert server.seen.rejected.total() <= 10
        assert_harmless(server)

    def test_apply_says_that_nobody_watches_and_stays_where_it_is_asked_to(
        self, embedded_system: System, server: GuardedServer, lab: Lab
    ) -> None:
        """Without `serve`, it watches itself; given a server that rejects, the change goes back."""
        embedded_system.load(DOMAIN, boxes(40))
        first, second = (embedded_system.verify(DOMAIN, lab.settings(server)) for _ in range(2))
        alone = embedded_system.command("apply", second.saved.change_id)
        assert first.counts == second.counts
        assert f"To watch it here: mail-preflight watch {second.saved.change_id}\n" in alone.out
        assert "Nobody watches it" in alone.out
        well = embedded_system.command("watch", second.saved.change_id, WATCH_EVERY_MINUTES="60")
        assert (well.status, well.out.splitlines()[-1]) == (
            0,
            "The watch is over; no more failed than the report said.",
        )
        assert "40 ok, 0 fail, 0 inconclusive" in well.out

        third = embedded_system.verify(DOMAIN, lab.settings(server, host="127.0.0.1"))
        server.users = {}
        watched = embedded_system.command(
            *("apply", third.saved.change_id, "--watch", "--roll-back-by-itself"), WATCH_EVERY_MINUTES="0.01"
        )

        assert watched.status == 1, watched.err
        assert "Watched for 30 minutes" in watched.out
        last = watched.out.splitlines()[-1]
        assert last.startswith("The change was rolled back: the settings from before are in force again.")
        assert "mailboxes that were to work fail after the change" in last
        with embedded_system.open() as preflight:
            (domain,) = account_of(preflight).domains.summaries()
        assert domain.settings == lab.settings(server)

    def test_a_watch_of_what_is_not_in_force_any_more(
        self, embedded_system: System, server: GuardedServer, lab: Lab
    ) -> None:
        """Given a watched change, when a later one is applied, then nothing watches the earlier one."""
        embedded_system.load(DOMAIN, boxes(10))
        one = embedded_system.verify(DOMAIN, lab.settings(server))
        with embedded_system.open() as preflight:
            account_of(preflight).changes.apply(one.saved.change_id, watch=Watch(60, roll_back_by_itself=True))
        two = embedded_system.verify(DOMAIN, lab.settings(server, host="127.0.0.1"))
        with embedded_system.open() as preflight:
            account_of(preflight).changes.apply(two.saved.change_id, watch=Watch(0))
            assert account_of(preflight).changes.history(one.saved.change_id)[0].watch_until is None
            assert account_of(preflight).changes.history(one.saved.change_id)[0].state == "applied"


@pytest.mark.both_modes
def test_two_admins_at_the_same_time(system: System, server: GuardedServer, lab: Lab) -> None:
    """Both save; one change is superseded and kept, the second admin is told, and only the last one can be applied."""
    system.load(DOMAIN, boxes(10))
    settings = [lab.settings(server), lab.settings(server, host="127.0.0.1")]
    first = system.verify(DOMAIN, settings[0])
    both = threading.Barrier(2)

    def save(place: int) -> None:
        with system.open() as preflight:
            both.wait()
            results[place] = account_of(preflight).changes.save(DOMAIN, settings[place])

    results = [first.saved, first.saved]
    threads = [threading.Thread(target=save, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with system.open() as preflight:
        states = [account_of(preflight).changes.history(one.change_id)[0].state for one in results]
        assert account_of(preflight).changes.history(first.saved.change_id)[0].state == "superseded"
    assert sorted(states) in (["superseded", "verified"], ["superseded", "verifying"])
    replaced = {one.superseded for one in results}
    assert first.saved.change_id in replaced
    assert len(replaced & {one.change_id for one in results}) == 1
    loser = results[states.index(ChangeState.SUPERSEDED)]
    with system.open() as preflight, preflight.processes.working():
        account_of(preflight).changes.reopen(loser.change_id)
        again = outcome(preflight, account_of(preflight).changes.verify_again(loser.change_id))
        assert again.report.verdict == "safe"
        assert account_of(preflight).changes.apply(loser.change_id, checksum=again.report.checksum).will_disconnect == 0
