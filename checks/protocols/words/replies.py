"""The words of servers, where no code says it: ordered tables of (pattern, code).

IMAP and SMTP servers of one vendor use the same sentences, so both translations share these tables. The first rule
that matches wins. A rule that stands before another on purpose says why. Replies are text of strangers: it is cut
(`LONGEST`) and folded before a pattern sees it, and no pattern repeats without a bound.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from checks.codes import CODES, Code
from checks.model import Fault
from checks.protocols.words import foreign

LONGEST = 4_000
"""So many characters of a reply are read. Gmail's longest (a WEBALERT with its link) has about 1,000."""


class Rule(NamedTuple):
    expression: str
    code: Code

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a server says something that has to be read: most say nothing but OK."""
        return _compiled(self.expression)


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


def rules(*pairs: tuple[str, Code]) -> tuple[Rule, ...]:
    return tuple(Rule(expression, code) for expression, code in pairs)


def fold(reply: str) -> str:
    """The reply on one line, white space folded (the no-break spaces of Yahoo too)."""
    return " ".join(reply.split())


def first_match(table: Iterable[Rule], folded: str) -> Code | None:
    return next((rule.code for rule in table if rule.pattern.search(folded)), None)


def is_lasting(code: Code) -> bool:
    return CODES[code].permanent


# What the server says of itself and of us. These may come at any stage, also instead of a greeting.
SERVER_TEXTS = rules(
    (
        r"too many (\w+ ){0,3}(connections|clients|users)|maximum (number of )?connections"
        r"|connections? limit (exceeded|reached)"
        r"|connection queue full|sender thread limit|too many sessions|" + foreign.TOO_MANY_CONNECTIONS,
        Code.SERVER_TOO_MANY_CONNECTIONS,
    ),
    # Yahoo says "Too many bad auth attempts" to the first wrong password too; it cannot be told from a real throttle.
    # A block that calls itself temporary is a throttle: SERVER_BLOCKS_ADDRESS would be a lasting cause.
    (
        r"throttl|rate.?limit|bandwidth limits|too many (bad |failed |invalid )?(log ?[io]n|auth)"
        r"|(login|logon|auth|attempts|rate)( \w+){0,2} exceeded|exceeded the login"
        r"|too many errors|slow down|too many new tls sessions|connection frequency"
        r"|unusual rate|unexpected volume|temporarily (blocked|blacklisted|banned|deferred)|credits exceeded"
        r"|intrusion prevention|authenticate too many|too (frequent|many (times|attempts|requests|failures))"
        r"|(failed|failures?),? system busy|too (often|fast)|" + foreign.THROTTLED,
        Code.SERVER_THROTTLED,
    ),
    # Before the block lists: it is our address that lacks a name, and no list has it.
    (
        r"reverse.?(dns|lookup|hostname|mapping)|\brdns\b|\bptr\b|cannot find your (reverse )?host ?name"
        r"|unable to (verify|resolve) your (host|ip)|ip address \S{1,50} does not resolve"
        r"|possibly forged (host ?name|ip)",
        Code.SERVER_REVERSE_DNS,
    ),
    # Dovecot's words for a login, Postfix's instead of a greeting.
    (
        r"client .{0,30}\bcert(ificate)?\b|no (valid |required )?(ssl |tls )?certificate|certificate (is )?required"
        r"|\b(ssl|tls) certificate error|validate certificate",
        Code.TLS_CLIENT_CERTIFICATE,
    ),
    # Before what refuses our address: Postfix says "Client host rejected: Server configuration error".
    (r"configuration (error|problem)", Code.AUTH_TEMPORARY),
    # Before the temporary words: GMX and Microsoft say "Service unavailable" in the same breath.
    (
        r"block ?list|black ?list|blocked using|not allowed to connect|client host .{0,60}(blocked|rejected|denied)"
        r"|your (ip|host|address|network|country|location)\b.{0,40}(block|reject|denied|banned|not allowed)"
        r"|(countr(y|ies)|region|geo.?ip|geo.?location)\b.{0,40}(block|denied|not (allowed|permitted)|restrict|forbid)"
        r"|(block|deni|forbid|not (allowed|permitted)).{0,30}\b(your|this) (country|region|location|network|ip)\b"
        r"|(access|log ?ins?|logons?|connections?|authentication) .{0,20}from .{0,40}"
        r"(denied|block|forbid|not (allow|permit))|foreign log ?in|\bip \S{1,50} is not (in|on|allowed|permitted)|"
        + foreign.BLOCKS_ADDRESS,
        Code.SERVER_BLOCKS_ADDRESS,
    ),
    # "generic failure" is Cyrus SASL when saslauthd is down; "Lookup failed" is Gmail now and then, cause unknown. Then
    # what stands behind the server and did not answer it, also behind a 535 (smtp-server: the words of its callback).
    (
        r"temporar|try (again )?later|internal (server )?error|servers?(\(s\))? (unavailable|error|failed|busy|is busy)"
        r"|system (is busy|error|i/o error|problem)|lookup failed"
        r"|service (is )?(currently )?(not active|unavailable|not available)|no memory|out of memory"
        r"|transient (failure|error)|weird sasl"
        r"|\bbackend\b|maintenance|authentication server|generic failure|at present|too busy|shutting down|timed out"
        r"|(database|ldap|sql|radius|directory|auth\w* ?(service|daemon|socket)|upstream)\b.{0,40}"
        r"(connection|error|fail|lost|down|unreachable|unavailable|not (available|reachable|respond))"
        r"|(could ?n.t|could not|cannot|can.t|unable to|failed to) (connect|contact|reach|determine)\b"
        r"|connection (to \S+ )?(refused|lost)|negotiation failure|\btls not present|econnrefused|etimedout"
        r"|\btimeout\b|\bpam error|internal login failure|error talking|at this time"
        r"|verification (problem|unavailable)|" + foreign.TEMPORARY,
        Code.AUTH_TEMPORARY,
    ),
)

# What a server says of the name in EHLO, which is ours and no client's.
NAME_TEXTS = rules(
    (
        r"\b(helo|ehlo)\b.{0,60}(reject|invalid|refused|bad|denied|fully.?qualified|literal|not (valid|allowed))"
        r"|(bad|invalid|forged|fake|illegal|unacceptable) (helo|ehlo)|\b(helo|ehlo) (name|argument|syntax)"
        r"|(bad|invalid) (host|domain) ?name",
        Code.SERVER_REFUSES_NAME,
    ),
)

# Refusals that name their cause. They come first: several carry words of the tables that follow.
REFUSAL_TEXTS = rules(
    # mail.ru spells it "Aplication"; the QQ help page 1001256 is about its authorization codes (the text is GBK).
    (
        r"application.specific password|ap+lication password|\bapp password|\bmissing totp token|parol prilozheniya"
        r"|authorization code to login|service\.mail\.qq\.com.{0,60}1001256",
        Code.AUTH_APP_PASSWORD,
    ),
    # Before "account is blocked" and "try again": Outlook and Gmail name the way out in the same sentence.
    (
        r"log ?in .{0,20}(via|with) (your|a) web browser|login to your account via a web browser|web login required"
        r"|need to use web for sending|prove you are not a robot",
        Code.AUTH_WEB_LOGIN,
    ),
    (r"basic auth\w* is (disabled|not supported)|basicauthblocked", Code.AUTH_BASIC_DISABLED),
    # Before "locked": Exchange Online says "user is locked by your organization's security defaults policy".
    (r"security defaults|did not meet the criteria|pass(word|phrase) is too (simple|weak)", Code.AUTH_POLICY),
    # Yandex does not tell which. Both last, and the advice for a rejected password names both.
    (r"invalid credentials or imap is disabled", Code.AUTH_REJECTED),
    # Exchange Online refuses OAuth too when SmtpClientAuthentication is off: it is the protocol, not the method.
    (
        r"yet to enable imap|(enable|activate|(turn|switch) on) (the |your )?(imap|smtp|pop3?)\b"
        r"|smtpclientauthentication is disabled|user has no permission|access rights to this service"
        r"|\b(imap|smtp)( access| service)?( for (this|your|the) (account|user|mailbox))?( is| has been)?"
        r" (disabled|deactivated|not enabled|not active|off|turned off|not allowed)"
        r"|access to (imap|smtp) (is )?(denied|not allowed|not permitted)|not (permitted|allowed) to use (imap|smtp)"
        r"|not enabled for (imap|smtp)|access to (the )?requested service (is )?disabled|" + foreign.PROTOCOL_OFF,
        Code.AUTH_PROTOCOL_DISABLED,
    ),
    (
        r"starttls (is )?required|issue a starttls|plaintext authentication (disallowed|not allowed)|under a layer"
        r"|encryption (required|needed)|without ssl/tls|run starttls|(ssl|tls).?connection is required",
        Code.AUTH_ENCRYPTION_REQUIRED,
    ),
    (
        r"\bauth\w*( \w+){0,4} not (enabled|advertised|implemented)|command .?auth.? not recognized"
        r"|failed: login disabled",  # perdition, of the server and of everybody
        Code.AUTH_NOT_OFFERED,
    ),
    (
        r"un(recognized|supported|known) (authentication |auth )?(type|mechanism|method)|mechanism (is )?too weak"
        r"|no mechanism available|mechanism unavailable"
        r"|\b(mechanism|authentication|method)( \S+){0,3} not (available|supported|permitted|recognized)",
        Code.AUTH_NO_MECHANISM,
    ),
    # What went wrong is between two programs and says nothing of the password. Netease (163, 126) calls a login
    # unsafe until the client has introduced itself (RFC 2971 ID); a host app that does is not refused.
    (
        r"invalid sasl argument|bad protocol|protocol errors|error reading client response|cannot decode|unsafe login"
        r"|in invalid state|invalid (imap )?commands?\b|already authenticated",
        Code.PROTOCOL_ERROR,
    ),
)

# What the server says of the mailbox. Last: after the temporary words, so that a lock of minutes is no lasting one.
ACCOUNT_TEXTS = rules(
    (r"invalid.?token|token( \w+){0,3} (expired|invalid|revoked)|xoauth2 auth data", Code.AUTH_TOKEN_REJECTED),
    (r"oauth2? (is )?required|requires oauth", Code.AUTH_OAUTH_REQUIRED),
    # Cyrus: the password is right, the user may not use the service.
    (
        r"authorization (failure|failed|denied)|not (authori[sz]ed|allowed|permitted) to (log ?in|use)"
        r"|service denied"
        r"|access to this service (has been|is) (blocked|denied)",
        Code.AUTH_POLICY,
    ),
    (r"pass(word|phrase)( \w+){0,3} expired|must change( \w+){0,2} password", Code.AUTH_EXPIRED),
    (
        r"\b(account|user|mailbox|passphrase)( \w+){0,3} (locked|blocked)|" + foreign.LOCKED,
        Code.AUTH_LOCKED,
    ),
    (
        r"\b(account|user|mailbox|login)( \w+){0,3} (disabled|suspended|deactivated|inactive|closed|expired)|"
        + foreign.DISABLED,
        Code.AUTH_ACCOUNT_DISABLED,
    ),
)

LOGIN_TEXTS = REFUSAL_TEXTS + SERVER_TEXTS + ACCOUNT_TEXTS

# By how each begins to speak. LMTP greets like SMTP, but nobody logs in there (RFC 2033).
_SERVICES = (
    ("HTTP", re.compile(r"HTTP/\d|<(!doctype )?html\b", re.IGNORECASE)),
    ("POP3", re.compile(r"\+OK\b|-ERR\b")),
    ("SSH", re.compile(r"SSH-\d")),
    ("IMAP", re.compile(r"\* (OK|PREAUTH|BYE)\b", re.IGNORECASE)),
    ("ManageSieve", re.compile(r'"IMPLEMENTATION"')),
    ("LMTP", re.compile(r"220[ -](?!.*\bE?SMTP\b).*\bLMTP\b", re.IGNORECASE)),
    ("FTP", re.compile(r"220[ -](?!.*\bE?SMTP\b).*\bftp", re.IGNORECASE)),
    ("NNTP", re.compile(r"20[01][ -]")),
    ("SMTP", re.compile(r"(220|421|554)[ -]")),
)


def named(words: str) -> str:
    """The service that speaks like this, '' where it cannot be told."""
    return next((name for name, begins in _SERVICES if begins.match(words)), "")


def mismatch(words: str) -> Fault:
    """`protocol.mismatch`, with the name of the service where it has one."""
    name = named(words)
    return Fault(Code.PROTOCOL_MISMATCH, words, **({"other": name} if name else {}))
