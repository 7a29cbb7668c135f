"""The main job: the command says exactly who would disconnect, and every mailbox logs in once."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.flows.harness import ROOT, Box, System, account_of, boxes_of, seen, settings_of, write_csv
from tests.servers.lab import MailLab

SCHEMAS = ROOT / "docs" / "schema"


def arguments(lab: MailLab, csv: Path) -> list[str]:
    return [
        *("verify", lab.domain, "--json", "--mailboxes", str(csv), "--ca-file", str(lab.ca_file)),
        *("--imap", f"localhost:{lab.dovecot.imaps_port}", "--imap-security", "tls"),
        *("--smtp", f"localhost:{lab.postfix.smtps_port}", "--smtp-security", "tls"),
    ]


def validate(document: Any) -> None:
    found = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(content)) for name, content in found.items()
    )
    Draft202012Validator(found["verify.schema.json"], registry=registry).validate(document)


@pytest.mark.both_modes
def test_names_exactly_those_with_a_wrong_password(system: System, lab: MailLab, tmp_path: Path) -> None:
    broken = lab.write_csv(tmp_path / "boxes.csv", wrong=20)

    done = system.command(*arguments(lab, tmp_path / "boxes.csv"))

    assert done.status == 1, done.err
    validate(done.document)
    fails = {line["address"]: line for line in done.document["mailboxes"] if line["impact"] != "keeps_working"}
    assert sorted(fails) == sorted(broken)
    assert {(line["impact"], line["code"], line["endpoint"]) for line in fails.values()} == {
        ("will_disconnect", "auth.rejected", "imap")
    }
    assert done.document["verdict"] == "unsafe"
    counts = {impact: count for impact, count in done.document["counts"].items() if count}
    assert counts == {"keeps_working": 180, "will_disconnect": 20}

    log = seen(lab)
    good = {address: 1 for address in lab.users if address not in set(broken)}
    assert log.imap == good
    assert log.smtp == good
    assert log.imap_rejected == dict.fromkeys(broken, 1)
    assert not log.smtp_rejected


def test_both_modes_come_to_the_same_report(
    embedded_system: System, distributed_system: System, lab: MailLab, tmp_path: Path
) -> None:
    lab.write_csv(tmp_path / "boxes.csv", wrong=3, count=20)

    first, second = (
        system.command(*arguments(lab, tmp_path / "boxes.csv")).document
        for system in (embedded_system, distributed_system)
    )

    assert first["checksum"] == second["checksum"]
    assert first["mailboxes"] == second["mailboxes"]
    assert first["change_id"] != second["change_id"]


def test_nobody_would_disconnect(system: System, lab: MailLab, tmp_path: Path) -> None:
    lab.write_csv(tmp_path / "boxes.csv", count=12)

    done = system.command(*arguments(lab, tmp_path / "boxes.csv"))

    assert done.status == 0, done.err
    assert done.document["verdict"] == "safe"


@pytest.mark.parametrize("count", [0, 1, 7])
def test_small_domains(system: System, lab: MailLab, count: int) -> None:
    system.load("small.example", boxes_of(lab, "small.example", count))

    found = system.verify("small.example", settings_of(lab))

    assert found.report.verdict == ("safe" if count else "cannot_tell")  # where nobody was tried, nobody can tell
    assert found.counts["keeps_working"] == len(found.lines) == count
    assert sum(lab.dovecot.logins().values()) == count


@pytest.mark.parametrize("count", [1, 5])
def test_a_small_domain_whose_every_password_is_wrong(system: System, lab: MailLab, count: int) -> None:
    """All of them are canaries, so nobody is left untried; several that are rejected alike point to the server."""
    system.load("small.example", boxes_of(lab, "small.example", count, wrong=range(count)))

    found = system.verify("small.example", settings_of(lab))

    impact, code = ("will_disconnect", "auth.rejected") if count == 1 else ("cannot_tell", "auth.all_rejected")
    assert found.counts == {impact: count}
    assert set(found.codes.values()) == {code}
    assert found.report.verdict != "safe"
    assert found.report.stop_code is None


@pytest.mark.usefixtures("honest_leases")
@pytest.mark.parametrize("page_size", [1, 500])
def test_page_sizes(embedded_system: System, lab: MailLab, page_size: int) -> None:
    embedded_system.load("pages.example", boxes_of(lab, "pages.example", 40, wrong=[7, 8]))

    found = embedded_system.verify("pages.example", settings_of(lab), page_size=page_size)

    assert found.counts == {"keeps_working": 38, "will_disconnect": 2}
    assert set(lab.dovecot.logins().values()) == {1}


def test_pages_of_one_mailbox_on_two_workers(own_system: System, lab: MailLab) -> None:
    own_system.load("pages.example", boxes_of(lab, "pages.example", 40, wrong=[7, 8]))

    with own_system.working(2, PAGE_SIZE="1", LANES="4", LEASE="15"):
        found = own_system.verify("pages.example", settings_of(lab))

    assert found.counts == {"keeps_working": 38, "will_disconnect": 2}
    assert set(lab.dovecot.logins().values()) == {1}


@pytest.mark.both_modes
def test_two_domains_at_the_same_time(system: System, lab: MailLab) -> None:
    """Given two domains, when both are saved before either is looked at, then each gets its own report."""
    names = ("one.example", "two.example")
    for name, wrong in zip(names, (3, 11), strict=True):
        system.load(name, boxes_of(lab, name, 40, wrong=range(40 - wrong, 40)))

    with system.open() as preflight, preflight.processes.working():
        saved = [account_of(preflight).changes.save(name, settings_of(lab)) for name in names]
        for one in saved:
            list(account_of(preflight).runs.follow(one.run_id, timeout=60))
        counts = [account_of(preflight).changes.report(one.change_id).counts["will_disconnect"] for one in saved]

    assert counts == [3, 11]


def test_starttls_and_auto(system: System, lab: MailLab) -> None:
    """Ports that are nobody's standard: `auto` tries both ways."""
    boxes = boxes_of(lab, "auto.example", 6)
    csv = write_csv(system.folder / "auto.csv", boxes)

    done = system.command(
        *("verify", "auto.example", "--json", "--mailboxes", str(csv), "--ca-file", str(lab.ca_file)),
        *("--imap", f"localhost:{lab.dovecot.imap_port}", "--smtp", f"localhost:{lab.postfix.submission_port}"),
    )

    assert done.status == 0, done.err
    assert [one["endpoint"]["security"] for one in done.document["endpoints"]] == ["starttls", "starttls"]
    assert set(lab.dovecot.logins("smtp").values()) == {1}


def test_a_mailbox_of_two_users_logs_in_with_its_username(system: System, lab: MailLab) -> None:
    user, password = next(iter(lab.users.items()))
    system.load("alias.example", [Box("someone@alias.example", password, user)])

    system.verify("alias.example", settings_of(lab))

    assert lab.dovecot.logins() == {user: 1}
