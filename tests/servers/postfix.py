"""A real Postfix for submission that takes logins, asks Dovecot about passwords, and accepts no mail at all."""

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.servers.certificates import CertificateFiles
from tests.servers.process import LOOPBACK, Daemon, Server, ServerError, free_port, greets, is_root, program, settled

PROGRAMS = "/usr/lib/postfix/sbin"
QUEUE_FOLDERS = ("public", "private", "pid", "maildrop", "incoming", "active", "deferred", "hold", "corrupt")

MAIN = Template("""
compatibility_level = 3.6
queue_directory = $folder/queue
data_directory = $folder/data
command_directory = /usr/sbin
daemon_directory = $programs
mail_owner = postfix
setgid_group = postdrop
maillog_file = $folder/postfix.log
maillog_file_prefixes = $folder
myhostname = mail.lab.example
inet_interfaces = $listen
inet_protocols = all
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
alias_database =
default_transport = error:this server takes no mail
local_transport = error:this server takes no mail
smtpd_relay_restrictions = reject
smtpd_recipient_restrictions = reject
smtpd_peername_lookup = no
smtpd_tls_chain_files = $key, $chain
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $sasl_socket
smtpd_sasl_security_options = noanonymous
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_auth_rate_limit = 0
smtpd_client_new_tls_session_rate_limit = 0
default_process_limit = 200
""")

MASTER = Template("""
$listen_starttls inet n - n - 200 smtpd
$listen_tls inet n - n - 200 smtpd -o smtpd_tls_wrappermode=yes
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
""")

ALIAS = Template("$address:$port inet n - n - 200 smtpd -o smtpd_tls_wrappermode=yes\n")


@dataclass(frozen=True, slots=True)
class Logins:
    """AUTH commands by outcome, as Postfix sums them up when a client leaves. User names are in Dovecot's log."""

    accepted: int
    rejected: int


class PostfixServer(Server):
    """Submission with STARTTLS on `submission_port` and with implicit TLS on `smtps_port`, both on loopback.

    `sasl_socket`: Dovecot's. Needs root, because Postfix's master does; raises `ServerError` otherwise.
    """

    def __init__(
        self,
        folder: Path,
        certificate: CertificateFiles,
        sasl_socket: Path,
        listen: str = LOOPBACK,
        aliases: Sequence[str] = (),
    ) -> None:
        """`listen`: addresses, comma separated. `aliases`: more of them with implicit TLS on `smtps_port`.

        Postfix takes for `listen` only the very addresses that an interface has, not all of 127.0.0.0/8.
        """
        if not is_root():
            raise ServerError("Postfix can only be started by root. Run the tests as root (CI does) to include it.")
        self.submission_port = free_port()
        self.smtps_port = free_port()
        self.log = folder / "postfix.log"
        self._folder = folder
        self._certificate = certificate
        self._sasl_socket = sasl_socket
        self._listen = listen
        self._aliases = aliases
        self._prepare()
        command = [program("master", PROGRAMS), "-c", str(folder / "etc")]
        self._daemon = Daemon(command, folder / "postfix.out", patience=0.5)

    def start(self) -> None:
        """Raises `ServerError` when Postfix does not come up."""
        self._configure()
        try:
            self._daemon.start(greets(self.submission_port))
        except ServerError as error:
            raise ServerError(f"{error} {settled(self.log)[-1500:]}") from error

    def stop(self) -> None:
        self._daemon.stop()

    def restart(self, certificate: CertificateFiles | None = None) -> None:
        """Stop and start on the same ports, with another certificate if one is given."""
        self.stop()
        self._certificate = certificate or self._certificate
        self.start()

    def logins(self) -> Logins:
        """What became of the AUTH commands of all clients that have left."""
        text = settled(self.log)
        # "disconnect from localhost[127.0.0.1] ehlo=2 auth=1/2 quit=1": one of two was accepted
        counts = re.findall(r"\bdisconnect from .*\bauth=(\d+)(?:/(\d+))?", text)
        accepted = sum(int(ok) for ok, _ in counts)
        return Logins(accepted, sum(int(total or ok) for ok, total in counts) - accepted)

    def partings(self) -> Counter[bool]:
        """How many clients have left with QUIT, and how many without."""
        return Counter(" quit=1 " in line for line in settled(self.log).splitlines() if " disconnect from " in line)

    def forget(self) -> None:
        """Empty the log, so that `logins` starts from nothing."""
        if settled(self.log):
            os.truncate(self.log, 0)

    def _prepare(self) -> None:
        for name in QUEUE_FOLDERS:
            (self._folder / "queue" / name).mkdir(parents=True)
            if name != "pid":
                shutil.chown(self._folder / "queue" / name, "postfix")
        for name in ("public", "maildrop"):
            shutil.chown(self._folder / "queue" / name, group="postdrop")
        (self._folder / "data").mkdir()
        shutil.chown(self._folder / "data", "postfix")
        (self._folder / "etc").mkdir()

    def _configure(self) -> None:
        main = MAIN.substitute(
            folder=self._folder,
            programs=PROGRAMS,
            listen=self._listen,
            key=self._certificate.key,
            chain=self._certificate.chain,
            sasl_socket=self._sasl_socket,
        )
        master = MASTER.substitute(listen_starttls=self.submission_port, listen_tls=self.smtps_port)
        (self._folder / "etc" / "main.cf").write_text(main)
        master += "".join(ALIAS.substitute(address=alias, port=self.smtps_port) for alias in self._aliases)
        (self._folder / "etc" / "master.cf").write_text(master.lstrip())
        # Postfix waits until main.cf is a second old, lest it reads a half-written one; ours is complete
        os.utime(self._folder / "etc" / "main.cf", (time.time() - 60, time.time() - 60))
