#!/usr/bin/env bash
# Guess: a mailbox whose address is valid (RFC 5322, 3.2.3) and whose password is right can log in; what a server does not
# like about a user name it says.
#
# Seen: Dovecot as it comes takes letters, digits and ".-_@" in user names and no more. An address with an apostrophe, a
# plus, an ampersand or a slash gets "NO [AUTHENTICATIONFAILED] Authentication failed.", word for word what a wrong password
# gets, and the same delay of 2 s, although the password is right. Only the server's log has the reason ("Username character
# disallowed by auth_username_chars"). With `auth_username_chars =` (any) the same logins succeed.
#
# Versions: Dovecot 2.3.19.1 (Debian 12).
#
# Why it matters: o'neil@example.com cannot be helped by entering the password again, as everybody would be told; the
# server's administrator has to act. Several people of a domain "with a wrong password" who share such a character, while
# all others work, are the sign. A tester that keeps trying makes its own address slower for nothing.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" && wait "$pid" || true; done 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download dovecot-core dovecot-imapd libsodium23 liblz4-1 libzstd1 libunwind8 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "dovecot-core $(dpkg-deb -f dovecot-core_*.deb Version)"

user=$(id -un) group=$(id -gn)
[ "$user" != root ] || user=nobody group=nogroup  # Dovecot refuses to face the network as root
lib=$work/debs/usr/lib
mkdir mail
[ "$user" != nobody ] || chown "$user:$group" mail
start_dovecot() {  # name, a line of its settings, port
    cat >"$1.conf" <<CONF
base_dir = $work/$1-run
state_dir = $work/$1-state
log_path = $work/$1.log
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
mail_location = maildir:$work/mail/%u
ssl = no
disable_plaintext_auth = no
$2
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
    port = $3
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
CONF
    LD_LIBRARY_PATH=$lib/dovecot:$lib/x86_64-linux-gnu debs/usr/bin/doveconf -f service=master -c "$work/$1.conf" -m master \
        -e debs/usr/sbin/dovecot -F -c "$work/$1.conf" 2>"$1.err" &
    pids+=($!)
}
mapfile -t ports < <(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[each.getsockname()[1] for each in s], sep="\n")')
start_dovecot default "auth_verbose = yes" "${ports[0]}"
start_dovecot any "auth_username_chars =" "${ports[1]}"

python3 - "${ports[@]}" <<'PROGRAM' || { tail -n 5 ./*.log; exit 1; }
import pathlib, socket, sys, time

DEFAULT, ANY = map(int, sys.argv[1:])
REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."
NAMES = ("o'neil@example.com", "ada+mail@example.com", "ada&ben@example.com", "sales/emea@example.com")


def log_in(port, source, name, password):
    """From an address of its own, so that no delay is another login's."""
    with socket.create_connection(("127.0.0.1", port), 30, (source, 0)) as sock, sock.makefile("rb") as lines:
        assert lines.readline().startswith(b"* OK"), "no greeting"
        begun = time.monotonic()
        sock.sendall(f'a LOGIN "{name}" "{password}"\r\n'.encode())
        answer = next(line for line in lines if line.startswith(b"a ")).decode().strip()[2:]
        return "OK" if answer.startswith("OK") else answer, time.monotonic() - begun


for port in (DEFAULT, ANY):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
failed = False
cases = [(DEFAULT, "ada.o-n_1@example.com", "right", "OK", 0), (DEFAULT, "ada@example.com", "wrong", REFUSED, 2)]
cases += [(DEFAULT, name, "right", REFUSED, 2) for name in NAMES] + [(ANY, name, "right", "OK", 0) for name in NAMES]
for number, (port, name, password, expected, seconds) in enumerate(cases, 2):
    answer, took = log_in(port, f"127.0.0.{number}", name, password)
    same = answer == expected and abs(took - seconds) < 1
    failed |= not same
    setting = "default" if port == DEFAULT else "any    "
    print(f"{setting} {name:23} {password}: {answer} after {took:.1f} s" + ("" if same else f"  NOT {expected}, {seconds} s"))
told = pathlib.Path("default.log").read_text().count("Username character disallowed by auth_username_chars")
print(f"the server's log has the reason {told} times")
failed |= told != len(NAMES)
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
