#!/usr/bin/env bash
# Guess: Dovecot delays logins after a wrong password by the client's address; with IPv6 by the address, or by the /64 that
# one host may take its addresses from.
#
# Seen: by the /48, which is a whole site. A wrong password from one /64 makes the next login from any other /64 of the same
# /48 wait, a right one too (0 s became 8 s after two wrong ones), and one success anywhere in the /48 forgives them all.
# IPv4 addresses are told apart one by one. The client's address comes by the PROXY protocol here, as from a load balancer,
# so everything stays on loopback.
#
# Versions: Dovecot 2.3.19.1 (Debian 12).
#
# Why it matters: a second IPv6 egress address from the same provider's /48 spreads no load and escapes no delay; a
# neighbour's stale password makes logins slow that have nothing wrong with them. Time-outs of a login have to be above the
# 15 s that the delay grows to, and a slow success is no sign of an overloaded server.
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
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
mkdir mail
[ "$user" != nobody ] || chown "$user:$group" mail
cat >dovecot.conf <<CONF
base_dir = $work/run
state_dir = $work/state
log_path = $work/log
libexec_dir = $lib/dovecot
login_plugin_dir = $lib/dovecot/modules/login
mail_plugin_dir = $lib/dovecot/modules
auth_debug = no
import_environment = LD_LIBRARY_PATH
protocols = imap
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:$work/mail/%u
ssl = no
disable_plaintext_auth = no
haproxy_trusted_networks = 127.0.0.0/8
passdb {
  driver = static
  args = password=right
}
userdb {
  driver = static
  args = uid=$user gid=$group home=$work/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = $port
    haproxy = yes
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

python3 - "$port" <<'PROGRAM' || { tail -5 log; exit 1; }
import socket, sys, time

PORT = int(sys.argv[1])
# client address, password, seconds until the answer, what the answer is; in this order
STEPS = (
    ("2001:db8:1:1::1", "wrong 1", 2, "NO"),
    ("2001:db8:1:2::1", "wrong 2", 6, "NO"),  # another /64 of the same /48: as if it were its second failure
    ("2001:db8:2:1::1", "wrong 3", 2, "NO"),  # another /48: its first
    ("2001:db8:1:3::1", "right", 8, "OK"),  # a third /64 of the first /48, with nothing wrong
    ("2001:db8:1:4::1", "right", 0, "OK"),  # that success has cleared the whole /48
    ("192.0.2.1", "wrong 4", 2, "NO"),
    ("192.0.2.2", "wrong 5", 2, "NO"),  # neighbours in IPv4 are strangers
)


def log_in(address, password):
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as sock, sock.makefile("rb") as lines:
        family, own = ("TCP6", "2001:db8::25") if ":" in address else ("TCP4", "192.0.2.25")
        sock.sendall(f"PROXY {family} {address} {own} 40000 143\r\n".encode())
        assert lines.readline().startswith(b"* OK"), "no greeting"
        begun = time.monotonic()
        sock.sendall(f'a LOGIN ada "{password}"\r\n'.encode())
        answer = next(line for line in lines if line.startswith(b"a "))
        return time.monotonic() - begun, answer[2:4].decode()


for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            break
    time.sleep(0.1)
failed = False
for address, password, seconds, answer in STEPS:
    took, got = log_in(address, password)
    same = got == answer and abs(took - seconds) < 1
    failed |= not same
    print(f"{address:16} {password:8} {got} after {took:4.1f} s" + ("" if same else f"  NOT {answer} after {seconds} s"))
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
