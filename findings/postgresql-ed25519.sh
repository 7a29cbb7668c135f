#!/usr/bin/env bash
# Guess: channel binding is "prefer" by default, so where it cannot be had (RFC 5929, 4.1 defines none for a certificate
# whose signature names no hash, such as Ed25519's) client and server log in without it.
#
# Seen: they do not log in at all. libpq gives up with "could not find digest for NID UNDEF" before a password is asked; a
# driver that leaves its own binding to the server (pg8000) gets the same words from the server. What counts is the
# signature, so the CA's key, not the server's: an RSA key with a certificate from an Ed25519 CA fails, an Ed25519 key with
# a certificate from an RSA CA works. channel_binding=disable helps, and TLS itself is fine in all four cases.
#
# Versions: PostgreSQL 15 (Debian 12), psycopg-binary 3.3.9 (libpq 18.6), pg8000 1.31.6.
#
# Why it matters: a private CA renewed with a modern key takes every service off its database, this kind of service too,
# and the message speaks of a digest. Replacing the server's key, which is what one tries, changes nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' pg8000==1.31.6 2>pip.log || { cat pip.log; exit 2; }
apt-get download postgresql-15 libpq5 libicu72 libxml2 libldap-2.5-0 libsasl2-2 liblz4-1 libzstd1 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "postgresql-15 $(dpkg-deb -f postgresql-15_*.deb Version)"

cat >run.py <<'PROGRAM'
import os, pathlib, socket, ssl, subprocess, sys, time

import pg8000.native, psycopg
from psycopg import pq

BIN = "debs/usr/lib/postgresql/15/bin/"
ENV = {**os.environ, "LD_LIBRARY_PATH": os.path.abspath("debs/usr/lib/x86_64-linux-gnu"), "LC_ALL": "C"}
OWNER = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}  # PostgreSQL will not run as root
WORDS = "could not find digest for NID UNDEF"
KEYS = {"rsa": "rsa:2048", "ed25519": "ed25519"}


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def issue(key, ca):
    openssl("req", "-x509", "-newkey", KEYS[ca], "-nodes", "-days", "9", "-subj", "/CN=Throwaway CA",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", KEYS[key], "-nodes", "-subj", "/CN=localhost", "-keyout", "pg/server.key", "-out", "server.csr")
    pathlib.Path("names").write_text("subjectAltName = DNS:localhost")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9",
            "-extfile", "names", "-out", "pg/server.pem")
    os.chmod("pg/server.key", 0o600)
    if OWNER:
        os.chown("pg/server.key", OWNER["user"], OWNER["group"])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def start(port):
    settings = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "ssl=on", "fsync=off",
                f"ssl_cert_file={os.getcwd()}/pg/server.pem", f"ssl_key_file={os.getcwd()}/pg/server.key")
    words = [BIN + "postgres", "-D", "pg/data", *(part for each in settings for part in ("-c", each))]
    server = subprocess.Popen(words, env=ENV, stdout=subprocess.DEVNULL, stderr=open("log", "w"), **OWNER)
    while server.poll() is None and "ready to accept connections" not in pathlib.Path("log").read_text():
        time.sleep(0.1)
    return server


def with_psycopg(port, binding):
    try:
        psycopg.connect(host="localhost", hostaddr="127.0.0.1", port=port, user="app", password="secret", dbname="postgres",
                        sslmode="verify-full", sslrootcert="ca.pem", channel_binding=binding, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        return WORDS if WORDS in str(error) else str(error)
    return "connected"


def with_pg8000(port):
    context = ssl.create_default_context(cafile="ca.pem")
    try:
        pg8000.native.Connection("app", "localhost", "postgres", port, "secret", ssl_context=context, timeout=10).close()
    except pg8000.exceptions.DatabaseError as error:
        return WORDS if WORDS in str(error) else str(error)
    return "connected"


os.mkdir("pg")
pathlib.Path("password").write_text("secret")
if OWNER:
    os.chown("pg", OWNER["user"], OWNER["group"])
init = [BIN + "initdb", "-D", "pg/data", "-U", "app", "--pwfile=password", "-A", "scram-sha-256", "--no-sync", "--no-locale"]
subprocess.run(init, check=True, env=ENV, stdout=subprocess.DEVNULL, **OWNER)
print(f"psycopg {psycopg.__version__} with libpq {pq.version()}, pg8000 {pg8000.__version__}")
failed = False
for key, ca in (("rsa", "rsa"), ("ed25519", "rsa"), ("rsa", "ed25519"), ("ed25519", "ed25519")):
    issue(key, ca)
    port = free_port()
    server = start(port)
    try:
        got = with_psycopg(port, "prefer"), with_psycopg(port, "disable"), with_pg8000(port)
    finally:
        server.terminate()
        server.wait()
    refused = WORDS if ca == "ed25519" else "connected"
    failed |= got != (refused, "connected", refused)
    print(f"{key:7} key, {ca:7} CA: psycopg: {got[0]}; without channel binding: {got[1]}; pg8000: {got[2]}")
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
venv/bin/python run.py
