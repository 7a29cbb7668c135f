"""A real Courier IMAP, from Debian's packages in a folder."""

import os
import pwd
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from string import Template

from tests.servers.certificates import CertificateFiles
from tests.servers.process import Daemon, Server, accepts, free_port, greets, settled
from tests.servers.unpacked import overlaid, unpacked, with_dependencies

_OWNER = "nobody"
_ID = 65_533
_NEEDED = ("usr/lib/courier/courier/imaplogin", "usr/lib/**/libauthuserdb.so*")
START = Template("""
makeuserdb -f $folder/etc/courier/userdb
set -a
. /etc/courier/imapd
. /etc/courier/imapd-ssl
. /etc/courier/authdaemonrc
IMAP_STARTTLS=YES TLS_CERTFILE=$folder/certificate TLS_CACHEFILE=
/usr/lib/courier/courier-authlib/authdaemond &
serve="couriertcpd -address=127.0.0.1 -maxprocs=100 -maxperip=100 $$TCPDOPTS"
login="/usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir"
$$serve $port $$login &
IMAP_TLS=1 exec $$serve $tls_port /usr/bin/couriertls -server -tcpd $$login
""")


class CourierServer(Server):
    """Implicit TLS on `tls_port`, STARTTLS on `port`. It waits five seconds before it rejects a password.

    `homeless` are users whose mailbox is missing on disk. Raises `ServerError` where the machine cannot have it.
    """

    def __init__(
        self, folder: Path, leaf: CertificateFiles, users: Mapping[str, str], homeless: Collection[str] = ()
    ) -> None:
        root = unpacked("courier", lambda: with_dependencies("courier-imap", "courier-authlib-userdb"), _NEEDED)
        etc, run = folder / "etc", folder / "run"
        self._socket = run / "courier/authdaemon/socket"
        self._socket.parent.mkdir(parents=True)
        prefix = overlaid(root, _with_packages(etc, root), run)
        self.tls_port, self.port = free_port(), free_port()
        (folder / "certificate").write_text(leaf.key.read_text() + leaf.chain.read_text())
        lines = [_user(folder, name, password, homeless=name in homeless) for name, password in users.items()]
        userdb = etc / "courier/userdb"
        userdb.write_text("".join(lines))
        userdb.chmod(0o600)
        script = START.substitute(folder=folder, port=self.port, tls_port=self.tls_port)
        self.log = folder / "courier.out"
        self._daemon = Daemon([*prefix, "sh", "-ec", script], self.log, patience=0.2)

    def start(self) -> None:
        self._daemon.start(lambda: self._socket.exists() and accepts(self.tls_port)() and greets(self.port)())

    def stop(self) -> None:
        self._daemon.stop()

    def clients(self, event: str, since: int = 0) -> list[str]:
        """The ports of the clients of an event, such as LOGIN or LOGOUT, in the lines from that one on."""
        said = f"INFO: {event}, "
        return [line.partition("port=[")[2].partition("]")[0] for line in self.log_lines()[since:] if said in line]

    def log_lines(self) -> list[str]:
        """What its programs say of logins, some of them a moment late."""
        return settled(self.log, quiet=0.5).splitlines()


def _with_packages(etc: Path, root: Path) -> Path:
    """The folder, with the packages' user and the settings that come with them; passwords are in a file."""
    (etc / "courier").mkdir(parents=True)
    (etc / "passwd").write_text(Path("/etc/passwd").read_text() + f"courier:x:{_ID}:{_ID}::/nonexistent:/bin/false\n")
    (etc / "group").write_text(Path("/etc/group").read_text() + f"courier:x:{_ID}:\n")
    for name in ("imapd", "imapd-ssl", "authdaemonrc"):
        text = (root / "etc/courier" / name).read_text()
        (etc / "courier" / name).write_text(text.replace('"authpam"', '"authuserdb"'))
    return etc


def _user(folder: Path, name: str, password: str, *, homeless: bool) -> str:
    """The user's line, after the mailbox is made."""
    owner, home = pwd.getpwnam(_OWNER), folder / "homes" / name
    for part in () if homeless else ("cur", "new", "tmp"):
        (home / "Maildir" / part).mkdir(parents=True)
    home.mkdir(parents=True, exist_ok=True)
    for path in (home, *home.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    hashed = subprocess.run(
        ["openssl", "passwd", "-1", "-stdin"], input=password, capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"{name}\thome={home}|mail={home}/Maildir|uid={owner.pw_uid}|gid={owner.pw_gid}|imappw={hashed}\n"
