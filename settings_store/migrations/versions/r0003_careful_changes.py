"""The log of changes, the watch after applying, remembered rejections and the login budget."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WATCH = ("watch_until", "watch_next")


_INDEXES = (
    ("ix_run_mailboxes_baseline_page", "run_mailboxes", ["run_id", "baseline_page"]),
    ("ix_run_mailboxes_mailbox_id", "run_mailboxes", ["mailbox_id"]),
    ("ix_runs_touched_at", "runs", ["touched_at"]),
)


def upgrade() -> None:
    for name in _WATCH:
        op.add_column("changes", sa.Column(name, sa.Float(), nullable=True))
    by_itself: sa.Column[bool] = sa.Column(
        "roll_back_by_itself", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("changes", by_itself)
    op.add_column("mailboxes", sa.Column("changed_at", sa.Float(), nullable=True))
    op.create_index("ix_changes_watch_next", "changes", ["watch_next"])
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    _audit()
    _rejections()
    _login_budget()


def downgrade() -> None:
    for table in ("login_budget", "rejections", "audit"):
        op.drop_table(table)
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
    op.drop_index("ix_changes_watch_next", "changes")
    op.drop_column("mailboxes", "changed_at")
    for name in ("roll_back_by_itself", *_WATCH):
        op.drop_column("changes", name)


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


def _rejections() -> None:
    op.create_table(
        "rejections",
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", "server", name=op.f("pk_rejections")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_rejections_mailbox_id"), ondelete="CASCADE"
        ),
    )


def _login_budget() -> None:
    op.create_table(
        "login_budget",
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_login_budget")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_login_budget_mailbox_id"), ondelete="CASCADE"
        ),
    )
