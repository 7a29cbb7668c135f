"""What each code means, in English: (the fact, who acts and what to do). Facts are filled in by name: `{host}`."""

from collections.abc import Mapping

from checks.codes import Blame, Code
from checks.messages.en.certificates import WORDS as CERTIFICATES

NEUTRAL: Mapping[str, str] = {
    "host": "the mail server",
    "port": "(unknown)",
    "protocol": "mail",
    "date": "an unknown date",
    "names": "another name",
    "seconds": "a few",
    "addresses": "not recorded",
    "admitted": "other addresses of ours",
    "security": "the chosen security",
    "count": "not recorded",
    "reason": "not recorded",
    "subject": "an unknown owner",
    "issuer": "an unknown issuer",
    "cipher": "RSA key exchange",
    "versions": "older than that",
    "minimum": "TLS 1.2",
    "name": "another name",
    "sha256": "not recorded",
    "url": "the corrected one",
    "target": "not recorded",
    "concerned": "all of this server",
    "other": "something else",
    "because": "",
    "evidence": "no mailbox at all was let in",
}
"""What stands in for a fact that is missing."""

CLIENTS: Mapping[Code, tuple[str, str]] = {
    Code.AUTH_UNSENDABLE: ("{library} cannot send them.", "{library} cannot send them; {others} can."),
    Code.AUTH_ID_REQUIRED: ("{library} sends none.", "{library} sends none; {others} does."),
    Code.PROTOCOL_BARE_LINE_FEED: ("{library} stops there.", "{library} stops there; {others} reads on."),
    Code.PROTOCOL_FOREIGN_TAG: ("{library} stops there.", "{library} stops there; {others} reads on."),
}
"""Which client it is that a verdict hangs on: alone, and with those that would not meet this."""

IN_FORCE = (
    "These settings worked before, and nobody has changed them here. Ask whoever runs {host} what has changed there: "
    "is it down, was it moved, or does a firewall keep our addresses out?"
)
"""What to do about a server that fails in force: there is nothing to correct in the settings."""

ANSWERED = (
    "{host} answered when the verification began, so the settings are not to blame. Ask whoever runs it whether it was"
    " restarted, is overloaded or keeps our addresses out, then verify again."
)
"""What to do about a server that went away in the middle of a verification."""

EVIDENCE: Mapping[str, str] = {
    "none_accepted": "no mailbox at all was let in",
    "backend_away": "it said of others meanwhile that it could not check their passwords",
    "imap_accepted": "IMAP had just accepted the same passwords",
    "worked_before": "the same passwords worked there at the last check",
}
"""What speaks for the credentials that a server rejects."""

BECAUSE: Mapping[str, str] = {
    "wildcard_underscore": " To the client that will connect, a wildcard (*) does not stand for a name with an"
    " underscore (_); other clients let it.",
    "wildcard_part": " To the client that will connect, a wildcard (*) stands for the whole first part of a name or for"
    " nothing; other clients let it stand for a piece of it.",
    "common_name": " That name is in the common name only, where the client that will connect does not look;"
    " other clients do.",
}
"""Why a name that looks right is none."""

BLAME: Mapping[Blame, str] = {
    Blame.NOBODY: "nobody",
    Blame.SETTINGS: "the admin, who typed the settings",
    Blame.SERVER: "whoever runs the mail server",
    Blame.MAILBOX: "the mailbox's owner",
    Blame.NETWORK: "whoever runs the network between us and the server",
    Blame.US: "the operator of this service",
}

WORDS: Mapping[Code, tuple[str, str]] = {
    **CERTIFICATES,
    Code.OK: ("{protocol} on {host} port {port} works.", "Nothing to do."),
    Code.DNS_NOT_FOUND: (
        "The name {host} does not exist.",
        "Check the spelling of the {protocol} host and correct it in the settings.",
    ),
    Code.DNS_NO_ADDRESS: (
        "The name {host} exists but has no address.",
        "Check the {protocol} host in the settings. If it is right, ask whoever runs its DNS to add an address.",
    ),
    Code.DNS_TEMPORARY: (
        "The name {host} could not be looked up just now.",
        "Verify again in a few minutes. If it stays, ask whoever runs the DNS of this name.",
    ),
    Code.ADDRESS_NOT_ALLOWED: (
        "{host} has an address that this service may not connect to.",
        "Enter a mail server with a public address, or ask the operator of this service to allow its network.",
    ),
    Code.ADDRESS_PORT: (
        "This service does not connect to port {port} of {host}.",
        "Enter the port of a mail server, such as 993 or 587, or ask the operator of this service to allow this port.",
    ),
    Code.ADDRESS_SOURCE_MISSING: (
        "The connection to {host} should leave from a static address of this service, and here there is none.",
        "The operator of this service looks at MAIL_PREFLIGHT_STATIC_ADDRESSES and at the addresses of the machine that"
        " the worker runs on, then verify again. It says nothing about the mailboxes.",
    ),
    Code.CONNECT_NOT_ADMITTED: (
        "{host} does not admit connections to port {port} from {addresses}; from {admitted} it does.",
        "Send whoever runs the firewall of the mail server the firewall request, which names all our addresses, and"
        " verify again when they are let in.",
    ),
    Code.CONNECT_REFUSED: (
        "{host} refused the connection on port {port}.",
        "Check the {protocol} port in the settings. If it is right, ask whoever runs the mail server whether it is up"
        " and lets our addresses in.",
    ),
    Code.CONNECT_TIMEOUT: (
        "{host} did not answer on port {port} within {seconds} seconds.",
        "Check the {protocol} port. If it is right, ask whoever runs the network or its firewall to let our addresses"
        " in, then verify again.",
    ),
    Code.CONNECT_UNREACHABLE: (
        "There is no network route to {host} just now.",
        "Verify again in a few minutes. If it stays, ask whoever runs the network of the mail server.",
    ),
    Code.CONNECT_SOME_ADDRESSES: (
        "Some addresses of {host} do not answer: {addresses}.",
        "Ask whoever runs the mail server to repair these addresses or to take them out of the DNS. Until then,"
        " connections can be slow or fail now and then.",
    ),
    Code.CONNECT_CLOSED: (
        "{host} closed the connection on port {port} before the check was done.",
        "Verify again. If it stays, ask whoever runs the mail server or a firewall in between to look at the log.",
    ),
    Code.TLS_SELF_SIGNED: (
        "The certificate for {host} is self-signed: nobody vouches for it.",
        "Ask whoever runs the mail server to install a certificate of a public authority. Allowing the insecure"
        " certificate works too, but then anybody in between can pose as this server.",
    ),
    Code.TLS_UNTRUSTED_ROOT: (
        "The certificate for {host} comes from an authority that is not trusted: {issuer}.",
        "Ask whoever runs the mail server to install the complete chain of a public authority, or add the"
        " organisation's own CA to the settings.",
    ),
    Code.TLS_EXPIRED: (
        "The certificate for {host} expired on {date}.",
        "Ask whoever runs the mail server to renew the certificate, then verify again.",
    ),
    Code.TLS_NOT_YET_VALID: (
        "The certificate for {host} is not valid before {date}.",
        "Ask whoever runs the mail server to install a certificate that is valid today, and to check its clock.",
    ),
    Code.TLS_NAME_MISMATCH: (
        "The certificate is not made out to {host} but to {names}.{because}",
        "If that is the same server, enter the certificate's name as the {protocol} host. Otherwise ask whoever runs"
        " the mail server for a certificate with this name.",
    ),
    Code.TLS_BAD_CERTIFICATE: (
        "The certificate for {host} cannot be used for a mail server.",
        "Ask whoever runs the mail server to install a proper server certificate.",
    ),
    Code.TLS_EXPIRES_SOON: (
        "The certificate for {host} expires on {date}.",
        "Ask whoever runs the mail server to renew it before that day. Everything works until then.",
    ),
    Code.TLS_PLAINTEXT_PORT: (
        "Port {port} of {host} starts without encryption, but TLS was expected at once.",
        "Choose STARTTLS for this port, or enter the TLS port (993 for IMAP, 465 for SMTP).",
    ),
    Code.TLS_IMPLICIT_PORT: (
        "Port {port} of {host} expects TLS at once, not STARTTLS.",
        "Choose TLS for this port, or enter the STARTTLS port (143 for IMAP, 587 for SMTP).",
    ),
    Code.TLS_STARTTLS_NOT_OFFERED: (
        "{host} offers no encryption (STARTTLS) on port {port}.",
        "Enter the TLS port (993 for IMAP, 465 for SMTP), or ask whoever runs the mail server to switch STARTTLS on."
        " No password is sent without encryption.",
    ),
    Code.TLS_STARTTLS_REFUSED: (
        "{host} offers STARTTLS on port {port} but refused to start it.",
        "Ask whoever runs the mail server to repair its TLS, or enter the TLS port (993 for IMAP, 465 for SMTP).",
    ),
    Code.TLS_STARTTLS_INJECTION: (
        "Data arrived from {host} between STARTTLS and the encryption. It may have been planted on the way.",
        "Ask whoever runs the mail server to update it, or enter the TLS port (993 for IMAP, 465 for SMTP). Do not log"
        " in here until it is cleared up.",
    ),
    Code.TLS_PREAUTH: (
        "{host} claims that we are logged in before encryption has started (PREAUTH).",
        "Ask whoever runs the mail server to switch PREAUTH off, or enter the TLS port 993. No password was sent.",
    ),
    Code.TLS_VERSION: (
        "{host} speaks only old TLS versions ({versions}), and your app wants {minimum} or later.",
        "Ask whoever runs the mail server to enable {minimum} or later. Allowing an insecure certificate does not"
        " help.",
    ),
    Code.TLS_NO_SHARED_CIPHER: (
        "{host} and this service share no encryption method.",
        "Ask whoever runs the mail server to enable current ciphers. Allowing an insecure certificate does not help.",
    ),
    Code.TLS_OLD_CIPHERS: (
        "{host} takes only old ciphers ({cipher}), which Python's own list leaves out; clients that offer OpenSSL's"
        " list, such as the Python in Debian's packages, get in.",
        "Ask whoever runs the mail server to enable ciphers with forward secrecy (ECDHE). If your app offers OpenSSL's"
        " list, set MAIL_PREFLIGHT_TLS_CIPHERS=openssl. Allowing an insecure certificate does not help.",
    ),
    Code.TLS_CLIENT_CERTIFICATE: (
        "{host} asks for a client certificate, and this service has none.",
        "Ask whoever runs the mail server to let our addresses in without one.",
    ),
    Code.TLS_HANDSHAKE: (
        "Encryption with {host} on port {port} could not be set up.",
        "Check host, port and security in the settings. If they are right, ask whoever runs the mail server to look"
        " at its TLS log.",
    ),
    Code.TLS_NO_SECURE_RENEGOTIATION: (
        "{host} lacks a protection that mail programs have insisted on for years (RFC 5746, secure renegotiation).",
        "Ask whoever runs the mail server to update it. Allowing an insecure certificate does not help.",
    ),
    Code.TLS_TIMEOUT: (
        "{host} did not finish setting up the encryption in time.",
        "Verify again in a few minutes. If it stays, ask whoever runs the mail server or the network in between.",
    ),
    Code.TLS_LARGE_HELLO: (
        "{host} gives no answer to a TLS handshake whose first message is larger than one packet; it answers a smaller"
        " one.",
        "Ask whoever runs the firewall or load balancer in front of the mail server to let a ClientHello of several"
        " packets through; where it happens with every server, it is your own. Apps with OpenSSL 3.5 or later send one"
        " by default and do not connect; with an older OpenSSL, or without X25519MLKEM768, they do.",
    ),
    Code.GREETING_TIMEOUT: (
        "{host} took the connection on port {port} but said nothing for {seconds} seconds.",
        "Check that port and security belong together. If they do, verify again later, or ask whoever runs the mail"
        " server or a firewall in between.",
    ),
    Code.GREETING_REFUSED: (
        "{host} turned us away as soon as we connected to port {port}.",
        "Ask whoever runs the mail server to let our addresses in. Its own words are in the report.",
    ),
    Code.PROTOCOL_MISMATCH: (
        "Port {port} of {host} does not speak {protocol}, but {other}.",
        "Check the {protocol} host and port in the settings.",
    ),
    Code.PROTOCOL_ERROR: (
        "{host} gave an answer that says neither yes nor no.",
        "Verify again. If it stays, show the server's own words in the report to whoever runs the mail server.",
    ),
    Code.PROTOCOL_BARE_LINE_FEED: (
        "{host} ends lines with a bare line feed, which the mail client of your app does not read.",
        "Ask whoever runs the mail server to have it end lines with carriage return and line feed. If your app has"
        " another mail client than the report names, set MAIL_PREFLIGHT_CLIENT_PROFILE.",
    ),
    Code.PROTOCOL_FOREIGN_TAG: (
        "{host} answers a command that nobody sent, and at that the mail client of your app gives up.",
        "Show the server's own words in the report to whoever runs the mail server. Where they begin with PROXY, a"
        " proxy in front of it sends the PROXY protocol (HAProxy: send-proxy) to a server that does not expect it. If"
        " your app has another mail client than the report names, set MAIL_PREFLIGHT_CLIENT_PROFILE.",
    ),
    Code.PROTOCOL_OVERSIZE: (
        "{host} sent far more data than {protocol} allows.",
        "Check the {protocol} host and port: this is hardly a mail server.",
    ),
    Code.DEADLINE: (
        "The check of {host} was not done after {seconds} seconds and was stopped.",
        "Verify again in a few minutes. If it stays, ask whoever runs the mail server why it is slow.",
    ),
    Code.SERVER_UNAVAILABLE: (
        "{host} says that it is not available just now.",
        "Verify again in a few minutes. If it stays, ask whoever runs the mail server.",
    ),
    Code.SERVER_THROTTLED: (
        "{host} is holding us back: too many requests in a short time.",
        "Wait half an hour and verify again. If it stays, ask whoever runs the mail server to raise the limit for our"
        " addresses.",
    ),
    Code.SERVER_PATIENCE: (
        "{host} asked for patience. Mailboxes tried once more after a wait: {count}; longest wait: {seconds} s.",
        "Nothing has to be done. Where it happens whenever you verify again, ask whoever runs the mail server to"
        " raise the limit for our addresses.",
    ),
    Code.SERVER_TOO_MANY_CONNECTIONS: (
        "{host} allows no more connections just now.",
        "Close other mail programs on this mailbox or verify again later. If it stays, ask whoever runs the mail"
        " server to raise the limit.",
    ),
    Code.SERVER_BLOCKS_ADDRESS: (
        "{host} blocks the address that we connect from.",
        "Ask whoever runs the mail server to take our addresses off the block list.",
    ),
    Code.SERVER_REVERSE_DNS: (
        "{host} turns us away because the address that we connect from has no host name in the DNS (reverse DNS).",
        "The operator of this service gives its addresses a host name that leads back to them, then verify again. It"
        " says nothing about the mailboxes.",
    ),
    Code.SERVER_REFUSES_NAME: (
        "{host} does not accept the name with which this service introduces itself (EHLO).",
        "Ask whoever runs the mail server to accept address literals (RFC 5321, 4.1.3), then verify again. It says"
        " nothing about the mailboxes.",
    ),
    Code.AUTH_REJECTED: (
        "{host} rejected the user name or the password.",
        "The mailbox's owner enters the current password again. Check the user name too, and that {protocol} access"
        " is switched on for this mailbox.",
    ),
    Code.AUTH_APP_PASSWORD: (
        "{host} wants an app password, not the normal password.",
        "The mailbox's owner creates an app password at the mail provider and enters it here.",
    ),
    Code.AUTH_OAUTH_REQUIRED: (
        "{host} takes no passwords, only a sign-in with OAuth.",
        "The admin connects these mailboxes with OAuth instead of a password.",
    ),
    Code.AUTH_TOKEN_REJECTED: (
        "{host} rejected the access token of this mailbox.",
        "The mailbox's owner signs in again and grants access to mail.",
    ),
    Code.AUTH_CLIENT_REJECTED: (
        "The token endpoint gave the application no access token.",
        "Check the application's id, secret, scope and token endpoint. Its own words are in the report.",
    ),
    Code.AUTH_BASIC_DISABLED: (
        "{host} has switched off logins with a password (basic authentication).",
        "The admin connects these mailboxes with OAuth, or asks whoever runs the mail server to allow passwords.",
    ),
    Code.AUTH_POLICY: (
        "A rule at {host} does not let this mailbox log in.",
        "Ask the organisation's mail administrator to allow {protocol} logins for this mailbox. Its own words are in"
        " the report.",
    ),
    Code.AUTH_WEB_LOGIN: (
        "{host} wants the owner to log in with a web browser first.",
        "The mailbox's owner logs in at the mail provider's website, confirms the warning there, then verify again.",
    ),
    Code.AUTH_LOCKED: (
        "This mailbox is locked at {host}.",
        "The mailbox's owner unlocks it at the mail provider or asks the mail administrator.",
    ),
    Code.AUTH_ACCOUNT_DISABLED: (
        "This mailbox is disabled at {host}.",
        "Ask the mail administrator to enable the mailbox again, or remove it here.",
    ),
    Code.AUTH_EXPIRED: (
        "The password of this mailbox has expired at {host}.",
        "The mailbox's owner sets a new password at the mail provider and enters it here.",
    ),
    Code.AUTH_PROTOCOL_DISABLED: (
        "{protocol} is switched off for this mailbox at {host}.",
        "The mailbox's owner or the mail administrator switches {protocol} on at the mail provider.",
    ),
    Code.AUTH_NOT_OFFERED: (
        "{host} offers no login on port {port}.",
        "Check the {protocol} port: SMTP logins are usually on 465 or 587, not on 25. If it is right and the server"
        " takes mail from your addresses without a login, choose SMTP without a login (smtp_authentication: none); else"
        " ask whoever runs the mail server.",
    ),
    Code.AUTH_NO_MECHANISM: (
        "{host} offers no login method that this service can use.",
        "Ask whoever runs the mail server to enable PLAIN or LOGIN over TLS, or connect these mailboxes with OAuth.",
    ),
    Code.AUTH_ENCRYPTION_REQUIRED: (
        "{host} allows logins only over an encrypted connection.",
        "Choose TLS or STARTTLS in the settings. If that is set, ask whoever runs the mail server.",
    ),
    Code.AUTH_UNSENDABLE: (
        "The user name or password has characters that the mail client of your app does not send.",
        "Give the mailbox a password, or a user name, of plain ASCII letters, digits and signs. If your app has another"
        " mail client than the report names, set MAIL_PREFLIGHT_CLIENT_PROFILE.",
    ),
    Code.AUTH_ID_REQUIRED: (
        "{host} opens mailboxes only to clients that name themselves (IMAP ID); the mail client of your app does not.",
        "Have your app send ID after the login (imapclient: `id_`). If it does, or has another mail client than the"
        " report names, set MAIL_PREFLIGHT_CLIENT_PROFILE.",
    ),
    Code.AUTH_TEMPORARY: (
        "{host} could not check the password just now. That says nothing about the password.",
        "Verify again in a few minutes. If it stays, ask whoever runs the mail server.",
    ),
    Code.SMTP_LOGIN_REQUIRED: (
        "{host} takes no mail from this service on port {port} without a login.",
        "Choose SMTP with a login in the settings, or ask whoever runs the mail server to let the addresses of this"
        " service send without one.",
    ),
    Code.SMTP_SENDER_REFUSED: (
        "{host} does not let the mailbox send under its own address: the user name that logs in may not use it as a"
        " sender.",
        "Use the user name that owns the address, or ask whoever runs the mail server to allow the user name in use to"
        " send as this address. Both names stand beside the server's words.",
    ),
    Code.AUTH_ALL_REJECTED: (
        "{host} rejected the mailboxes alike, and not for their passwords, it seems: {evidence}.",
        "Ask whoever runs the mail server whether its password database is within reach, and check the form of the user"
        " names and, where the passwords are new, the file that they came from. Then verify again.",
    ),
    Code.MAILBOX_NOT_CONNECTED: (
        "{host} accepted the login but did not open the mailbox.",
        "Verify again in a few minutes, for too many open connections can cause it. If it stays, ask the mail"
        " administrator whether this user may open this mailbox and whether it has a licence.",
    ),
    Code.MAILBOX_NO_INBOX: (
        "{host} accepted the login, but this mailbox has no inbox.",
        "Ask the mail administrator whether the mailbox has been created and not moved.",
    ),
    Code.MAILBOX_IN_USE: (
        "Another program holds this mailbox at {host} locked.",
        "Close other mail programs on this mailbox and verify again.",
    ),
    Code.MAILBOX_BROKEN: (
        "{host} accepted the login, but the mailbox is missing or damaged on the server.",
        "Ask whoever runs the mail server to look at the folder of this mailbox. The password is right.",
    ),
    Code.MAILBOX_ELSEWHERE: (
        "{host} says that this mailbox lives on another server.",
        "Enter the server that it names in its own words, which are in the report.",
    ),
    Code.MAILBOX_FULL: (
        "This mailbox is full at {host}.",
        "The mailbox's owner deletes mail or asks the mail administrator for more space, then verify again.",
    ),
    Code.EXCHANGE_URL_CHANGED: (
        "The Exchange address was corrected to {url}.",
        "Nothing to do: the corrected address is used. Compare it with what you meant.",
    ),
    Code.EXCHANGE_AUTODISCOVER_DIFFERS: (
        "The organisation's Autodiscover names another Exchange address than {url}: {target}.",
        "Ask the mail administrator which of the two is right before you apply these settings.",
    ),
    Code.EXCHANGE_PLAIN_HTTP: (
        "{host} offers Exchange on port {port} without encryption (HTTP) only.",
        "Enter the HTTPS address and port, usually 443. No password is sent without encryption.",
    ),
    Code.EXCHANGE_REDIRECTED: (
        "{host} sends us on to another address of its own: {target}.",
        "Enter that address as the Exchange address. Passwords are never sent after a redirect.",
    ),
    Code.EXCHANGE_REDIRECTED_ELSEWHERE: (
        "{host} sends us on to another server: {target}.",
        "If that server is yours, enter its address as the Exchange address. Passwords are never sent after"
        " a redirect.",
    ),
    Code.EXCHANGE_REDIRECT_LOOP: (
        "{host} redirects its Exchange address to itself, without end.",
        "Ask whoever runs the mail server or the proxy before it to repair the redirect.",
    ),
    Code.EXCHANGE_LOGON_PAGE: (
        "{host} shows a log-on page for people where Exchange Web Services should be.",
        "Ask whoever runs the mail server to publish /EWS/Exchange.asmx without the log-on page, or enter"
        " the server that does.",
    ),
    Code.EXCHANGE_PRE_AUTHENTICATION: (
        "A proxy before {host} wants a log-on of its own before it lets anybody through to Exchange.",
        "Ask whoever runs the proxy to pass /EWS/Exchange.asmx through without a log-on of its own.",
    ),
    Code.EXCHANGE_FIREWALL: (
        "A web application firewall before {host} stops us before Exchange is reached.",
        "Ask whoever runs the firewall to let our addresses reach /EWS/Exchange.asmx.",
    ),
    Code.EXCHANGE_NOT_FOUND: (
        "{host} has no Exchange Web Services at this address.",
        "Check the host of the Exchange address: it is the one of Outlook on the web. Otherwise ask the mail"
        " administrator.",
    ),
    Code.EXCHANGE_NOT_ALLOWED: (
        "{host} is a web server that takes no requests of the kind Exchange needs.",
        "Check the host of the Exchange address. If it is right, ask whoever runs the proxy before it to let"
        " POST requests pass.",
    ),
    Code.EXCHANGE_NOT_EWS: (
        "{host} answers with something that is not Exchange, such as a web page.",
        "Check the host of the Exchange address: it is the one of Outlook on the web. Otherwise ask the mail"
        " administrator.",
    ),
    Code.EXCHANGE_OTHER_SERVICE: (
        "{host} offers another web service at this address, not Exchange.",
        "Check the host and the port of the Exchange address.",
    ),
    Code.EXCHANGE_FORBIDDEN: (
        "{host} refuses every request to Exchange Web Services.",
        "Ask whoever runs the mail server to switch EWS on for this organisation and to let our addresses in.",
    ),
    Code.EXCHANGE_NO_AUTH: (
        "{host} has Exchange Web Services but offers no way to log in.",
        "Ask whoever runs the mail server to enable Basic or NTLM authentication, or OAuth, for the EWS"
        " virtual directory.",
    ),
    Code.EXCHANGE_AUTH_UNUSABLE: (
        "{host} offers only login methods that this service cannot use: {names}.",
        "Ask whoever runs the mail server to enable Basic or NTLM authentication, or OAuth, for the EWS"
        " virtual directory.",
    ),
    Code.EXCHANGE_NTLM_BROKEN: (
        "The login with NTLM at {host} broke off before the password was judged.",
        "Ask whoever runs the mail server whether a proxy before it breaks up connections, or to enable"
        " Basic or OAuth.",
    ),
    Code.EXCHANGE_ALL_REJECTED: (
        "{host} rejected every mailbox that was tried, all alike. That points to the server, not to the passwords.",
        "Ask whoever runs the mail server about Extended Protection behind a proxy, the login methods and"
        " the form of the user names, then verify again.",
    ),
    Code.EXCHANGE_ONLINE: (
        "Mailboxes in Exchange Online: {concerned}. EWS is being blocked there since October 2026 and ends on {date};"
        " Microsoft Graph, or IMAP and SMTP with OAuth, works beyond.",
        "Plan the move to Microsoft Graph, or to IMAP and SMTP with OAuth. Passwords have not worked there since 2022.",
    ),
    Code.EXCHANGE_ONLINE_RETIRED: (
        "Exchange Online refuses EWS here, and does not say why: it is switched off for the organisation (as it is step"
        " by step since October 2026), or this app is not on its list, or the mailbox's licence has no EWS. The day on"
        " which it stops for everybody: {date}.",
        "Until that day an administrator of the organisation can switch it on again (EwsEnabled) and put this app on"
        " its list (EwsAllowedAppIDs). Microsoft Graph, or IMAP and SMTP with OAuth, works beyond.",
    ),
    Code.EXCHANGE_ONLINE_PASSWORD: (
        "Exchange Online has taken no passwords since 2022, so this mailbox cannot connect with one.",
        "The admin connects these mailboxes with OAuth. EWS itself ends there on {date}: Microsoft Graph, or"
        " IMAP with OAuth, works beyond.",
    ),
    Code.EXCHANGE_ONLINE_SMTP: (
        "Mailboxes that send through Exchange Online with a password: {concerned}. The day on which Microsoft switches"
        " passwords for SMTP off by default: {date}. It ends them for good later.",
        "Connect these mailboxes with OAuth. Until passwords end for good, an administrator of the organisation can"
        " switch them on again.",
    ),
    Code.EXCHANGE_APP_NOT_LISTED: (
        "Exchange Online lets only the apps on the organisation's list use EWS, and this one is not on it. The day on"
        " which EWS stops for everybody: {date}.",
        "Ask an administrator of the organisation to put this app on its list (EwsAllowedAppIDs); that works until"
        " then. Microsoft Graph, or IMAP and SMTP with OAuth, works beyond.",
    ),
    Code.EXCHANGE_LEGACY_ENDPOINT: (
        "{host} is there for programs that know no TLS 1.2, and Microsoft takes it away by {date}.",
        "Enter {target} instead: this service and your app speak TLS 1.2 or later.",
    ),
    Code.EXCHANGE_CONSUMER: (
        "{host} is for private Outlook.com mailboxes, which have no Exchange Web Services.",
        "Connect these mailboxes with IMAP and SMTP and OAuth (outlook.office365.com and smtp-mail.outlook.com).",
    ),
    Code.EXCHANGE_MAILBOX_NOT_FOUND: (
        "{host} accepted the login, but there is no such mailbox.",
        "Check the address of the mailbox. Ask the mail administrator whether it exists on this server or has moved.",
    ),
    Code.EXCHANGE_PRIMARY_ADDRESS: (
        "{host} knows this address only as a second one of the mailbox.",
        "Enter the primary address of the mailbox. The mail administrator knows it.",
    ),
    Code.EXCHANGE_ACCESS_DENIED: (
        "{host} accepted the login but denies this user the mailbox.",
        "Ask the mail administrator to give this user access to the mailbox.",
    ),
    Code.EXCHANGE_MAIL_DENIED: (
        "{host} accepted the login but denies access to the inbox of this mailbox.",
        "Ask the mail administrator to give this user access to the mail folders.",
    ),
    Code.EXCHANGE_CALENDAR_DENIED: (
        "{host} accepted the login but denies access to the calendar of this mailbox.",
        "Ask the mail administrator to give this user access to the calendar. Mail is not affected.",
    ),
    Code.EXCHANGE_CALENDAR_MISSING: (
        "{host} accepted the login, but this mailbox has no calendar.",
        "Ask the mail administrator to restore the calendar folder. Mail is not affected.",
    ),
    Code.EXCHANGE_EWS_DISABLED: (
        "Exchange Web Services are switched off for this mailbox at {host}.",
        "Ask the mail administrator to enable EWS for this mailbox and for this application.",
    ),
    Code.EXCHANGE_IMPERSONATION: (
        "{host} does not let this login act for the mailbox (impersonation).",
        "Ask the mail administrator to give the role ApplicationImpersonation for this mailbox.",
    ),
    Code.EXCHANGE_MOVING: (
        "This mailbox is being moved to another server at {host} just now.",
        "Wait for the move to end, then verify again.",
    ),
    Code.EXCHANGE_STORE: (
        "{host} answers, but the database of this mailbox is not available just now.",
        "Verify again in a few minutes. If it stays, ask whoever runs the mail server.",
    ),
    Code.EXCHANGE_PROXYING: (
        "{host} cannot pass the request on to the Exchange server that holds this mailbox.",
        "Ask whoever runs the mail server to look at how its Exchange servers and sites reach each other.",
    ),
    Code.EXCHANGE_VERSION: (
        "The Exchange server at {host} is too old, or older than the mailbox's own, for the request.",
        "Ask whoever runs the mail server for Exchange 2010 or later, or enter the server that holds the mailbox.",
    ),
    Code.EXCHANGE_REQUEST_REFUSED: (
        "Exchange at {host} took the request of this service for a wrong one.",
        "The operator of this service looks into its log. It says nothing about the mailbox. Verify again later.",
    ),
    Code.EXCHANGE_OTHER_ERROR: (
        "Exchange at {host} answered with an error that does not belong to the question.",
        "Verify again. If it stays, show the server's own words in the report to whoever runs the mail server.",
    ),
    Code.CREDENTIAL_MISSING: (
        "No password is stored for this mailbox.",
        "The mailbox's owner enters the password, then verify again.",
    ),
    Code.CREDENTIAL_UNREADABLE: (
        "The stored password of this mailbox cannot be decrypted.",
        "The operator of this service restores the key it was stored with. Otherwise the owner enters it again.",
    ),
    Code.RUN_NOT_TRIED: (
        "We stopped before every mailbox had been tried. Left out: {count}. Reason: {reason}.",
        "Clear up the reason first, then verify again. Going on would have locked mailboxes out.",
    ),
    Code.RUN_CANCELLED: (
        "The verification was cancelled before this was checked.",
        "Verify again if you still need the answer.",
    ),
    Code.RUN_BUDGET: (
        "Not tried: this mailbox was logged in to often enough within this hour.",
        "Verify again in an hour, so that the mail server does not lock the account.",
    ),
    Code.INTERNAL: (
        "This service failed while it checked {host}. It says nothing about your settings.",
        "The operator of this service looks into its log. Verify again later.",
    ),
}
