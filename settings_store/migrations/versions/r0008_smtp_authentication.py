"""Whether a client logs in to SMTP, which a relay that admits clients by their address does not ask for.

The column is added in place, without a copy of the table: the trigger that keeps settings from changing stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    known = sa.CheckConstraint(
        "smtp_authentication IS NULL OR (kind = 'imap' AND smtp_authentication IN ('login', 'none'))",
        name=op.f("ck_settings_authentication_of_smtp"),
    )
    op.add_column("settings", sa.Column("smtp_authentication", sa.Text(), known, nullable=True))


def downgrade() -> None:
    op.drop_column("settings", "smtp_authentication")
