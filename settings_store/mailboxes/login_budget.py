"""A budget of logins an hour for each mailbox, over all runs.

It is spent when a page is claimed, so a crash spends too much rather than too little.
"""

from functools import cache

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from settings_store import schema
from settings_store.db import insert_for
from settings_store.runs.outcomes import open_rows
from settings_store.runs.runs import CANDIDATE, RUN, Phase

_HOUR = 3600

_rows, _budget = schema.run_mailboxes, schema.login_budget
_WINDOW, _LOGINS = sa.bindparam("window", type_=sa.Integer), sa.bindparam("logins", type_=sa.Integer)


def spend(conn: Connection, run_id: str, phase: Phase, page: int, *, logins: int, limit: int, now: float) -> int:
    """Charges a page's open mailboxes with `logins` each, and leaves those untried that have `limit` in this hour.

    Returns how many are left untried.
    """
    mine = {"run": run_id, "of_page": page, "window": int(now // _HOUR), "logins": logins}
    left = int(conn.execute(_leaving(phase), {**mine, "most": limit}).rowcount)
    conn.execute(_charging(phase, conn.dialect.name), mine)
    return left


# Both are made once: it takes longer than to execute them, and they are for each page.


@cache
def _leaving(phase: Phase) -> sa.Update:
    spent = (
        sa.select(_budget.c.mailbox_id)
        .where(_budget.c.mailbox_id == _rows.c.mailbox_id, _budget.c.hour == _WINDOW)
        .where(_budget.c.used + _LOGINS > sa.bindparam("most", type_=sa.Integer))
        .exists()
    )
    values = {"verdict": Verdict.INCONCLUSIVE.value, "code": Code.RUN_BUDGET.value}
    if phase != CANDIDATE:
        values = {"baseline_verdict": Verdict.INCONCLUSIVE.value, "baseline_code": Code.RUN_BUDGET.value}
    return _rows.update().where(*_of_page(phase), spent).values(values)


@cache
def _charging(phase: Phase, dialect: str) -> sa.Insert:
    charged = sa.select(_rows.c.mailbox_id, _WINDOW, _LOGINS).where(*_of_page(phase))
    charged = charged.order_by(_rows.c.mailbox_id)  # other runs have these mailboxes too: one order, see `runs.lock`
    insert = insert_for(dialect, _budget).from_select(["mailbox_id", "hour", "used"], charged)
    used = sa.case((_budget.c.hour == _WINDOW, _budget.c.used + _LOGINS), else_=_LOGINS)
    return insert.on_conflict_do_update(index_elements=["mailbox_id"], set_={"hour": _WINDOW, "used": used})


def _of_page(phase: Phase) -> tuple[sa.ColumnElement[bool], ...]:
    page = _rows.c.page if phase == CANDIDATE else _rows.c.baseline_page
    return _rows.c.run_id == RUN, page == sa.bindparam("of_page", type_=sa.Integer), open_rows(phase)
