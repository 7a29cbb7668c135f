"""With the option on, the key that an admin let in is the only one that logins go to."""

import sqlalchemy as sa

from settings_store import schema
from settings_store.runs.runs import CANDIDATE
from tests.flows.harness import System, boxes_of, settings_of
from tests.servers.lab import MailLab
from worker.changes.watch import begin_watches
from worker.runs.endpoints import endpoint_results
from worker.service.preflight import Preflight

DOMAIN = "pinned.example"


def watched(preflight: Preflight) -> dict[str, str]:
    """One round of the watch, done here: protocol -> the endpoint's code."""
    assert begin_watches(preflight.flow.resources) == 1
    table = schema.runs
    newest = sa.select(table.c.id).where(table.c.kind == "health").order_by(table.c.created_at.desc()).limit(1)
    with preflight.database.read() as conn:
        run_id = conn.execute(newest).scalar_one()
    preflight.flow.start_run(run_id)
    preflight.flow.finish_run(run_id)
    return {
        result.endpoint.protocol: result.code
        for result in endpoint_results(preflight.flow.resources, run_id, CANDIDATE)
    }


def test_a_changed_key_gets_no_credential(embedded_system: System, other_lab: MailLab) -> None:
    """Given settings in force with the option on, when the server has another key, then nobody logs in there."""
    embedded_system.load(DOMAIN, boxes_of(other_lab, DOMAIN, 6))
    embedded_system.apply(DOMAIN, settings_of(other_lab, ca=False, allow_insecure=True))
    other_lab.dovecot.restart(certificate=other_lab.certificates.issue())
    other_lab.forget()

    with embedded_system.open() as preflight:
        codes = watched(preflight)

    assert codes == {"imap": "tls.pin_changed", "smtp": "ok"}
    assert not other_lab.dovecot.logins()
    assert not other_lab.dovecot.rejections()


def test_an_admin_accepts_the_new_key_by_applying_anew(embedded_system: System, other_lab: MailLab) -> None:
    settings = settings_of(other_lab, ca=False, allow_insecure=True)
    embedded_system.load(DOMAIN, boxes_of(other_lab, DOMAIN, 6))
    embedded_system.apply(DOMAIN, settings)
    other_lab.dovecot.restart(certificate=other_lab.certificates.issue())
    embedded_system.apply(DOMAIN, settings)

    with embedded_system.open() as preflight:
        assert watched(preflight) == {"imap": "ok", "smtp": "ok"}
