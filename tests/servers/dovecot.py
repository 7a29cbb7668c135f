"""A real Dovecot, 2.3 or 2.4, with settings, users and a log of its own, and the password check of our Postfix."""

import functools
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
from tests.servers.dovecot_settings import (
    NO_PENALTY,
    OAUTH2_2_3,
    ROOTLESS,
    TOKENS_2_3,
    TOKENS_2_4,
    VERSION_2_3,
    VERSION_2_4,
)
from tests.servers.process import LOOPBACK, Daemon, Server, ServerError, free_port, greets, is_root, program, settled

_TEMPLATES = {"2.3": VERSION_2_3, "2.4": VERSION_2_4}
MAIL_USER = "nobody"
"""Who owns the mail when root runs Dovecot; otherwise everything runs as the current user."""


@dataclass(frozen=True, slots=True)
class DovecotOptions:
    """`failure_delay`: seconds a refused login waits (0 means up to half a second: that is
    Dovecot's timer). `penalty`: Dovecot's growing delay per client address, as it is
    by default in the field. `fast`: login processes serve many clients, as large sites set it. `maximum_connections`:
    per user and address. `listen`: addresses, comma separated. `introspection`: the URL that tells whose a token is
    (RFC 7662); '' for a server that takes none."""

    failure_delay: int = 0
    penalty: bool = False
    fast: bool = False
    maximum_connections: int = 1000
    listen: str = LOOPBACK
    mechanisms: str = "plain login"
    introspection: str = ""


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

    def partings(self) -> Counter[bool]:
        """How many clients of IMAP have left with LOGOUT, and how many without."""
        # 2.4 says the second of those who leave before they are logged in
        ends = ("Info: Disconnected", "Info: Login aborted")
        left = [line for line in settled(self.log).splitlines() if any(end in line for end in ends)]
        return Counter("Logged out" in line or "by logging out" in line for line in left)

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

    def _tokens(self) -> str:
        """What takes access tokens: 2.3 has a file of its own for it."""
        if not (url := self._options.introspection):
            return ""
        if dovecot_version() != "2.3":
            return TOKENS_2_4.format(url=url)
        (self._folder / "oauth2.conf.ext").write_text(OAUTH2_2_3.format(url=url))
        return TOKENS_2_3.format(folder=self._folder)

    def _configuration(self) -> str:
        owner = pwd.getpwnam(MAIL_USER) if is_root() else pwd.getpwuid(os.geteuid())
        options = self._options
        return _template().substitute(
            folder=self._folder,
            listen=options.listen,
            chain=self._certificate.chain,
            key=self._certificate.key,
            mechanisms=options.mechanisms + (" xoauth2 oauthbearer" if options.introspection else ""),
            passwords=options.mechanisms,
            tokens=self._tokens(),
            failure_delay=f"{options.failure_delay} secs",
            maximum_connections=options.maximum_connections,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            imap_port=self.imap_port,
            imaps_port=self.imaps_port,
            sasl_socket=self.sasl_socket,
            login_processes=_login_processes(options.fast),
            imap_processes=_imap_processes(options.fast),
            penalty="" if options.penalty else NO_PENALTY,
            rootless="" if is_root() else _rootless(),
        )


def _dovecot() -> str:
    """The program. Raises `ServerError` when it is not installed, or has a version that is not known here."""
    path = program("dovecot")
    if dovecot_version() not in _TEMPLATES:
        raise ServerError(f"Dovecot {' or '.join(_TEMPLATES)} is needed, but {dovecot_version()} is installed.")
    return path


@functools.cache
def dovecot_version() -> str:
    """The installed one, as `2.3` or `2.4`. Raises `ServerError` when there is none."""
    told = subprocess.run([program("dovecot"), "--version"], capture_output=True, text=True, check=True).stdout
    return ".".join(told.split()[0].split(".")[:2])


def _template() -> Template:
    return _TEMPLATES[dovecot_version()]


def _login_processes(fast: bool) -> str:
    """2.4 says how many clients a process serves in other words."""
    limit, unlimited = ("service_count", "0") if dovecot_version() == "2.3" else ("restart_request_count", "unlimited")
    if fast:
        return f"{limit} = {unlimited}\n  process_min_avail = 2\n  client_limit = 2000"
    return f"{limit} = 1\n  process_min_avail = 4\n  process_limit = 200"


def _imap_processes(fast: bool) -> str:
    limit = "service_count" if dovecot_version() == "2.3" else "restart_request_count"
    return f"{limit} = 100\n  process_min_avail = 4" if fast else ""


def _rootless() -> str:
    owner = pwd.getpwuid(os.geteuid())
    return ROOTLESS.format(user=owner.pw_name, group=grp.getgrgid(owner.pw_gid).gr_name)
