"""What health checks know, incidents, and the alerts about them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_mailboxes_state", "mailboxes", ["state", "health_fails"]),
    ("ix_changes_state", "changes", ["domain_id", "state"]),
    ("ix_runs_stage", "runs", ["stage", "touched_at"]),
    ("ix_runs_settings_id", "runs", ["settings_id", "kind", "created_at"]),
)


def upgrade() -> None:
    op.add_column("domains", sa.Column("paused_at", sa.Float(), nullable=True))
    op.add_column("mailboxes", sa.Column("health_at", sa.Float(), nullable=True))
    fails: sa.Column[int] = sa.Column("health_fails", sa.Integer(), server_default="0", nullable=False)
    op.add_column("mailboxes", fails)
    op.create_index("ix_mailboxes_health_at", "mailboxes", ["domain_id", "health_at"])
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    _alert_channels()
    _health_hours()
    _health_results()
    _health_schedule()
    _maintenance()
    _deliveries()
    _health_endpoints()
    _incidents()
    _alerts()
    _incident_domains()


def downgrade() -> None:
    for table in (
        "incident_domains",
        "alerts",
        "incidents",
        "health_endpoints",
        "deliveries",
        "maintenance",
        "health_schedule",
        "health_results",
        "health_hours",
        "alert_channels",
    ):
        op.drop_table(table)
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
    op.drop_index("ix_mailboxes_health_at", "mailboxes")
    for name in ("health_fails", "health_at"):
        op.drop_column("mailboxes", name)
    op.drop_column("domains", "paused_at")


def _alert_channels() -> None:
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("operator", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint("severity IN ('critical','warning','info')", name=op.f("ck_alert_channels_severity")),
        sa.CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_alert_channels_quiet")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_alert_channels_account_id")),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_alert_channels_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_channels")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_alert_channels_account_id")),
    )


def _health_hours() -> None:
    op.create_table(
        "health_hours",
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("ok", sa.Integer(), nullable=False),
        sa.Column("fail", sa.Integer(), nullable=False),
        sa.Column("inconclusive", sa.Integer(), nullable=False),
        sa.Column("ms_sum", sa.Float(), nullable=False),
        sa.Column("ms_max", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_health_hours_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain_id", "protocol", "hour", name=op.f("pk_health_hours")),
    )
    op.create_index("ix_health_hours_hour", "health_hours", ["hour"])


def _health_results() -> None:
    op.create_table(
        "health_results",
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("ms", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_health_results_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain_id", "protocol", "at", name=op.f("pk_health_results")),
    )
    op.create_index("ix_health_results_at", "health_results", ["at"])


def _health_schedule() -> None:
    op.create_table(
        "health_schedule",
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("endpoints_due", sa.Float(), nullable=False),
        sa.Column("mailboxes_due", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_health_schedule_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain_id", name=op.f("pk_health_schedule")),
    )
    op.create_index("ix_health_schedule_endpoints_due", "health_schedule", ["endpoints_due"])
    op.create_index("ix_health_schedule_mailboxes_due", "health_schedule", ["mailboxes_due"])


def _maintenance() -> None:
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.Float(), nullable=False),
        sa.Column("ends_at", sa.Float(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_maintenance_order")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_maintenance_account_id")),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_maintenance_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_index("ix_maintenance_account_id", "maintenance", ["account_id"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Float(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('pending','sent','given_up')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["alert_channels.id"], name=op.f("fk_deliveries_channel_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_channel_id", "deliveries", ["channel_id"])
    op.create_index("ix_deliveries_next_at", "deliveries", ["next_at"])


def _health_endpoints() -> None:
    op.create_table(
        "health_endpoints",
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Integer(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("fails", sa.Integer(), nullable=False),
        sa.Column("oks", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("first_bad_at", sa.Float(), nullable=True),
        sa.Column("last_ok_at", sa.Float(), nullable=True),
        sa.Column("checked_at", sa.Float(), nullable=False),
        sa.Column("ms", sa.Float(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("key_changed_at", sa.Float(), nullable=True),
        sa.Column("key_change", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.Column("moved", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint("state IN ('ok','fail','silent','unknown')", name=op.f("ck_health_endpoints_state")),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_health_endpoints_domain_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_health_endpoints_settings_id")),
        sa.PrimaryKeyConstraint("domain_id", "protocol", name=op.f("pk_health_endpoints")),
    )
    op.create_index("ix_health_endpoints_server", "health_endpoints", ["server"])
    op.create_index("ix_health_endpoints_moved", "health_endpoints", ["moved"])
    op.create_index("ix_health_endpoints_state", "health_endpoints", ["state"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("open_subject", sa.Text(), nullable=True),
        sa.Column("domain_id", sa.Integer(), nullable=True),
        sa.Column("mailbox_id", sa.Integer(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("recovered_at", sa.Float(), nullable=True),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.Column("reopened", sa.Integer(), server_default="0", nullable=False),
        sa.Column("remind_at", sa.Float(), nullable=True),
        sa.Column("reminders", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mailboxes", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "scope IN ('endpoint','server','mailbox','mailboxes','source','service','notice')",
            name=op.f("ck_incidents_scope"),
        ),
        sa.CheckConstraint("severity IN ('critical','warning','info')", name=op.f("ck_incidents_severity")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_incidents_account_id")),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_incidents_domain_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_incidents_mailbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("open_subject", name=op.f("uq_incidents_open_subject")),
    )
    op.create_index("ix_incidents_account_id", "incidents", ["account_id"])
    op.create_index("ix_incidents_closed_at", "incidents", ["closed_at"])
    op.create_index("ix_incidents_domain_id", "incidents", ["domain_id"])
    op.create_index("ix_incidents_mailbox_id", "incidents", ["mailbox_id"])
    op.create_index("ix_incidents_subject", "incidents", ["subject"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("dropped", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('opened','reminder','resolved')", name=op.f("ck_alerts_kind")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["alert_channels.id"], name=op.f("fk_alerts_channel_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_alerts_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_alerts_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", "channel_id", "kind", "number", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_delivery_id", "alerts", ["delivery_id"])
    op.create_index("ix_alerts_due_at", "alerts", ["due_at"])


def _incident_domains() -> None:
    op.create_table(
        "incident_domains",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_incident_domains_domain_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_domains_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", "domain_id", name=op.f("pk_incident_domains")),
    )
    op.create_index("ix_incident_domains_domain_id", "incident_domains", ["domain_id"])
