"""Answers of EWS and of what stands in its place become codes; whatever arrives, nothing but a `Fault` comes out."""

import contextlib
import gzip
import zlib
from datetime import date
from functools import partial

import pytest
from exchangelib import errors
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.codes import CODES, Blame, Code
from checks.model import Fault
from checks.network.http import BODY_LIMIT, Reply, Request, excerpt
from checks.network.http import _unpacked as unpacked  # its bound is what matters, and it is hard to see
from checks.protocols.exchange.replies import (
    judge_logon,
    judge_probe,
    named_code,
    require_usable,
    schemes,
    server_version,
)
from checks.protocols.exchange.response_codes import RESPONSES, translate
from checks.protocols.exchange_online import ENDS, is_consumer, is_online

URL = "https://mail.example.com/EWS/Exchange.asmx"


def reply(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Reply:
    return Reply(status, "", headers, body)


def offering(*values: str) -> Reply:
    return reply(401, b"", *(("www-authenticate", value) for value in values))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (("Basic realm=x",), ("BASIC",)),
        (("Negotiate", "NTLM", 'Basic realm="mail, Basic"'), ("NEGOTIATE", "NTLM", "BASIC")),
        (('NTLM, Basic realm="a \\" , Digest", Negotiate',), ("NTLM", "BASIC", "NEGOTIATE")),
        (
            # outlook.office365.com: https://github.com/ecederstrand/exchangelib/issues/113
            ('Bearer client_id="00000002", trusted_issuers="00000001@*", token_types="a b"', 'Basic Realm=""'),
            ("BEARER", "BASIC"),
        ),
        (("Basic realm = x , NTLM",), ("BASIC", "NTLM")),
        (("NTLM TlRMTVNTUAAC==",), ("NTLM",)),
        (("",), ()),
        ((), ()),
    ],
)
def test_the_schemes_of_a_401(values: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert schemes(offering(*values)) == found
    assert judge_probe(offering(*values), URL) == found


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        ((), Code.EXCHANGE_NO_AUTH),
        (("NEGOTIATE",), None),
        (("DIGEST",), Code.EXCHANGE_AUTH_UNUSABLE),
        (("NEGOTIATE", "BASIC"), None),
        (("BEARER",), None),
        (("NTLM",), None),
    ],
)
def test_which_schemes_are_of_use(offered: tuple[str, ...], code: Code | None) -> None:
    if code is None:
        require_usable(offered)
        return
    with pytest.raises(Fault) as met:
        require_usable(offered)
    assert met.value.code is code


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("/EWS/Exchange.asmx", Code.EXCHANGE_REDIRECT_LOOP),
        ("https://mail.example.com:443/ews/exchange.asmx", Code.EXCHANGE_REDIRECT_LOOP),
        ("/mail/EWS/Exchange.asmx", Code.EXCHANGE_REDIRECTED),
        ("http://mail.example.com/EWS/Exchange.asmx", Code.EXCHANGE_PLAIN_HTTP),
        ("http://other.example.com/EWS/Exchange.asmx", Code.EXCHANGE_REDIRECTED_ELSEWHERE),
        ("https://other.example.com/EWS/Exchange.asmx", Code.EXCHANGE_REDIRECTED_ELSEWHERE),
        ("https://mail.example.com/owa/auth/logon.aspx?url=x", Code.EXCHANGE_LOGON_PAGE),
        ("https://other.example.com/owa/", Code.EXCHANGE_LOGON_PAGE),
        ("https://sts.example.com/adfs/ls/?wa=wsignin1.0", Code.EXCHANGE_PRE_AUTHENTICATION),
        ("https://login.microsoftonline.com/common/oauth2/authorize", Code.EXCHANGE_PRE_AUTHENTICATION),
        ("https://example.okta.com/app/x", Code.EXCHANGE_PRE_AUTHENTICATION),
        ("/my.policy", Code.EXCHANGE_PRE_AUTHENTICATION),
        ("https://outlook.office365.com/EWS/Exchange.asmx", Code.EXCHANGE_ONLINE),
        ("https://outlook.live.com/owa/", Code.EXCHANGE_CONSUMER),
        ("/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx", Code.SERVER_UNAVAILABLE),
        ("https://[broken/", Code.PROTOCOL_ERROR),
        ("", Code.PROTOCOL_ERROR),
    ],
)
def test_where_a_redirect_leads(location: str, code: Code) -> None:
    with pytest.raises(Fault) as met:
        judge_probe(reply(302, b"", ("location", location)), URL)
    assert met.value.code is code


def test_a_forbidden_host_of_exchange_online_has_retired_ews() -> None:
    with pytest.raises(Fault) as met:
        judge_probe(reply(403), "https://outlook.office365.com/EWS/Exchange.asmx")
    assert met.value.code is Code.EXCHANGE_ONLINE_RETIRED
    assert met.value.facts["date"] == "2027-04-01" == date(2027, 4, 1).isoformat() == ENDS.isoformat()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (b"", Code.EXCHANGE_ONLINE_RETIRED),
        (b"The remote server returned an error: (403) Forbidden.", Code.EXCHANGE_ONLINE_RETIRED),
        (
            b"Request was blocked due to a Tenant-Configured UserAgent AllowList being set for this Organization",
            Code.EXCHANGE_APP_NOT_LISTED,
        ),
        (b"this application is not on the allow list", Code.EXCHANGE_APP_NOT_LISTED),
        (b"access is allowed to members; see the listing", Code.EXCHANGE_ONLINE_RETIRED),
    ],
)
def test_a_list_of_apps_is_told_from_ews_that_is_switched_off(words: bytes, code: Code) -> None:
    for judge in (judge_probe, partial(judge_logon, token=True)):
        with pytest.raises(Fault) as met:
            judge(reply(403, words), "https://outlook.office365.com/EWS/Exchange.asmx")
        assert (met.value.code, met.value.facts["date"]) == (code, "2027-04-01")


@pytest.mark.parametrize(
    ("host", "online", "consumer"),
    [
        ("outlook.office365.com", True, False),
        ("eu.outlook.office365.com", True, False),
        ("outlook.live.com", False, True),
        ("www.hotmail.com", False, True),
        ("mail.example.com", False, False),
        ("notoutlook.office365.com.example", False, False),
    ],
)
def test_microsofts_own_hosts(host: str, online: bool, consumer: bool) -> None:
    assert (is_online(host), is_consumer(host)) == (online, consumer)


@pytest.mark.parametrize("name", ["ErrorSomethingNew", "", "NoAnswer", "MalformedResponseError"])
def test_a_response_code_that_nobody_knows_is_inconclusive(name: str) -> None:
    assert not CODES[translate(name)].permanent
    assert not CODES[translate(name, "mail")].permanent


def test_every_response_code_that_exchangelib_knows_has_a_cause() -> None:
    known = {name for name, kind in vars(errors).items() if name.startswith("Error") and isinstance(kind, type)}
    assert len(known) > 380
    assert known <= set(RESPONSES)
    assert Code.PROTOCOL_ERROR not in RESPONSES.values()


@pytest.mark.parametrize(
    ("name", "code", "blame", "lasts"),
    [
        ("ErrorNonPrimarySmtpAddress", Code.EXCHANGE_PRIMARY_ADDRESS, Blame.MAILBOX, True),
        ("ErrorInvalidSmtpAddress", Code.EXCHANGE_MAILBOX_NOT_FOUND, Blame.MAILBOX, True),
        ("ErrorInvalidUserPrincipalName", Code.EXCHANGE_MAILBOX_NOT_FOUND, Blame.MAILBOX, True),
        ("ErrorCorruptData", Code.MAILBOX_BROKEN, Blame.SERVER, True),
        ("ErrorFolderCorrupt", Code.MAILBOX_BROKEN, Blame.SERVER, True),
        ("ErrorQuotaExceeded", Code.MAILBOX_FULL, Blame.MAILBOX, False),
        ("ErrorInvalidCrossForestCredentials", Code.EXCHANGE_PROXYING, Blame.SERVER, True),
        ("ErrorNoDestinationCASDueToVersionMismatch", Code.EXCHANGE_PROXYING, Blame.SERVER, True),
        ("ErrorProxyTokenExpired", Code.SERVER_UNAVAILABLE, Blame.SERVER, False),
        ("ErrorADOperation", Code.SERVER_UNAVAILABLE, Blame.SERVER, False),
        ("ErrorDataSourceOperation", Code.EXCHANGE_STORE, Blame.SERVER, False),
        ("ErrorIncorrectSchemaVersion", Code.EXCHANGE_VERSION, Blame.SERVER, True),
        ("ErrorWrongServerVersion", Code.EXCHANGE_VERSION, Blame.SERVER, True),
        ("ErrorInvalidRequest", Code.EXCHANGE_REQUEST_REFUSED, Blame.US, False),
        ("ErrorSchemaValidation", Code.EXCHANGE_REQUEST_REFUSED, Blame.US, False),
        ("ErrorPermissionNotAllowedByPolicy", Code.AUTH_POLICY, Blame.MAILBOX, True),
        ("ErrorNotDelegate", Code.EXCHANGE_ACCESS_DENIED, Blame.MAILBOX, True),
        ("ErrorInvalidUserSid", Code.EXCHANGE_IMPERSONATION, Blame.MAILBOX, True),
        ("ErrorCalendarOutOfRange", Code.EXCHANGE_OTHER_ERROR, Blame.SERVER, False),
        ("ErrorVirusDetected", Code.EXCHANGE_OTHER_ERROR, Blame.SERVER, False),
    ],
)
def test_who_must_act_upon_a_response_code(name: str, code: Code, blame: Blame, lasts: bool) -> None:
    assert translate(name) is code
    assert (CODES[code].blame, CODES[code].permanent) == (blame, lasts)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"<e:ResponseCode xmlns:e='x'>ErrorSchemaValidation</e:ResponseCode>", "ErrorSchemaValidation"),
        (b"<faultcode xmlns:a='x'>a:ErrorNonPrimarySmtpAddress</faultcode>", "ErrorNonPrimarySmtpAddress"),
        (b"<s:Subcode><s:Value>q:ErrorInvalidServerVersion</s:Value></s:Subcode>", "ErrorInvalidServerVersion"),
        (b"<faultcode>soap:Client</faultcode>", ""),
    ],
)
def test_a_message_names_its_response_code_in_an_element_or_as_its_fault(body: bytes, name: str) -> None:
    assert named_code(reply(500, body)) == name


def test_a_folder_has_causes_of_its_own() -> None:
    assert translate("ErrorAccessDenied") is Code.EXCHANGE_ACCESS_DENIED
    assert translate("ErrorAccessDenied", "mail") is Code.EXCHANGE_MAIL_DENIED
    assert translate("ErrorAccessDenied", "calendar") is Code.EXCHANGE_CALENDAR_DENIED
    assert translate("ErrorServerBusy", "calendar") is Code.SERVER_THROTTLED


@pytest.mark.parametrize("status", [200, 302, 400, 404, 405, 407, 410, 501])
def test_a_page_after_a_logon_says_nothing_of_the_mailbox(status: int) -> None:
    page = reply(status, b"<html>Request Rejected. Your support ID is: 1", ("location", "https://other.example.com/"))
    with pytest.raises(Fault) as met:
        judge_logon(page, URL, token=False)
    assert met.value.code is Code.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("body", "token", "code"),
    [
        (b"", False, Code.AUTH_REJECTED),
        (b"", True, Code.AUTH_TOKEN_REJECTED),
        (b"The referenced account is currently locked out and may not be logged on to.", False, Code.AUTH_LOCKED),
        (b"<html>Your password has expired.</html>", False, Code.AUTH_EXPIRED),
        (b"<html>This account has been disabled.</html>", False, Code.AUTH_ACCOUNT_DISABLED),
        (b"<html>401 - Unauthorized: Access is denied due to invalid credentials.", False, Code.AUTH_REJECTED),
    ],
)
def test_a_401_after_a_logon(body: bytes, token: bool, code: Code) -> None:
    with pytest.raises(Fault) as met:
        judge_logon(reply(401, body), URL, token=token)
    assert met.value.code is code


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (reply(401, b"", ("x-owa-version", "15.2.1544.4")), "15.2.1544.4"),
        (reply(401, b"", ("x-owa-version", "<script>")), ""),
        (
            reply(500, b'<h:ServerVersionInfo MajorVersion="15" MinorVersion="1" MajorBuildNumber="2176" '
                  b'MinorBuildNumber="12" Version="V2017_07_11"/>'),
            "15.1.2176.12",
        ),
        (reply(401), ""),
    ],
)  # fmt: skip
def test_the_version_of_the_server(answer: Reply, version: str) -> None:
    assert server_version(answer) == version


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda raw: zlib.compress(raw)[2:-4]])
def test_no_compression_unfolds_without_a_bound(pack: object) -> None:
    assert unpacked(pack(b"short")) == b"short"  # type: ignore[operator]
    assert len(unpacked(pack(b" " * (16 << 20)))) == BODY_LIMIT + 1  # type: ignore[operator]


def test_what_is_no_compression_stays_as_it_is() -> None:
    assert unpacked(b"plain text") == b"plain text"


def test_the_words_of_a_page_come_without_its_marks() -> None:
    page = reply(401, b"<html><title>No</title>\r\n<p>not <b>you</b></p></html>", ("x-ms-diagnostics", "2000003"))
    assert excerpt(page) == "HTTP 401; 2000003; No not you"


def test_a_body_may_stand_in_for_the_requests_own() -> None:
    request = Request("POST", "/EWS/Exchange.asmx", "mail.example.com", (("Accept", "*/*"),), b"question")
    sent = request.encoded(("Authorization", "NTLM x"), body=b"")
    assert sent.startswith(b"POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.example.com\r\n")
    assert sent.endswith(b"Authorization: NTLM x\r\nContent-Length: 0\r\n\r\n")


_BODIES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [b"<html", b"<s:Envelope ", b"</s:Envelope>", b"schemas.microsoft.com/exchange/services/2006", b"<", b">",
             b"<e:ResponseCode>ErrorServerBusy<", b"type=password", b"403.6", b"BackOffMilliseconds", b"\xff"]
        )
    ).map(b"".join),
)  # fmt: skip
_HEADERS = st.lists(
    st.tuples(st.sampled_from(["www-authenticate", "location", "content-type", "set-cookie"]), st.text(max_size=40))
)


@settings(deadline=None)  # a busy machine is no finding
@given(st.integers(200, 599), _BODIES, _HEADERS, st.booleans())
def test_no_answer_can_make_the_judgement_fail(
    status: int, body: bytes, headers: list[tuple[str, str]], token: bool
) -> None:
    answer = reply(status, body, *headers)
    with contextlib.suppress(Fault):
        require_usable(judge_probe(answer, URL))
    with contextlib.suppress(Fault):
        judge_logon(answer, URL, token=token)
