"""A real Dovecot 2.3 with a configuration, users and a log of its own, and the password check of our Postfix."""

import grp
import json
import os
import pwd
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.servers.certificates import CertificateFiles
from tests.servers.process import LOOPBACK, Daemon, Server, ServerError, free_port, greets, is_root, program, settled

MAIL_USER = "nobody"
"""Who owns the mail when root runs Dovecot; otherwise everything runs as the current user."""


@dataclass(frozen=True, slots=True)
class DovecotOptions:
    """`failure_delay`: seconds a refused login waits (0 means up to half a second: that is
    Dovecot's timer). `penalty`: Dovecot's growing delay per client address, as it is
    by default in the field. `fast`: login processes serve many clients, as large sites set it. `maximum_connections`:
    per user and address. `listen`: addresses, comma separated."""

    failure_delay: int = 0
    penalty: bool = False
    fast: bool = False
    maximum_connections: int = 1000
    listen: str = LOOPBACK
    mechanisms: str = "plain login"


CONFIGURATION = Template("""
base_dir = $folder/run
state_dir = $folder/state
log_path = $folder/dovecot.log
protocols = imap
listen = $listen
ssl = required
ssl_cert = <$chain
ssl_key = <$key
disable_plaintext_auth = yes
auth_mechanisms = $mechanisms
auth_verbose = yes
auth_failure_delay = $failure_delay
mail_location = maildir:~/mail:INDEX=MEMORY
mail_max_userip_connections = $maximum_connections
mailbox_list_index = no
first_valid_uid = 1
default_client_limit = 20000
default_process_limit = 2000
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u $folder/users
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$folder/homes/%d/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = $imap_port
  }
  inet_listener imaps {
    port = $imaps_port
    ssl = yes
  }
  $login_processes
}
service imap {
  process_limit = 2000
  $imap_processes
}
service auth {
  unix_listener $sasl_socket {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
event_exporter log {
  format = json
  format_args = time-unix
  transport = log
}
metric logins {
  exporter = log
  filter = event=auth_request_finished
}
$penalty
$rootless
""")

NO_PENALTY = """
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""

ROOTLESS = """
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class DovecotServer(Server):
    """IMAP with STARTTLS on `imap_port` and with implicit TLS on `imaps_port`, both on loopback.

    `users` maps user names to passwords. Homes are created by the first login. `sasl_socket` is where Postfix asks.
    """

    def __init__(
        self,
        folder: Path,
        certificate: CertificateFiles,
        users: Mapping[str, str],
        options: DovecotOptions | None = None,
    ) -> None:
        self.imap_port = free_port()
        self.imaps_port = free_port()
        self.sasl_socket = folder / "sasl"
        self.log = folder / "dovecot.log"
        self._folder = folder
        self._certificate = certificate
        self._options = options or DovecotOptions()
        self._prepare(users)
        command = [_dovecot(), "-F", "-c", str(folder / "dovecot.conf")]
        self._daemon = Daemon(command, folder / "dovecot.out", patience=0.2)

    def start(self) -> None:
        """Raises `ServerError` when Dovecot does not come up."""
        (self._folder / "dovecot.conf").write_text(self._configuration())
        self._daemon.start(greets(self.imap_port))

    def stop(self) -> None:
        self._daemon.stop()

    def restart(self, certificate: CertificateFiles | None = None) -> None:
        """Stop and start on the same ports, with another certificate if one is given."""
        self.stop()
        self._certificate = certificate or self._certificate
        self.start()

    def reload(self, certificate: CertificateFiles) -> None:
        """Have the running server use another certificate; its ports stay open meanwhile."""
        self._certificate = certificate
        (self._folder / "dovecot.conf").write_text(self._configuration())
        os.kill(self._daemon.pid, signal.SIGHUP)

    def set_users(self, users: Mapping[str, str]) -> None:
        """Replace all users and their passwords; Dovecot reads the file again by itself when it changed."""
        lines = "".join(f"{name}:{{PLAIN}}{password}\n" for name, password in users.items())
        fresh = self._folder / "users.new"
        fresh.write_text(lines)
        fresh.chmod(0o644)
        fresh.replace(self._folder / "users")

    def logins(self, service: str = "imap") -> Counter[str]:
        """Accepted logins by user name; `service` is `imap`, or `smtp` for those that Postfix asked about."""
        return Counter(user for user, accepted in self._attempts(service) if accepted)

    def rejections(self, service: str = "imap") -> Counter[str]:
        """Refused logins by user name, for `imap` or `smtp`."""
        return Counter(user for user, accepted in self._attempts(service) if not accepted)

    def forget(self) -> None:
        """Empty the log, so that `logins` and `rejections` start from nothing."""
        if settled(self.log):
            os.truncate(self.log, 0)

    def _attempts(self, service: str) -> Iterator[tuple[str, bool]]:
        for line in settled(self.log).splitlines():
            _, found, event = line.partition('{"event":"auth_request_finished"')
            if found:
                fields = json.loads(found + event)["fields"]
                if fields.get("protocol", fields.get("service")) == service:
                    yield fields["user"], fields.get("success") == "yes"

    def _prepare(self, users: Mapping[str, str]) -> None:
        homes = self._folder / "homes"
        homes.mkdir(parents=True)
        if is_root():
            owner = pwd.getpwnam(MAIL_USER)
            os.chown(homes, owner.pw_uid, owner.pw_gid)
        self.set_users(users)

    def _configuration(self) -> str:
        owner = pwd.getpwnam(MAIL_USER) if is_root() else pwd.getpwuid(os.geteuid())
        options = self._options
        return CONFIGURATION.substitute(
            folder=self._folder,
            listen=options.listen,
            chain=self._certificate.chain,
            key=self._certificate.key,
            mechanisms=options.mechanisms,
            failure_delay=f"{options.failure_delay} secs",
            maximum_connections=options.maximum_connections,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            imap_port=self.imap_port,
            imaps_port=self.imaps_port,
            sasl_socket=self.sasl_socket,
            login_processes=_login_processes(options.fast),
            imap_processes="service_count = 100\n  process_min_avail = 4" if options.fast else "",
            penalty="" if options.penalty else NO_PENALTY,
            rootless="" if is_root() else _rootless(),
        )


def _dovecot() -> str:
    """The program. Raises `ServerError` for another version than 2.3: 2.4 has another configuration language."""
    path = program("dovecot")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("2.3."):
        raise ServerError(f"Dovecot 2.3 is needed (Debian 12 has it), but {version.split()[0]} is installed.")
    return path


def _login_processes(fast: bool) -> str:
    if fast:
        return "service_count = 0\n  process_min_avail = 2\n  client_limit = 2000"
    return "service_count = 1\n  process_min_avail = 4\n  process_limit = 200"


def _rootless() -> str:
    owner = pwd.getpwuid(os.geteuid())
    return ROOTLESS.format(user=owner.pw_name, group=grp.getgrgid(owner.pw_gid).gr_name)
