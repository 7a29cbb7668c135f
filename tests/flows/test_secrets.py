"""A password goes to the mail server and nowhere else; addresses and hosts stay out of the broker too."""

import base64
from pathlib import Path

import pytest

from tests.flows.harness import Box, System, boxes_of, settings_of, write_csv
from tests.flows.traces import assert_none, bodies_in, dump, outputs
from tests.servers.lab import MailLab
from tests.servers.redis import RedisServer

DOMAIN = "secrets.example"
WRONG = range(3)
ADDRESSES = (DOMAIN, "box00", "user00", "lab.example", "localhost")


def arguments(system: System, lab: MailLab) -> list[str]:
    csv = write_csv(system.folder / "secrets.csv", planted(lab))
    return [
        *("verify", DOMAIN, "--mailboxes", str(csv), "--ca-file", str(lab.ca_file)),
        *("--imap", f"localhost:{lab.dovecot.imaps_port}", "--imap-security", "tls"),
        *("--smtp", f"localhost:{lab.postfix.smtps_port}", "--smtp-security", "tls"),
    ]


def planted(lab: MailLab) -> list[Box]:
    return boxes_of(lab, DOMAIN, 12, wrong=WRONG)


def traces(lab: MailLab) -> list[bytes]:
    """Every password as it is, and as a client sends it: base64 of the password alone and of AUTH PLAIN (RFC 4616)."""
    secrets = []
    for box in planted(lab):
        plain = f"\0{box.username}\0{box.password}"
        secrets += [box.password.encode(), *(base64.b64encode(text.encode()) for text in (box.password, plain))]
    return secrets


def test_embedded(embedded_system: System, lab: MailLab) -> None:
    embedded_system.log_level = "DEBUG"
    with embedded_system.start(*arguments(embedded_system, lab)) as command:
        assert command.wait().status == 1
    embedded_system.command(*arguments(embedded_system, lab), "--json")

    for suffix in ("", "-wal"):
        path = Path(f"{embedded_system.folder}/preflight.db{suffix}")
        if path.exists() and path.stat().st_size:
            assert_none(traces(lab), path.read_bytes(), path.name)
    assert_none(traces(lab), outputs(embedded_system), "what the commands said")


def test_distributed(distributed_system: System, lab: MailLab, shared_redis: RedisServer) -> None:
    with shared_redis.monitor() as monitor:
        assert distributed_system.command(*arguments(distributed_system, lab)).status == 1
        assert distributed_system.command(*arguments(distributed_system, lab), "--json").status == 1
        told = monitor.text().encode()

    assert b"start_run" in told
    bodies = b"".join(bodies_in(told))
    for needles in (traces(lab), [word.encode() for word in ADDRESSES]):
        assert_none(needles, told, "Redis")
        assert_none(needles, bodies, "the bodies of the messages")
    assert_none(traces(lab), dump(distributed_system.database_url), "PostgreSQL")
    assert_none(traces(lab), outputs(distributed_system), "what commands and workers said")


def test_a_login_that_breaks_on_our_side_tells_no_password(
    embedded_system: System, lab: MailLab, caplog: pytest.LogCaptureFixture
) -> None:
    """A password that no protocol can carry as it is: whatever is said about it must not quote it."""
    secret = "Sésame-\u3042-ouvre"
    user = next(iter(lab.users))
    embedded_system.load(DOMAIN, [Box(f"one@{DOMAIN}", secret, user), Box(f"two@{DOMAIN}", 'a b"c\\d', user)])
    caplog.set_level("DEBUG", "worker")
    caplog.set_level("DEBUG", "checks")

    found = embedded_system.verify(DOMAIN, settings_of(lab))

    assert found.codes == {f"one@{DOMAIN}": "auth.unsendable", f"two@{DOMAIN}": "auth.rejected"}
    assert secret not in caplog.text
    assert not any(secret in line.seen for line in found.lines.values())
