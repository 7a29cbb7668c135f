"""What speaks for a credential that was rejected, and how often in a row a server has rejected one."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_REMEMBERED = ("rejections", "change_rejections")


def upgrade() -> None:
    op.add_column("run_mailboxes", sa.Column("evidence", sa.Text(), nullable=True))
    for table in _REMEMBERED:
        op.add_column(table, sa.Column("times", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    for table in _REMEMBERED:
        op.drop_column(table, "times")
    op.drop_column("run_mailboxes", "evidence")
