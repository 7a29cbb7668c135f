"""The log of changes and what alerts tell become events: one table, numbered in the order in which it happened.

Rows are moved by a few statements, however many there are. When incidents were reopened is not known any more; what is
known has the time at which it happened.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STEPS = {
    "save": "change.saved",
    "verify": "change.verification_started",
    "finish": "change.verified",
    "cancel": "change.cancelled",
    "apply": "change.applied",
    "watch_failed": "change.watch_failed",
    "roll_back": "change.rolled_back",
    "discard": "change.discarded",
    "supersede": "change.superseded",
    "reopen": "change.reopened",
}
_RESUMED = "change.resumed"


def upgrade() -> None:
    _events()
    op.execute(_MOVE.format(kind=_cases("a.event", _STEPS), resumed=_RESUMED, json=_json_function()))
    op.drop_table("audit")
    op.execute("CREATE TABLE alerts_before AS SELECT * FROM alerts")
    op.drop_table("alerts")
    _alerts()
    op.execute(_MOVE_ALERTS.format(number=_from_json("e.payload", "number")))
    op.drop_table("alerts_before")


def downgrade() -> None:
    _audit()
    back = {kind: step for step, kind in _STEPS.items()} | {_RESUMED: "verify"}
    values = {name: _from_json("e.payload", name) for name in ("before", "after", "detail")}
    op.execute(_MOVE_BACK.format(event=_cases("e.kind", back), **values))
    op.execute("CREATE TABLE alerts_before AS SELECT * FROM alerts")
    op.drop_table("alerts")
    _earlier_alerts()
    op.execute(_MOVE_ALERTS_BACK.format(number=_from_json("e.payload", "number")))
    op.drop_table("alerts_before")
    op.drop_table("events")


def _json_function() -> str:
    return "json_build_object" if op.get_bind().dialect.name == "postgresql" else "json_object"


def _from_json(column: str, name: str) -> str:
    if op.get_bind().dialect.name == "postgresql":
        return f"({column} ->> '{name}')"
    return f"json_extract({column}, '$.{name}')"


def _cases(column: str, names: dict[str, str]) -> str:
    return f"CASE {column} " + " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in names.items()) + " END"


# A change's lines keep their order, even where the clock was put back between two of them: `place` only grows.
_MOVE = """
INSERT INTO events (kind, subject, account_id, domain_id, at, actor, source, payload)
SELECT kind, subject, account_id, domain_id, at, actor, source, payload FROM (
    SELECT
        CASE WHEN a.event = 'verify' AND a.detail = 'resumed' THEN '{resumed}' ELSE {kind} END AS kind,
        a.change_id AS subject, d.account_id AS account_id, c.domain_id AS domain_id,
        a.at AS at, a.actor AS actor, a.source AS source,
        {json}('before', a.before, 'after', a.after, 'detail', a.detail) AS payload,
        max(a.at) OVER (PARTITION BY a.change_id ORDER BY a.id) AS place, a.id AS line
    FROM audit a JOIN changes c ON c.id = a.change_id JOIN domains d ON d.id = c.domain_id
    UNION ALL
    SELECT 'incident.opened', i.id, i.account_id, i.domain_id, i.opened_at, 'mail-preflight', '',
        {json}('scope', i.scope, 'severity', i.severity, 'code', i.code, 'mailboxes', i.mailboxes),
        i.opened_at, 0
    FROM incidents i
    UNION ALL
    SELECT 'incident.reminder', i.id, i.account_id, i.domain_id, r.at, 'mail-preflight', '',
        {json}('scope', i.scope, 'severity', i.severity, 'code', i.code, 'mailboxes', i.mailboxes, 'number', r.number),
        r.at, 1
    FROM incidents i JOIN (
        SELECT incident_id, number, min(created_at) AS at FROM alerts WHERE kind = 'reminder'
        GROUP BY incident_id, number
    ) r ON r.incident_id = i.id
    UNION ALL
    SELECT CASE WHEN i.recovered_at IS NOT NULL OR t.incident_id IS NOT NULL
            THEN 'incident.resolved' ELSE 'incident.dropped' END,
        i.id, i.account_id, i.domain_id, coalesce(i.closed_at, t.at), 'mail-preflight', '',
        {json}('scope', i.scope, 'severity', i.severity, 'code', i.code, 'mailboxes', i.mailboxes),
        coalesce(i.closed_at, t.at), 2
    FROM incidents i LEFT JOIN (
        SELECT incident_id, min(created_at) AS at FROM alerts WHERE kind = 'resolved' GROUP BY incident_id
    ) t ON t.incident_id = i.id
    WHERE i.closed_at IS NOT NULL OR t.incident_id IS NOT NULL
) AS moved ORDER BY place, line
"""

_MOVE_ALERTS = """
INSERT INTO alerts (event_seq, channel_id, incident_id, created_at, due_at, delivery_id, dropped)
SELECT e.seq, b.channel_id, b.incident_id, b.created_at, b.due_at, b.delivery_id, b.dropped
FROM alerts_before b JOIN events e ON e.subject = b.incident_id AND e.kind = 'incident.' || b.kind
    AND (b.kind <> 'reminder' OR b.number = CAST({number} AS INTEGER))
"""

_MOVE_BACK = """
INSERT INTO audit (change_id, at, actor, source, event, before, after, detail)
SELECT e.subject, e.at, e.actor, e.source, {event}, {before}, {after}, {detail}
FROM events e WHERE e.kind LIKE 'change.%' ORDER BY e.seq
"""

_MOVE_ALERTS_BACK = """
INSERT INTO alerts (incident_id, channel_id, kind, number, created_at, due_at, delivery_id, dropped)
SELECT b.incident_id, b.channel_id, substr(e.kind, 10), coalesce(CAST({number} AS INTEGER), 0),
    b.created_at, b.due_at, b.delivery_id, b.dropped
FROM alerts_before b JOIN events e ON e.seq = b.event_seq
"""


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("domain_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
    )
    for name in ("subject", "account_id", "domain_id"):
        op.create_index(f"ix_events_{name}", "events", [name, "seq"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        *_same_columns(),
        sa.ForeignKeyConstraint(["event_seq"], ["events.seq"], name=op.f("fk_alerts_event_seq"), ondelete="CASCADE"),
        *_same_references(),
        sa.PrimaryKeyConstraint("event_seq", "channel_id", name=op.f("pk_alerts")),
    )
    for name in ("incident_id", "due_at", "delivery_id"):
        op.create_index(f"ix_alerts_{name}", "alerts", [name])


def _same_columns() -> tuple[sa.Column[float], sa.Column[float], sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("dropped", sa.Text(), nullable=True),
    )


def _same_references() -> tuple[sa.ForeignKeyConstraint, ...]:
    targets = {"channel_id": "alert_channels.id", "delivery_id": "deliveries.id", "incident_id": "incidents.id"}
    return tuple(
        sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_alerts_{column}"), ondelete="CASCADE")
        for column, target in targets.items()
    )


def _earlier_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_same_columns(),
        sa.CheckConstraint("kind IN ('opened','reminder','resolved')", name=op.f("ck_alerts_kind")),
        *_same_references(),
        sa.PrimaryKeyConstraint("incident_id", "channel_id", "kind", "number", name=op.f("pk_alerts")),
    )
    for name in ("delivery_id", "due_at"):
        op.create_index(f"ix_alerts_{name}", "alerts", [name])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name=op.f("fk_audit_change_id")),
    )
    op.create_index(op.f("ix_audit_change_id"), "audit", ["change_id"])
