"""imapclient 4, smtplib and exchangelib 5 as they come: the profile unless another is set.

Read in their source and seen on the wire; `tests/checks/clients` asks the same servers with the libraries themselves.
"""

from checks.clients.profile import ClientProfile, EwsClient, ImapClient, NextWay, SmtpClient, Text

_ASCII = Text("ascii")

PYTHON = ClientProfile(
    name="python",
    imap=ImapClient(
        library="imapclient",
        # `IMAPClient.login`; `IMAPClient.plain_login` where the server forbids the command (RFC 9051, 6.2.3).
        ways=("LOGIN", "AUTH=PLAIN"),
        next_way=NextWay.NEVER,
        sasl_ir=False,
        # imaplib writes commands in ASCII and leaves the user name as it is: a blank would end it.
        login_user=Text("ascii", barred=' "(){'),
        login_password=_ASCII,
        login_quotes_user=False,
        sasl=Text("utf-8"),
        # `oauth2_login`, or `oauthbearer_login`: imapclient does not choose, apps do by what the server offers.
        token_mechanisms=("XOAUTH2", "OAUTHBEARER"),
        token_sasl_ir=False,
        bare_line_feed=False,
        foreign_tag=False,  # imaplib: "unexpected response"
    ),
    smtp=SmtpClient(
        library="smtplib",
        mechanisms=("CRAM-MD5", "PLAIN", "LOGIN"),
        next_mechanism=NextWay.REFUSAL,
        initial_response=("PLAIN", "LOGIN"),
        believes_503=True,  # "already authenticated"
        user=_ASCII,
        password=_ASCII,
        # `SMTP.auth` with the mechanism that the app names.
        token_mechanisms=("XOAUTH2", "OAUTHBEARER"),
        # Its own is the host name of the app's machine, or an address of it as a literal.
    ),
    ews=EwsClient(
        library="exchangelib",
        schemes=("DIGEST", "NTLM", "BASIC"),
        basic=Text("latin-1"),
        channel_binding=True,
    ),
)
