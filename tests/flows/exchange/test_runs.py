"""Exchange through the whole product: one run over mailboxes that all act differently, and every way to be no Exchange.

The server counts: one logon for each mailbox and run, none after rejected canaries, no credential anywhere else.
"""

import json
from pathlib import Path

import pytest

from checks.codes import CODES, Code, Verdict, verdict_of
from checks.messages import wording
from checks.messages.endpoints import warning_facts
from checks.model import Fix, Option
from checks.protocols.exchange import get_folder
from checks.protocols.patience import FULL
from tests.cli.reports.test_json_documents import validator
from tests.flows.exchange.site import ACTORS, DOMAIN, PASSWORD, SETTINGS, VARIABLES, WELL, Site
from tests.flows.harness import Box, account_of, outcome, write_csv
from tests.servers.exchange.scenarios import ENDPOINT_SCENARIOS, MAILBOX_SCENARIOS
from tests.servers.exchange.server import CLIENT_ID, CLIENT_SECRET


def impact_of(code: str) -> str:
    if code == Code.PROTOCOL_OVERSIZE.value:
        return "cannot_tell"  # one flood in answer to a login is the moment's
    return {Verdict.OK: "keeps_working", Verdict.FAIL: "will_disconnect", Verdict.INCONCLUSIVE: "cannot_tell"}[
        verdict_of(Code(code))
    ]


@pytest.mark.both_modes
def test_every_mailbox_acts_differently(site: Site) -> None:
    """Given one mailbox of each kind, when they are verified in one run, then each has its answer from one logon."""
    for address, name in ACTORS.items():
        site.server.act(name, address)
    site.load(*ACTORS, *WELL)
    site.server.forget()

    found = site.verify()

    for address, name in ACTORS.items():
        scenario, line = MAILBOX_SCENARIOS[name], found.lines[address]
        assert line.services == {"mail": scenario.mail, "calendar": scenario.calendar}, (name, line.seen)
        assert (line.code, line.impact) == (scenario.code, impact_of(scenario.code)), (name, line.seen)
    assert {found.codes[address] for address in WELL} == {"ok"}
    logons = site.server.logons() + site.server.bad_logons()
    asked_again = {f"old@{DOMAIN}": len(get_folder.VERSIONS)}  # by an earlier version each time
    # After a wait; where the server named one, it was longer than anybody waits.
    held_back = {address for address, code in found.codes.items() if Code(code) in FULL}
    asked_again |= {address: 2 for address in held_back if not address.startswith("busy@")}
    assert logons == {**dict.fromkeys((*ACTORS, *WELL), 1), **asked_again}
    assert PASSWORD not in repr(found)


def test_every_way_to_be_an_endpoint(site: Site) -> None:
    """Given each behaviour of a server in turn, then every mailbox has its answer."""
    site.load(*WELL[:3])
    wrong = {}
    with (
        site.system.open(**SETTINGS) as preflight,
        preflight.processes.working(),
    ):  # once: their start takes longer than a run
        for name, scenario in ENDPOINT_SCENARIOS.items():
            site.server.play(name)
            site.server.forget()
            found = outcome(preflight, account_of(preflight).changes.save(DOMAIN, site.settings()))
            expected = scenario.logon if scenario.code == "ok" else scenario.code
            if expected == Code.AUTH_REJECTED:
                expected = Code.EXCHANGE_ALL_REJECTED  # nobody's password, as all are rejected
            logons = site.server.logons() + site.server.bad_logons()
            one_each = max(logons.values(), default=0) <= 1 and (scenario.code == "ok" or not logons)
            endpoint = found.report.endpoints[0]
            if set(found.codes.values()) != {expected} or not one_each or endpoint.code != scenario.code:
                wrong[name] = (found.codes, endpoint.code, logons)
    assert wrong == {}
    assert len(ENDPOINT_SCENARIOS) + len(MAILBOX_SCENARIOS) >= 100


def test_rejected_canaries_point_to_the_endpoint(site: Site) -> None:
    """Given a proxy that ends TLS before Extended Protection, then five are tried and nobody's password is blamed."""
    site.server.play("protected_proxy")
    site.load(*WELL)

    found = site.verify()

    assert site.server.bad_logons() == {
        address: 1 for address, code in found.codes.items() if code == "exchange.all_rejected"
    }
    assert site.server.bad_logons().total() == 5
    assert found.counts == {"cannot_tell": len(WELL)}
    assert (found.report.stop_code, found.report.stop_detail) == (Code.EXCHANGE_ALL_REJECTED, str(len(WELL) - 5))
    assert [warn.code for warn in found.report.endpoints[0].warnings] == [Code.EXCHANGE_ALL_REJECTED]
    site.server.reset()
    again = site.verify()  # the passwords were not to blame, so they are tried again once the server is mended
    assert set(again.codes.values()) == {"ok"}


def test_a_small_domain_that_is_rejected_as_a_whole(site: Site) -> None:
    site.load(*WELL[:3], password="not-it")

    found = site.verify()

    assert set(found.codes.values()) == {"exchange.all_rejected"}
    assert [warn.code for warn in found.report.endpoints[0].warnings] == [Code.EXCHANGE_ALL_REJECTED]
    assert site.server.bad_logons() == dict.fromkeys(WELL[:3], 1)


def test_exchange_online_counts_whom_it_concerns(site: Site) -> None:
    """Given mailboxes with passwords in Exchange Online, then all would disconnect and nothing is sent."""
    site.server.play("online")
    site.load(*WELL)
    site.server.forget()

    found = site.verify()

    assert found.counts == {"will_disconnect": len(WELL)}
    assert set(found.codes.values()) == {"exchange.online_password"}
    assert {scheme for one in site.server.requests() if (scheme := one.scheme)} == set()
    [result] = found.report.endpoints
    [warning] = result.warnings
    assert warning.code is Code.EXCHANGE_ONLINE
    said = wording(warning.code, warning_facts(result, warning)).sentence
    assert f"Mailboxes in Exchange Online: {len(WELL)}." in said
    assert "Microsoft Graph" in said


def test_a_certificate_nobody_trusts(site: Site) -> None:
    site.load(*WELL[:6])

    refused = site.verify(site.settings(ca_pem=""))
    site.server.forget()
    allowed = site.verify(site.settings(ca_pem="", allow_insecure_certificate=True))

    assert refused.counts == {"will_disconnect": 6}
    assert refused.report.endpoints[0].option is Option.NEEDED
    assert allowed.counts == {"keeps_working": 6}
    assert {one.scheme for one in site.server.requests()} == {"", "NTLM"}  # nobody in between is shown a password


def test_tokens_of_owners_and_of_an_application(site: Site, tmp_path: Path) -> None:
    """Given a file with a column for the kind of secret, then each mailbox logs in with what it has."""
    client = {"token_url": site.server.token_url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": "x"}
    secrets = {
        WELL[0]: ("password", PASSWORD),
        WELL[1]: ("oauth2_token", site.server.token(WELL[1])),
        **{address: ("oauth2_client", json.dumps(client)) for address in WELL[2:20]},
    }
    path = tmp_path / "kinds.csv"
    quoted = {address: (kind, '"' + secret.replace('"', '""') + '"') for address, (kind, secret) in secrets.items()}
    lines = (f"{address},{kind},{secret}\n" for address, (kind, secret) in quoted.items())
    path.write_text("address,kind,password\n" + "".join(lines))
    with site.system.open() as preflight:
        account_of(preflight).mailboxes.import_file(DOMAIN, path)
    site.server.forget()

    found = site.verify()

    assert set(found.codes.values()) == {"ok"}
    assert sum("/token" in one.target for one in site.server.requests()) <= 2  # one for each process


def test_what_was_typed_is_kept_and_told(site: Site) -> None:
    site.load(WELL[0])

    found = site.verify(site.settings(f"http://LOCALHOST:{site.server.port}/owa/?secret=x"))

    [result] = found.report.endpoints
    assert result.endpoint.url == site.server.url
    assert result.endpoint.typed == f"http://LOCALHOST:{site.server.port}/owa/"
    assert result.fix == Fix("use_url", site.server.url)
    assert found.counts == {"keeps_working": 1}


@pytest.mark.both_modes
def test_the_command_as_it_is_typed(site: Site, tmp_path: Path) -> None:
    site.server.act("calendar_denied", WELL[1])
    boxes = [Box(address, PASSWORD, address) for address in WELL[:6]]
    csv = write_csv(tmp_path / "mailboxes.csv", boxes)
    typed = f"localhost:{site.server.port}"
    options = ("--exchange", typed, "--mailboxes", str(csv), "--ca-file", str(site.ca_file), "--json")

    done = site.system.command("verify", DOMAIN, *options, **VARIABLES)

    assert done.status == 1, done.err
    validator("verify.schema.json").validate(done.document)
    services = {one["address"]: one["services"] for one in done.document["mailboxes"]}
    assert services[WELL[1]] == {"mail": "ok", "calendar": "exchange.calendar_denied"}
    assert services[WELL[2]] == {"mail": "ok", "calendar": "ok"}
    told = site.system.command("report", done.document["change_id"])
    assert f"Exchange {site.server.url}: works" in told.out
    assert f"You typed {typed}; what is used is {site.server.url}" in told.out
    assert "mail: ok, calendar: exchange.calendar_denied" in told.out
    assert "mail: 6 ok, 0 fail, 0 inconclusive" in told.out
    assert "calendar: 5 ok, 1 fail, 0 inconclusive" in told.out
    assert PASSWORD not in done.out + done.err + told.out


def test_the_codes_of_all_scenarios_are_known() -> None:
    expected = {code for one in MAILBOX_SCENARIOS.values() for code in (one.mail, one.calendar)}
    expected |= {code for one in ENDPOINT_SCENARIOS.values() for code in (one.code, one.logon)}
    assert {Code(code) for code in expected} <= set(CODES)


def test_saving_waits_for_nothing(site: Site) -> None:
    """Saving a URL that leads nowhere is fine: a draft may be wrong."""
    with site.system.open(**SETTINGS) as preflight, preflight.processes.working():
        saved = account_of(preflight).changes.save(DOMAIN, site.settings("https://127.0.0.1:1/"))
        found = outcome(preflight, saved)
    assert found.report.endpoints[0].code is Code.CONNECT_REFUSED
