"""A budget of logins an hour for each mailbox, over all runs.

It is spent when a page is claimed, so a crash spends too much rather than too little.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from settings_store import schema
from settings_store.db import insert_into
from settings_store.runs.outcomes import open_rows
from settings_store.runs.runs import CANDIDATE, Phase

_HOUR = 3600

_rows, _budget = schema.run_mailboxes, schema.login_budget


def spend(conn: Connection, run_id: str, phase: Phase, page: int, *, logins: int, limit: int, now: float) -> int:
    """Charges a page's open mailboxes with `logins` each, and leaves those untried that have `limit` in this hour.

    Returns how many are left untried.
    """
    window = int(now // _HOUR)
    page_column = _rows.c.page if phase == CANDIDATE else _rows.c.baseline_page
    mine = (_rows.c.run_id == run_id, page_column == page, open_rows(phase))
    spent = (
        sa.select(_budget.c.mailbox_id)
        .where(_budget.c.mailbox_id == _rows.c.mailbox_id, _budget.c.hour == window)
        .where(_budget.c.used + logins > limit)
        .exists()
    )
    values = {"verdict": Verdict.INCONCLUSIVE.value, "code": Code.RUN_BUDGET.value}
    if phase != CANDIDATE:
        values = {"baseline_verdict": Verdict.INCONCLUSIVE.value, "baseline_code": Code.RUN_BUDGET.value}
    left = int(conn.execute(_rows.update().where(*mine, spent).values(values)).rowcount)
    charged = sa.select(_rows.c.mailbox_id, sa.literal(window), sa.literal(logins)).where(*mine)
    charged = charged.order_by(_rows.c.mailbox_id)  # other runs have these mailboxes too: one order, see `runs.lock`
    insert = insert_into(conn, _budget).from_select(["mailbox_id", "hour", "used"], charged)
    used = sa.case((_budget.c.hour == window, _budget.c.used + logins), else_=logins)
    conn.execute(insert.on_conflict_do_update(index_elements=["mailbox_id"], set_={"hour": window, "used": used}))
    return left
