"""The mailboxes of a domain are counted by their states without reading them: an index has both."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_mailboxes_domain_state", "mailboxes", ["domain_id", "state"])


def downgrade() -> None:
    op.drop_index("ix_mailboxes_domain_state", "mailboxes")
