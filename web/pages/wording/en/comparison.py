"""Settings beside each other."""

from checks.language import Texts

WORDS: Texts = {
    "comparison.setting": "Setting",
    "comparison.before": "In force",
    "comparison.after": "Proposed",
    "comparison.then": "Then in force",
    "comparison.now": "In force now",
    "comparison.nothing": "nothing",
    "comparison.changed": "changed",
    "comparison.kind": "Kind",
    "comparison.kind.imap": "IMAP and SMTP",
    "comparison.kind.exchange": "Exchange",
    "comparison.imap.host": "IMAP host",
    "comparison.imap.port": "IMAP port",
    "comparison.imap.security": "IMAP security",
    "comparison.smtp.host": "SMTP host",
    "comparison.smtp.port": "SMTP port",
    "comparison.smtp.security": "SMTP security",
    "comparison.smtp.authentication": "SMTP login",
    "comparison.exchange.url": "Exchange address",
    "comparison.allow_insecure_certificate": "Allow insecure certificate",
    "comparison.ca_pem": "CAs of this domain",
    "comparison.security.auto": "as the port says",
    "comparison.security.tls": "TLS",
    "comparison.security.starttls": "STARTTLS",
    "comparison.login": "with a login",
    "comparison.no_login": "without a login",
    "comparison.on": "on",
    "comparison.off": "off",
    "comparison.certificates": "{count}",
}
