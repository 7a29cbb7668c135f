"""What the service answers, as docs/openapi.json has it.

Written by `python -m tests.web.client.documents`, not by hand. Members may be added to a document at any time.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Action = Literal["apply", "approve", "roll_back", "resume", "verify", "reopen", "cancel", "discard"]
AttemptState = Literal["trying", "connected", "stored", "failed", "cannot_tell", "pending", "login_needed"]
Authentication = Literal["login", "none"]
Blame = Literal["nobody", "settings", "server", "mailbox", "network", "us"]
ChangeState = Literal["draft", "verifying", "verified", "applied", "discarded", "superseded", "rolled_back"]
Code = str
Confidence = Literal["high", "medium", "low"]
CredentialKind = Literal["password", "oauth2_token", "oauth2_client"]
Impact = Literal["keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell"]
Language = Literal["en", "ja"]
LoginName = Literal["address", "local_part", "other", "unknown"]
MailboxState = Literal["connected", "disconnected", "unknown"]
Option = Literal["needed", "not_needed", "would_not_help"]
Outcome = Literal[
    "admitted",
    "refused",
    "dropped",
    "closed",
    "silent",
    "blocked",
    "busy",
    "banned",
    "no_family",
    "not_here",
    "unreachable",
]
Password = Literal["password", "app_password", "oauth2", "unknown"]
ProblemCode = str
Protocol = Literal["imap", "smtp", "https"]
Recipient = Literal["owners", "mail_admin", "firewall", "ticket"]
Right = Literal["read", "change", "apply", "credentials", "admin", "connect", "operate"]
Role = Literal["super_admin", "account_access", "member", "host_app", "operator"]
Scope = Literal["endpoint", "server", "mailbox", "mailboxes", "source", "service", "notice"]
Security = Literal["auto", "tls", "starttls"]
Severity = Literal["critical", "warning", "info"]
Source = Literal[
    "typed", "pacc", "autoconfig", "autodiscover", "provider", "srv", "provider_by_mx", "autoconfig_by_mx", "guess"
]
Verdict = Literal["ok", "fail", "inconclusive"]
Wants = Literal["app_password", "app_password_with_two_steps", "no_password"]


class AccountDocument(TypedDict):
    """An account, with how many domains and mailboxes it has."""

    domains: int
    mailboxes: int
    name: str


class AccountPage(TypedDict):
    """Accounts by name."""

    items: list[AccountDocument]
    next_cursor: str | None


class AddedChannel(TypedDict):
    """`own_domains` are those whose mail server this channel's messages go through: add a second one for them."""

    created_at: str
    domain: str | None
    id: str
    language: Language
    name: str
    operator: bool
    own_domains: list[str]
    quiet: str | None
    severity: Severity
    shown: str
    time_zone: str


class AdmissionModel(TypedDict):
    """What one of our addresses met. `source` is null where nobody knows what the server sees of it."""

    message: str
    outcome: Outcome
    seen: str
    shared: bool
    source: str | None


class AliveDocument(TypedDict):
    """The process answers; nothing else was asked."""

    status: str


class ApprovalDocument(TypedDict):
    """A second person's approval. `awaited`: the change cannot be applied before somebody approves its report.

    `by` and `at` are those of the newest approval, null where there is none; it counts for the report that it was given
    for, and not for another one.
    """

    at: str | None
    awaited: bool
    by: str | None


class AskedSourceDocument(TypedDict):
    """One source, and what it tried."""

    attempts: list[dict[str, str]]
    found: bool
    message: str
    seconds: float
    source: Source


class AuditEntry(TypedDict):
    """What was done. `source` is the address it came from, `local` for a command; `api_key` is the key, if by one."""

    actor: str
    api_key: str | None
    at: str
    data: dict[str, Any]
    domain: str | None
    id: str
    source: str
    subject: str
    type: str


class AuditPage(TypedDict):
    """Entries, the newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


class CauseModel(TypedDict):
    """Mailboxes with the same impact for the same reason, who must act, and what to do.

    `seen` are a server's own words to one of them, redacted.
    """

    advice: str
    blame: Blame
    code: Code
    count: int
    field: str | None
    headline: str
    impact: Impact
    message: str
    protocol: Protocol | None
    seen: str
    who_acts: str


class CertificateModel(TypedDict):
    """One certificate that the server sent."""

    issuer: str
    not_after: str
    not_before: str
    sha256: str
    subject: str


class ChangeDocument(TypedDict):
    """A change. `allowed_actions` are the actions that would be accepted for it now, the one that leads on first.

    They are those of whoever asks: a change that awaits approval has `approve` for the others than who saved it.
    `approval` is null where its domain asks for none.

    `run_id`, `progress` and `report` are those of its newest verification; `checksum` is what to apply it takes.
    """

    allowed_actions: list[Action]
    applied_at: str | None
    approval: ApprovalDocument | None
    checksum: str | None
    counts: Counts | None
    domain: str
    id: str
    progress: Progress | None
    reported_at: str | None
    run_id: str | None
    saved_at: str
    saved_by: str
    settings: ImapSettingsDocument | ExchangeSettingsDocument
    state: ChangeState
    verdict: Literal["safe", "unsafe", "cannot_tell"] | None
    watch: WatchDocument | None


class ChangePage(TypedDict):
    """Changes, the newest first."""

    items: list[ChangeDocument]
    next_cursor: str | None


class ChannelDocument(TypedDict):
    """A channel. `shown` is its URL without secrets. `operator`: it hears of the service itself, too."""

    created_at: str
    domain: str | None
    id: str
    language: Language
    name: str
    operator: bool
    quiet: str | None
    severity: Severity
    shown: str
    time_zone: str


class ChannelPage(TypedDict):
    """Channels by name."""

    items: list[ChannelDocument]
    next_cursor: str | None


class CheckDocument(TypedDict):
    """What came of it, the same document as `mail-preflight check --json` prints."""

    admissions: list[dict[str, Any]]
    advice: str
    allow_insecure_certificate: Option | None
    blame: Blame
    client: str | None
    code: Code
    endpoint: dict[str, Any]
    field: str | None
    fix: dict[str, str] | None
    headline: str
    judged: str
    message: str
    option_message: str
    seen: str
    steps: list[dict[str, Any]]
    tls: dict[str, Any] | None
    untested: str
    verdict: Verdict
    warnings: list[dict[str, str]]
    who_acts: str


class ClockDocument(TypedDict):
    """How far the clock of the sandbox is ahead, in seconds, of the time that it was made."""

    ahead_seconds: int


class CodeDocument(TypedDict):
    """A code. `lasting`: a failure, which can make a change unsafe; else inconclusive, which never counts as one.

    `blame` is who must act; `field` is the form field to look at, null where there is none.
    """

    blame: Blame
    code: Code
    field: str | None
    lasting: bool
    words: dict[str, CodeWords]


class CodeList(TypedDict):
    """All of them."""

    items: list[CodeDocument]
    next_cursor: NotRequired[None]


class CodeWords(TypedDict):
    """A code in one language. A result has these sentences with its own host, date and names in them."""

    advice: str
    cause: str
    who_acts: str


class CommonCauseModel(TypedDict):
    """One cause that explains more than half of the failures."""

    code: Code
    count: int
    field: str | None
    headline: str
    hint: str
    message: str
    protocol: Protocol | None


class Completed(TypedDict):
    """The change that was saved: its report says who would be connected, and to apply it connects them."""

    change_id: str


class ConnectionDocument(TypedDict):
    """An attempt to connect a mailbox.

    `verdict` and `code` are those of the login, null where none was tried; `message` to `field` are the code in words,
    `services` the codes of Exchange's mail and calendar. `settings` are those that were typed, null where the domain's
    were taken. `login_kept`: the login works and is kept until the domain has settings.
    """

    address: str
    advice: str | None
    at: str
    blame: Blame | None
    by: str
    code: Code | None
    domain: str
    field: str | None
    hint: HintDocument | None
    id: str
    login_kept: bool
    message: str | None
    protocol: str | None
    seen: str
    services: dict[str, str] | None
    settings: ImapSettingsDocument | ExchangeSettingsDocument | None
    state: AttemptState
    username: str
    verdict: Verdict | None
    who_acts: str | None


class ConnectionIp(TypedDict):
    """An address, or a range in CIDR notation, that we connect from."""

    address: str
    family: Literal["ipv4", "ipv6"]
    static: bool


class ConnectionIpList(TypedDict):
    """Those that are known. `complete` is false where the system chooses an address: then there may be others.

    Static ranges are listed once a domain of the account uses them, or has a change under way that would;
    `static_available` says whether the operator has any, `static_domains` which domains use them, by name: all of them,
    unless `limit` asks for a page. Then `next_cursor` leads on, to pages that have domains alone and no `items`.
    """

    complete: bool
    items: list[ConnectionIp]
    next_cursor: NotRequired[str | None]
    static_available: bool
    static_domains: list[str]


class Counts(TypedDict):
    """How many mailboxes have each impact."""

    already_disconnected: int
    cannot_tell: int
    keeps_working: int
    will_disconnect: int
    will_reconnect: int


class DeliveryDocument(TypedDict):
    """One event to one endpoint. `id` is the `webhook-id`, the same at every attempt.

    `next_attempt_at` is null where none is to come; `status` is that of the last answer, `error` why it failed.
    """

    attempts: int
    created_at: str
    error: str | None
    event_id: str
    id: str
    next_attempt_at: str | None
    sent_at: str | None
    state: Literal["pending", "sent", "failed"]
    status: int | None
    type: str


class DeliveryPage(TypedDict):
    """Those of the newest events first."""

    items: list[DeliveryDocument]
    next_cursor: str | None


class DiscoveryDocument(TypedDict):
    """What came of it, the best proposal first: the same document as `mail-preflight discover --json` prints."""

    address: str | None
    domain: str
    findings: list[dict[str, str]]
    headline: str
    proposals: list[ProposalDocument]
    seconds: float
    sources: list[AskedSourceDocument]
    unfinished: list[Source]
    verdict: Literal["ok", "fail", "inconclusive"]


class DomainDocument(TypedDict):
    """A domain. `settings` are those in force, null before the first change was applied.

    `paused_since`: nobody watches it from then on, null where somebody does. `pending_entries`: so many members wait
    for its settings. `needs_approval`: a change of it is applied after a second person has approved it.
    """

    kind: Literal["imap", "exchange"] | None
    links: DomainLinks
    mailboxes: MailboxCounts
    name: str
    needs_approval: bool
    paused_since: str | None
    pending_entries: int
    settings: ImapSettingsDocument | ExchangeSettingsDocument | None


class DomainHealthDocument(TypedDict):
    """How one domain is. docs/schema/health.schema.json has every field of what is nested."""

    alert_channels: list[str]
    alerts: str
    at: str
    domain: str
    endpoints: list[dict[str, Any]]
    headline: str
    incident_count: int
    incidents: list[dict[str, Any]]
    mailboxes: dict[str, Any]
    maintenance: dict[str, Any] | None
    paused_since: str | None
    remarks: list[str]
    service_in_trouble: bool
    state: Literal["failing", "unknown", "maintenance", "paused", "not_configured", "healthy"]


class DomainLinks(TypedDict):
    """Where the rest of a domain is."""

    changes: str
    health: str
    mailboxes: str
    self: str


class DomainList(TypedDict):
    """A page of domains, by name."""

    items: list[DomainDocument]
    next_cursor: str | None


class EmbedOriginsDocument(TypedDict):
    """Those that are registered."""

    origins: list[str]


class EmbedSessionDocument(TypedDict):
    """`url` is for the `src` of an iframe. It can be opened once; all of it ends at `expires_at`."""

    domain: str
    expires_at: str
    role: Role
    url: str


class EndpointDocument(TypedDict):
    """A webhook endpoint. `url` is without its query, which may hold a secret; no `types` are all types.

    `silent` says why no event arrives at all, and is null where they do. Verify `v1a` with `public_key`; until
    `old_secret_until`, what is sent is signed with the secret before it, too.
    """

    created_at: str
    description: str
    disabled_at: str | None
    domain: str | None
    enabled: bool
    failing_since: str | None
    id: str
    old_public_key: str | None
    old_secret_until: str | None
    public_key: str | None
    signature: Literal["v1", "v1a"]
    silent: str | None
    types: list[str]
    url: str


class EndpointModel(TypedDict):
    """What came of the check of one server. `field` is the form field to look at."""

    admissions: list[AdmissionModel]
    advice: str
    allow_insecure_certificate: Option | None
    blame: Blame
    client: str | None
    code: Code
    endpoint: PlaceModel
    field: str | None
    fix: FixModel | None
    headline: str
    judged: str
    message: str
    option_message: str
    seen: str
    steps: list[StepModel]
    tls: TlsModel | None
    untested: str
    verdict: Verdict
    warnings: list[WarningModel]
    who_acts: str


class EndpointPage(TypedDict):
    """The oldest endpoints first."""

    items: list[EndpointDocument]
    next_cursor: str | None


class EndpointWithSecret(TypedDict):
    """`secret` is shown now and never again; null with `v1a`, whose secret stays with us."""

    created_at: str
    description: str
    disabled_at: str | None
    domain: str | None
    enabled: bool
    failing_since: str | None
    id: str
    old_public_key: str | None
    old_secret_until: str | None
    public_key: str | None
    secret: str | None
    signature: Literal["v1", "v1a"]
    silent: str | None
    types: list[str]
    url: str


class EndsDocument(TypedDict):
    """What ends with a domain."""

    alert_channels: int
    changes: int
    mailboxes: int
    members: int
    name: str
    open_incidents: int
    settings_in_force: bool
    verifications_under_way: int
    webhook_endpoints: int


class EntryDocument(TypedDict):
    """Something that was done with a change. `before` is null for a new one."""

    actor: str
    after: str | None
    at: str
    before: str | None
    detail: str
    event: str
    source: str


class EventDocument(TypedDict):
    """What happened. `subject` is the id of a change, run or incident, or a domain; `data` what the type has beyond."""

    actor: str
    data: dict[str, Any]
    domain: str | None
    id: str
    subject: str
    time: str
    type: str


class EventsPage(TypedDict):
    """Events, the oldest first. `next_after` is what to ask for the next ones with, now or later.

    `next_cursor` is the same where more are there already, else null.
    """

    items: list[EventDocument]
    next_after: str
    next_cursor: str | None


class ExchangeSettingsDocument(TypedDict):
    """Exchange Web Services, for mail and calendar."""

    allow_insecure_certificate: bool
    ca_pem: str
    exchange_url: str
    kind: NotRequired[Literal["exchange"]]
    static_addresses: bool


class FirewallRequestDocument(TypedDict):
    """What the people who run a domain's firewall are asked for. `blocked`: addresses that were last not let in."""

    addresses: list[str]
    blocked: list[str]
    domain: str
    servers: list[FirewallTarget]
    static: bool
    words: dict[str, RequestWords]


class FirewallTarget(TypedDict):
    """A server and TCP port that has to be reached."""

    host: str
    port: int
    protocol: Protocol


class FixModel(TypedDict):
    """A repair that would work."""

    detail: str
    kind: str


class Forgotten(TypedDict):
    """How many rejections were forgotten."""

    forgotten: int


class GroupModel(TypedDict):
    """The mailboxes of an impact in words."""

    count: int
    impact: Impact
    message: str


class HealthPage(TypedDict):
    """Domains, the worst first. `total` says of how many there are which state, in words."""

    items: list[LineDocument]
    next_cursor: str | None
    total: str


class HintDocument(TypedDict):
    """What the provider wants as the password. `url` is where it is made, null where there is none to make.

    `source` is the provider's page that says so, as read on `seen`.
    """

    message: str
    provider: str
    seen: str
    source: str
    url: str | None
    wants: Wants


class HistoryPage(TypedDict):
    """What was done with a change, oldest first."""

    items: list[EntryDocument]
    next_cursor: str | None


class ImapSettingsDocument(TypedDict):
    """IMAP for reading and SMTP for sending."""

    allow_insecure_certificate: bool
    ca_pem: str
    imap: ServerDocument
    kind: NotRequired[Literal["imap"]]
    smtp: SmtpDocument
    static_addresses: bool


class IncidentDocument(TypedDict):
    """One incident. `title`, `message`, `advice` and `course` are for people, `seen` is what the server said."""

    address: str | None
    advice: str
    closed_at: str | None
    code: str
    course: str
    domains: list[str]
    id: str
    mailboxes: int
    message: str
    opened_at: str
    recovered_at: str | None
    reopened: int
    scope: Scope
    seen: str
    severity: Severity
    since: str
    state: Literal["open", "closed"]
    title: str


class IncidentEventDocument(TypedDict):
    """What happened to it."""

    at: str
    data: dict[str, Any]
    id: str
    type: str


class IncidentPage(TypedDict):
    """Incidents, the last opened first."""

    items: list[IncidentDocument]
    next_cursor: str | None


class IncidentStory(TypedDict):
    """An incident with its course. `disconnected` are the first mailboxes that are disconnected for it now."""

    address: str | None
    advice: str
    closed_at: str | None
    code: str
    course: str
    disconnected: list[str]
    domains: list[str]
    events: list[IncidentEventDocument]
    id: str
    mailboxes: int
    message: str
    opened_at: str
    recovered_at: str | None
    reopened: int
    scope: Scope
    seen: str
    severity: Severity
    since: str
    state: Literal["open", "closed"]
    title: str


class KeyDocument(TypedDict):
    """A key. `scopes` are what it may do, `created_by` is who made it; the last use is noted once a minute."""

    created_at: str
    created_by: str
    expires_at: str | None
    id: str
    kind: Literal["live", "test"]
    last_address: str
    last_used_at: str | None
    name: str
    revoked_at: str | None
    role: Role
    scopes: list[Right]
    user_id: str | None
    user_name: str | None


class KeyPage(TypedDict):
    """Keys, the oldest first."""

    items: list[KeyDocument]
    next_cursor: str | None


class LetterList(TypedDict):
    """The letters of a report, those to owners first."""

    items: list[LetterModel]
    next_cursor: NotRequired[None]


class LetterModel(TypedDict):
    """A letter in plain text. `code`, `protocol` and `impact` say which cause it is about, null where it is all.

    `count` mailboxes are concerned. `addresses` are those of the owners whom it is to be sent to: the first 1,000; the
    mailboxes of the report have the others. `caution` is for the sender, and no part of the letter.
    """

    addresses: list[str]
    body: str
    caution: str
    code: Code | None
    count: int
    impact: Impact | None
    protocol: Protocol | None
    subject: str
    to: Recipient


class LineDocument(TypedDict):
    """One domain of all. `incidents` are open ones, notices aside."""

    checked_at: str | None
    domain: str
    headline: str
    incidents: int
    mailboxes: dict[str, int]
    notices: int
    state: Literal["failing", "unknown", "maintenance", "paused", "not_configured", "healthy"]


class MailboxCounts(TypedDict):
    """Mailboxes by their last known state."""

    connected: int
    disconnected: int
    total: int
    unknown: int


class MailboxDocument(TypedDict):
    """A mailbox as it is known. `credential` is the kind of what is stored to log in with, null where nothing is.

    `code` is the cause of its state, null where none is known; `since` is when that state began.
    """

    address: str
    code: str | None
    credential: CredentialKind | None
    since: str | None
    state: MailboxState
    username: str


class MailboxList(TypedDict):
    """A page of mailboxes, by address."""

    items: list[MailboxDocument]
    next_cursor: str | None


class MaintenanceDocument(TypedDict):
    """Maintenance from `starts_at` until just before `ends_at`. `domain` null: every domain of the account."""

    domain: str | None
    ends_at: str
    id: str
    note: str
    starts_at: str


class MaintenancePage(TypedDict):
    """Maintenance that is not over, by its beginning."""

    items: list[MaintenanceDocument]
    next_cursor: str | None


class MeDocument(TypedDict):
    """Who asks. `account` is null for an operator, `domain` for everybody but a member."""

    account: str | None
    domain: str | None
    key: KeyDocument


class NewAccountDocument(TypedDict):
    """An account that has just been made. `key` is the text of its first key, shown this once; null without one."""

    domains: int
    key: str | None
    mailboxes: int
    name: str


class NewKeyDocument(TypedDict):
    """A key that has just been made. `key` is its text, which is shown this once and never again."""

    created_at: str
    created_by: str
    expires_at: str | None
    id: str
    key: str
    kind: Literal["live", "test"]
    last_address: str
    last_used_at: str | None
    name: str
    revoked_at: str | None
    role: Role
    scopes: list[Right]
    user_id: str | None
    user_name: str | None


class NextModel(TypedDict):
    """What can be done with the change now. To apply it takes that number where anybody would disconnect."""

    accept_disconnects: int
    action: Action | None
    message: str


class PendingPage(TypedDict):
    """Who waits, the newest first."""

    items: list[ConnectionDocument]
    next_cursor: str | None


class PlaceModel(TypedDict):
    """Where an endpoint is. `url` and `typed` are Exchange's; `address` is the one that answered."""

    address: str | None
    authentication: NotRequired[Authentication]
    host: str
    port: int
    protocol: Protocol
    security: Security
    typed: NotRequired[str | None]
    url: NotRequired[str | None]


class PrefillDocument(TypedDict):
    """The servers of the domain. `kind` null: it has no settings, so they are to be typed, and an admin completes them.

    IMAP and SMTP serve mail, `exchange_url` mail and calendar. `address` is the only one that may be connected, null
    where that is any of the domain. `hint` is to be shown before the password is typed.
    """

    address: str | None
    domain: str
    exchange_url: str | None
    hint: HintDocument | None
    imap: ServerDocument | None
    kind: Literal["imap", "exchange"] | None
    serves: list[Literal["mail", "calendar"]]
    smtp: SmtpDocument | None


class ProblemPage(TypedDict):
    """What a problem means, whenever it comes."""

    code: ProblemCode
    status: int
    title: str
    what_to_do: str


class Progress(TypedDict):
    """How far the verification is. `total` is 0 until it is planned; `done` are the mailboxes with a verdict."""

    done: int
    fail: int
    inconclusive: int
    ok: int
    stage: Literal["queued", "endpoints", "canaries", "mailboxes", "baseline", "finished", "cancelled"]
    total: int


class ProposalDocument(TypedDict):
    """One proposal. `settings` is there where it works and each host is trusted or accepted: it fits a change."""

    also: list[Source]
    complete: bool
    confidence: Confidence
    help_url: str | None
    hosts_to_accept: list[str]
    kind: Literal["imap", "exchange"]
    login_name: LoginName
    login_name_message: str
    password: Password
    password_message: str
    place: str
    provider: str | None
    servers: list[ProposedServerDocument]
    settings: dict[str, Any] | None
    source: Source
    source_message: str
    trusted: bool
    username: str | None
    works: bool


class ProposedDocument(TypedDict):
    """The mailboxes that came with a change: new ones, those with another login than is stored, and the same."""

    added: int
    unchanged: int
    updated: int


class ProposedServerDocument(TypedDict):
    """One server. No credential may go to it unless it is `trusted`, or the admin has accepted its very host."""

    check: dict[str, Any]
    evidence: str
    reason: str
    repair: dict[str, str] | None
    trusted: bool


class QueuedDocument(TypedDict):
    """So many deliveries are sent again. `next_after`: ask again with it as `after`, there is more of the range."""

    next_after: str | None
    queued: int


class ReadyDocument(TypedDict):
    """Each part is "ok"."""

    parts: dict[str, str]
    status: str


class Removed(TypedDict):
    """How many mailboxes were taken out, with their credentials."""

    removed: int


class ReportMailbox(TypedDict):
    """A mailbox of a report. `endpoint` is the protocol that decided, `seen` the server's own words, redacted."""

    address: str
    code: Code
    endpoint: Protocol | None
    impact: Impact
    seen: str
    services: ServicesModel | None


class ReportMailboxPage(TypedDict):
    """Mailboxes by address."""

    items: list[ReportMailbox]
    next_cursor: str | None


class ReportModel(TypedDict):
    """The report of a change, without its mailboxes. To apply the change takes its `checksum`."""

    causes: list[CauseModel]
    change_id: str
    checksum: str
    client: str | None
    common_cause: CommonCauseModel | None
    counts: Counts
    domain: str
    endpoints: list[EndpointModel]
    groups: list[GroupModel]
    headline: str
    next: NextModel
    services: list[ServiceModel]
    stop: StopModel | None
    untried: UntriedModel | None
    verdict: Literal["safe", "unsafe", "cannot_tell"]


class RequestWords(TypedDict):
    """The request as a text to send; `explanation` tells those who do not know us what it is about."""

    explanation: str
    subject: str
    text: str


class SavedDocument(TypedDict):
    """A change that was just saved, with what the save has told.

    `concerned_mailboxes`: so many the domain has, and each of them gets the settings once the change is applied.
    """

    allowed_actions: list[Action]
    applied_at: str | None
    approval: ApprovalDocument | None
    checksum: str | None
    concerned_mailboxes: int
    counts: Counts | None
    domain: str
    id: str
    progress: Progress | None
    proposed: ProposedDocument | None
    reported_at: str | None
    run_id: str | None
    saved_at: str
    saved_by: str
    settings: ImapSettingsDocument | ExchangeSettingsDocument
    state: ChangeState
    superseded: SupersededDocument | None
    verdict: Literal["safe", "unsafe", "cannot_tell"] | None
    watch: WatchDocument | None


class ServerDocument(TypedDict):
    """One mail server."""

    host: str
    port: int
    security: Security


class ServiceModel(TypedDict):
    """Exchange: how many mailboxes have each verdict on a service."""

    fail: int
    inconclusive: int
    label: str
    name: str
    ok: int


class ServicesModel(TypedDict):
    """Exchange: the codes of mail and calendar apart."""

    calendar: Code
    mail: Code


class SmtpDocument(TypedDict):
    """The server for sending."""

    authentication: Authentication
    host: str
    port: int
    security: Security


class StepModel(TypedDict):
    """One step of a check, in their order; `seen` are the server's or the network's own words, redacted."""

    label: str
    ms: float
    name: str
    seen: str
    verdict: Verdict


class StopModel(TypedDict):
    """Why the logins ended early, and how many mailboxes were not tried."""

    code: Code
    count: int
    message: str


class SupersededDocument(TypedDict):
    """An unapplied change that a newer one replaces. `reopen` brings it back."""

    id: str
    saved_by: str


class TestDocument(TypedDict):
    """Whether a test message was taken, and else why not."""

    reason: str
    sent: bool


class TlsModel(TypedDict):
    """What was found of TLS."""

    broken: int | None
    chain: list[CertificateModel]
    cipher: str | None
    large_hello: str | None
    openssl: str | None
    version: str | None
    x509_strict: bool


class TriedDocument(TypedDict):
    """What came of a test. `status` is that of the answer, null where there was none; `error` why it failed."""

    delivered: bool
    error: str | None
    status: int | None
    webhook_id: str


class UntriedModel(TypedDict):
    """Mailboxes that were not tried, which the action goes on with."""

    action: Literal["resume"]
    count: int
    message: str


class UpsertCounts(TypedDict):
    """How many mailboxes were new, log in otherwise than before, or were there already as they came."""

    added: int
    unchanged: int
    updated: int


class UserDocument(TypedDict):
    """A user."""

    created_at: str
    domain: str | None
    id: str
    name: str
    role: Role


class UserPage(TypedDict):
    """Users by name."""

    items: list[UserDocument]
    next_cursor: str | None


class WarningModel(TypedDict):
    """Something to know that is no failure."""

    code: Code
    message: str


class WatchDocument(TypedDict):
    """The watch after applying. `until` is null once it is over; `trouble` says where more failed than the report."""

    roll_back_by_itself: bool
    rounds: int
    trouble: str
    until: str | None
