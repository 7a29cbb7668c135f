"""What we write and take for a yes, beside exchangelib: the same bytes, and never a yes that is none to it."""

import contextlib
import subprocess
import sys
from itertools import product

import pytest

from checks.codes import Code
from checks.model import Fault
from checks.network.http import Reply, Request
from checks.protocols.exchange import ews, get_folder

URL, HOST = "https://mail.lab.example/EWS/Exchange.asmx", "mail.lab.example"
ADDRESSES = ("ada@lab.example", "DOM\\ada", "ada", "", 'o\'neil&sons<"x">@lab.example', "a+b%c/d=e@lab.example")
M = "http://schemas.microsoft.com/exchange/services/2006/messages"
YES = (
    '<m:GetFolderResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
    '<m:Folders><t:Folder><t:FolderId Id="AQ" ChangeKey="AQ"/></t:Folder></m:Folders></m:GetFolderResponseMessage>'
)
DENIED = (
    '<m:GetFolderResponseMessage ResponseClass="Error"><m:MessageText>Access is denied.</m:MessageText>'
    "<m:ResponseCode>ErrorAccessDenied</m:ResponseCode></m:GetFolderResponseMessage>"
)
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{m}" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
    '<s:Header><t:ServerVersionInfo MajorVersion="15"/></s:Header><s:Body>{body}</s:Body></s:Envelope>'
)


def answer(*messages: str, m: str = M, outer: str = "m:GetFolderResponse", before: str = "") -> str:
    body = f"<{outer}><m:ResponseMessages>{''.join(messages)}</m:ResponseMessages></{outer}>"
    return before + ENVELOPE.format(m=m, body=body)


PLAIN = {
    "as Exchange writes it": answer(YES, YES),
    "with a declaration": answer(YES, YES, before='<?xml version="1.0" encoding="utf-8"?>'),
    "another kind of folder": answer(YES, YES.replace("t:Folder>", "t:CalendarFolder>")),
    "other prefixes": answer(YES, YES).replace("<m:", "<n:").replace("</m:", "</n:").replace("xmlns:m", "xmlns:n"),
    "letters of others": answer(YES, YES.replace('Id="AQ"', 'Id="受信トレイ"')),
}
OTHERS = {
    "one is denied": answer(YES, DENIED),
    "both are denied": answer(DENIED, DENIED),
    "one answer": answer(YES),
    "three answers": answer(YES, YES, YES),
    "no folder": answer(YES, YES.replace('<t:Folder><t:FolderId Id="AQ" ChangeKey="AQ"/></t:Folder>', "")),
    "a warning": answer(YES, YES.replace("Success", "Warning")),
    "a code with blanks": answer(YES, YES.replace("NoError<", " NoError <")),
    "success with another code": answer(YES, YES.replace("NoError", "ErrorAccessDenied")),
    "two codes": answer(YES, YES.replace("<m:Folders>", "<m:ResponseCode>NoError</m:ResponseCode><m:Folders>")),
    "another operation": answer(YES, YES, outer="m:FindFolderResponse"),
    "other messages": answer(YES, YES.replace("GetFolderResponseMessage", "FindFolderResponseMessage")),
    "another namespace": answer(YES, YES, m=M + "/"),
    "SOAP 1.2": answer(YES, YES).replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
    "a DTD": answer(YES, YES, before="<!DOCTYPE s:Envelope>"),
    "an unknown encoding": answer(YES, YES, before='<?xml version="1.0" encoding="x-none"?>'),
    "cut off": answer(YES, YES)[:-20],
    "no XML": "NoError NoError",
    "nothing": "",
    "long": answer(YES, YES).replace('Id="AQ"', f'Id="{"A" * 20_000}"'),
}  # fmt: skip


def written_by_exchangelib(address: str, *, impersonate: bool, version: int) -> Request:
    asked: list[Request] = []

    def wire(request: Request) -> Reply:
        asked.append(request)
        raise Fault(Code.DEADLINE)

    with contextlib.suppress(Fault):
        ews.ask(URL, HOST, address, wire, impersonate=impersonate, version=version)
    return asked[0]


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_written(address: str) -> None:
    """Given an address, then the request is the one that exchangelib writes, whoever acts and whatever the version."""
    assert get_folder.writable(address)
    for impersonate, version in product((False, True), range(len(get_folder.VERSIONS))):
        theirs = written_by_exchangelib(address, impersonate=impersonate, version=version)
        ours = get_folder.request(URL, HOST, address, impersonate=impersonate, version=version)
        assert ours.body == theirs.body
        assert ours.headers == tuple(header for header in theirs.headers if header[0] != "User-Agent")
        assert (ours.method, ours.target, ours.host) == (theirs.method, theirs.target, theirs.host)


@pytest.mark.parametrize("address", ["ütf@lab.example", "a b@lab.example", " ada@lab.example", "a\tb", "a\r\nb"])
def test_what_exchangelib_has_to_write(address: str) -> None:
    """Given letters that a header or XML may not hold, then the address is not written here."""
    assert not get_folder.writable(address)


@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
def test_what_is_a_yes(name: str) -> None:
    """Given an answer, then a yes of ours is one of exchangelib's, and what is no plain yes is left to it."""
    reply = Reply(200, "OK", (), (PLAIN | OTHERS)[name].encode())
    assert get_folder.both_open(reply) == (name in PLAIN)
    if name in PLAIN:
        assert ews.ask(URL, HOST, ADDRESSES[0], lambda _: reply, impersonate=False) == (
            get_folder.Answer(),
            get_folder.Answer(),
        )


def test_a_yes_with_an_error_status() -> None:
    """Given HTTP 500, then exchangelib has to read what came with it."""
    assert not get_folder.both_open(Reply(500, "Internal Server Error", (), answer(YES, YES).encode()))


def test_a_logon_does_not_load_exchangelib() -> None:
    """Given the modules of a logon, then exchangelib, which takes 27 MB, is not among what they load."""
    modules = "checks.protocols.exchange.login, checks.protocols.exchange.probe"
    program = f"import sys, {modules}; sys.exit('exchangelib' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
