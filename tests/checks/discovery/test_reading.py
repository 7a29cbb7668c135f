"""What documents say, without a network: the odd ones, and what follows from them."""

import pytest

from checks.discovery.model import Candidate, Evidence, LoginName, Password, Source, Subject
from checks.discovery.proposals import username
from checks.discovery.sources.autoconfig import candidate_in, login_name, mx_domains
from checks.discovery.sources.autodiscover import candidates_in
from checks.discovery.sources.pacc import candidate_in as pacc_in
from checks.discovery.sources.pacc import digests_in
from checks.discovery.sources.srv import candidate_of, ordered
from checks.model import Authentication, Invalid, Security
from checks.network.dns import Answer, Record

HEAD, TAIL = b'<clientConfig><emailProvider id="x">', b"</emailProvider></clientConfig>"
SMTP = (
    b'<outgoingServer type="smtp"><hostname>s.example</hostname><port>%b</port><socketType>%b</socketType>%b'
    b"</outgoingServer>"
)


def read(*servers: bytes) -> Candidate | None:
    return candidate_in(HEAD + b"".join(servers) + TAIL, Source.AUTOCONFIG, Evidence.PUBLISHED, "x", "corp.example")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no XML",
        b"<html/>",
        b"<!DOCTYPE x [<!ENTITY a 'x'>]>" + HEAD + SMTP % (b"465", b"SSL", b"") + TAIL,
        HEAD + SMTP % (b"465", b"SSL/socketType>", b"") + TAIL,
        HEAD + SMTP % (b"587", b"plain", b"") + TAIL,
        HEAD + SMTP % (b"6379", b"SSL", b"") + TAIL,
        HEAD + SMTP % (b"22", b"SSL", b"") + TAIL,
        HEAD + SMTP.replace(b"s.example", b"a b") % (b"465", b"SSL", b"") + TAIL,
        HEAD + b"<a/>" * 5000 + SMTP % (b"465", b"SSL", b"") + TAIL,
    ],
    ids=["empty", "text", "html", "doctype", "broken", "clear text", "a database", "ssh", "no host", "huge"],
)
def test_documents_that_propose_nothing(document: bytes) -> None:
    assert candidate_in(document, Source.AUTOCONFIG, Evidence.PUBLISHED, "x", "corp.example") is None


def test_a_relay_wants_no_login() -> None:
    found = read(SMTP % (b"587", b"STARTTLS", b"<authentication>client-IP-address</authentication>"))
    assert found is not None
    assert found.smtp[0].authentication is Authentication.NONE


@pytest.mark.parametrize(
    ("template", "login", "name"),
    [
        ("%EMAILADDRESS%", LoginName.ADDRESS, "ada@corp.example"),
        ("%EMAILLOCALPART%", LoginName.LOCAL_PART, "ada"),
        ("%EMAILLOCALPART%@%EMAILDOMAIN%", LoginName.ADDRESS, "ada@corp.example"),
        ("CORP\\%EMAILLOCALPART%", LoginName.OTHER, "CORP\\ada"),
        ("{address}%EMAILDOMAIN%", LoginName.OTHER, "addresscorp.example"),
        ("%USERNAME%", LoginName.UNKNOWN, ""),
        ("", LoginName.UNKNOWN, ""),
    ],
)
def test_user_names(template: str, login: LoginName, name: str) -> None:
    form, ours = login_name(template)
    found = Candidate(Source.AUTOCONFIG, Evidence.PUBLISHED, "x", login=form, template=ours)
    assert (form, username(found, "ada@corp.example"), username(found, "")) == (login, name, "")


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("mx.example.com", ("example.com", "example.com")),
        ("mx.example.co.uk", ("example.co.uk", "example.co.uk")),
        ("mx.premium.europe.example.com", ("premium.europe.example.com", "example.com")),
        ("example.com", ("example.com", "")),
        ("co.uk", ("co.uk", "")),
        ("mx", ("", "")),
        ("", ("", "")),
    ],
)
def test_domains_of_an_mx_host(host: str, domains: tuple[str, str]) -> None:
    assert mx_domains(host) == domains


def test_srv_by_priority_then_weight() -> None:
    records = (Record(10, 1, 993, "b"), Record(0, 0, 993, "c"), Record(10, 60, 993, "a"), Record())
    assert [record.target for record in ordered(records)] == ["c", "a", "b"]
    found = candidate_of({"_imap._tcp": Answer((Record(0, 0, 143, "a.example"), Record(0, 0, 3306, "b.example")))}, "x")
    assert found is not None
    assert [(each.port, each.security) for each in found.imap] == [(143, Security.STARTTLS)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", 1),
        (b" V=uaac1;A=SHA256;D= 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= ", 1),
        (b"v=UAAC1; a=sha256; d=!", 1),
        (b"v=UAAC2; a=sha256; d=AA==", 0),
        (b"v=UAAC1; a=md5; d=AA==", 0),
        (b"v=spf1 -all", 0),
    ],
)
def test_digests(text: bytes, count: int) -> None:
    assert len(list(digests_in([text]))) == count


@pytest.mark.parametrize(
    ("authentication", "password"),
    [
        ('{"password":true,"oauth-public":{}}', Password.NORMAL),
        ('{"password":false,"oauth-public":{}}', Password.OAUTH2),
        ("{}", Password.UNKNOWN),
        ("[]", Password.UNKNOWN),
    ],
)
def test_what_pacc_logs_in_with(authentication: str, password: Password) -> None:
    body = f'{{"protocols":{{"imap":{{"host":"IMAP.corp.example"}}}},"authentication":{authentication}}}'.encode()
    found = pacc_in(body, "x", Evidence.PUBLISHED)
    assert found is not None
    assert (found.password, found.imap[0].host) == (password, "imap.corp.example")


def test_autodiscover_takes_no_exchange_by_plain_http_nor_another_port() -> None:
    for url in ("http://mail.example/EWS/Exchange.asmx", "https://mail.example:8443/EWS/", "https://[", ""):
        body = f"<Autodiscover><Protocol><EwsUrl>{url}</EwsUrl></Protocol></Autodiscover>".encode()
        assert candidates_in(body, "x") == ()


@pytest.mark.parametrize(
    "text", ["", "nodots", "a b@corp.example", "@corp.example", "a@b@corp.example", "x" * 65 + "@corp.example", "ada@"]
)
def test_what_is_no_subject(text: str) -> None:
    with pytest.raises(Invalid):
        Subject.of(text)


def test_subjects() -> None:
    assert Subject.of(" Ada@Bücher.Example ") == Subject("xn--bcher-kva.example", "Ada@xn--bcher-kva.example")
