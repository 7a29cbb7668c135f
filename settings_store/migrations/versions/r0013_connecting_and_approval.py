"""Attempts to connect a mailbox, entries that wait for an admin, and changes that need a second person's approval."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_APPROVAL = (
    ("saved_by", sa.Text()),
    ("approved_by", sa.Text()),
    ("approved_name", sa.Text()),
    ("approved_at", sa.Float()),
    ("approved_checksum", sa.Text()),
)


def upgrade() -> None:
    op.add_column("domains", sa.Column("needs_approval", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name, kind in _APPROVAL:
        op.add_column("changes", sa.Column(name, kind, nullable=True))
    _attempts()


def downgrade() -> None:
    op.drop_table("attempts")
    for name, _ in reversed(_APPROVAL):
        op.drop_column("changes", name)
    op.drop_column("domains", "needs_approval")


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("credential_kind", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("protocol", sa.Text(), nullable=True),
        sa.Column("seen", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("lease_until", sa.Float(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('trying','connected','stored','failed','cannot_tell','pending','login_needed')",
            name=op.f("ck_attempts_state"),
        ),
        sa.CheckConstraint(
            "credential IS NULL OR state = 'pending'", name=op.f("ck_attempts_secret_only_where_pending")
        ),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_attempts_domain_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_attempts_settings_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_address", "attempts", ["domain_id", "address"])
    op.create_index("ix_attempts_state", "attempts", ["state", "at"])
    op.create_index("ix_attempts_settings_id", "attempts", ["settings_id"])
    trying = sa.text("state = 'trying'")
    op.create_index(
        "uq_attempts_trying",
        "attempts",
        ["domain_id", "address"],
        unique=True,
        sqlite_where=trying,
        postgresql_where=trying,
    )
