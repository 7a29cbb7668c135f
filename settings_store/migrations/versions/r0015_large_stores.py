"""What a store of a hundred thousand domains needs: indexes for what is rare, and for what refers to what is deleted.

`runs.kept` says whether what a health check found of each mailbox is there still, and `tally` what that was in all;
`domains.checked_settings_id` under which settings all of a domain's endpoints were looked at.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_UNSETTLED = (
    "paused_at IS NOT NULL OR settings_id IS NULL OR checked_settings_id IS NULL OR checked_settings_id <> settings_id"
)
_TELLING = "moved OR fails > 0 OR silent > 0 OR state IN ('fail', 'silent', 'unknown')"

_INDEXES = (
    # A row that is deleted is looked for in all that may refer to it.
    ("ix_domains_settings_id", "domains", ("settings_id",)),
    ("ix_changes_settings_id", "changes", ("settings_id",)),
    ("ix_changes_base_settings_id", "changes", ("base_settings_id",)),
    ("ix_runs_baseline_settings_id", "runs", ("baseline_settings_id",)),
    ("ix_health_endpoints_settings_id", "health_endpoints", ("settings_id",)),
    ("ix_users_domain_id", "users", ("domain_id",)),
    ("ix_alerts_channel_id", "alerts", ("channel_id",)),
    # Lists that are read a page at a time.
    ("ix_events_kind", "events", ("account_id", "kind", "seq")),
    ("ix_events_actor", "events", ("account_id", "actor", "seq")),
    ("ix_events_api_key_id", "events", ("account_id", "api_key_id", "seq")),
    ("ix_incidents_opened_at", "incidents", ("account_id", "opened_at")),
    ("ix_deliveries_created_at", "deliveries", ("created_at",)),
    ("ix_health_endpoints_source", "health_endpoints", ("source",)),
    ("ix_health_schedule_server", "health_schedule", ("server",)),
)
_PARTIAL = (
    ("ix_settings_static_addresses", "settings", "domain_id", "static_addresses"),
    ("ix_domains_unsettled", "domains", "account_id", _UNSETTLED),
    ("ix_health_endpoints_telling", "health_endpoints", "domain_id", _TELLING),
    ("ix_runs_forgettable", "runs", "touched_at", "kind = 'health' AND kept"),
    ("ix_incidents_open", "incidents", "account_id opened_at", "closed_at IS NULL"),
    ("ix_deliveries_pending", "deliveries", "next_at", "state = 'pending'"),
    ("ix_alerts_waiting", "alerts", "channel_id", "delivery_id IS NULL AND dropped IS NULL"),
)
_REPLACED = (("ix_incidents_account_id", "incidents", "account_id"), ("ix_deliveries_next_at", "deliveries", "next_at"))


def upgrade() -> None:
    op.add_column("domains", sa.Column("checked_settings_id", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("kept", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("runs", sa.Column("tally", sa.JSON(), nullable=True))
    op.execute(_ALL_CHECKED)
    for name, table, columns in _INDEXES:
        op.create_index(name, table, list(columns))
    for name, table, named, where in _PARTIAL:
        op.create_index(name, table, named.split(), sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    for name, table, _ in _REPLACED:
        op.drop_index(name, table)


def downgrade() -> None:
    for name, table, column in _REPLACED:
        op.create_index(name, table, [column])
    for name, table, *_ in (*_PARTIAL, *_INDEXES):
        op.drop_index(name, table)
    op.drop_column("runs", "tally")
    op.drop_column("runs", "kept")
    op.drop_column("domains", "checked_settings_id")


# A check looks at all endpoints of a domain.
_ALL_CHECKED = """
    UPDATE domains SET checked_settings_id = settings_id WHERE EXISTS (
        SELECT 1 FROM health_endpoints
        WHERE health_endpoints.domain_id = domains.id AND health_endpoints.settings_id = domains.settings_id
    )
"""
