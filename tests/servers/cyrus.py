"""A real Cyrus IMAP, from Debian's packages in a folder, set up as Debian does."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from pathlib import Path
from string import Template

from tests.servers.certificates import CertificateFiles
from tests.servers.process import Daemon, Server, free_port, greets, settled
from tests.servers.unpacked import overlaid, unpacked, with_dependencies

_OWNER = "nobody"
_NEEDED = ("usr/lib/cyrus/bin/master", "usr/sbin/saslpasswd2")
SERVICES = Template("""SERVICES {
    imap cmd="imapd -C $folder/imapd.conf" listen="127.0.0.1:$port" prefork=0 maxchild=100
    imaps cmd="imapd -C $folder/imapd.conf -s" listen="127.0.0.1:$tls_port" prefork=0 maxchild=100
}
""")
SETTINGS = Template("""
configdirectory: $folder/var
partition-default: $folder/spool
defaultpartition: default
proc_path: $folder/var/proc
mboxname_lockpath: $folder/var/lock
autocreate_quota: 0
allowplaintext: no
allowstarttls: yes
virtdomains: userid
defaultdomain: lab.example
servername: lab.example
loginrealms: lab.example
unixhierarchysep: yes
cyrus_user: $owner
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $folder/sasldb2
sasl_mech_list: PLAIN
tls_server_cert: $folder/chain
tls_server_key: $folder/key
""")


class CyrusServer(Server):
    """Implicit TLS on `tls_port`, STARTTLS on `port`. It waits three seconds before it rejects a password.

    Users are addresses in lab.example. Raises `ServerError` where the machine cannot have it.
    """

    def __init__(self, folder: Path, leaf: CertificateFiles, users: Mapping[str, str]) -> None:
        root = unpacked("cyrus", lambda: with_dependencies("cyrus-imapd", "sasl2-bin"), _NEEDED)
        prefix = overlaid(root)
        self.tls_port, self.port = free_port(), free_port()
        self._folder = folder
        for name in ("spool", "var/db", "var/proc", "var/lock", "var/socket", "var/log", "var/user", "var/quota"):
            (folder / name).mkdir(parents=True)
        ports = {"port": self.port, "tls_port": self.tls_port}
        self._write("cyrus.conf", SERVICES.substitute(ports, folder=folder))
        self._write("imapd.conf", SETTINGS.substitute(folder=folder, owner=_OWNER))
        self._write("chain", leaf.chain.read_text())
        self._write("key", leaf.key.read_text())
        for user, password in users.items():
            name, _, realm = user.partition("@")
            command = [*prefix, "saslpasswd2", "-p", "-c", "-f", f"{folder}/sasldb2", "-u", realm, name]
            (folder / "var/log" / name).mkdir()  # without its default domain
            subprocess.run(command, input=password, text=True, check=True, capture_output=True)
        owner = pwd.getpwnam(_OWNER)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        master = [
            *prefix,
            "/usr/lib/cyrus/bin/master",
            "-D",
            "-M",
            f"{folder}/cyrus.conf",
            "-C",
            f"{folder}/imapd.conf",
        ]
        self._daemon = Daemon([*master, "-p", f"{folder}/master.pid"], folder / "cyrus.out", patience=1.0)

    def start(self) -> None:
        self._daemon.start(greets(self.port))

    def stop(self) -> None:
        self._daemon.stop()

    def mailboxes(self) -> int:
        """How many there are on disk."""
        return len(list((self._folder / "spool").rglob("cyrus.header")))

    def sessions(self, user: str) -> list[str]:
        """The commands of a user's logins, one text each: Cyrus writes down those that have a folder for it."""
        folder = self._folder / "var/log" / user.partition("@")[0]
        return [path.read_text(errors="replace") for path in sorted(folder.iterdir()) if settled(path)]

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)
