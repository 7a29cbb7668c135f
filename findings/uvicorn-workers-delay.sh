#!/usr/bin/env bash
# Guess: with two worker processes a small HTTP server answers as fast as with one, or faster.
#
# Seen: not on asyncio's own loop. `uvicorn --workers 2` takes some 44 ms for each small answer on a connection that is kept,
# where one process takes under 1 ms, with h11 and with httptools. With uvloop both take under 1 ms. The parent makes the
# listening socket without naming its protocol; asyncio switches TCP_NODELAY on for sockets that name TCP only, so the body,
# sent after the head, waits until the client has confirmed the head, which Linux delays by 40 ms.
#
# Versions: uvicorn 0.54.0, h11 0.16.0, httptools 0.9.0, uvloop 0.23.0, Python 3.11, Linux 6.
#
# Why it matters: whoever makes a listening socket for an asyncio server (uvicorn, or their own) names IPPROTO_TCP; a host
# app that is told to "add workers" for speed installs uvloop too, or becomes slower for every client with one connection.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    uvicorn==0.54.0 h11==0.16.0 httptools==0.9.0 uvloop==0.23.0 2>pip.log || { cat pip.log; exit 2; }

cat >app.py <<'PROGRAM'
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PROGRAM
cat >run.py <<'PROGRAM'
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

WAYS = {
    "asyncio, one process": ("--loop", "asyncio", "--http", "h11"),
    "asyncio, two workers": ("--loop", "asyncio", "--http", "h11", "--workers", "2"),
    "asyncio, two workers, httptools": ("--loop", "asyncio", "--http", "httptools", "--workers", "2"),
    "uvloop, two workers": ("--loop", "uvloop", "--http", "h11", "--workers", "2"),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connected(port):
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            ask(connection)
            return connection
        except OSError:
            time.sleep(0.1)
    raise SystemExit("uvicorn does not answer")


def ask(connection):
    begun = time.perf_counter()
    connection.request("GET", "/")
    connection.getresponse().read()
    return (time.perf_counter() - begun) * 1000


def median_ms(options):
    port = free_port()
    command = ["venv/bin/uvicorn", "app:app", "--lifespan", "off", "--log-level", "error", "--port", str(port), *options]
    server = subprocess.Popen(command, start_new_session=True)
    try:
        connection = connected(port)
        return statistics.median(ask(connection) for _ in range(30))
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


found = {way: median_ms(options) for way, options in WAYS.items()}
for way, ms in found.items():
    print(f"{way}: {ms:.1f} ms")
slow = {way for way, ms in found.items() if ms > 20}
if slow != {"asyncio, two workers", "asyncio, two workers, httptools"}:
    sys.exit("behaves differently now")
print("seen as described")
PROGRAM
venv/bin/python run.py
