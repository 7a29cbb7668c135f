#!/usr/bin/env bash
# Guess: sslrootcert=system means the roots of this system, as libpq's documentation says, so a program with psycopg trusts
# what psql on the same machine trusts.
#
# Seen: psycopg's binary wheel brings an OpenSSL of its own whose default store is /usr/lib/psycopg-openssl, which exists on
# no system. Its "system" holds 0 certificates, where the system's own OpenSSL holds over a hundred, so with the wheel every
# server is refused. The environment variable SSL_CERT_FILE is heard: with it the same libraries load the roots.
#
# Versions: psycopg-binary 3.3.9 (libpq 18.6, OpenSSL 3.5.9), certifi 2026.10.19.post1, Debian 12's Python.
#
# Why it matters: "verify-full with the system's roots" is what hosted PostgreSQL services recommend. With this wheel it
# ends in "certificate verify failed" and invites to lower sslmode, which gives up the check. Name the file instead:
# sslrootcert=/etc/ssl/certs/ca-certificates.crt (on Debian).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' certifi==2026.10.19.post1 2>pip.log || { cat pip.log; exit 2; }

cat >run.py <<'PROGRAM'
import ctypes, os, pathlib, socket, ssl, struct, subprocess, sys, threading

import certifi, psycopg, psycopg_binary
from psycopg import pq

LIBS = pathlib.Path(psycopg_binary.__file__).parent.parent / "psycopg_binary.libs"


def bundled(name):
    library = ctypes.CDLL(str(next(LIBS.glob(f"{name}-*"))))
    for function in ("X509_get_default_cert_dir", "X509_get_default_cert_file", "OpenSSL_version"):
        if hasattr(library, function):
            getattr(library, function).restype = ctypes.c_char_p
    return library


def roots():
    """How many certificates the wheel's libssl finds where it looks by default: what sslrootcert=system asks for."""
    crypto, tls = bundled("libcrypto"), bundled("libssl")
    for library, function in ((tls, "TLS_client_method"), (tls, "SSL_CTX_new"), (tls, "SSL_CTX_get_cert_store"),
                              (crypto, "X509_STORE_get0_objects")):
        getattr(library, function).restype = ctypes.c_void_p
    context = ctypes.c_void_p(tls.SSL_CTX_new(ctypes.c_void_p(tls.TLS_client_method())))
    tls.SSL_CTX_set_default_verify_paths(context)
    store = ctypes.c_void_p(tls.SSL_CTX_get_cert_store(context))
    return crypto.OPENSSL_sk_num(ctypes.c_void_p(crypto.X509_STORE_get0_objects(store)))


def serve(listener, context):
    """As much of PostgreSQL as TLS takes: "S" to the request for it, then the handshake."""
    with listener.accept()[0] as client:
        assert struct.unpack("!II", client.recv(8)) == (8, 80877103)
        client.sendall(b"S")
        try:
            context.wrap_socket(client, server_side=True).recv(1)
        except OSError:
            pass


def connect(**more):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem", "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, context), daemon=True).start()
        where = {"host": "localhost", "hostaddr": "127.0.0.1", "port": listener.getsockname()[1]}
        try:
            psycopg.connect(**where, user="app", sslmode="verify-full", gssencmode="disable", connect_timeout=10, **more)
        except psycopg.OperationalError as error:
            return str(error).rpartition("failed: ")[2].strip().splitlines()[0]
    return "connected"


if sys.argv[1:] == ["count"]:
    print(roots())
    sys.exit()
subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-keyout", "server.key", "-out", "server.pem"]
subprocess.run([*new, *subject], check=True, capture_output=True)
clean = {key: value for key, value in os.environ.items() if key not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
count = lambda **more: int(subprocess.check_output([sys.executable, "run.py", "count"], env=clean | more))
for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
    os.environ.pop(name, None)
crypto = bundled("libcrypto")
folder = crypto.X509_get_default_cert_dir().decode()
system = ssl.create_default_context().cert_store_stats()["x509_ca"]
facts = {
    "psycopg": f"{psycopg.__version__} {pq.__impl__}, libpq {pq.version()}, {crypto.OpenSSL_version(0).decode()}",
    "looks in": f"{folder}, which exists: {os.path.exists(folder)}",
    "roots": f"system's OpenSSL: {system}; wheel: {count()}; wheel with SSL_CERT_FILE: {count(SSL_CERT_FILE=certifi.where())}",
    # this server is unknown to every store: the counts above are the proof, these two show how it comes out
    "sslrootcert=system": connect(sslrootcert="system"),
    "sslrootcert=server.pem": connect(sslrootcert="server.pem"),
}
for name, fact in facts.items():
    print(f"{name}: {fact}")
described = (
    folder.startswith("/usr/lib/psycopg-openssl") and not os.path.exists(folder)
    and count() == 0 and count(SSL_CERT_FILE=certifi.where()) > 100
    and "certificate verify failed" in facts["sslrootcert=system"]
    and "certificate verify failed" not in facts["sslrootcert=server.pem"]
)
print("seen as described" if described else "NOT as described")
sys.exit(not described)
PROGRAM
venv/bin/python run.py
