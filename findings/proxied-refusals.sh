#!/usr/bin/env bash
# Guess: a proxy that logs its clients in at a backend passes the backend's answer on, or at least tells a wrong password from
# trouble at the backend.
#
# Seen: Dovecot passes on only what begins with a response code (RFC 5530). Any other NO, and BAD too, becomes "NO
# [AUTHENTICATIONFAILED] Authentication failed.", whatever it said: that the password database is down, that the service is not
# allowed, that the command was not understood. With a code, every word of it arrives; for [UNAVAILABLE] the proxy asks the
# backend three times more, a second apart, so the client has its answer after 3 s.
#
# Versions: Dovecot 2.3.19.1 (Debian 12) as the proxy; the backend is a few lines here, for what counts is its words only. They
# are those of servers without response codes, Cyrus and perdition among them, and of Dovecot.
#
# Why it matters: behind such a proxy an outage reads as "wrong password" for everybody, and apps that switch mailboxes off at
# a wrong password do so. Where all passwords of a server are rejected from one minute to the next, suspect the backend: its
# log knows what it said.
set -euo pipefail
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download dovecot-core dovecot-imapd libsodium23 liblz4-1 libzstd1 libunwind8 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "dovecot-core $(dpkg-deb -f dovecot-core_*.deb Version)"

user=$(id -un) group=$(id -gn)
[ "$user" != root ] || user=nobody group=nogroup  # Dovecot refuses to face the network as root
lib=$work/debs/usr/lib
read -r port backend < <(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[each.getsockname()[1] for each in s])')
cat >dovecot.conf <<CONF
base_dir = $work/run
state_dir = $work/state
log_path = $work/log
libexec_dir = $lib/dovecot
login_plugin_dir = $lib/dovecot/modules/login
mail_plugin_dir = $lib/dovecot/modules
import_environment = LD_LIBRARY_PATH
protocols = imap
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
first_valid_uid = 1
first_valid_gid = 1
ssl = no
disable_plaintext_auth = no
passdb {
  driver = static
  args = nopassword=y proxy=y host=127.0.0.1 port=$backend
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = $port
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
CONF
LD_LIBRARY_PATH=$lib/dovecot:$lib/x86_64-linux-gnu debs/usr/bin/doveconf -f service=master -c "$work/dovecot.conf" -m master \
    -e debs/usr/sbin/dovecot -F -c "$work/dovecot.conf" 2>err &
pid=$!

timeout 200 python3 - "$port" "$backend" <<'PROGRAM' || { tail -5 log; exit 1; }
import socket, sys, threading, time

PORT, BACKEND = map(int, sys.argv[1:])
REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."
# the backend's answer to the right password, what the proxy makes of it, how often the backend was asked
CASES = (
    ("NO Login failed: generic failure", REFUSED, 1),
    ("NO authorization failure", REFUSED, 1),
    ("NO Temporary problem, please try again later", REFUSED, 1),
    ("NO failed: Could not connect to server", REFUSED, 1),
    ("BAD Unknown command", REFUSED, 1),
    ("NO [CONTACTADMIN] This mailbox is locked", "NO [CONTACTADMIN] This mailbox is locked", 1),
    ("NO [LIMIT] Too many connections", "NO [LIMIT] Too many connections", 1),
    ("NO [UNAVAILABLE] Temporary authentication failure", "NO [UNAVAILABLE] Temporary authentication failure", 4),
)
answer, asked = "", 0


def talk(client):
    global asked
    with client, client.makefile("rb") as lines:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        for line in lines:
            tag, command = line.split()[:2]
            login = command.upper() == b"LOGIN"
            asked += login
            client.sendall(tag + b" " + (answer.encode() if login else b"OK done") + b"\r\n")


def accept(listener):
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()


def log_in():
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as sock, sock.makefile("rb") as lines:
        assert lines.readline().startswith(b"* OK"), "no greeting"
        begun = time.monotonic()
        sock.sendall(b'a LOGIN ada "right"\r\n')
        got = next(line for line in lines if line.startswith(b"a "))
        return got[2:].decode().strip(), time.monotonic() - begun


threading.Thread(target=accept, args=(socket.create_server(("127.0.0.1", BACKEND)),), daemon=True).start()
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            break
    time.sleep(0.1)
failed = False
for answer, expected, times in CASES:
    asked = 0
    got, seconds = log_in()
    same = (got, asked) == (expected, times)
    failed |= not same
    what = "as it is" if got == answer else got
    print(f"{answer}\n    {what} (asked {asked}, {seconds:.1f} s)" + ("" if same else f"  NOT {expected}, {times}"))
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
