"""What the codes about certificates mean, and what would repair them, in English. See `checks.messages.en.causes`."""

from collections.abc import Mapping

from checks.codes import Code

WORDS: Mapping[Code, tuple[str, str]] = {
    Code.TLS_INCOMPLETE_CHAIN: (
        "{host} does not send the intermediate certificate {subject}, without which its own cannot be verified.",
        "Ask whoever runs the mail server to install this intermediate certificate next to its own. Mail programs that"
        " fetch it by themselves hide the fault.",
    ),
    Code.TLS_CHAIN_UNCLEAR: (
        "The certificate of {host} leads to {issuer}, which the server does not send and nobody knows. Whether an"
        " intermediate is missing or the authority is a private one cannot be told apart: {reason}.",
        "Ask whoever runs the mail server for the complete chain: if its authority is a public one, the intermediate"
        " has to be installed; if it is the organisation's own, add that CA to the settings.",
    ),
    Code.TLS_WRONG_INTERMEDIATE: (
        "{host} sends {names} along, but that is not what issued its certificate: {issuer} did.",
        "Ask whoever runs the mail server to install the intermediate certificate that belongs to its certificate.",
    ),
    Code.TLS_INTERMEDIATE_EXPIRED: (
        "The intermediate certificate {subject} that {host} sends expired on {date}.",
        "Ask whoever runs the mail server to install the current intermediate of its authority, or a new certificate.",
    ),
    Code.TLS_WEAK_KEY: (
        "The key of {subject}, in the chain of {host}, is too short to be safe.",
        "Ask whoever runs the mail server for a certificate with a key of RSA 2048 bits or P-256 at least, from an"
        " authority whose keys are as long.",
    ),
    Code.TLS_WEAK_SIGNATURE: (
        "The certificate {subject}, in the chain of {host}, is signed by a method that can be forged, such as SHA-1.",
        "Ask whoever runs the mail server to install a certificate that is signed with SHA-256 or better.",
    ),
    Code.TLS_WRONG_PURPOSE: (
        "The certificate {subject}, in the chain of {host}, was not issued for servers.",
        "Ask whoever runs the mail server to install a certificate for TLS servers (serverAuth).",
    ),
    Code.TLS_NOT_A_CA: (
        "The certificate {subject} has issued another for {host} but is no certificate authority.",
        "Ask whoever runs the mail server to install a certificate that an authority has issued.",
    ),
    Code.TLS_PATH_LENGTH: (
        "The authority {subject} allows fewer authorities below itself than the chain of {host} has.",
        "Ask whoever runs the mail server to install a certificate whose chain its authority allows.",
    ),
    Code.TLS_NAME_CONSTRAINTS: (
        "The authority {subject} is not allowed to issue certificates for the names that {host} has in its own.",
        "Ask whoever runs the mail server to install a certificate from an authority that may issue for this name.",
    ),
    Code.TLS_CRITICAL_EXTENSION: (
        "The certificate {subject}, in the chain of {host}, demands something that no mail program knows (a critical"
        " extension).",
        "Ask whoever runs the mail server to install a certificate without it.",
    ),
    Code.TLS_BAD_SIGNATURE: (
        "The signature on {subject}, in the chain of {host}, is wrong: it was damaged, or somebody changed it.",
        "Ask whoever runs the mail server to install the certificate again, as its authority has issued it.",
    ),
    Code.TLS_CHAIN_TOO_LARGE: (
        "{host} sends more certificates than mail programs read.",
        "Ask whoever runs the mail server to send its own certificate and its intermediates, and nothing else.",
    ),
    Code.TLS_STRICT_ONLY: (
        "The certificate chain of {host} breaks a rule that strict clients enforce, such as Python 3.13 and later:"
        " {reason}.",
        "Ask whoever runs the mail server for a chain that keeps to RFC 5280. The insecure option is needed for it only"
        " where your app is one of the strict ones.",
    ),
    Code.TLS_UNNEEDED_CERTIFICATES: (
        "{host} sends certificates that nobody needs: {names}.",
        "Ask whoever runs the mail server to remove them. Everything works meanwhile.",
    ),
    Code.TLS_UNORDERED_CHAIN: (
        "{host} sends its intermediate certificates in the wrong order.",
        "Ask whoever runs the mail server to order them: its own first, then each one's issuer. Some clients insist.",
    ),
    Code.TLS_ROOT_SENT: (
        "{host} sends the root certificate {subject} along, which every client has or does not trust.",
        "Ask whoever runs the mail server to remove it. Everything works meanwhile.",
    ),
    Code.TLS_CN_ONLY: (
        "The certificate of {host} has its name only where modern clients no longer look (the common name).",
        "Ask whoever runs the mail server for a certificate with the name as subjectAltName (RFC 9525).",
    ),
    Code.TLS_OLD_VERSION: (
        "{host} still accepts TLS versions that are no longer safe: {versions}.",
        "Ask whoever runs the mail server to allow TLS 1.2 and later only (RFC 8996). Everything works meanwhile.",
    ),
    Code.TLS_REVOKED: (
        "The certificate for {host} was revoked on {date} by who issued it.",
        "Ask whoever runs the mail server to install a new certificate: its key may be known to others.",
    ),
    Code.TLS_ADDRESSES_DIFFER: (
        "Not all addresses of {host} send the same certificate. These differ: {addresses}.",
        "Ask whoever runs the mail server to install the same valid certificate everywhere, or connections can fail now"
        " and then.",
    ),
    Code.TLS_PIN_CHANGED: (
        "{host} has another key than the one that was accepted with the option. No password was sent.",
        "Ask whoever runs the mail server whether its key was changed. If so, check and apply the settings again to"
        " accept the new key; otherwise somebody in between may pose as this server.",
    ),
    Code.TLS_PIN_EXPIRES: (
        "The certificate that was accepted for {host} with the option expires on {date}.",
        "When it is replaced, the new key is not accepted by itself: check and apply the settings again on that day. A"
        " certificate that is trusted everywhere needs no option.",
    ),
    Code.TLS_CERTIFICATE_CHANGED: (
        "{host} has another certificate than before, issued by {issuer}.",
        "There is nothing to do if whoever runs the mail server renewed it. Ask them if nobody knows of that.",
    ),
    Code.TLS_OPTION_NOT_NEEDED: (
        "The certificate for {host} is trusted now, so the option to allow an insecure one is not needed any more.",
        "Switch the option off and apply the settings: connections are safer without it.",
    ),
    Code.TLS_WEAK_DH: (
        "{host} offers only key exchanges that are too weak (Diffie-Hellman of too few bits).",
        "Ask whoever runs the mail server to enable elliptic curves, or Diffie-Hellman of 2048 bits at least. Allowing"
        " an insecure certificate does not help.",
    ),
    Code.TLS_UNKNOWN_SNI: (
        "The server at {host} does not know itself by this name and ends the connection.",
        "Enter the name that the server goes by as the {protocol} host. If it is this one, ask whoever runs the mail"
        " server to set it up there.",
    ),
}

FIXES: Mapping[str, str] = {
    "install_intermediate": "Install this intermediate certificate on the mail server, behind its own: {subject}"
    " (SHA-256 {sha256}).",
    "use_host": "Enter {name} as the host: the certificate is valid for that name.",
    "use_host.elsewhere": "Enter {name} as the host: the certificate is valid for that name. It does not lead to this"
    " server yet, so its DNS has to be set first.",
    "renew": "Renew {subject}, which expired on {date}. Nothing else is wrong.",
    "replace_certificate": "Install another certificate for {host} on the mail server, with its complete chain.",
    "trust_ca": "Add this certificate as a CA of this domain instead of the option, once its fingerprint is confirmed:"
    " {subject}, SHA-256 {sha256}.",
    "upgrade_tls": "Enable TLS 1.2 or 1.3 with current ciphers on the mail server.",
    "use_starttls": "Set the security of this port to STARTTLS, or use the TLS port.",
    "use_implicit_tls": "Set the security of this port to TLS.",
    "wait_or_fix_clock": "Wait until {date}, or set the clock right where the certificate was made. Nothing else is"
    " wrong.",
}
"""By kind of repair; behind the dot a special case of it."""
