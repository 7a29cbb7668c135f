"""A real Exim for submission, from Debian's packages in a folder: beside Postfix it cannot be installed."""

import os
from collections.abc import Mapping
from pathlib import Path
from string import Template

from tests.servers.certificates import CertificateFiles
from tests.servers.process import Daemon, Server, ServerError, free_port, greets, is_root, settled
from tests.servers.unpacked import unpacked, with_dependencies

PACKAGES = ("exim4-daemon-light", "libnss-wrapper")
_NEEDED = ("usr/sbin/exim4", "usr/lib/*/libnss_wrapper.so")
_USER = "Debian-exim"  # compiled in
_ID = 65_533

# Exim has no mechanism for tokens: what is sent by either (RFC 7628, 3.1) is taken apart, into name and token.
CONFIG = Template("""
SENT = \\N^(?:user=|n,a=)([^\\x01,]+),?\\x01auth=Bearer ([^\\x01]+)\\x01\\x01$$\\N
WHOSE = $${sg{$$auth1}{SENT}{\\$$1}}
TAKES_TOKEN = $${if eq{WHOSE}{$${lookup{$${sg{$$auth1}{SENT}{\\$$2}}}lsearch{$folder/tokens}{$$value}fail}}}

primary_hostname = mail.lab.example
spool_directory = $folder/spool
log_file_path = $folder/%slog
pid_file_path = $folder/exim.pid
daemon_smtp_ports = $tls_port : $port
local_interfaces = 127.0.0.1
tls_on_connect_ports = $tls_port
tls_advertise_hosts = *
tls_certificate = $chain
tls_privatekey = $key
auth_advertise_hosts = *
host_lookup =
helo_lookup_domains =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
log_selector = +smtp_connection +smtp_incomplete_transaction +smtp_no_mail
acl_smtp_mail = check_sender
acl_smtp_rcpt = check_recipient

begin acl

check_sender:
  deny condition = $${if and{{def:authenticated_id}{!eqi{$$authenticated_id}{$$sender_address}}}}
       message = sender address is not allowed for $$authenticated_id
  deny condition = $${if and{{!def:authenticated_id}{eq{$relay}{no}}}}
       message = authentication required
  accept

check_recipient:
  deny message = this server takes no mail

begin authenticators

cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = $${lookup{$$auth1}lsearch{$folder/$cram}{$$value}fail}
  server_set_id = $$auth1

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = $${if eq{$$auth3}{$${lookup{$$auth2}lsearch{$folder/users}{$$value}fail}}}
  server_set_id = $$auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = $${if eq{$$auth2}{$${lookup{$$auth1}lsearch{$folder/users}{$$value}fail}}}
  server_set_id = $$auth1

xoauth2:
  driver = plaintext
  public_name = XOAUTH2
  server_prompts = :
  server_condition = TAKES_TOKEN
  server_set_id = WHOSE

oauthbearer:
  driver = plaintext
  public_name = OAUTHBEARER
  server_prompts = :
  server_condition = TAKES_TOKEN
  server_set_id = WHOSE
""")


class EximServer(Server):
    """Implicit TLS on `tls_port`, STARTTLS on `port`; offers CRAM-MD5, PLAIN and LOGIN, and judges senders.

    `hashed`: it has no password in clear, so that CRAM-MD5 rejects everybody. `relay`: senders need no login.
    `tokens` are access tokens, and whose they are: with some it offers XOAUTH2 and OAUTHBEARER, too. `forbids` is what
    its ACL says to each AUTH, behind a 503. Raises `ServerError` where the machine cannot have it.
    """

    def __init__(
        self,
        folder: Path,
        leaf: CertificateFiles,
        users: Mapping[str, str],
        *,
        hashed: bool = False,
        relay: bool = False,
        tokens: Mapping[str, str] | None = None,
        forbids: str = "",
    ) -> None:
        if not is_root():
            raise ServerError("Exim can only be started by root. Run the tests as root (CI does) to include it.")
        root = unpacked("exim", lambda: with_dependencies(*PACKAGES), _NEEDED)
        self.tls_port, self.port = free_port(), free_port()
        self.log = folder / "mainlog"
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        values = {"folder": folder, "chain": leaf.chain, "key": folder / "key", "cram": "nobody" if hashed else "users"}
        ports = {"tls_port": self.tls_port, "port": self.port}
        config = CONFIG.substitute(values, **ports, relay="yes" if relay else "no")
        if forbids:
            config = config.replace(
                "begin acl\n", f"acl_smtp_auth = forbid\n\nbegin acl\n\nforbid:\n  deny message = {forbids}\n"
            )
        if not tokens:
            config = config.partition("\nxoauth2:\n")[0]
        self._write("config", config)
        self._write("key", leaf.key.read_text())  # read by a user of its own
        self._write("users", "".join(f"{user}: {password}\n" for user, password in users.items()))
        self._write("tokens", "".join(f"{token}: {user}\n" for token, user in (tokens or {}).items()))
        self._write("nobody", "")
        self._write("passwd", Path("/etc/passwd").read_text() + f"{_USER}:x:{_ID}:{_ID}::/nonexistent:/bin/false\n")
        self._write("group", Path("/etc/group").read_text() + f"{_USER}:x:{_ID}:\n")
        for name in ("", "spool"):
            (folder / name).mkdir(exist_ok=True)
            os.chown(folder / name, _ID, _ID)
        libraries = next(root.glob("usr/lib/*/libnss_wrapper.so")).parent
        wrapped = {
            "LD_LIBRARY_PATH": libraries,
            "LD_PRELOAD": libraries / "libnss_wrapper.so",
            "NSS_WRAPPER_PASSWD": folder / "passwd",
            "NSS_WRAPPER_GROUP": folder / "group",
        }
        command = ["env", *(f"{name}={value}" for name, value in wrapped.items()), str(root / "usr/sbin/exim4")]
        self._daemon = Daemon([*command, "-C", str(folder / "config"), "-bdf"], folder / "exim.out", patience=0.5)

    def start(self) -> None:
        self._daemon.start(greets(self.port))

    def stop(self) -> None:
        self._daemon.stop()

    def log_lines(self) -> list[str]:
        """The main log."""
        return settled(self.log).splitlines()

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.write_text(text)
        path.chmod(0o644)
