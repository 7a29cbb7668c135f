"""Whether a domain's servers are connected to from the operator's static addresses.

The column is added in place, without a copy of the table: the trigger that keeps settings from changing stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("settings", sa.Column("static_addresses", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("settings", "static_addresses")
