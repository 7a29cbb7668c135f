"""Credentials that a change proposes, beside those in force; and mailboxes that come with a change.

SQLite takes a NOT NULL away only by a copy of the table, and dropping the original would delete what refers to it. So
the text of the schema is changed instead, as https://www.sqlite.org/lang_altertable.html (section 8) describes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REQUIRED, _OPTIONAL = "domain_id INTEGER NOT NULL", "domain_id INTEGER"


def upgrade() -> None:
    _change_domain_id(_REQUIRED, _OPTIONAL, nullable=True)
    op.add_column("mailboxes", sa.Column("change_id", sa.Text(), nullable=True))
    op.create_index("ix_mailboxes_change_id", "mailboxes", ["change_id"])
    _credentials()
    _rejections()


def downgrade() -> None:
    op.drop_table("change_rejections")
    op.drop_table("change_credentials")
    op.drop_index("ix_mailboxes_change_id", "mailboxes")
    op.drop_column("mailboxes", "change_id")
    op.execute("DELETE FROM mailboxes WHERE domain_id IS NULL")
    _change_domain_id(_OPTIONAL, _REQUIRED, nullable=False)


def _change_domain_id(before: str, after: str, *, nullable: bool) -> None:
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        op.alter_column("mailboxes", "domain_id", nullable=nullable)
        return
    text = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'mailboxes'").scalar_one()
    if text.count(before) != 1:
        raise RuntimeError("the table mailboxes is not as the revision before made it")
    version = conn.exec_driver_sql("PRAGMA schema_version").scalar_one()
    conn.exec_driver_sql("PRAGMA writable_schema = ON")
    conn.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE name = 'mailboxes'", (text.replace(before, after),))
    conn.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    conn.exec_driver_sql("PRAGMA writable_schema = OFF")


def _credentials() -> None:
    op.create_table(
        "change_credentials",
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("credential_kind", sa.Text(), nullable=False),
        sa.Column("came_with", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"),
        sa.CheckConstraint("holds IN ('proposed','replaced')", name=op.f("ck_change_credentials_holds")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["changes.id"], name=op.f("fk_change_credentials_change_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_change_credentials_mailbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("change_id", "mailbox_id", "holds", name=op.f("pk_change_credentials")),
    )
    op.create_index("ix_change_credentials_mailbox_id", "change_credentials", ["mailbox_id"])


def _rejections() -> None:
    op.create_table(
        "change_rejections",
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id", "mailbox_id", "holds"],
            ["change_credentials.change_id", "change_credentials.mailbox_id", "change_credentials.holds"],
            name=op.f("fk_change_rejections_change_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change_id", "mailbox_id", "holds", "server", name=op.f("pk_change_rejections")),
    )
