"""SMTP servers as they were met: one row a server and a mailbox, and what each client comes to."""

from dataclasses import dataclass, field, replace

from checks.codes import Code
from checks.model import Credential, CredentialKind
from tests.checks.helpers import SECRET, USER
from tests.checks.protocols.smtp.test_mechanisms import CHALLENGE, NO, REFUSALS, server
from tests.servers.behaviours import smtp_script
from tests.servers.conversation import Behaviour, Script

ELSEWHERE = "ada@elsewhere.example"


@dataclass(frozen=True, slots=True)
class Row:
    """`python` and `node` are what a canary of ours is to come to with that profile: a client that sends is `Code.OK`.

    `address` is that of the sender, `login` whether the settings want one. `without_login`: nodemailer offers mail
    without one where the server has none; that is no login, and is not called one. Nor is what smtplib does where it is
    `believed`: it takes a 503 for a login, and the server takes mail from anybody.
    """

    name: str
    script: Behaviour
    python: Code = Code.OK
    node: Code = Code.OK
    secret: str = field(default=SECRET, repr=False)
    address: str = USER
    login: bool = True
    without_login: bool = False
    believed: bool = False
    user: str = USER
    kind: CredentialKind = CredentialKind.PASSWORD

    @property
    def token(self) -> bool:
        """Whether the secret is an access token."""
        return self.kind is CredentialKind.OAUTH2_TOKEN

    @property
    def credential(self) -> Credential:
        return Credential(self.user, self.secret, self.kind)


def alike(name: str, script: Behaviour, code: Code, **others: str | bool) -> Row:
    """Both clients come to the same."""
    return Row(name, script, code, code, **others)  # type: ignore[arg-type] # a row's fields by their names


def sends(mail: str, *, offer: str = "AUTH PLAIN LOGIN") -> Script:
    """A server that takes logins, and answers so to MAIL."""
    ehlo = ("^EHLO", f"250-mail.lab.example\r\n250-PIPELINING\r\n250 {offer}")
    return smtp_script(ehlo, ("^MAIL", mail), ("^RSET", "250 Ok"))


def taking(script: Script) -> Script:
    """The same server, which takes every sender."""
    return replace(script, rules=(("^MAIL", "250 Ok"), ("^RSET", "250 Ok"), *script.rules))


def offering(offer: str, **answers: str) -> Script:
    return taking(server(offer, **answers))


NO_MECHANISM, REJECTED = Code.AUTH_NO_MECHANISM, Code.AUTH_REJECTED
REFUSED, UNSENDABLE = Code.SMTP_SENDER_REFUSED, Code.AUTH_UNSENDABLE
APP_PASSWORD = Code.AUTH_APP_PASSWORD
TOTP_WANTED = "5.7.8 Missing TOTP token, try with 'secret$totp_code'."
NOT_OWNED = "553 5.7.1 not owned by auth user."

ALREADY, UNADVERTISED = "503 5.5.1 Error: already authenticated", "503 AUTH command used when not advertised"
LOGIN_WANTED = "530 5.7.0 Authentication required"


def after_503(said: str, mail: str | None) -> Script:
    """A server that answers AUTH PLAIN so and MAIL so, None with a close, and takes logins by LOGIN."""
    script = server("PLAIN LOGIN", plain=said, login="ok")
    return replace(script, rules=(("^MAIL", mail), ("^RSET", "250 Ok"), *script.rules))


ROWS = (
    alike("PLAIN takes the password", offering("PLAIN LOGIN", plain="ok", login="ok"), Code.OK),
    alike("PLAIN, another password", offering("PLAIN LOGIN", plain="ok", login="ok"), REJECTED, secret="wrong"),
    Row("PLAIN: no mechanism; LOGIN", offering("PLAIN LOGIN CRAM-MD5", plain=REFUSALS[0], login="ok"),
        node=NO_MECHANISM),
    Row("PLAIN: 502; LOGIN", offering("LOGIN PLAIN XOAUTH2", plain=REFUSALS[2], login="ok"),
        node=Code.AUTH_NOT_OFFERED),
    Row("PLAIN: 504; LOGIN", offering("PLAIN LOGIN", login="ok"), node=NO_MECHANISM),
    Row("PLAIN: 500; LOGIN", offering("PLAIN LOGIN", plain=REFUSALS[6], login="ok"), node=Code.PROTOCOL_ERROR),
    Row("PLAIN: 504; LOGIN, another password", offering("PLAIN LOGIN", login="ok"), REJECTED, NO_MECHANISM, "wrong"),
    Row("PLAIN: invalid mechanism; LOGIN", offering("PLAIN LOGIN", plain=REFUSALS[1], login="ok"), node=NO_MECHANISM),
    Row("PLAIN: no mechanism; CRAM-MD5", offering("PLAIN CRAM-MD5", plain=REFUSALS[0], cram="ok"), node=NO_MECHANISM),
    Row("PLAIN: too weak; LOGIN", offering("PLAIN LOGIN", plain=REFUSALS[8], login="ok"), node=NO_MECHANISM),
    Row("PLAIN: 502 not implemented; LOGIN", offering("LOGIN PLAIN", plain=REFUSALS[3], login="ok"),
        node=Code.AUTH_NOT_OFFERED),
    Row("PLAIN: 501; LOGIN", offering("LOGIN PLAIN", plain=REFUSALS[7], login="ok"), node=Code.PROTOCOL_ERROR),
    alike("CRAM-MD5 among others that nobody speaks", offering("GSSAPI NTLM CRAM-MD5", cram="ok"), Code.OK),
    alike("CRAM-MD5 unknown; LOGIN", offering("CRAM-MD5 LOGIN", login="ok"), Code.OK),
    alike("CRAM-MD5 and DIGEST-MD5", offering("CRAM-MD5 DIGEST-MD5", cram="ok"), Code.OK),
    alike("CRAM-MD5, another password", offering("CRAM-MD5", cram="ok"), REJECTED, secret="wrong"),
    alike("CRAM-MD5 rejects; PLAIN", offering("CRAM-MD5 PLAIN", cram=NO, plain="ok"), Code.OK),
    Row("PLAIN rejects; LOGIN", offering("PLAIN LOGIN", plain=NO, login="ok"), node=REJECTED),
    alike("LOGIN only", offering("LOGIN", login="ok"), Code.OK),
    alike("LOGIN only, another password", offering("LOGIN", login="ok"), REJECTED, secret="wrong"),
    alike("DIGEST-MD5 only", offering("DIGEST-MD5"), NO_MECHANISM),
    Row("DIGEST-MD5 only, PLAIN is taken", offering("DIGEST-MD5", plain="ok"), NO_MECHANISM),
    alike("every mechanism refused", offering("PLAIN LOGIN CRAM-MD5"), NO_MECHANISM),
    alike("no AUTH, MAIL is taken", sends("250 Ok", offer="8BITMIME"), Code.AUTH_NOT_OFFERED, without_login=True),
    alike("no AUTH, 530", sends("530 5.7.0 Authentication required", offer="8BITMIME"), Code.AUTH_NOT_OFFERED),
    alike("no AUTH, none wanted", sends("250 Ok", offer="8BITMIME"), Code.OK, login=False),
    alike("no AUTH, none wanted, 530", sends("530 5.7.0 Authentication required", offer="8BITMIME"),
        Code.SMTP_LOGIN_REQUIRED, login=False),
    alike("no AUTH, none wanted, 550", sends("550 5.7.1 relaying denied", offer="8BITMIME"),
        Code.SMTP_LOGIN_REQUIRED, login=False),
    alike("another user name, taken", sends("250 2.1.0 Ok"), Code.OK, address=ELSEWHERE),
    alike("another user name, not owned", sends(NOT_OWNED), REFUSED, address=ELSEWHERE),
    alike("another name, 501", sends("501 mail from must be same as authorization user"), REFUSED, address=ELSEWHERE),
    alike("another name, 5.7.60", sends("550 5.7.60 SMTP; not permitted as this sender"), REFUSED, address=ELSEWHERE),
    alike("the address itself, not owned", sends(NOT_OWNED), REFUSED),
    alike("the relay is down", smtp_script(login="235 2.7.0 Logged in.\r\n421 4.4.0 no relay server"),
        Code.SERVER_UNAVAILABLE),
    Row("letters: ä", offering("PLAIN LOGIN", plain="235 2.7.0 Accepted"), UNSENDABLE, secret="pässword"),
    Row("letters: Cyrillic", offering("PLAIN LOGIN", plain="235 2.7.0 Accepted"), UNSENDABLE, secret="пароль"),
    Row("letters: Cyrillic, CRAM-MD5 only", offering("CRAM-MD5", cram="ok"), UNSENDABLE, REJECTED, "пароль"),
    # what is asked, and how it is answered
    Row("PLAIN is asked for again", taking(smtp_script(("^AUTH PLAIN", "334 "), ("^AHNvb", "235 Ok"), ("^$", NO))),
        node=REJECTED),
    alike("PLAIN: a second factor is missing",
        taking(smtp_script(("^AUTH ", f"334 {TOTP_WANTED}"), ("^[A-Za-z0-9+/=]*$", REFUSALS[6]))), APP_PASSWORD),
    # 503 to AUTH, which is a success to smtplib: the next command shows what it was
    Row("503 already authenticated, MAIL is taken", offering("PLAIN LOGIN", plain=ALREADY), node=Code.PROTOCOL_ERROR),
    Row("503 already authenticated, a sender not owned", after_503(ALREADY, NOT_OWNED), REFUSED, Code.PROTOCOL_ERROR),
    Row("503 already authenticated, 530 to MAIL", after_503(ALREADY, LOGIN_WANTED), Code.AUTH_NOT_OFFERED,
        Code.PROTOCOL_ERROR),
    alike("503 not advertised, LOGIN would do, 530 to MAIL", after_503(UNADVERTISED, LOGIN_WANTED),
        Code.AUTH_NOT_OFFERED),
    alike("503 not advertised, LOGIN would do, MAIL is taken", offering("PLAIN LOGIN", plain=UNADVERTISED, login="ok"),
        Code.AUTH_NOT_OFFERED, believed=True),
    alike("503 prohibited, MAIL is taken", offering("PLAIN", plain="503 Administrative prohibition"),
        Code.PROTOCOL_ERROR, believed=True),
    alike("503 not advertised, and no other command is known", server("PLAIN", plain=UNADVERTISED),
        Code.AUTH_NOT_OFFERED),
    alike("503 not advertised, and the connection ends", after_503(UNADVERTISED, None), Code.AUTH_NOT_OFFERED),
    alike("CRAM-MD5: 503 after its challenge, MAIL is taken", taking(smtp_script(
        ("^EHLO", "250-mail.lab.example\r\n250 AUTH CRAM-MD5"), ("^AUTH CRAM-MD5", f"334 {CHALLENGE}"),
        ("^QUIT", "221 Bye"), ("^[A-Za-z0-9+/=]+$", "503 Bad sequence of commands"))),
        Code.PROTOCOL_ERROR, believed=True),
    Row("250 to PLAIN", taking(smtp_script(login="250 Ok")), Code.PROTOCOL_ERROR),
)  # fmt: skip
