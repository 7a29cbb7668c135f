"""What came before what, by the database's own counting; and endpoints that nobody checks for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTED = ("domains", "mailboxes", "runs")

# Rows from before keep the order that their clocks gave them; every number to come is higher.
_FROM_CLOCKS = (
    "UPDATE mailboxes SET revision = CAST(changed_at * 1000 AS BIGINT) WHERE changed_at IS NOT NULL",
    "UPDATE runs SET revision = CAST(created_at * 1000 AS BIGINT)",
    """UPDATE domains SET revision = (
        SELECT coalesce(max(revision), 0) FROM (
            SELECT revision FROM mailboxes WHERE mailboxes.domain_id = domains.id
            UNION ALL SELECT revision FROM runs WHERE runs.domain_id = domains.id
        ) AS known)""",
)


def upgrade() -> None:
    for table in _COUNTED:
        op.add_column(table, sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"))
    for statement in _FROM_CLOCKS:
        op.execute(statement)
    op.create_table(
        "quarantined_endpoints",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_quarantined_endpoints")),
    )


def downgrade() -> None:
    op.drop_table("quarantined_endpoints")
    for table in _COUNTED:
        op.drop_column(table, "revision")
