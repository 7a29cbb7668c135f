"""imapflow 2 and nodemailer 10 as they come. They have no Exchange; there the profile is that of `python`."""

from checks.clients.profile import ClientProfile, IdMoment, ImapClient, NextWay, SmtpClient, TlsClient
from checks.clients.python import PYTHON

NODE = ClientProfile(
    name="node",
    imap=ImapClient(
        library="imapflow",
        ways=("AUTH=PLAIN", "AUTH=LOGIN", "LOGIN"),
        next_way=NextWay.NEVER,
        sasl_ir=False,
        usual_prompts=True,
        token_mechanisms=("OAUTHBEARER", "XOAUTH2"),
        token_sasl_ir=True,
        command_for="\\/",  # so that Exchange takes DOMAIN\user and user/shared
        id=IdMoment.BOTH,
        id_fields=(
            ("name", "imapflow"),
            ("version", "2.10.2"),
            ("vendor", "Postal Systems"),
            ("support-url", "https://github.com/postalsys/imapflow/issues"),
        ),
    ),
    smtp=SmtpClient(
        library="nodemailer",
        mechanisms=("PLAIN", "LOGIN", "CRAM-MD5"),
        next_mechanism=NextWay.NEVER,
        initial_response=("PLAIN",),
        unoffered="PLAIN",
        token_mechanisms=("XOAUTH2",),
        token_unoffered="XOAUTH2",  # noqa: S106 - a mechanism
        asked_again="nothing",
        any_success=True,
        # Its own is the host name of the app's machine, or [127.0.0.1].
    ),
    ews=PYTHON.ews,
    # Node sets no VERIFY_X509_STRICT; its own list has RSA key exchange, as OpenSSL's has.
    tls=TlsClient(strict=False, ciphers="openssl", names="node"),
)
