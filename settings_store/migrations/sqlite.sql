CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
;
CREATE TABLE accounts (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (id), 
	CONSTRAINT uq_accounts_name UNIQUE (name)
)
;
CREATE TABLE domains (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	settings_id INTEGER, paused_at FLOAT, revision BIGINT DEFAULT '0' NOT NULL, needs_approval BOOLEAN DEFAULT 0 NOT NULL, checked_settings_id INTEGER, 
	CONSTRAINT pk_domains PRIMARY KEY (id), 
	CONSTRAINT fk_domains_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_domains_settings_id FOREIGN KEY(settings_id) REFERENCES settings (id), 
	CONSTRAINT uq_domains_account_id UNIQUE (account_id, name)
)
;
CREATE TABLE settings (
	id INTEGER NOT NULL, 
	domain_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	imap_host TEXT, 
	imap_port INTEGER, 
	imap_security TEXT, 
	smtp_host TEXT, 
	smtp_port INTEGER, 
	smtp_security TEXT, 
	exchange_url TEXT, 
	allow_insecure_certificate BOOLEAN NOT NULL, 
	ca_pem TEXT DEFAULT '' NOT NULL, 
	created_at FLOAT NOT NULL, exchange_typed TEXT CONSTRAINT ck_settings_typed_for_exchange CHECK (exchange_typed IS NULL OR kind = 'exchange'), smtp_authentication TEXT CONSTRAINT ck_settings_authentication_of_smtp CHECK (smtp_authentication IS NULL OR (kind = 'imap' AND smtp_authentication IN ('login', 'none'))), static_addresses BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY (id), 
	CONSTRAINT ck_settings_either_imap_or_exchange CHECK (
    (kind = 'imap' AND imap_host IS NOT NULL AND imap_port IS NOT NULL AND imap_security IS NOT NULL
        AND smtp_host IS NOT NULL AND smtp_port IS NOT NULL AND smtp_security IS NOT NULL AND exchange_url IS NULL)
    OR (kind = 'exchange' AND imap_host IS NULL AND imap_port IS NULL AND imap_security IS NULL
        AND smtp_host IS NULL AND smtp_port IS NULL AND smtp_security IS NULL AND exchange_url IS NOT NULL)
), 
	CONSTRAINT fk_settings_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id)
)
;
CREATE INDEX ix_settings_domain_id ON settings (domain_id)
;
CREATE TABLE mailboxes (
	id INTEGER NOT NULL, 
	domain_id INTEGER, 
	address TEXT NOT NULL, 
	username TEXT NOT NULL, 
	credential BLOB, 
	credential_kind TEXT DEFAULT 'password' NOT NULL, 
	state TEXT DEFAULT 'unknown' NOT NULL, 
	state_code TEXT, 
	state_since FLOAT, changed_at FLOAT, health_at FLOAT, health_fails INTEGER DEFAULT '0' NOT NULL, revision BIGINT DEFAULT '0' NOT NULL, change_id TEXT, 
	CONSTRAINT pk_mailboxes PRIMARY KEY (id), 
	CONSTRAINT ck_mailboxes_state CHECK (state IN ('connected', 'disconnected', 'unknown')), 
	CONSTRAINT fk_mailboxes_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id), 
	CONSTRAINT uq_mailboxes_domain_id UNIQUE (domain_id, address)
)
;
CREATE TABLE changes (
	id TEXT NOT NULL, 
	domain_id INTEGER NOT NULL, 
	settings_id INTEGER NOT NULL, 
	base_settings_id INTEGER, 
	state TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	applied_at FLOAT, watch_until FLOAT, watch_next FLOAT, roll_back_by_itself BOOLEAN DEFAULT 0 NOT NULL, saved_by TEXT, approved_by TEXT, approved_name TEXT, approved_at FLOAT, approved_checksum TEXT, 
	CONSTRAINT pk_changes PRIMARY KEY (id), 
	CONSTRAINT ck_changes_state CHECK (state IN ('draft','verifying','verified','applied','discarded','superseded','rolled_back')), 
	CONSTRAINT fk_changes_base_settings_id FOREIGN KEY(base_settings_id) REFERENCES settings (id), 
	CONSTRAINT fk_changes_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id), 
	CONSTRAINT fk_changes_settings_id FOREIGN KEY(settings_id) REFERENCES settings (id)
)
;
CREATE INDEX ix_changes_domain_id ON changes (domain_id)
;
CREATE TABLE runs (
	id TEXT NOT NULL, 
	domain_id INTEGER NOT NULL, 
	change_id TEXT, 
	settings_id INTEGER NOT NULL, 
	baseline_settings_id INTEGER, 
	kind TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	stop_code TEXT, 
	stop_detail TEXT, 
	lease_owner TEXT, 
	lease_until FLOAT DEFAULT '0' NOT NULL, 
	touched_at FLOAT NOT NULL, 
	created_at FLOAT NOT NULL, 
	finished_at FLOAT, 
	counts JSON, 
	checksum TEXT, revision BIGINT DEFAULT '0' NOT NULL, kept BOOLEAN DEFAULT 1 NOT NULL, tally JSON, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT ck_runs_kind CHECK (kind IN ('preflight','health')), 
	CONSTRAINT ck_runs_stage CHECK (stage IN ('queued','endpoints','canaries','mailboxes','baseline','finished','cancelled')), 
	CONSTRAINT fk_runs_baseline_settings_id FOREIGN KEY(baseline_settings_id) REFERENCES settings (id), 
	CONSTRAINT fk_runs_change_id FOREIGN KEY(change_id) REFERENCES changes (id), 
	CONSTRAINT fk_runs_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id), 
	CONSTRAINT fk_runs_settings_id FOREIGN KEY(settings_id) REFERENCES settings (id)
)
;
CREATE INDEX ix_runs_change_id ON runs (change_id)
;
CREATE INDEX ix_runs_domain_id ON runs (domain_id)
;
CREATE TABLE endpoint_results (
	run_id TEXT NOT NULL, 
	phase TEXT NOT NULL, 
	protocol TEXT NOT NULL, 
	document JSON NOT NULL, 
	CONSTRAINT pk_endpoint_results PRIMARY KEY (run_id, phase, protocol), 
	CONSTRAINT fk_endpoint_results_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
)
;
CREATE TABLE pages (
	run_id TEXT NOT NULL, 
	phase TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	done BOOLEAN DEFAULT 0 NOT NULL, 
	lease_owner TEXT, 
	lease_until FLOAT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_pages PRIMARY KEY (run_id, phase, number), 
	CONSTRAINT fk_pages_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
)
;
CREATE TABLE run_mailboxes (
	run_id TEXT NOT NULL, 
	mailbox_id INTEGER NOT NULL, 
	page INTEGER NOT NULL, 
	"before" TEXT NOT NULL, 
	verdict TEXT, 
	code TEXT, 
	protocol TEXT, 
	seen TEXT, 
	ms FLOAT, 
	baseline_page INTEGER, 
	baseline_verdict TEXT, 
	baseline_code TEXT, services JSON, evidence TEXT, 
	CONSTRAINT pk_run_mailboxes PRIMARY KEY (run_id, mailbox_id), 
	CONSTRAINT fk_run_mailboxes_mailbox_id FOREIGN KEY(mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE, 
	CONSTRAINT fk_run_mailboxes_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_run_mailboxes_page ON run_mailboxes (run_id, page)
;
CREATE TRIGGER settings_are_immutable BEFORE UPDATE ON settings
    BEGIN SELECT RAISE(ABORT, 'settings versions are immutable'); END
;
CREATE INDEX ix_changes_watch_next ON changes (watch_next)
;
CREATE INDEX ix_run_mailboxes_baseline_page ON run_mailboxes (run_id, baseline_page)
;
CREATE INDEX ix_run_mailboxes_mailbox_id ON run_mailboxes (mailbox_id)
;
CREATE INDEX ix_runs_touched_at ON runs (touched_at)
;
CREATE TABLE rejections (
	mailbox_id INTEGER NOT NULL, 
	server TEXT NOT NULL, 
	code TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	at FLOAT NOT NULL, times INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_rejections PRIMARY KEY (mailbox_id, server), 
	CONSTRAINT fk_rejections_mailbox_id FOREIGN KEY(mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE
)
;
CREATE TABLE login_budget (
	mailbox_id INTEGER NOT NULL, 
	hour INTEGER NOT NULL, 
	used INTEGER NOT NULL, 
	CONSTRAINT pk_login_budget PRIMARY KEY (mailbox_id), 
	CONSTRAINT fk_login_budget_mailbox_id FOREIGN KEY(mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_mailboxes_health_at ON mailboxes (domain_id, health_at)
;
CREATE INDEX ix_mailboxes_state ON mailboxes (state, health_fails)
;
CREATE INDEX ix_changes_state ON changes (domain_id, state)
;
CREATE INDEX ix_runs_stage ON runs (stage, touched_at)
;
CREATE INDEX ix_runs_settings_id ON runs (settings_id, kind, created_at)
;
CREATE TABLE alert_channels (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	operator BOOLEAN DEFAULT 0 NOT NULL, 
	name TEXT NOT NULL, 
	url BLOB NOT NULL, 
	shown TEXT NOT NULL, 
	severity TEXT NOT NULL, 
	domain_id INTEGER, 
	language TEXT NOT NULL, 
	quiet_from INTEGER, 
	quiet_until INTEGER, 
	time_zone TEXT DEFAULT 'UTC' NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_alert_channels PRIMARY KEY (id), 
	CONSTRAINT ck_alert_channels_severity CHECK (severity IN ('critical','warning','info')), 
	CONSTRAINT ck_alert_channels_quiet CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)), 
	CONSTRAINT fk_alert_channels_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_alert_channels_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT uq_alert_channels_account_id UNIQUE (account_id, name)
)
;
CREATE TABLE health_hours (
	domain_id INTEGER NOT NULL, 
	protocol TEXT NOT NULL, 
	hour INTEGER NOT NULL, 
	ok INTEGER NOT NULL, 
	"fail" INTEGER NOT NULL, 
	inconclusive INTEGER NOT NULL, 
	ms_sum FLOAT NOT NULL, 
	ms_max FLOAT NOT NULL, 
	CONSTRAINT pk_health_hours PRIMARY KEY (domain_id, protocol, hour), 
	CONSTRAINT fk_health_hours_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_health_hours_hour ON health_hours (hour)
;
CREATE TABLE health_results (
	domain_id INTEGER NOT NULL, 
	protocol TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	verdict TEXT NOT NULL, 
	code TEXT NOT NULL, 
	ms FLOAT NOT NULL, 
	source TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_health_results PRIMARY KEY (domain_id, protocol, at), 
	CONSTRAINT fk_health_results_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_health_results_at ON health_results (at)
;
CREATE TABLE health_schedule (
	domain_id INTEGER NOT NULL, 
	server TEXT NOT NULL, 
	endpoints_due FLOAT NOT NULL, 
	mailboxes_due FLOAT NOT NULL, 
	CONSTRAINT pk_health_schedule PRIMARY KEY (domain_id), 
	CONSTRAINT fk_health_schedule_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_health_schedule_endpoints_due ON health_schedule (endpoints_due)
;
CREATE INDEX ix_health_schedule_mailboxes_due ON health_schedule (mailboxes_due)
;
CREATE TABLE maintenance (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	domain_id INTEGER, 
	starts_at FLOAT NOT NULL, 
	ends_at FLOAT NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT pk_maintenance PRIMARY KEY (id), 
	CONSTRAINT ck_maintenance_order CHECK (starts_at < ends_at), 
	CONSTRAINT fk_maintenance_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_maintenance_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_maintenance_account_id ON maintenance (account_id)
;
CREATE TABLE deliveries (
	id TEXT NOT NULL, 
	channel_id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_at FLOAT NOT NULL, 
	lease_owner TEXT, 
	lease_until FLOAT DEFAULT '0' NOT NULL, 
	created_at FLOAT NOT NULL, 
	sent_at FLOAT, 
	error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_deliveries PRIMARY KEY (id), 
	CONSTRAINT ck_deliveries_state CHECK (state IN ('pending','sent','given_up')), 
	CONSTRAINT fk_deliveries_channel_id FOREIGN KEY(channel_id) REFERENCES alert_channels (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_deliveries_channel_id ON deliveries (channel_id)
;
CREATE TABLE health_endpoints (
	domain_id INTEGER NOT NULL, 
	protocol TEXT NOT NULL, 
	settings_id INTEGER NOT NULL, 
	server TEXT NOT NULL, 
	source TEXT NOT NULL, 
	state TEXT DEFAULT 'unknown' NOT NULL, 
	since FLOAT NOT NULL, 
	verdict TEXT NOT NULL, 
	code TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	fails INTEGER NOT NULL, 
	oks INTEGER NOT NULL, 
	silent INTEGER NOT NULL, 
	first_bad_at FLOAT, 
	last_ok_at FLOAT, 
	checked_at FLOAT NOT NULL, 
	ms FLOAT NOT NULL, 
	document JSON NOT NULL, 
	key_changed_at FLOAT, 
	key_change JSON, 
	notices JSON NOT NULL, 
	moved BOOLEAN DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_health_endpoints PRIMARY KEY (domain_id, protocol), 
	CONSTRAINT ck_health_endpoints_state CHECK (state IN ('ok','fail','silent','unknown')), 
	CONSTRAINT fk_health_endpoints_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT fk_health_endpoints_settings_id FOREIGN KEY(settings_id) REFERENCES settings (id)
)
;
CREATE INDEX ix_health_endpoints_server ON health_endpoints (server)
;
CREATE INDEX ix_health_endpoints_moved ON health_endpoints (moved)
;
CREATE INDEX ix_health_endpoints_state ON health_endpoints (state)
;
CREATE TABLE incidents (
	id TEXT NOT NULL, 
	account_id INTEGER, 
	scope TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	open_subject TEXT, 
	domain_id INTEGER, 
	mailbox_id INTEGER, 
	severity TEXT NOT NULL, 
	code TEXT NOT NULL, 
	facts JSON NOT NULL, 
	seen TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	opened_at FLOAT NOT NULL, 
	recovered_at FLOAT, 
	closed_at FLOAT, 
	reopened INTEGER DEFAULT '0' NOT NULL, 
	remind_at FLOAT, 
	reminders INTEGER DEFAULT '0' NOT NULL, 
	mailboxes INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_incidents PRIMARY KEY (id), 
	CONSTRAINT ck_incidents_scope CHECK (scope IN ('endpoint','server','mailbox','mailboxes','source','service','notice')), 
	CONSTRAINT ck_incidents_severity CHECK (severity IN ('critical','warning','info')), 
	CONSTRAINT fk_incidents_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_incidents_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT fk_incidents_mailbox_id FOREIGN KEY(mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE, 
	CONSTRAINT uq_incidents_open_subject UNIQUE (open_subject)
)
;
CREATE INDEX ix_incidents_closed_at ON incidents (closed_at)
;
CREATE INDEX ix_incidents_domain_id ON incidents (domain_id)
;
CREATE INDEX ix_incidents_mailbox_id ON incidents (mailbox_id)
;
CREATE INDEX ix_incidents_subject ON incidents (subject)
;
CREATE TABLE incident_domains (
	incident_id TEXT NOT NULL, 
	domain_id INTEGER NOT NULL, 
	CONSTRAINT pk_incident_domains PRIMARY KEY (incident_id, domain_id), 
	CONSTRAINT fk_incident_domains_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT fk_incident_domains_incident_id FOREIGN KEY(incident_id) REFERENCES incidents (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_incident_domains_domain_id ON incident_domains (domain_id)
;
CREATE TABLE events (
	seq INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	account_id INTEGER, 
	domain_id INTEGER, 
	at FLOAT NOT NULL, 
	actor TEXT NOT NULL, 
	source TEXT NOT NULL, 
	payload JSON NOT NULL, api_key_id TEXT, 
	CONSTRAINT pk_events PRIMARY KEY (seq)
)
;
CREATE INDEX ix_events_subject ON events (subject, seq)
;
CREATE INDEX ix_events_account_id ON events (account_id, seq)
;
CREATE INDEX ix_events_domain_id ON events (domain_id, seq)
;
CREATE TABLE alerts (
	event_seq INTEGER NOT NULL, 
	channel_id INTEGER NOT NULL, 
	incident_id TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	due_at FLOAT NOT NULL, 
	delivery_id TEXT, 
	dropped TEXT, 
	CONSTRAINT pk_alerts PRIMARY KEY (event_seq, channel_id), 
	CONSTRAINT fk_alerts_event_seq FOREIGN KEY(event_seq) REFERENCES events (seq) ON DELETE CASCADE, 
	CONSTRAINT fk_alerts_channel_id FOREIGN KEY(channel_id) REFERENCES alert_channels (id) ON DELETE CASCADE, 
	CONSTRAINT fk_alerts_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE, 
	CONSTRAINT fk_alerts_incident_id FOREIGN KEY(incident_id) REFERENCES incidents (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_alerts_incident_id ON alerts (incident_id)
;
CREATE INDEX ix_alerts_due_at ON alerts (due_at)
;
CREATE INDEX ix_alerts_delivery_id ON alerts (delivery_id)
;
CREATE TABLE quarantined_endpoints (
	endpoint TEXT NOT NULL, 
	work TEXT NOT NULL, 
	until FLOAT NOT NULL, 
	CONSTRAINT pk_quarantined_endpoints PRIMARY KEY (endpoint)
)
;
CREATE INDEX ix_mailboxes_change_id ON mailboxes (change_id)
;
CREATE TABLE change_credentials (
	change_id TEXT NOT NULL, 
	mailbox_id INTEGER NOT NULL, 
	holds TEXT NOT NULL, 
	username TEXT NOT NULL, 
	credential BLOB, 
	credential_kind TEXT NOT NULL, 
	came_with TEXT, 
	changed_at FLOAT, 
	revision BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_change_credentials PRIMARY KEY (change_id, mailbox_id, holds), 
	CONSTRAINT ck_change_credentials_holds CHECK (holds IN ('proposed','replaced')), 
	CONSTRAINT fk_change_credentials_change_id FOREIGN KEY(change_id) REFERENCES changes (id) ON DELETE CASCADE, 
	CONSTRAINT fk_change_credentials_mailbox_id FOREIGN KEY(mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_change_credentials_mailbox_id ON change_credentials (mailbox_id)
;
CREATE TABLE change_rejections (
	change_id TEXT NOT NULL, 
	mailbox_id INTEGER NOT NULL, 
	holds TEXT NOT NULL, 
	server TEXT NOT NULL, 
	code TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	at FLOAT NOT NULL, times INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_change_rejections PRIMARY KEY (change_id, mailbox_id, holds, server), 
	CONSTRAINT fk_change_rejections_change_id FOREIGN KEY(change_id, mailbox_id, holds) REFERENCES change_credentials (change_id, mailbox_id, holds) ON DELETE CASCADE
)
;
CREATE TABLE heartbeats (
	name TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_heartbeats PRIMARY KEY (name)
)
;
CREATE TABLE idempotency_keys (
	caller TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	fingerprint BLOB NOT NULL, 
	status INTEGER NOT NULL, 
	headers JSON NOT NULL, 
	body BLOB NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, "key")
)
;
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)
;
CREATE TABLE sandboxes (
	account_id INTEGER NOT NULL, 
	of_account_id INTEGER NOT NULL, 
	ahead FLOAT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_sandboxes PRIMARY KEY (account_id), 
	CONSTRAINT fk_sandboxes_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE, 
	CONSTRAINT fk_sandboxes_of_account_id FOREIGN KEY(of_account_id) REFERENCES accounts (id), 
	CONSTRAINT uq_sandboxes_of_account_id UNIQUE (of_account_id)
)
;
CREATE TABLE users (
	id TEXT NOT NULL, 
	account_id INTEGER, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	domain_id INTEGER, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT ck_users_account_of_role CHECK ((role = 'operator') = (account_id IS NULL)), 
	CONSTRAINT ck_users_role CHECK (role IN ('super_admin','account_access','member','host_app','operator')), 
	CONSTRAINT fk_users_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_users_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT uq_users_account_id UNIQUE (account_id, name)
)
;
CREATE UNIQUE INDEX uq_users_operator ON users (name) WHERE account_id IS NULL
;
CREATE TABLE api_keys (
	id TEXT NOT NULL, 
	account_id INTEGER, 
	user_id TEXT, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	scopes JSON NOT NULL, 
	live BOOLEAN NOT NULL, 
	digest BLOB NOT NULL, 
	created_at FLOAT NOT NULL, 
	created_by TEXT NOT NULL, 
	expires_at FLOAT, 
	revoked_at FLOAT, 
	last_used_at FLOAT, 
	last_address TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_api_keys PRIMARY KEY (id), 
	CONSTRAINT ck_api_keys_role CHECK (role IN ('super_admin','account_access','member','host_app','operator')), 
	CONSTRAINT ck_api_keys_account_of_role CHECK ((role = 'operator') = (account_id IS NULL)), 
	CONSTRAINT fk_api_keys_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_api_keys_account_id ON api_keys (account_id)
;
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id)
;
CREATE TABLE webhook_endpoints (
	id TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	url BLOB NOT NULL, 
	shown TEXT NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	kinds JSON NOT NULL, 
	domain_id INTEGER, 
	signature TEXT NOT NULL, 
	secret BLOB NOT NULL, 
	old_secret BLOB, 
	old_until FLOAT, 
	after_seq INTEGER NOT NULL, 
	seen_seq INTEGER NOT NULL, 
	seen_xid BIGINT, 
	created_at FLOAT NOT NULL, 
	failing_since FLOAT, 
	failures INTEGER DEFAULT '0' NOT NULL, 
	hold_until FLOAT DEFAULT '0' NOT NULL, 
	lease_owner TEXT, 
	lease_until FLOAT DEFAULT '0' NOT NULL, 
	disabled_at FLOAT, 
	disabled_why TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_webhook_endpoints PRIMARY KEY (id), 
	CONSTRAINT ck_webhook_endpoints_signature CHECK (signature IN ('v1','v1a')), 
	CONSTRAINT fk_webhook_endpoints_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_webhook_endpoints_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_webhook_endpoints_account_id ON webhook_endpoints (account_id)
;
CREATE TABLE webhook_deliveries (
	id TEXT NOT NULL, 
	endpoint_id TEXT NOT NULL, 
	event_seq INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_at FLOAT NOT NULL, 
	created_at FLOAT NOT NULL, 
	sent_at FLOAT, 
	status INTEGER, 
	error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id), 
	CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('pending','sent','failed')), 
	CONSTRAINT fk_webhook_deliveries_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES webhook_endpoints (id) ON DELETE CASCADE, 
	CONSTRAINT uq_webhook_deliveries_endpoint_id UNIQUE (endpoint_id, event_seq)
)
;
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (endpoint_id, state, next_at)
;
CREATE INDEX ix_webhook_deliveries_created_at ON webhook_deliveries (created_at)
;
CREATE INDEX ix_events_account_at ON events (account_id, at)
;
CREATE TABLE passwords (
	user_id TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	CONSTRAINT pk_passwords PRIMARY KEY (user_id), 
	CONSTRAINT fk_passwords_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
;
CREATE TABLE set_up_links (
	digest BLOB NOT NULL, 
	user_id TEXT, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	CONSTRAINT pk_set_up_links PRIMARY KEY (digest), 
	CONSTRAINT fk_set_up_links_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
;
CREATE INDEX ix_set_up_links_user_id ON set_up_links (user_id)
;
CREATE TABLE sessions (
	id TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	account_id INTEGER NOT NULL, 
	user_id TEXT, 
	api_key_id TEXT, 
	domain_id INTEGER, 
	role TEXT, 
	name TEXT DEFAULT '' NOT NULL, 
	language TEXT DEFAULT '' NOT NULL, 
	created_at FLOAT NOT NULL, 
	opened_at FLOAT, 
	seen_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	address TEXT DEFAULT '' NOT NULL, 
	agent TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (id), 
	CONSTRAINT ck_sessions_embedded CHECK ((user_id IS NULL) = (role IS NOT NULL)), 
	CONSTRAINT fk_sessions_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE, 
	CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_sessions_api_key_id FOREIGN KEY(api_key_id) REFERENCES api_keys (id) ON DELETE CASCADE, 
	CONSTRAINT fk_sessions_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT uq_sessions_digest UNIQUE (digest)
)
;
CREATE INDEX ix_sessions_account_id ON sessions (account_id)
;
CREATE INDEX ix_sessions_user_id ON sessions (user_id)
;
CREATE INDEX ix_sessions_api_key_id ON sessions (api_key_id)
;
CREATE INDEX ix_sessions_domain_id ON sessions (domain_id)
;
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at)
;
CREATE TABLE embed_origins (
	account_id INTEGER NOT NULL, 
	origin TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_embed_origins PRIMARY KEY (account_id, origin), 
	CONSTRAINT fk_embed_origins_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
;
CREATE TABLE attempts (
	id TEXT NOT NULL, 
	domain_id INTEGER NOT NULL, 
	address TEXT NOT NULL, 
	username TEXT NOT NULL, 
	credential BLOB, 
	credential_kind TEXT NOT NULL, 
	settings_id INTEGER, 
	state TEXT NOT NULL, 
	verdict TEXT, 
	code TEXT, 
	protocol TEXT, 
	seen TEXT DEFAULT '' NOT NULL, 
	person TEXT, 
	actor TEXT NOT NULL, 
	source TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	lease_until FLOAT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_attempts PRIMARY KEY (id), 
	CONSTRAINT ck_attempts_state CHECK (state IN ('trying','connected','stored','failed','cannot_tell','pending','login_needed')), 
	CONSTRAINT ck_attempts_secret_only_where_pending CHECK (credential IS NULL OR state = 'pending'), 
	CONSTRAINT fk_attempts_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id) ON DELETE CASCADE, 
	CONSTRAINT fk_attempts_settings_id FOREIGN KEY(settings_id) REFERENCES settings (id)
)
;
CREATE INDEX ix_attempts_address ON attempts (domain_id, address)
;
CREATE INDEX ix_attempts_state ON attempts (state, at)
;
CREATE INDEX ix_attempts_settings_id ON attempts (settings_id)
;
CREATE UNIQUE INDEX uq_attempts_trying ON attempts (domain_id, address) WHERE state = 'trying'
;
CREATE INDEX ix_domains_settings_id ON domains (settings_id)
;
CREATE INDEX ix_changes_settings_id ON changes (settings_id)
;
CREATE INDEX ix_changes_base_settings_id ON changes (base_settings_id)
;
CREATE INDEX ix_runs_baseline_settings_id ON runs (baseline_settings_id)
;
CREATE INDEX ix_health_endpoints_settings_id ON health_endpoints (settings_id)
;
CREATE INDEX ix_users_domain_id ON users (domain_id)
;
CREATE INDEX ix_alerts_channel_id ON alerts (channel_id)
;
CREATE INDEX ix_events_kind ON events (account_id, kind, seq)
;
CREATE INDEX ix_events_actor ON events (account_id, actor, seq)
;
CREATE INDEX ix_events_api_key_id ON events (account_id, api_key_id, seq)
;
CREATE INDEX ix_incidents_opened_at ON incidents (account_id, opened_at)
;
CREATE INDEX ix_deliveries_created_at ON deliveries (created_at)
;
CREATE INDEX ix_health_endpoints_source ON health_endpoints (source)
;
CREATE INDEX ix_health_schedule_server ON health_schedule (server)
;
CREATE INDEX ix_settings_static_addresses ON settings (domain_id) WHERE static_addresses
;
CREATE INDEX ix_domains_unsettled ON domains (account_id) WHERE paused_at IS NOT NULL OR settings_id IS NULL OR checked_settings_id IS NULL OR checked_settings_id <> settings_id
;
CREATE INDEX ix_health_endpoints_telling ON health_endpoints (domain_id) WHERE moved OR fails > 0 OR silent > 0 OR state IN ('fail', 'silent', 'unknown')
;
CREATE INDEX ix_runs_forgettable ON runs (touched_at) WHERE kind = 'health' AND kept
;
CREATE INDEX ix_incidents_open ON incidents (account_id, opened_at) WHERE closed_at IS NULL
;
CREATE INDEX ix_deliveries_pending ON deliveries (next_at) WHERE state = 'pending'
;
CREATE INDEX ix_alerts_waiting ON alerts (channel_id) WHERE delivery_id IS NULL AND dropped IS NULL
;
CREATE INDEX ix_mailboxes_domain_state ON mailboxes (domain_id, state)
;
INSERT INTO alembic_version (version_num) VALUES ('0016')
