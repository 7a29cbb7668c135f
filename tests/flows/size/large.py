"""A store as a large operator has it after a year, made in PostgreSQL by PostgreSQL itself.

It is made at the revision before the newest one, so that the migration of such a store is measured, too. What it holds
for each domain does not depend on how many there are: stores of two sizes differ in their size alone. After retention,
that is

- the settings, changes and their verifications with what each mailbox met, and the events, of the whole year: they are
  kept for ever; the rounds of the watches of changes as their sums;
- single checks of the last `Plan.check_hours`, sums of the last `Plan.hour_days`: less than a real store keeps (48
  hours and 90 days), for they are looked up by their key and would only take longer to make. `docs/scale.md` counts
  them in.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

Say = Callable[[str], None]
DAY = 86400.0
MAILBOXES = 50
"""A domain's on average: one in a hundred has 1,400, nine have 200, and ninety 20."""
CHANGES = 7.3
"""A domain's in a year: 2,000 a day where there are 100,000 domains."""
WATCHED = 6  # rounds after each change that was applied
_NAME = "'domain' || lpad(d::text, greatest(5, length(d::text)), '0') || '.example'"
_SIZE = "(CASE WHEN {0} % 100 = 0 THEN 1400 WHEN {0} % 10 = 0 THEN 200 ELSE 20 END)"
_COUNTS = (
    '{"keeps_working": %s, "will_disconnect": 0, "will_reconnect": 0, "already_disconnected": 0, "cannot_tell": 0}'
)
_BULK = ("mailboxes", "settings", "changes", "runs", "run_mailboxes", "endpoint_results", "pages", "events")
_HISTORY = ("health_results", "health_hours", "health_endpoints", "health_schedule", "incidents", "incident_domains")


@dataclass(frozen=True, slots=True)
class Plan:
    """How large it is to be. `documents` are the results of a check, by protocol, as JSON."""

    domains: int
    documents: Mapping[str, str]
    check_hours: float = 12.0
    hour_days: float = 3.0
    check_minutes: float = 10.0

    @property
    def changes(self) -> int:
        """Those of the year."""
        return round(CHANGES * self.domains)


@dataclass(frozen=True, slots=True)
class Made:
    """Rows and bytes by table, with its indexes, the largest first; and the seconds that it took to make all."""

    tables: Mapping[str, tuple[int, int]]
    seconds: float


def fill_large(url: str, plan: Plan, say: Say) -> Made:
    """Fills an empty database of the revision before the newest. It takes minutes for each 100,000 domains."""
    begun = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        # Nobody else is there: no foreign key is asked, and indexes are made at the end.
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'", "work_mem = '256MB'"):
            connection.execute(f"SET {setting}".encode())
        again = list(_without_indexes(connection))
        for name, statement in _statements(plan):
            at = time.monotonic()
            connection.execute(statement.encode())
            say(f"  {name}: {time.monotonic() - at:.1f} s")
        at = time.monotonic()
        for statement in again:
            connection.execute(statement.encode())
        _number_anew(connection)
        say(f"  indexes: {time.monotonic() - at:.1f} s")
        at = time.monotonic()
        connection.execute("VACUUM (ANALYZE)")
        say(f"  vacuum: {time.monotonic() - at:.1f} s")
        return Made(dict(_sizes(connection)), time.monotonic() - begun)


def settle_large(url: str) -> None:
    """What is done in the background: all endpoints were looked at, and of watches long over only the sums are kept."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """UPDATE runs SET kept = false, tally = '{"ok": 20, "fail": 0, "inconclusive": 0}'
            WHERE kind = 'health' AND change_id IS NOT NULL"""
        )
        connection.execute("UPDATE domains SET checked_settings_id = settings_id")
        # As if somebody had gone on checking all the while; and autovacuum does not go round here.
        connection.execute("UPDATE health_endpoints SET checked_at = extract(epoch FROM now()) - domain_id % 500")
        connection.execute(
            """UPDATE health_schedule SET endpoints_due = extract(epoch FROM now()) + 3600 + domain_id % 500,
                mailboxes_due = extract(epoch FROM now()) + 7200"""
        )
        connection.execute("VACUUM (ANALYZE)")


def _without_indexes(connection: "psycopg.Connection[tuple[object, ...]]") -> Iterator[str]:
    """Drops the indexes of the large tables. What makes each again."""
    for table in (*_BULK, *_HISTORY):
        rows = connection.execute(
            """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname,
                pg_get_constraintdef(c.oid)
            FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
            WHERE i.indrelid = %s::regclass AND NOT EXISTS (
                SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)""",
            (table,),
        ).fetchall()
        for index, made, constraint, how in rows:
            if constraint is None:
                connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(index))))
                yield str(made)
            else:
                drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
                connection.execute(drop.format(sql.Identifier(table), sql.Identifier(str(constraint))))
                yield f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {how}"


def _number_anew(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """PostgreSQL does not notice ids that were given by hand."""
    for table, key in (("domains", "id"), ("settings", "id"), ("mailboxes", "id"), ("events", "seq")):
        connection.execute(f"SELECT setval('{table}_{key}_seq', (SELECT max({key}) FROM {table}))".encode())


def _sizes(connection: "psycopg.Connection[tuple[object, ...]]") -> Iterator[tuple[str, tuple[int, int]]]:
    rows = connection.execute(
        """SELECT relname, reltuples::bigint, pg_total_relation_size(oid) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 3 DESC"""
    )
    for name, count, size in rows:
        yield str(name), (int(str(count)), int(str(size)))


# -- what is in it: `d` is a domain, `k` a change, the last `domains` of which are in force


def _statements(plan: Plan) -> Iterator[tuple[str, str]]:
    now, domains, changes = time.time(), plan.domains, plan.changes
    first, step = now - 365 * DAY, 365 * DAY / changes
    in_force = changes - domains
    of_domain = f"(1 + (k - 1) % {domains})"
    saved = f"({first} + k * {step})"
    state = f"""(CASE WHEN k > {in_force} OR k % 20 < 13 THEN 'applied' WHEN k % 20 < 17 THEN 'superseded'
        WHEN k % 20 < 19 THEN 'discarded' ELSE 'rolled_back' END)"""
    change, run = "md5('change' || k)", "md5('run' || k)"
    every_change = f"generate_series(1, {changes}) AS k"
    every_domain = f"generate_series(1, {domains}) AS d"
    base = f"(CASE WHEN k > {domains} THEN k - {domains} ELSE {changes} + {of_domain} END)"
    host = f"(CASE WHEN {of_domain} % 5 < 2 THEN 'mail' || ({of_domain} % 20) || '.hoster.example' " + (
        f"ELSE 'mail.domain' || lpad({of_domain}::text, greatest(5, length({of_domain}::text)), '0') || '.example' END)"
    )
    columns = "id, domain_id, kind, imap_host, imap_port, imap_security, smtp_host, smtp_port, smtp_security, "
    columns += "smtp_authentication, allow_insecure_certificate, created_at"
    servers = f"'imap', {host}, 993, 'tls', {host}, 465, 'tls', 'login', false"
    yield (
        "domains",
        f"""INSERT INTO domains (id, account_id, name, revision)
        SELECT d, 1, {_NAME}, 1 FROM {every_domain}""",
    )
    yield (
        "settings",
        f"""INSERT INTO settings ({columns})
        SELECT k, {of_domain}, {servers}, {saved} FROM {every_change}
        UNION ALL SELECT {changes} + k, k, {servers}, {first} FROM generate_series(1, {domains}) AS k""",
    )
    yield (
        "settings in force",
        f"""UPDATE domains
        SET settings_id = 1 + {in_force} + ((id - 1 - {in_force}) % {domains} + {domains}) % {domains}""",
    )
    # One in a hundred does not connect; but for one in 2,000, an admin has read that in the report of the settings.
    yield (
        "mailboxes",
        f"""INSERT INTO mailboxes (id, domain_id, address, username, credential, state, state_code, state_since,
            changed_at, health_at, health_fails, revision)
        SELECT row_number() OVER (), d, a, a, convert_to(repeat(md5(a), 4), 'UTF8'),
            CASE WHEN b % 2000 = 7 OR b % 100 = 50 THEN 'disconnected' WHEN b % 50 = 20 THEN 'unknown'
                ELSE 'connected' END,
            CASE WHEN b % 2000 = 7 OR b % 100 = 50 THEN 'auth.rejected' END,
            CASE WHEN b % 2000 = 7 THEN {now} - 86400 ELSE {first} END, {first}, {now} - b % 21600,
            CASE WHEN b % 2000 = 7 THEN 3 ELSE 0 END, 1
        FROM (SELECT d, 'box' || lpad(n::text, 4, '0') || '@' || {_NAME} AS a,
                d * 7 + n AS b
            FROM {every_domain}, LATERAL generate_series(1, {_SIZE.format("d")}) AS n) AS every""",
    )
    yield (
        "changes",
        f"""INSERT INTO changes (id, domain_id, settings_id, base_settings_id, state, created_at, applied_at)
        SELECT {change}, {of_domain}, k, {base}, {state}, {saved},
            CASE WHEN {state} IN ('applied', 'rolled_back') THEN {saved} + 300 END
        FROM {every_change}""",
    )
    counts = _COUNTS % f"' || {_SIZE.format(of_domain)} || '"
    yield (
        "verifications",
        f"""INSERT INTO runs (id, domain_id, change_id, settings_id, baseline_settings_id, kind, stage, touched_at,
            created_at, finished_at, counts, checksum, revision)
        SELECT {run}, {of_domain}, {change}, k, {base}, 'preflight', 'finished', {saved} + 20, {saved}, {saved} + 20,
            ('{counts}')::json, md5({change}) || md5({run}), 1
        FROM {every_change}""",
    )
    yield (
        "watches",
        f"""INSERT INTO runs (id, domain_id, change_id, settings_id, kind, stage, touched_at, created_at, finished_at,
            counts, checksum, revision)
        SELECT md5('watch' || k || '.' || n), {of_domain}, {change}, k, 'health', 'finished', {saved} + n * 300,
            {saved} + n * 300, {saved} + n * 300 + 20, ('{counts}')::json, md5({change}) || md5({run}), 1
        FROM {every_change}, generate_series(1, {WATCHED}) AS n WHERE {state} IN ('applied', 'rolled_back')""",
    )
    yield (
        "slices",
        f"""INSERT INTO runs (id, domain_id, settings_id, kind, stage, touched_at, created_at, finished_at, counts,
            checksum, revision)
        SELECT md5('slice' || d || '.' || n), d, (SELECT settings_id FROM domains WHERE id = d), 'health', 'finished',
            {now} - n * 20000 - d % 20000, {now} - n * 20000 - d % 20000, {now} - n * 20000 - d % 20000 + 2,
            '{_COUNTS % 5}'::json, md5('slice' || d), 1
        FROM {every_domain}, generate_series(1, 2) AS n""",
    )
    yield (
        "what each mailbox met",
        f"""INSERT INTO run_mailboxes (run_id, mailbox_id, page, before, verdict, code, ms)
        SELECT {run}, m.id, 1 + m.id % 40, 'connected', 'ok', 'ok', 12.5
        FROM {every_change} JOIN mailboxes AS m ON m.domain_id = {of_domain}""",
    )
    yield (
        "slices' mailboxes",
        """INSERT INTO run_mailboxes (run_id, mailbox_id, page, before, verdict, code, ms)
        SELECT md5('slice' || m.domain_id || '.' || n), m.id, 1, 'connected', 'ok', 'ok', 12.5
        FROM mailboxes AS m, generate_series(1, 2) AS n WHERE m.address LIKE 'box000_@%'""",
    )
    for protocol in ("imap", "smtp"):
        yield (
            f"endpoints of verifications, {protocol}",
            f"""INSERT INTO endpoint_results (run_id, phase, protocol, document)
            SELECT {run}, 'candidate', '{protocol}', {_literal(plan.documents[protocol])} FROM {every_change}""",
        )
    yield (
        "pages",
        f"""INSERT INTO pages (run_id, phase, number, done)
        SELECT {run}, 'candidate', n, true
        FROM {every_change}, generate_series(0, {_SIZE.format(of_domain)} / 25) AS n""",
    )
    yield "events of changes", _events(every_change, of_domain, saved, state, change, run)
    for protocol, port in (("imap", 993), ("smtp", 465)):
        yield (
            f"endpoints, {protocol}",
            f"""INSERT INTO health_endpoints (domain_id, protocol, settings_id, server, source, state, since, verdict,
                code, seen, fails, oks, silent, first_bad_at, last_ok_at, checked_at, ms, document, notices, moved)
            SELECT d.id, '{protocol}', d.settings_id, s.imap_host || ':{port}', '',
                CASE WHEN d.id % 1000 = 3 THEN 'fail' WHEN d.id % 1000 = 4 THEN 'silent' ELSE 'ok' END, {first},
                CASE WHEN d.id % 1000 = 3 THEN 'fail' WHEN d.id % 1000 = 4 THEN 'inconclusive' ELSE 'ok' END,
                CASE WHEN d.id % 1000 IN (3, 4) THEN 'connect.timeout' ELSE 'ok' END, '',
                CASE WHEN d.id % 1000 = 3 THEN 9 ELSE 0 END, CASE WHEN d.id % 1000 IN (3, 4) THEN 0 ELSE 99 END,
                CASE WHEN d.id % 1000 = 4 THEN 9 ELSE 0 END,
                CASE WHEN d.id % 1000 IN (3, 4) THEN {now} - 86400 END, {now} - 60, {now} - d.id % 500, 25.0,
                {_literal(plan.documents[protocol])}, '[]', false
            FROM domains AS d JOIN settings AS s ON s.id = d.settings_id""",
        )
    minutes = plan.check_minutes * 60
    yield (
        "schedule",
        f"""INSERT INTO health_schedule (domain_id, server, endpoints_due, mailboxes_due)
        SELECT d.id, s.imap_host, {now} + 3600 + d.id % {int(minutes)}, {now} + 3600 + d.id % 21600
        FROM domains AS d JOIN settings AS s ON s.id = d.settings_id""",
    )
    yield (
        "single checks",
        f"""INSERT INTO health_results (domain_id, protocol, at, verdict, code, ms)
        SELECT d, protocol, {now} - n * {minutes} - d % {int(minutes)}, 'ok', 'ok', 25.0
        FROM generate_series(1, {int(plan.check_hours * 3600 / minutes)}) AS n, {every_domain},
            (VALUES ('imap'), ('smtp')) AS of (protocol)""",
    )
    yield (
        "sums of hours",
        f"""INSERT INTO health_hours (domain_id, protocol, hour, ok, fail, inconclusive, ms_sum, ms_max)
        SELECT d, protocol, {int(now // 3600)} - n, 6, 0, 0, 150.0, 40.0
        FROM generate_series(0, {int(plan.hour_days * 24)}) AS n, {every_domain},
            (VALUES ('imap'), ('smtp')) AS of (protocol)""",
    )
    yield from _incidents(now, domains)


def _literal(document: str) -> str:
    return "'" + document.replace("'", "''") + "'::json"


def _events(every_change: str, of_domain: str, saved: str, state: str, change: str, run: str) -> str:
    """In the order of their time, as they are written: what people did, and what the service did then."""
    counts = "json_build_object('keeps_working', 20, 'will_disconnect', 0)"
    step = "json_build_object('before', 'draft', 'after', '{}', 'detail', '')"
    kinds = (
        (0, "change.saved", change, "'admin' || k % 500", step.format("draft")),
        (0, "change.verification_started", change, "'admin' || k % 500", step.format("verifying")),
        (20, "run.finished", run, "'service'", f"json_build_object('change_id', {change}, 'counts', {counts})"),
        (20, "change.verified", change, "'service'", f"json_build_object('verdict', 'safe', 'counts', {counts})"),
        (300, "change.applied", change, "'admin' || k % 500", step.format("applied")),
        (
            300,
            "mailboxes.connected",
            "'domain:' || " + of_domain,
            "'admin' || k % 500",
            "json_build_object('count', 1)",
        ),
    )
    union = " UNION ALL ".join(
        f"SELECT {after} AS after, '{kind}' AS kind, {subject} AS subject, {actor} AS actor, {payload} AS payload "
        f"WHERE {after} < 300 OR {state} IN ('applied', 'rolled_back')"
        for after, kind, subject, actor, payload in kinds
    )
    return f"""INSERT INTO events (kind, subject, account_id, domain_id, at, actor, source, api_key_id, payload)
        SELECT kind, subject, 1, {of_domain}, {saved} + after, actor,
            CASE WHEN actor = 'service' THEN '' ELSE '192.0.2.' || k % 250 END,
            CASE WHEN actor <> 'service' AND k % 3 = 0 THEN md5('key' || k % 20) END, payload
        FROM {every_change}, LATERAL ({union}) AS told"""


def _incidents(now: float, domains: int) -> Iterator[tuple[str, str]]:
    """Two a year of each domain that are over, those of the endpoints that fail now, and of the mailboxes."""
    columns = """id, account_id, scope, subject, open_subject, domain_id, mailbox_id, severity, code, facts, seen,
        since, opened_at, closed_at, mailboxes"""
    facts = """json_build_object('host', 'mail.example', 'port', '993', 'protocol', 'IMAP', 'endpoints',
        'imap@' || {0} || ':993 smtp@' || {0} || ':465')"""
    yield (
        "incidents",
        f"""INSERT INTO incidents ({columns})
        SELECT md5('over' || d || '.' || n), 1, 'endpoint', 'endpoint:' || d, NULL, d, NULL::int, 'critical',
            'connect.timeout', {facts.format("'mail.example'")}, '', at, at, at + 1800::float, 20
        FROM generate_series(1, {domains}) AS d, generate_series(1, 2) AS n,
            LATERAL (SELECT {now} - 86400 - (d * 97 + n * 7919) % 31000000 AS at) AS begun
        UNION ALL SELECT md5('now' || d.domain_id), 1, 'endpoint', 'endpoint:' || d.domain_id || ':now',
            'endpoint:' || d.domain_id || ':now', d.domain_id, NULL::int, 'critical', 'connect.timeout',
            {facts.format("rtrim(d.server, ':0123456789')")}, '', {now} - 86400, {now} - 86000, NULL, 20
        FROM health_endpoints AS d WHERE d.protocol = 'imap' AND d.state IN ('fail', 'silent')
        UNION ALL SELECT md5('box' || m.id), 1, 'mailbox', 'mailbox:' || m.id, 'mailbox:' || m.id, m.domain_id, m.id,
            'warning', 'auth.rejected', json_build_object('host', 'mail.example', 'port', '993', 'protocol', 'IMAP'),
            '', {now} - 86400, {now} - 86000, NULL, 1
        FROM mailboxes AS m WHERE m.state = 'disconnected' AND m.health_fails > 0""",
    )
    yield (
        "domains of incidents",
        "INSERT INTO incident_domains (incident_id, domain_id) SELECT id, domain_id FROM incidents",
    )
    yield (
        "events of incidents",
        """INSERT INTO events (kind, subject, account_id, domain_id, at, actor, source, payload)
        SELECT kind, id, 1, domain_id, CASE kind WHEN 'incident.opened' THEN opened_at ELSE closed_at END, 'service',
            '', json_build_object('scope', scope, 'severity', severity, 'code', code, 'mailboxes', mailboxes)
        FROM incidents, (VALUES ('incident.opened'), ('incident.resolved')) AS of (kind)
        WHERE kind = 'incident.opened' OR closed_at IS NOT NULL ORDER BY 5""",
    )
