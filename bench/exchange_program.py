"""The yardstick: threads that send the same requests with `requests` and nothing else.

`python exchange_program.py URL CA_FILE CSV basic|ntlm THREADS` prints seconds as JSON. A new session for each
mailbox, as it must be where nobody's logon may be another's; NTLM's two messages come from pyspnego, as with us.
"""

import base64
import csv
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
import spnego

QUESTION = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    b' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    b' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
    b'<s:Header><t:RequestServerVersion Version="Exchange2010_SP2"/></s:Header>'
    b"<s:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>"
    b'<t:DistinguishedFolderId Id="inbox"/><t:DistinguishedFolderId Id="calendar"/>'
    b"</m:FolderIds></m:GetFolder></s:Body></s:Envelope>"
)
HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
SECONDS = 30


def main(url: str, ca_file: str, file: Path, scheme: str, threads: int) -> None:
    """Logs every mailbox of the file on. Ends with an exception when one cannot."""
    with file.open(newline="") as rows:
        mailboxes = [(row["address"], row["password"]) for row in csv.DictReader(rows)]
    log_on = _basic if scheme.lower() == "basic" else _ntlm
    begun = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for answer in pool.map(lambda mailbox: log_on(url, ca_file, *mailbox), mailboxes):
            if answer.count("NoError") != 2:
                raise SystemExit(f"an answer without both folders: {answer[:200]}")
    print(json.dumps({"seconds": time.monotonic() - begun}))


def _basic(url: str, ca_file: str, user: str, password: str) -> str:
    with _session(ca_file) as session:
        return session.post(url, QUESTION, headers=HEADERS, auth=(user, password), timeout=SECONDS).text


def _ntlm(url: str, ca_file: str, user: str, password: str) -> str:
    client = spnego.client(user, password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    with _session(ca_file) as session:
        first = session.post(url, b"", headers=HEADERS | _token(client.step()), timeout=SECONDS)
        challenge = base64.b64decode(first.headers["WWW-Authenticate"].partition(" ")[2])
        return session.post(url, QUESTION, headers=HEADERS | _token(client.step(challenge)), timeout=SECONDS).text


def _session(ca_file: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_file
    return session


def _token(message: bytes | None) -> dict[str, str]:
    return {"Authorization": f"NTLM {base64.b64encode(message or b'').decode()}"}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
