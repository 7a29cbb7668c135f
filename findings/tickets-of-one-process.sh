#!/usr/bin/env bash
# Guess: a TLS session ticket that Dovecot hands out with a lifetime of two hours lets the same client resume its session.
#
# Seen: only with the very process that made it, for each login process makes its ticket keys when it starts and shares them
# with none. With the default (`service_count = 1`, a process for each connection) no ticket is ever taken back: 0 of 24.
# With one process that serves many clients every one is: 23 of 23 that came with a ticket. With eight it is luck, and mostly
# bad luck. The hint of 7200 s is the same in all three, and the client sends its ticket, to no end.
#
# Versions: Dovecot 2.3.19.1 (Debian 12), Python 3.11 or newer with its ssl.
#
# Why it matters: whoever keeps sessions to make logins cheaper pays for them instead. Python's `session=` copies a session by
# writing and parsing it, certificate and all, each time. Look at `session_reused`, and stop offering what is never taken.
# A site with several login processes sees a share of full handshakes that has nothing to do with its clients.
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
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 30 \
    -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>openssl.log
chmod 644 key.pem

# start PROCESSES: 0 is the default, a process for each connection
start() {
    local settings=
    [ "$1" = 0 ] || settings="service_count = 0
  process_min_avail = $1
  process_limit = $1"
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
ssl = required
ssl_cert = <$work/cert.pem
ssl_key = <$work/key.pem
passdb {
  driver = static
  args = password=right
}
service imap-login {
  chroot =
  $settings
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = $port
    ssl = yes
  }
}
service anvil {
  chroot =
}
CONF
    LD_LIBRARY_PATH=$lib/dovecot:$lib/x86_64-linux-gnu debs/usr/bin/doveconf -f service=master -c "$work/dovecot.conf" \
        -m master -e debs/usr/sbin/dovecot -F -c "$work/dovecot.conf" 2>err &
    pid=$!
}

stop() {
    kill "$pid"
    wait "$pid" || true
    pid=
}

cat >count.py <<'PROGRAM'
import socket, ssl, sys, time

port, low, high = map(int, sys.argv[1:])
context = ssl.create_default_context(cafile="cert.pem")
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            break
    time.sleep(0.1)
session, resumed = None, 0
for _ in range(24):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secure:
            assert secure.recv(1000).startswith(b"* OK"), "no greeting"
            resumed += secure.session_reused
            session = secure.session
            secure.sendall(b"a LOGOUT\r\n")
            while secure.recv(1000):
                pass
same = low <= resumed <= high
told = f"{resumed} of 24 connections resumed, hint {session.ticket_lifetime_hint} s"
print(told if same else f"{told}  NOT {low} to {high}")
sys.exit(not same)
PROGRAM

status=0
for case in "0 0 0" "1 23 23" "8 0 22"; do
    read -r processes low high <<<"$case"
    printf 'login processes: %s; ' "$([ "$processes" = 0 ] && echo 'as by default, one a connection' || echo "$processes")"
    start "$processes"
    python3 count.py "$port" "$low" "$high" || status=1
    stop
done
[ "$status" = 0 ] && echo "seen as described" || { tail -5 log; echo "NOT as described"; }
exit "$status"
