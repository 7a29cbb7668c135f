"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_EITHER_OR = """
    (kind = 'imap' AND imap_host IS NOT NULL AND imap_port IS NOT NULL AND imap_security IS NOT NULL
        AND smtp_host IS NOT NULL AND smtp_port IS NOT NULL AND smtp_security IS NOT NULL AND exchange_url IS NULL)
    OR (kind = 'exchange' AND imap_host IS NULL AND imap_port IS NULL AND imap_security IS NULL
        AND smtp_host IS NULL AND smtp_port IS NULL AND smtp_security IS NULL AND exchange_url IS NOT NULL)
"""

_REFUSE_UPDATE_SQLITE = """
    CREATE TRIGGER settings_are_immutable BEFORE UPDATE ON settings
    BEGIN SELECT RAISE(ABORT, 'settings versions are immutable'); END
"""

_REFUSE_UPDATE_POSTGRESQL = (
    """
    CREATE FUNCTION refuse_settings_update() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'settings versions are immutable' USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER settings_are_immutable BEFORE UPDATE ON settings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_settings_update()
    """,
)


def upgrade() -> None:
    _accounts()
    _domains()
    _settings()
    _mailboxes()
    _changes()
    _runs()
    _endpoint_results()
    _pages()
    _run_mailboxes()
    if op.get_bind().dialect.name == "postgresql":
        _add_settings_in_force()
    _refuse_settings_update()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_domains_settings_id", "domains", type_="foreignkey")
    for table in (
        "run_mailboxes",
        "pages",
        "endpoint_results",
        "runs",
        "changes",
        "mailboxes",
        "settings",
        "domains",
        "accounts",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_settings_update")


def _add_settings_in_force() -> None:
    # Domains and settings point at each other. SQLite takes the reference to a table still to come and has no ALTER
    # for it later; PostgreSQL is the other way round.
    op.create_foreign_key("fk_domains_settings_id", "domains", "settings", ["settings_id"], ["id"])


def _refuse_settings_update() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_REFUSE_UPDATE_SQLITE)
        return
    for statement in _REFUSE_UPDATE_POSTGRESQL:
        op.execute(statement)


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_domains_account_id")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_domains_settings_id"), use_alter=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domains")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_domains_account_id")),
    )


def _mailboxes() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("credential_kind", sa.Text(), server_default="password", nullable=False),
        sa.Column("state", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("state_code", sa.Text(), nullable=True),
        sa.Column("state_since", sa.Float(), nullable=True),
        sa.CheckConstraint("state IN ('connected', 'disconnected', 'unknown')", name=op.f("ck_mailboxes_state")),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_mailboxes_domain_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("domain_id", "address", name=op.f("uq_mailboxes_domain_id")),
    )


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("imap_host", sa.Text(), nullable=True),
        sa.Column("imap_port", sa.Integer(), nullable=True),
        sa.Column("imap_security", sa.Text(), nullable=True),
        sa.Column("smtp_host", sa.Text(), nullable=True),
        sa.Column("smtp_port", sa.Integer(), nullable=True),
        sa.Column("smtp_security", sa.Text(), nullable=True),
        sa.Column("exchange_url", sa.Text(), nullable=True),
        sa.Column("allow_insecure_certificate", sa.Boolean(), nullable=False),
        sa.Column("ca_pem", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint(_EITHER_OR, name=op.f("ck_settings_either_imap_or_exchange")),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_settings_domain_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings")),
    )
    op.create_index(op.f("ix_settings_domain_id"), "settings", ["domain_id"], unique=False)


def _changes() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("settings_id", sa.Integer(), nullable=False),
        sa.Column("base_settings_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("applied_at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft','verifying','verified','applied','discarded','superseded','rolled_back')",
            name=op.f("ck_changes_state"),
        ),
        sa.ForeignKeyConstraint(["base_settings_id"], ["settings.id"], name=op.f("fk_changes_base_settings_id")),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_changes_domain_id")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_changes_settings_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_domain_id"), "changes", ["domain_id"], unique=False)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=True),
        sa.Column("settings_id", sa.Integer(), nullable=False),
        sa.Column("baseline_settings_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stop_code", sa.Text(), nullable=True),
        sa.Column("stop_detail", sa.Text(), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Float(), server_default="0", nullable=False),
        sa.Column("touched_at", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.Column("checksum", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('preflight','health')", name=op.f("ck_runs_kind")),
        sa.CheckConstraint(
            "stage IN ('queued','endpoints','canaries','mailboxes','baseline','finished','cancelled')",
            name=op.f("ck_runs_stage"),
        ),
        sa.ForeignKeyConstraint(["baseline_settings_id"], ["settings.id"], name=op.f("fk_runs_baseline_settings_id")),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name=op.f("fk_runs_change_id")),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_runs_domain_id")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_runs_settings_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_change_id"), "runs", ["change_id"], unique=False)
    op.create_index(op.f("ix_runs_domain_id"), "runs", ["domain_id"], unique=False)


def _endpoint_results() -> None:
    op.create_table(
        "endpoint_results",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_endpoint_results_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "phase", "protocol", name=op.f("pk_endpoint_results")),
    )


def _pages() -> None:
    op.create_table(
        "pages",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Float(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_pages_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "phase", "number", name=op.f("pk_pages")),
    )


def _run_mailboxes() -> None:
    op.create_table(
        "run_mailboxes",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("protocol", sa.Text(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("ms", sa.Float(), nullable=True),
        sa.Column("baseline_page", sa.Integer(), nullable=True),
        sa.Column("baseline_verdict", sa.Text(), nullable=True),
        sa.Column("baseline_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_run_mailboxes_mailbox_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_mailboxes_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "mailbox_id", name=op.f("pk_run_mailboxes")),
    )
    op.create_index("ix_run_mailboxes_page", "run_mailboxes", ["run_id", "page"], unique=False)
