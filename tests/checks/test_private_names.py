"""Every private name of another library that we lean on, with the versions that it was seen in.

Where a later version drops one, the test that fails names it: look at what took its place, then correct the code that
leans on it. Python 3.14 could not be had; these have not been seen there.
"""

import http.client
import imaplib
import importlib
import inspect
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType

import exchangelib.util
import imapclient
import pytest
import requests
from exchangelib.protocol import Protocol as EwsProtocol
from exchangelib.services import GetFolder

from checks.protocols.exchange import ews
from checks.protocols.imap import wire

PYTHONS = "Python 3.11.2, 3.11.7, 3.12.1, 3.13.0, 3.13.5"
IMAPCLIENT = "imapclient 4.1.0"
EXCHANGELIB = "exchangelib 5.6.0"
REQUESTS = "requests 2.34.2"


@dataclass(frozen=True, slots=True)
class Name:
    """`use`: `called` by us, `overridden` (so its own code must call it), or `kept` (its own code must look at it)."""

    owner: type
    name: str
    use: str
    seen: str


NAMES = [
    Name(imaplib.IMAP4, "_connect", "overridden", PYTHONS),
    Name(imaplib.IMAP4, "_log", "overridden", PYTHONS),
    Name(imaplib.IMAP4, "_cmd_log", "kept", PYTHONS),
    Name(imaplib.IMAP4, "_cmd_log_len", "kept", PYTHONS),
    Name(imaplib.IMAP4, "_cmd_log_idx", "kept", PYTHONS),
    Name(imaplib.IMAP4, "_check_bye", "overridden", PYTHONS),
    Name(imaplib.IMAP4, "_simple_command", "called", PYTHONS),
    Name(imaplib.IMAP4, "_command_complete", "called", PYTHONS),
    Name(imaplib.IMAP4, "_new_tag", "called", PYTHONS),
    # not private by their names, but documented nowhere
    Name(imaplib.IMAP4, "tagpre", "kept", PYTHONS),
    Name(imaplib.IMAP4, "tagre", "kept", PYTHONS),
    Name(imaplib.IMAP4, "tagnum", "kept", PYTHONS),
    Name(imaplib.IMAP4, "state", "kept", PYTHONS),
    Name(imaplib.IMAP4, "literal", "kept", PYTHONS),
    Name(imaplib.IMAP4, "untagged_responses", "kept", PYTHONS),
    Name(imaplib.IMAP4, "capabilities", "kept", PYTHONS),
    Name(imapclient.IMAPClient, "_create_IMAP4", "overridden", IMAPCLIENT),
    Name(imapclient.IMAPClient, "_set_read_timeout", "overridden", IMAPCLIENT),
    Name(imapclient.IMAPClient, "_imap", "kept", IMAPCLIENT),
    Name(imapclient.IMAPClient, "_command_and_check", "called", IMAPCLIENT),
    Name(imapclient.IMAPClient, "_normalise_folder", "called", IMAPCLIENT),
    Name(GetFolder, "_get_elements", "called", EXCHANGELIB),
    Name(GetFolder, "_extra_headers", "overridden", EXCHANGELIB),
    Name(GetFolder, "_get_exception", "overridden", EXCHANGELIB),
    Name(GetFolder, "_api_versions_to_try", "overridden", EXCHANGELIB),
    Name(GetFolder, "_handle_backoff", "overridden", EXCHANGELIB),
    Name(GetFolder, "_update_api_version", "overridden", EXCHANGELIB),
    Name(GetFolder, "_get_elements_in_response", "overridden", EXCHANGELIB),
    Name(GetFolder, "_get_element_container", "called", EXCHANGELIB),
    Name(EwsProtocol, "create_session", "overridden", EXCHANGELIB),
    Name(requests.Response, "_content", "kept", REQUESTS),
    Name(requests.Response, "_content_consumed", "kept", REQUESTS),
    Name(ssl.SSLSocket, "_sslobj", "kept", PYTHONS),
]
OURS = [
    (wire._Imap4, imaplib.IMAP4),  # noqa: SLF001 - the classes that lean on them are private
    (wire.Session, imapclient.IMAPClient),
    (ews._Folders, GetFolder),  # noqa: SLF001 - as above
    (ews._Protocol, EwsProtocol),  # noqa: SLF001 - as above
]

IN_BOTH_BY_CHANCE = {"_stream", "_abc_impl"}
"""Names of ours that a library has for something else, and the standard library's mark of an abstract class."""


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def functions(owner: type) -> Iterator[FunctionType]:
    for value in vars(owner).values():
        plain = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        plain = inspect.unwrap(plain) if callable(plain) else plain
        if isinstance(plain, FunctionType):
            yield plain


def spoken_of(owner: type) -> set[str]:
    """The names that the code of a class and its bases asks objects for or sets on them."""
    families = [each for each in owner.__mro__ if each is not object]
    return {
        name
        for each in families
        for function in functions(each)
        for code in codes(function.__code__)
        for name in code.co_names
    }


@pytest.mark.parametrize("each", NAMES, ids=lambda each: f"{each.owner.__name__}.{each.name}")
def test_a_private_name_is_still_there(each: Name) -> None:
    used = spoken_of(each.owner)
    if each.use != "kept":
        assert callable(getattr(each.owner, each.name, None)), f"gone since {each.seen}"
    if each.use != "called":
        assert each.name in used, f"nothing in {each.owner.__name__} asks for it any more; it did in {each.seen}"


@pytest.mark.parametrize(("ours", "theirs"), OURS, ids=lambda each: each.__name__)
def test_no_private_name_is_leaned_on_without_a_line_here(ours: type, theirs: type) -> None:
    own = {name for function in functions(ours) for code in codes(function.__code__) for name in code.co_names}
    theirs_too = spoken_of(theirs) | set(dir(theirs))
    private = {name for name in own | set(vars(ours)) if name.startswith("_") and not name.startswith("__")}
    listed = {each.name for each in NAMES if issubclass(theirs, each.owner)}

    assert (private & theirs_too) - listed - IN_BOTH_BY_CHANCE == set()


@pytest.mark.parametrize("name", ["get_unverified_chain", "get_verified_chain"])
def test_the_chain_that_was_sent_can_be_asked_for(name: str) -> None:
    """On the socket from Python 3.13 on, before that on its inner object, seen in 3.11.2, 3.11.7 and 3.12.1."""
    inner = vars(importlib.import_module("_ssl"))["_SSLSocket"]
    assert hasattr(ssl.SSLSocket, name) or hasattr(inner, name)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_simple_command", ["self", "name", "args"]),
        ("_command_complete", ["self", "name", "tag"]),
        ("_new_tag", ["self"]),
        ("_log", ["self", "line"]),
        ("open", ["self", "host", "port", "timeout"]),
    ],
)
def test_imaplib_is_called_as_it_wants_to_be(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(imaplib.IMAP4, name)).parameters) == parameters


def test_exchangelib_retires_a_session_after_an_error() -> None:
    """Seen in exchangelib 5.6.0: our Protocol closes it there, where its own would make another."""
    assert "protocol.retire_session(session)" in inspect.getsource(exchangelib.util.post_ratelimited)


def test_http_client_asks_a_socket_for_a_file_and_nothing_else() -> None:
    """Seen in Python 3.11.2 to 3.13.5: the answer is read from whatever `makefile` gives."""
    source = inspect.getsource(http.client.HTTPResponse.__init__)
    assert [line.strip() for line in source.splitlines() if "sock." in line] == ['self.fp = sock.makefile("rb")']
