"""What letters say in English: their sentences, and what each of them asks its reader to do about a code."""

from collections.abc import Mapping

from checks.codes import Code
from checks.language import Texts

WORDS: Texts = {
    "hello": "Hello,",
    "thanks": "Thank you. When it is done, the settings are tested again.",
    "what": "What to do:",
    "change": "What to change: {text}",
    "seen": "Seen: {text}",
    "said": "In the server's own words: {text}",
    "met": "In the words of the network or the library: {text}",
    "certificate": (
        "Certificate: {subject}, issued by {issuer}, valid from {not_before} to {not_after}, SHA-256 {sha256}"
    ),
    "repair": "What would repair it: {text}",
    "steps": "Steps: {text}",
    "step": "{label}: {verdict} ({ms} ms)",
    "place": "{headline}; address {address}",
    "advice": "What to do: {text}",
    "concerned": "Mailboxes concerned: {count}, for example {examples}",
    "code": "Code: {code}",
    "servers": "The servers of these settings:",
    "from": "From: {addresses}",
    "from.none": "From: addresses that are not fixed; ask the operator of this service for them.",
    "from.more": "From: {addresses}. There may be others: ask the operator of this service.",
    "step.ok": "ok",
    "step.fail": "failed",
    "step.inconclusive": "no clear answer",
    # To the owners of mailboxes.
    "owners.subject": "Your mailbox at {domain} needs something from you",
    "owners.intro.pending": (
        "The mail server settings of {domain} are going to be changed. The new ones were tested with every mailbox"
        " ({time}). Yours did not connect:"
    ),
    "owners.intro.in_force": (
        "The mail server settings of {domain} were changed. They were tested with every mailbox ({time}). Yours did"
        " not connect:"
    ),
    "owners.intro.given_up": (
        "Other mail server settings for {domain} were tested with every mailbox ({time}). Yours did not connect:"
    ),
    "owners.pending.will_disconnect": (
        "When the new settings are put in force, your mailbox will be disconnected until this is mended."
    ),
    "owners.pending.already_disconnected": "Your mailbox is disconnected now, and stays so until this is mended.",
    "owners.pending.cannot_tell": "Whether your mailbox will stay connected cannot be told until this is mended.",
    "owners.in_force.will_disconnect": "Your mailbox is disconnected until this is mended.",
    "owners.in_force.already_disconnected": "Your mailbox was disconnected before, and stays so until this is mended.",
    "owners.in_force.cannot_tell": "Whether your mailbox is connected cannot be told until this is mended.",
    "owners.given_up.will_disconnect": "These settings are not in force.",
    "owners.given_up.already_disconnected": "These settings are not in force.",
    "owners.given_up.cannot_tell": "These settings are not in force.",
    "owners.end": "Nobody needs your password to help you with this: please do not send it in an answer.",
    # To who runs the mail server.
    "mail_admin.subject": "Mail server of {domain}: what has to be changed",
    "mail_admin.intro": (
        "Apps that connect to the mailboxes of {domain} log in to the servers below. They were tested like that"
        " ({time}), and this was found:"
    ),
    # To who runs the firewall.
    "firewall.subject": "Please let connections through to the mail servers of {domain}",
    "firewall.intro": (
        "An app that connects to the mailboxes of {domain} does not get through to the mail servers as it should"
        " (tested {time}). Please let these connections through in every firewall, proxy and block list on the way:"
    ),
    "firewall.to": "To (hosts and TCP ports):",
    "firewall.reached": "{place}, reached at {address}",
    # A ticket.
    "ticket.change": "Change: {id}",
    "ticket.tested": "Tested: {time}",
    "ticket.checksum": "Checksum of the report: {checksum}",
    "ticket.servers": "Servers",
    "ticket.causes": "Why",
    "ticket.who": "Who acts: {who}",
    "ticket.mailboxes": "Mailboxes that would disconnect",
    "ticket.more": "and {count} more",
    "ticket.counts": "All mailboxes",
    "ticket.next": "What next",
}

OWNERS: Mapping[Code, str] = {
    Code.AUTH_REJECTED: (
        "Enter your current password again in the app in which you connected the mailbox. Check your user name too, and"
        " that {protocol} access is switched on for your mailbox."
    ),
    Code.AUTH_APP_PASSWORD: (
        "Create an app password at your mail provider and enter it in the app in which you connected the mailbox."
    ),
    Code.AUTH_TOKEN_REJECTED: (
        "Sign in again in the app in which you connected the mailbox, and grant it access to your mail."
    ),
    Code.AUTH_POLICY: "Ask your mail administrator to allow {protocol} logins for your mailbox.",
    Code.AUTH_WEB_LOGIN: "Log in to your mail provider with a web browser and confirm the warning that it shows there.",
    Code.AUTH_LOCKED: "Unlock your mailbox at your mail provider, or ask your mail administrator to do so.",
    Code.AUTH_ACCOUNT_DISABLED: "Ask your mail administrator whether your mailbox is to be enabled again.",
    Code.AUTH_EXPIRED: (
        "Set a new password at your mail provider and enter it in the app in which you connected the mailbox."
    ),
    Code.AUTH_UNSENDABLE: (
        "Choose a password of plain ASCII letters, digits and signs, and enter it in the app in which you connected the"
        " mailbox. If it is the user name that has other characters, ask your mail administrator."
    ),
    Code.AUTH_PROTOCOL_DISABLED: (
        "Switch {protocol} on for your mailbox at your mail provider, or ask your mail administrator to do so."
    ),
    Code.SMTP_SENDER_REFUSED: (
        "Log in with the user name that owns your address, or ask your mail administrator to let yours send as it."
    ),
    Code.MAILBOX_NO_INBOX: "Ask your mail administrator whether your mailbox has been created, or was moved.",
    Code.CREDENTIAL_MISSING: "Enter your password in the app in which your mailbox is to be connected.",
    Code.MAILBOX_NOT_CONNECTED: (
        "Close other mail programs for a few minutes. If it stays, ask your mail administrator whether your user name"
        " may open this mailbox and whether it has a licence."
    ),
    Code.MAILBOX_FULL: "Delete mail that you do not need, or ask your mail administrator for more space.",
    Code.EXCHANGE_MAILBOX_NOT_FOUND: (
        "Check the address of your mailbox, and ask your mail administrator whether it exists on this server."
    ),
    Code.EXCHANGE_PRIMARY_ADDRESS: ("Connect the mailbox by its primary address. Your mail administrator knows it."),
    Code.EXCHANGE_ACCESS_DENIED: "Ask your mail administrator to give your user name access to this mailbox.",
    Code.EXCHANGE_MAIL_DENIED: "Ask your mail administrator to give your user name access to the mail folders.",
    Code.EXCHANGE_CALENDAR_DENIED: "Ask your mail administrator to give your user name access to the calendar.",
    Code.EXCHANGE_CALENDAR_MISSING: "Ask your mail administrator to restore the calendar folder.",
    Code.EXCHANGE_EWS_DISABLED: (
        "Ask your mail administrator to enable Exchange Web Services (EWS) for your mailbox and for this app."
    ),
    Code.EXCHANGE_IMPERSONATION: (
        "Ask your mail administrator to give the app the role ApplicationImpersonation for your mailbox."
    ),
}
"""What the owner of a mailbox does about a code. Causes that are no owner's have none."""

_FULL_CHAIN = "Install a certificate of a public authority for this name, with its complete chain."
_EWS = "Publish /EWS/Exchange.asmx to programs, without a page or a log-on of another kind before it."

SERVERS: Mapping[Code, str] = {
    Code.CONNECT_SOME_ADDRESSES: "Repair the addresses that do not answer, or take them out of the DNS.",
    Code.TLS_NAME_MISMATCH: "Install a certificate that has this host name, or tell us the name that it is valid for.",
    Code.TLS_SELF_SIGNED: _FULL_CHAIN,
    Code.TLS_UNTRUSTED_ROOT: (
        "Install a certificate of a public authority with its complete chain, or send us your own CA's certificate and"
        " confirm its fingerprint by another way."
    ),
    Code.TLS_INCOMPLETE_CHAIN: "Install the missing intermediate certificate behind the server's own.",
    Code.TLS_CHAIN_UNCLEAR: (
        "Send the complete chain: where the authority is a public one, install its intermediate certificate; where it"
        " is your own, send us its certificate and confirm its fingerprint by another way."
    ),
    Code.TLS_WRONG_INTERMEDIATE: "Replace the intermediate certificate by the one that issued the server's own.",
    Code.TLS_INTERMEDIATE_EXPIRED: "Install the current intermediate certificate of your authority.",
    Code.TLS_EXPIRED: "Renew the certificate, and have the server load it.",
    Code.TLS_NOT_YET_VALID: "Install a certificate that is valid today, and check the clock where it was made.",
    Code.TLS_WEAK_KEY: "Install a certificate with a key of RSA 2048 bits or P-256 at least.",
    Code.TLS_WEAK_SIGNATURE: "Install a certificate that is signed with SHA-256 or better.",
    Code.TLS_WRONG_PURPOSE: "Install a certificate for TLS servers (extended key usage serverAuth).",
    Code.TLS_NOT_A_CA: "Install a certificate that a certificate authority has issued.",
    Code.TLS_PATH_LENGTH: "Install a certificate whose chain is no longer than its authority allows.",
    Code.TLS_NAME_CONSTRAINTS: "Install a certificate from an authority that may issue for this name.",
    Code.TLS_CRITICAL_EXTENSION: "Install a certificate without the critical extension that clients do not know.",
    Code.TLS_BAD_SIGNATURE: "Install the certificate again, as its authority has issued it.",
    Code.TLS_CHAIN_TOO_LARGE: "Send the server's own certificate and its intermediates, and nothing else.",
    Code.TLS_BAD_CERTIFICATE: "Install a proper certificate for TLS servers.",
    Code.TLS_STRICT_ONLY: "Install a chain that keeps to RFC 5280: strict clients (Python 3.13 on) refuse this one.",
    Code.TLS_EXPIRES_SOON: "Renew the certificate before that day.",
    Code.TLS_UNNEEDED_CERTIFICATES: "Take the certificates out of the chain that do not belong to it.",
    Code.TLS_UNORDERED_CHAIN: "Order the chain: the server's own certificate first, then each one's issuer.",
    Code.TLS_ROOT_SENT: "Take the root certificate out of the chain.",
    Code.TLS_CN_ONLY: "Install a certificate that has the host name as subjectAltName (RFC 9525).",
    Code.TLS_OLD_VERSION: "Allow TLS 1.2 and later only (RFC 8996).",
    Code.TLS_REVOKED: "Install a new certificate with a new key: this one was revoked.",
    Code.TLS_ADDRESSES_DIFFER: "Install the same valid certificate at every address of the host.",
    Code.TLS_PIN_CHANGED: "Tell us whether you changed the server's key, and the new fingerprint by another way.",
    Code.TLS_STARTTLS_NOT_OFFERED: "Switch STARTTLS on for this port, or tell us the port for TLS.",
    Code.TLS_STARTTLS_REFUSED: "Repair the TLS set-up of this port: STARTTLS is offered and then refused.",
    Code.TLS_STARTTLS_INJECTION: "Update the mail server: it sends data between STARTTLS and the encryption.",
    Code.TLS_PREAUTH: "Switch PREAUTH off for connections that are not encrypted.",
    Code.TLS_VERSION: "Enable TLS 1.2 or 1.3.",
    Code.TLS_NO_SHARED_CIPHER: "Enable current ciphers, such as ECDHE with AES-GCM.",
    Code.TLS_OLD_CIPHERS: "Enable ciphers with forward secrecy (ECDHE).",
    Code.TLS_WEAK_DH: "Enable elliptic curves, or Diffie-Hellman of 2048 bits at least.",
    Code.TLS_UNKNOWN_SNI: "Set the server up for this host name, or tell us the name that it goes by.",
    Code.TLS_CLIENT_CERTIFICATE: "Let our addresses in without a client certificate.",
    Code.TLS_HANDSHAKE: "Look into the server's TLS log at that time: the handshake broke off.",
    Code.TLS_NO_SECURE_RENEGOTIATION: "Update the TLS library: secure renegotiation (RFC 5746) is missing.",
    Code.GREETING_REFUSED: "Let our addresses in: the server turns them away before any login.",
    Code.SERVER_BLOCKS_ADDRESS: "Take our addresses off the block list.",
    Code.AUTH_BASIC_DISABLED: "Allow logins with a password, or tell us how these mailboxes log in with OAuth.",
    Code.AUTH_NOT_OFFERED: "Offer a login on this port, or tell us the port that does.",
    Code.AUTH_NO_MECHANISM: "Enable PLAIN or LOGIN over TLS, or tell us how these mailboxes log in with OAuth.",
    Code.AUTH_OAUTH_REQUIRED: "Tell us how these mailboxes log in with OAuth, or allow passwords.",
    Code.AUTH_ENCRYPTION_REQUIRED: "Offer TLS or STARTTLS on this port: logins are allowed with encryption only.",
    Code.AUTH_ID_REQUIRED: "Let clients in that do not send IMAP ID.",
    Code.PROTOCOL_FOREIGN_TAG: "Have the server expect the PROXY protocol, or the proxy in front of it not send it.",
    Code.PROTOCOL_BARE_LINE_FEED: "End lines with carriage return and line feed, as the protocol wants.",
    Code.MAILBOX_BROKEN: "Look at the folders of these mailboxes: the login works, and they are missing or damaged.",
    Code.PROTOCOL_ERROR: "Look into the log at that time: the answer says neither yes nor no.",
    Code.SERVER_UNAVAILABLE: "Look whether the server is up: it says that it is not available.",
    Code.SERVER_THROTTLED: "Raise the limit on requests for our addresses.",
    Code.SERVER_TOO_MANY_CONNECTIONS: "Raise the limit on connections for our addresses.",
    Code.SERVER_PATIENCE: "Raise the limit for our addresses, where it is easily done: the server asks for patience.",
    Code.AUTH_TEMPORARY: "Look whether the password database can be reached: passwords could not be checked.",
    Code.AUTH_ALL_REJECTED: (
        "Look whether the password database can be reached, and what form user names have: all were rejected alike."
    ),
    Code.MAILBOX_IN_USE: "Look which program holds these mailboxes locked.",
    Code.EXCHANGE_REDIRECT_LOOP: "Repair the redirect of the Exchange address, which leads back to itself.",
    Code.EXCHANGE_LOGON_PAGE: _EWS,
    Code.EXCHANGE_PRE_AUTHENTICATION: _EWS,
    Code.EXCHANGE_FORBIDDEN: "Switch EWS on for this organisation, and let our addresses in.",
    Code.EXCHANGE_APP_NOT_LISTED: "Put this app on the organisation's list (EwsAllowedAppIDs).",
    Code.EXCHANGE_NO_AUTH: "Enable Basic or NTLM authentication, or OAuth, for the EWS virtual directory.",
    Code.EXCHANGE_AUTH_UNUSABLE: "Enable Basic or NTLM authentication, or OAuth, for the EWS virtual directory.",
    Code.EXCHANGE_NTLM_BROKEN: "Look whether a proxy breaks connections up during NTLM, or enable Basic or OAuth.",
    Code.EXCHANGE_PROXYING: "Look at how your Exchange servers and sites reach each other.",
    Code.EXCHANGE_VERSION: "Tell us the server that holds these mailboxes, with Exchange 2010 or later.",
    Code.EXCHANGE_ALL_REJECTED: (
        "Look at Extended Protection behind a proxy, the login methods and the form of the user names: all were"
        " rejected alike."
    ),
    Code.EXCHANGE_MOVING: "Tell us when the move of these mailboxes will be done.",
    Code.EXCHANGE_STORE: "Look at the database of these mailboxes, which is not available.",
    Code.EXCHANGE_OTHER_ERROR: "Look into the Exchange log at that time: the error does not belong to the question.",
}
"""What whoever runs a mail server changes about a code. Causes that are nothing of the server's have none."""

_LET_IN = "Let these connections through, and look whether they arrive."

FIREWALL: Mapping[Code, str] = {
    Code.CONNECT_REFUSED: _LET_IN,
    Code.CONNECT_TIMEOUT: _LET_IN,
    Code.CONNECT_UNREACHABLE: "Look at the route to this address: there was none.",
    Code.CONNECT_CLOSED: "Look what cuts these connections off once they are made.",
    Code.CONNECT_SOME_ADDRESSES: "Let these connections through to every address of the host.",
    Code.CONNECT_NOT_ADMITTED: "Let all of our addresses in: some are, and some are not.",
    Code.TLS_TIMEOUT: "Look what holds the TLS handshake up, such as an inspection of TLS.",
    Code.TLS_LARGE_HELLO: (
        "Let a first TLS message (ClientHello) of several packets through, as OpenSSL 3.5 and later send it by default."
    ),
    Code.GREETING_TIMEOUT: "Look what holds the server's greeting back once the connection is made.",
    Code.GREETING_REFUSED: "Let our addresses in: they are turned away as soon as they connect.",
    Code.SERVER_BLOCKS_ADDRESS: "Take our addresses off the block list.",
    Code.DEADLINE: "Look what makes these connections slow.",
    Code.EXCHANGE_FIREWALL: "Let our addresses reach /EWS/Exchange.asmx through the web application firewall.",
}
"""What whoever runs a firewall changes about a code."""
