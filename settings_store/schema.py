"""The tables. Times are UTC seconds since 1970 (float); enumerations are stored as their values.

The database holds the rules that must never break: settings are IMAP or Exchange and not both, a mailbox has one row a
run, an address is unique in its domain.

The conditions of indexes are given for SQLite alone; PostgreSQL's have them by their revisions. To name that dialect
here would import it, with the modules of all its drivers, at every start.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_IMAP_COLUMNS = ("imap_host", "imap_port", "imap_security", "smtp_host", "smtp_port", "smtp_security")
_EITHER_OR = (
    "(kind = 'imap' AND {} AND exchange_url IS NULL) OR (kind = 'exchange' AND {} AND exchange_url IS NOT NULL)".format(
        " AND ".join(f"{name} IS NOT NULL" for name in _IMAP_COLUMNS),
        " AND ".join(f"{name} IS NULL" for name in _IMAP_COLUMNS),
    )
)

# Most rows of some tables say the same: an index of the few others finds those without reading all. Whoever asks for
# them says it in these very words, or no index is used.
UNSETTLED = sa.text(
    "paused_at IS NOT NULL OR settings_id IS NULL OR checked_settings_id IS NULL OR checked_settings_id <> settings_id"
)
"""Domains that are not simply watched: paused, without settings, or not checked yet under those in force."""
TELLING = sa.text("moved OR fails > 0 OR silent > 0 OR state IN ('fail', 'silent', 'unknown')")
"""Endpoints that changed since incidents were last judged, or may not work."""
FORGETTABLE = sa.text("kind = 'health' AND kept")
"""Runs of which not all is kept for ever."""
STATIC = sa.text("static_addresses")
"""Settings by which the operator's static addresses are used."""
OPEN = sa.text("closed_at IS NULL")
PENDING = sa.text("state = 'pending'")
WAITING = sa.text("delivery_id IS NULL AND dropped IS NULL")
"""Alerts that are in no message yet."""

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

# Accounts in which reserved names answer without any network, each the sandbox of another account.
sandboxes = sa.Table(
    "sandboxes",
    metadata,
    sa.Column("account_id", sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("of_account_id", sa.ForeignKey("accounts.id"), nullable=False, unique=True),
    sa.Column("ahead", sa.Float, nullable=False, server_default="0"),  # of the clock, in seconds
)

domains = sa.Table(
    "domains",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    # The settings in force; None until the first change is applied. Compare-and-swap is done on this column.
    sa.Column("settings_id", sa.ForeignKey("settings.id", use_alter=True), nullable=True, index=True),
    sa.Column("paused_at", sa.Float),  # since when nobody watches the domain's health, None where somebody does
    # Counts the imports of its mailboxes: clocks can be put back, so they do not say what came first.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    # Whether a change needs the approval of a second person before it is applied.
    sa.Column("needs_approval", sa.Boolean, nullable=False, server_default=sa.false()),
    # The settings under which health checks have looked at all its endpoints; soon those in force.
    sa.Column("checked_settings_id", sa.Integer),
    sa.UniqueConstraint("account_id", "name"),
    sa.Index("ix_domains_unsettled", "account_id", sqlite_where=UNSETTLED),
)


settings = sa.Table(
    "settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("imap_host", sa.Text),
    sa.Column("imap_port", sa.Integer),
    sa.Column("imap_security", sa.Text),
    sa.Column("smtp_host", sa.Text),
    sa.Column("smtp_port", sa.Integer),
    sa.Column("smtp_security", sa.Text),
    # Whether a client logs in to SMTP; None is `login`, in what was stored before that could be chosen.
    sa.Column(
        "smtp_authentication",
        sa.Text,
        sa.CheckConstraint(
            "smtp_authentication IS NULL OR (kind = 'imap' AND smtp_authentication IN ('login', 'none'))",
            name="authentication_of_smtp",
        ),
    ),
    sa.Column("exchange_url", sa.Text),
    # What was typed where that was another text than the URL, None where it was not.
    sa.Column(
        "exchange_typed",
        sa.Text,
        sa.CheckConstraint("exchange_typed IS NULL OR kind = 'exchange'", name="typed_for_exchange"),
    ),
    sa.Column("allow_insecure_certificate", sa.Boolean, nullable=False),
    sa.Column("ca_pem", sa.Text, nullable=False, server_default=""),
    # Whether its servers are connected to from the operator's static addresses.
    sa.Column("static_addresses", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Index("ix_settings_static_addresses", "domain_id", sqlite_where=STATIC),
    sa.CheckConstraint(_EITHER_OR, name="either_imap_or_exchange"),
)

mailboxes = sa.Table(
    "mailboxes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    # None: no domain has it. It is proposed by `change_id` and comes with that, or went with it.
    sa.Column("domain_id", sa.ForeignKey("domains.id"), nullable=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("credential", sa.LargeBinary),  # a Fernet token, None where no credential is known
    sa.Column("credential_kind", sa.Text, nullable=False, server_default="password"),
    sa.Column("state", sa.Text, nullable=False, server_default="unknown"),
    sa.Column("state_code", sa.Text),
    sa.Column("state_since", sa.Float),
    sa.Column("changed_at", sa.Float),  # when user name or credential were last written
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),  # the domain's at that import
    sa.Column("health_at", sa.Float),  # when a health check last took it up
    sa.Column("health_fails", sa.Integer, nullable=False, server_default="0"),  # failed health checks in a row
    sa.Column("change_id", sa.Text, index=True),  # the change that its login came with, None where it was imported
    sa.Index("ix_mailboxes_health_at", "domain_id", "health_at"),
    sa.Index("ix_mailboxes_domain_state", "domain_id", "state"),  # counted for lists without reading them
    sa.Index("ix_mailboxes_state", "state", "health_fails"),  # the few that do not work, of all domains
    sa.UniqueConstraint("domain_id", "address"),
    sa.CheckConstraint("state IN ('connected', 'disconnected', 'unknown')", name="state"),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id"), nullable=False, index=True),
    sa.Column("settings_id", sa.ForeignKey("settings.id"), nullable=False, index=True),
    # The settings in force when the change was saved: applying it compares them with those in force then.
    sa.Column("base_settings_id", sa.ForeignKey("settings.id"), nullable=True, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("applied_at", sa.Float),
    # After applying: until when affected mailboxes are checked again, when next, and what to do about failures.
    sa.Column("watch_until", sa.Float),
    sa.Column("watch_next", sa.Float, index=True),
    sa.Column("roll_back_by_itself", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("saved_by", sa.Text),  # the person, as `Actor.person` names them; None for a program
    # The newest approval: the person with their name, when, and the checksum of the report that they approved.
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_name", sa.Text),
    sa.Column("approved_at", sa.Float),
    sa.Column("approved_checksum", sa.Text),
    sa.Index("ix_changes_state", "domain_id", "state"),
    sa.CheckConstraint(
        "state IN ('draft','verifying','verified','applied','discarded','superseded','rolled_back')", name="state"
    ),
)

# How known mailboxes log in by a change: proposed until it is applied; after that, what it replaced, for the way back.
change_credentials = sa.Table(
    "change_credentials",
    metadata,
    sa.Column("change_id", sa.ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("mailbox_id", sa.ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("holds", sa.Text, primary_key=True),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("credential", sa.LargeBinary),  # a Fernet token, None where what was replaced had none
    sa.Column("credential_kind", sa.Text, nullable=False),
    sa.Column("came_with", sa.Text),  # of what was replaced: the change that it had come with
    sa.Column("changed_at", sa.Float),  # of what was replaced: when it was written
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),  # and the domain's then
    sa.Index("ix_change_credentials_mailbox_id", "mailbox_id"),
    sa.CheckConstraint("holds IN ('proposed','replaced')", name="holds"),
)

# The rejections of what `change_credentials` holds; those of what is in force are in `rejections`.
change_rejections = sa.Table(
    "change_rejections",
    metadata,
    sa.Column("change_id", sa.Text, primary_key=True),
    sa.Column("mailbox_id", sa.Integer, primary_key=True),
    sa.Column("holds", sa.Text, primary_key=True),
    sa.Column("server", sa.Text, primary_key=True),  # host:port
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),  # how often in a row, see `rejections`
    sa.ForeignKeyConstraint(
        ["change_id", "mailbox_id", "holds"],
        ["change_credentials.change_id", "change_credentials.mailbox_id", "change_credentials.holds"],
        ondelete="CASCADE",
    ),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id"), nullable=False, index=True),
    sa.Column("change_id", sa.ForeignKey("changes.id"), nullable=True, index=True),
    sa.Column("settings_id", sa.ForeignKey("settings.id"), nullable=False),
    sa.Column("baseline_settings_id", sa.ForeignKey("settings.id"), nullable=True, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("stop_code", sa.Text),  # why mailboxes were left untried
    sa.Column("stop_detail", sa.Text),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", sa.Float, nullable=False, server_default="0"),
    sa.Column("touched_at", sa.Float, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("finished_at", sa.Float),
    sa.Column("counts", sa.JSON),
    sa.Column("checksum", sa.Text),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),  # the domain's when it was created
    # Whether it is kept what each mailbox came to: of a health check it is for a while. Before that is forgotten, it is
    # summed up in `tally` as {"ok", "fail", "inconclusive"}.
    sa.Column("kept", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("tally", sa.JSON(none_as_null=True)),
    sa.Index("ix_runs_touched_at", "touched_at"),
    # Nearly all runs are history: those that go on, and the one that verified some settings, are found without it.
    sa.Index("ix_runs_stage", "stage", "touched_at"),
    sa.Index("ix_runs_settings_id", "settings_id", "kind", "created_at"),
    # What is to be forgotten one day, without all that is kept for ever.
    sa.Index("ix_runs_forgettable", "touched_at", sqlite_where=FORGETTABLE),
    sa.CheckConstraint("kind IN ('preflight','health')", name="kind"),
    sa.CheckConstraint(
        "stage IN ('queued','endpoints','canaries','mailboxes','baseline','finished','cancelled')", name="stage"
    ),
)

endpoint_results = sa.Table(
    "endpoint_results",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("phase", sa.Text, primary_key=True),  # candidate: the proposed settings; baseline: those in force
    sa.Column("protocol", sa.Text, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("phase", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", sa.Float, nullable=False, server_default="0"),
)

run_mailboxes = sa.Table(
    "run_mailboxes",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("mailbox_id", sa.ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("page", sa.Integer, nullable=False),  # page 0 is the canaries'
    sa.Column("before", sa.Text, nullable=False),  # MailboxState under the settings in force
    sa.Column("verdict", sa.Text),  # under the proposed settings; None until known
    sa.Column("code", sa.Text),
    sa.Column("protocol", sa.Text),
    sa.Column("seen", sa.Text),
    sa.Column("ms", sa.Float),
    sa.Column("services", sa.JSON(none_as_null=True)),  # Exchange: the codes of mail and of the calendar
    sa.Column("evidence", sa.Text),  # what speaks for a credential that was rejected, see `mailboxes.correlation`
    sa.Column("baseline_page", sa.Integer),  # None where the baseline needs no login
    sa.Column("baseline_verdict", sa.Text),
    sa.Column("baseline_code", sa.Text),
    sa.Index("ix_run_mailboxes_page", "run_id", "page"),
    sa.Index("ix_run_mailboxes_baseline_page", "run_id", "baseline_page"),
    sa.Index("ix_run_mailboxes_mailbox_id", "mailbox_id"),
)

# What happened, in order. It refers to nothing by a foreign key: to write it waits for no lock, and it outlives what it
# tells of.
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("account_id", sa.Integer),  # None: the operator's own
    sa.Column("domain_id", sa.Integer),  # None where it concerns several, or none
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # the address the actor came from, '' where there is none
    sa.Column("api_key_id", sa.Text),  # by which the actor came, None where that was another way
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Index("ix_events_subject", "subject", "seq"),
    sa.Index("ix_events_account_id", "account_id", "seq"),
    sa.Index("ix_events_account_at", "account_id", "at"),
    sa.Index("ix_events_domain_id", "domain_id", "seq"),
    # Whoever looks for one kind, or one actor, does not read what all others did in years.
    sa.Index("ix_events_kind", "account_id", "kind", "seq"),
    sa.Index("ix_events_actor", "account_id", "actor", "seq"),
    sa.Index("ix_events_api_key_id", "account_id", "api_key_id", "seq"),
)

rejections = sa.Table(
    "rejections",
    metadata,
    sa.Column("mailbox_id", sa.ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("server", sa.Text, primary_key=True),  # host:port
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),  # how often in a row, see `rejections`
)

# Endpoints whose check or login computed beyond its deadline, and so took a whole worker with it.
quarantined_endpoints = sa.Table(
    "quarantined_endpoints",
    metadata,
    sa.Column("endpoint", sa.Text, primary_key=True),  # host:port, or the URL of Exchange
    sa.Column("work", sa.Text, nullable=False),  # what it was that did not end
    sa.Column("until", sa.Float, nullable=False),
)

# When beat and the workers were last at work.
heartbeats = sa.Table(
    "heartbeats",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)

login_budget = sa.Table(
    "login_budget",
    metadata,
    sa.Column("mailbox_id", sa.ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("hour", sa.Integer, nullable=False),  # hours since 1970
    sa.Column("used", sa.Integer, nullable=False),
)

# -- connecting

# Somebody wanted to connect a mailbox. In a domain without settings it waits for an admin (`pending`).
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("credential", sa.LargeBinary),  # a Fernet token, of a pending one whose login worked; else None
    sa.Column("credential_kind", sa.Text, nullable=False),
    sa.Column("settings_id", sa.ForeignKey("settings.id")),  # what was typed, None where nothing was
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text),  # of the login, None where nothing was tried
    sa.Column("code", sa.Text),
    sa.Column("protocol", sa.Text),
    sa.Column("seen", sa.Text, nullable=False, server_default=""),
    sa.Column("person", sa.Text),  # whose attempt it is, as `Actor.person` names them; None where it is a program's
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # the address the actor came from, '' where there is none
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("lease_until", sa.Float, nullable=False, server_default="0"),  # while it is being tried
    sa.Index("ix_attempts_address", "domain_id", "address"),
    sa.Index("ix_attempts_state", "state", "at"),
    sa.Index("ix_attempts_settings_id", "settings_id"),
    # One login at a time.
    sa.Index(
        "uq_attempts_trying",
        "domain_id",
        "address",
        unique=True,
        sqlite_where=sa.text("state = 'trying'"),
    ),
    sa.CheckConstraint(
        "state IN ('trying','connected','stored','failed','cannot_tell','pending','login_needed')", name="state"
    ),
    sa.CheckConstraint("credential IS NULL OR state = 'pending'", name="secret_only_where_pending"),
)

# -- health

maintenance = sa.Table(
    "maintenance",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE")),  # None: every domain of the account
    sa.Column("starts_at", sa.Float, nullable=False),
    sa.Column("ends_at", sa.Float, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.CheckConstraint("starts_at < ends_at", name="order"),
)

health_schedule = sa.Table(
    "health_schedule",
    metadata,
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("server", sa.Text, nullable=False, index=True),  # the host: domains of one server come up together
    sa.Column("endpoints_due", sa.Float, nullable=False, index=True),
    sa.Column("mailboxes_due", sa.Float, nullable=False, index=True),
)

# What is known of the endpoints of the settings in force.
health_endpoints = sa.Table(
    "health_endpoints",
    metadata,
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("protocol", sa.Text, primary_key=True),
    sa.Column("settings_id", sa.ForeignKey("settings.id"), nullable=False, index=True),
    sa.Column("server", sa.Text, nullable=False),  # host:port
    sa.Column("source", sa.Text, nullable=False),  # the connection IP, '' where the system chooses
    sa.Column("state", sa.Text, nullable=False, server_default="unknown"),  # as judged; one check alone moves nothing
    sa.Column("since", sa.Float, nullable=False),  # when that state began
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("fails", sa.Integer, nullable=False),  # in a row; what is inconclusive counts as neither
    sa.Column("oks", sa.Integer, nullable=False),
    sa.Column("silent", sa.Integer, nullable=False),  # inconclusive ones in a row
    sa.Column("first_bad_at", sa.Float),  # when the first of these was, None while all is well
    sa.Column("last_ok_at", sa.Float),
    sa.Column("checked_at", sa.Float, nullable=False),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),  # the newest conclusive result
    sa.Column("key_changed_at", sa.Float),  # when another key or issuer than before was met
    sa.Column("key_change", sa.JSON(none_as_null=True)),  # what it was and what it is
    sa.Column("notices", sa.JSON, nullable=False),  # [{"code", "facts"}]: what is to be said ahead of time
    sa.Column("moved", sa.Boolean, nullable=False, server_default=sa.true()),  # since incidents were last judged
    sa.Index("ix_health_endpoints_moved", "moved"),
    sa.Index("ix_health_endpoints_state", "state"),
    sa.Index("ix_health_endpoints_server", "server"),
    sa.Index("ix_health_endpoints_source", "source"),
    sa.Index("ix_health_endpoints_telling", "domain_id", sqlite_where=TELLING),
    sa.CheckConstraint("state IN ('ok','fail','silent','unknown')", name="state"),
)


health_results = sa.Table(
    "health_results",
    metadata,
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("protocol", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("source", sa.Text, nullable=False, server_default=""),  # the connection IP, '' where the system chooses
    sa.Index("ix_health_results_at", "at"),
)

health_hours = sa.Table(
    "health_hours",
    metadata,
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("protocol", sa.Text, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True),  # hours since 1970
    sa.Column("ok", sa.Integer, nullable=False),
    sa.Column("fail", sa.Integer, nullable=False),
    sa.Column("inconclusive", sa.Integer, nullable=False),
    sa.Column("ms_sum", sa.Float, nullable=False),  # of those that were ok
    sa.Column("ms_max", sa.Float, nullable=False),
    sa.Index("ix_health_hours_hour", "hour"),
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id")),  # None: the operator's own
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("open_subject", sa.Text, unique=True),  # the subject while it is open: no two of one subject are
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), index=True),
    sa.Column("mailbox_id", sa.ForeignKey("mailboxes.id", ondelete="CASCADE"), index=True),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),  # when it was first seen, which is before it was certain
    sa.Column("opened_at", sa.Float, nullable=False),
    sa.Column("recovered_at", sa.Float),  # works again; it is over once that has lasted
    sa.Column("closed_at", sa.Float),
    sa.Column("reopened", sa.Integer, nullable=False, server_default="0"),
    sa.Column("remind_at", sa.Float),
    sa.Column("reminders", sa.Integer, nullable=False, server_default="0"),
    sa.Column("mailboxes", sa.Integer, nullable=False, server_default="0"),  # how many it concerns
    sa.Index("ix_incidents_closed_at", "closed_at"),
    sa.Index("ix_incidents_opened_at", "account_id", "opened_at"),
    sa.Index("ix_incidents_open", "account_id", "opened_at", sqlite_where=OPEN),
    sa.CheckConstraint(
        "scope IN ('endpoint','server','mailbox','mailboxes','source','service','notice')", name="scope"
    ),
    sa.CheckConstraint("severity IN ('critical','warning','info')", name="severity"),
)

incident_domains = sa.Table(
    "incident_domains",
    metadata,
    sa.Column("incident_id", sa.ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_incident_domains_domain_id", "domain_id"),
)

# -- alerts

alert_channels = sa.Table(
    "alert_channels",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("operator", sa.Boolean, nullable=False, server_default=sa.false()),  # hears of the service itself
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.LargeBinary, nullable=False),  # a Fernet token: Apprise's URL holds secrets
    sa.Column("shown", sa.Text, nullable=False),  # the URL for people, without them
    sa.Column("severity", sa.Text, nullable=False),  # the least that it hears of
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE")),  # None: every domain of the account
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("quiet_from", sa.Integer),  # minutes after midnight in the channel's time zone
    sa.Column("quiet_until", sa.Integer),
    sa.Column("time_zone", sa.Text, nullable=False, server_default="UTC"),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
    sa.CheckConstraint("severity IN ('critical','warning','info')", name="severity"),
    sa.CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet"),
)

# One message to one channel. Its id is the Message-ID, so one that is sent twice can be told.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel_id", sa.ForeignKey("alert_channels.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", sa.Float, nullable=False, server_default="0"),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("sent_at", sa.Float),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_deliveries_pending", "next_at", sqlite_where=PENDING),
    sa.CheckConstraint("state IN ('pending','sent','given_up')", name="state"),
)

# Which channel is told of which event.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("event_seq", sa.ForeignKey("events.seq", ondelete="CASCADE"), primary_key=True),
    sa.Column("channel_id", sa.ForeignKey("alert_channels.id", ondelete="CASCADE"), primary_key=True),
    # The event's subject: an alert goes with the incident that it tells of.
    sa.Column("incident_id", sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("due_at", sa.Float, nullable=False, index=True),
    sa.Column("delivery_id", sa.ForeignKey("deliveries.id", ondelete="CASCADE"), index=True),
    sa.Column("dropped", sa.Text),  # why it is never sent, None where it is
    sa.Index("ix_alerts_channel_id", "channel_id"),
    sa.Index("ix_alerts_waiting", "channel_id", sqlite_where=WAITING),
)

# -- access to the API

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id")),  # None: an operator, of all accounts
    sa.Column("name", sa.Text, nullable=False),  # as the host app or the operator knows them, such as an address
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), index=True),  # a member's own domain
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
    # To a constraint, no account is another one than no account.
    sa.Index(
        "uq_users_operator",
        "name",
        unique=True,
        sqlite_where=sa.text("account_id IS NULL"),
    ),
    sa.CheckConstraint("role IN ('super_admin','account_access','member','host_app','operator')", name="role"),
    sa.CheckConstraint("(role = 'operator') = (account_id IS NULL)", name="account_of_role"),
)

# The secret itself is shown once and never stored.
api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), index=True),  # None: an operator's
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),  # None: the host app's own
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),  # SHA-256 of the whole key
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Float),
    sa.Column("revoked_at", sa.Float),
    sa.Column("last_used_at", sa.Float),
    sa.Column("last_address", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("role IN ('super_admin','account_access','member','host_app','operator')", name="role"),
    sa.CheckConstraint("(role = 'operator') = (account_id IS NULL)", name="account_of_role"),
)

# What a request with an Idempotency-Key was answered. Written in the transaction of what it did.
idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("caller", sa.Text, primary_key=True),  # the API key's id
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),  # SHA-256 of method, path and body, encrypted
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # a Fernet token: an answer may show a new secret
    sa.Column("created_at", sa.Float, nullable=False, index=True),
)

# -- webhooks

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("url", sa.LargeBinary, nullable=False),  # a Fernet token: a URL may hold a secret
    sa.Column("shown", sa.Text, nullable=False),  # the URL for people, without user name, password and query
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("kinds", sa.JSON, nullable=False),  # the types of events that it hears of; empty: all
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE")),  # None: every domain of the account
    sa.Column("signature", sa.Text, nullable=False),  # v1: HMAC-SHA256; v1a: Ed25519
    sa.Column("secret", sa.LargeBinary, nullable=False),  # a Fernet token of whsec_... or whsk_...
    sa.Column("old_secret", sa.LargeBinary),  # signs too, until `old_until`
    sa.Column("old_until", sa.Float),
    # Events up to `after_seq` have their deliveries. Those up to `seen_seq` had them when transaction `seen_xid`
    # looked: once none that is older goes on, no event with a lower number can come any more.
    sa.Column("after_seq", sa.Integer, nullable=False),
    sa.Column("seen_seq", sa.Integer, nullable=False),
    sa.Column("seen_xid", sa.BigInteger),  # PostgreSQL only
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("failing_since", sa.Float),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    sa.Column("hold_until", sa.Float, nullable=False, server_default="0"),  # nothing is sent before
    # One worker at a time sends to an endpoint, so that events arrive in their order.
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", sa.Float, nullable=False, server_default="0"),
    sa.Column("disabled_at", sa.Float),
    sa.Column("disabled_why", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("signature IN ('v1','v1a')", name="signature"),
)

# One event to one endpoint. The id is the `webhook-id`, the same over all attempts.
webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("endpoint_id", sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event_seq", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # the event's type, as it is called outside
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("sent_at", sa.Float),
    sa.Column("status", sa.Integer),  # of the last answer
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("endpoint_id", "event_seq"),
    sa.Index("ix_webhook_deliveries_due", "endpoint_id", "state", "next_at"),
    sa.CheckConstraint("state IN ('pending','sent','failed')", name="state"),
)

# -- the page

# A user without a row here has no password, and signs in by the API alone.
passwords = sa.Table(
    "passwords",
    metadata,
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),  # argon2id, with its salt and its costs (RFC 9106)
    sa.Column("changed_at", sa.Float, nullable=False),
)

# Who has it may set the password of a user, once; without a user, may become the first one.
set_up_links = sa.Table(
    "set_up_links",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of what the link ends with
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
)

# A browser that is signed in; or a page embedded in a host app, which nobody has signed in to.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # may be shown
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),  # SHA-256 of the cookie, or of the link to embed
    sa.Column("account_id", sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),  # None: embedded
    # Of an embedded page: the key that asked for it, what it may do, and where.
    sa.Column("api_key_id", sa.ForeignKey("api_keys.id", ondelete="CASCADE"), index=True),
    sa.Column("domain_id", sa.ForeignKey("domains.id", ondelete="CASCADE"), index=True),
    sa.Column("role", sa.Text),
    sa.Column("name", sa.Text, nullable=False, server_default=""),  # whom the host app says it is
    sa.Column("language", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("opened_at", sa.Float),  # None: a link to embed that nobody has followed
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("agent", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("(user_id IS NULL) = (role IS NOT NULL)", name="embedded"),
)

# Where the page may be embedded: scheme, host and port of a host app.
embed_origins = sa.Table(
    "embed_origins",
    metadata,
    sa.Column("account_id", sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False),
)
