"""Which mailboxes a run tries with a credential that its change proposes, and not with the one in force."""

import sqlalchemy as sa

from settings_store import schema

RunId = str | sa.BindParameter[str]
"""A run's id, or its place in a statement that is made once and kept."""

PROPOSED, REPLACED = "proposed", "replaced"
"""What `change_credentials` holds, before the change is applied and after it."""

_runs, _rows, _held = schema.runs, schema.run_mailboxes, schema.change_credentials


def change_of(run_id: RunId) -> sa.ScalarSelect[str | None]:
    """The change that a run verifies; NULL for one that looks after what is in force."""
    return sa.select(_runs.c.change_id).where(_runs.c.id == run_id, _runs.c.kind == "preflight").scalar_subquery()


def proposed(run_id: RunId, mailbox_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """What joins a mailbox with the credential that a run's change proposes for it."""
    return sa.and_(_held.c.change_id == change_of(run_id), _held.c.mailbox_id == mailbox_id, _held.c.holds == PROPOSED)


def is_proposed(run_id: RunId, *which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether a mailbox of the run (a row of `run_mailboxes`) has one, for which those conditions hold."""
    query = sa.select(_held.c.mailbox_id).where(proposed(run_id, _rows.c.mailbox_id), *which)
    return query.correlate(_rows).exists()


def has_credential(run_id: RunId) -> sa.ColumnElement[bool]:
    """Whether a mailbox of the run, joined with `mailboxes`, has any credential to be tried with."""
    return sa.or_(schema.mailboxes.c.credential.is_not(None), is_proposed(run_id))


def own_rejections(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    """The rows of `change_rejections` that speak of what the run's change proposes."""
    table = schema.change_rejections
    return table.c.change_id == change_of(run_id), table.c.holds == PROPOSED
