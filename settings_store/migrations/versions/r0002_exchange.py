"""What was typed for an Exchange URL, and what a mailbox's services came to.

Columns are added in place, without a copy of the table: the trigger that keeps settings from changing stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    exchange_only = sa.CheckConstraint(
        "exchange_typed IS NULL OR kind = 'exchange'", name=op.f("ck_settings_typed_for_exchange")
    )
    op.add_column("settings", sa.Column("exchange_typed", sa.Text(), exchange_only, nullable=True))
    op.add_column("run_mailboxes", sa.Column("services", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("run_mailboxes", "services")
    op.drop_column("settings", "exchange_typed")
