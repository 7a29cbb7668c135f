"""What reserved names answer: every code, complete results, dates that move with the clock, and no network."""

import re
import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.language import Language
from checks.messages.en.causes import WORDS
from checks.messages.endpoints import endpoint_document, endpoint_facts, warning_facts
from checks.messages.ja.causes import WORDS as WORDS_JA
from checks.model import (
    Authentication,
    Credential,
    CredentialKind,
    Endpoint,
    EndpointResult,
    Option,
    Protocol,
    Security,
)
from checks.network import dial
from checks.runner import check_endpoint, check_mailbox, open_route
from checks.sandbox import names
from checks.sandbox.script import SandboxScript

DAY, SAVED = 86400.0, 1_800_000_000.0
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever asks for a socket or a name here has left the sandbox."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the sandbox has no network")

    for place, name in ((socket, "socket"), (socket, "getaddrinfo"), (dial, "resolve"), (dial, "dial")):
        monkeypatch.setattr(place, name, refuse)
    yield


def context(days: float = 0.0, *, insecure: bool = False, **more: object) -> CheckContext:
    script = SandboxScript(SAVED + days * DAY, SAVED)
    return CheckContext(script=script, allow_insecure_certificate=insecure, **more)  # type: ignore[arg-type] # tests' own


def endpoint(host: str, protocol: Protocol = Protocol.IMAP) -> Endpoint:
    if protocol is Protocol.HTTPS:
        return Endpoint(protocol, host, 443, Security.TLS, url=f"https://{host}/EWS/Exchange.asmx")
    return Endpoint(protocol, host, 993 if protocol is Protocol.IMAP else 465)


def check(label: str, given: CheckContext | None = None, protocol: Protocol = Protocol.IMAP) -> EndpointResult:
    return check_endpoint(endpoint(f"{label}.test", protocol), given or context())


def protocol_of(code: Code) -> Protocol:
    return Protocol.HTTPS if code.startswith("exchange.") else Protocol.IMAP


def test_every_code_has_a_way_to_it() -> None:
    ways = {*names.HOSTS.values(), *names.MAILBOXES.values(), *names.BY_LOGINS, *names.BY_TIME, *names.BY_URL}
    assert ways == set(Code)
    systematic = [names.systematic(code) for code in Code]
    assert len(set(systematic)) == len(systematic)
    for aliases, all_names in ((names.HOST_ALIASES, names.HOSTS), (names.MAILBOX_ALIASES, names.MAILBOXES)):
        assert all(all_names[name] is code for name, code in aliases.items()), "an alias is no other code's name"


@pytest.mark.parametrize("label", names.HOSTS)
def test_a_server_answers_with_its_code_and_all_that_is_said_of_it(label: str) -> None:
    code = names.HOSTS[label]
    result = check(label, protocol=protocol_of(code))
    warned = [warning.code for warning in result.warnings]
    assert code in (warned if code in names.WARNINGS else [result.code])
    assert result.verdict is verdict_of(result.code)
    failing = [step for step in result.steps if step.verdict is not Verdict.OK]
    assert len(failing) == (result.code is not Code.OK), "all is well up to the step that fails"
    told = [(result.code, endpoint_facts(result))]
    told += [(warning.code, warning_facts(result, warning)) for warning in result.warnings]
    for cause, facts in told:
        for words in (WORDS[cause], WORDS_JA[cause]):
            assert _named("".join(words)) <= set(facts), "a sentence has its host, date and names"
    assert all(endpoint_document(result, language).sentence for language in Language)


def _named(template: str) -> set[str]:
    """What a sentence names; `because` and what only a client's library is told by may be left out."""
    return set(re.findall(r"{(\w+)}", template)) - {"because", "concerned"}


@pytest.mark.parametrize("label", names.MAILBOXES)
def test_a_mailbox_comes_to_its_code(label: str) -> None:
    code = names.MAILBOXES[label]
    given = context()
    protocol = Protocol.SMTP if code.startswith("smtp.") else protocol_of(code)
    none = Authentication.NONE if code is Code.SMTP_LOGIN_REQUIRED else Authentication.LOGIN
    place = Endpoint(
        protocol, "ok.test", 465, url="https://ok.test/" * (protocol is Protocol.HTTPS), authentication=none
    )
    route = open_route(check_endpoint(place, given), given)
    credential = Credential(f"{label}-7@example.com", SECRET)
    result = check_mailbox(route, credential, given)
    if code is Code.SERVER_PATIENCE:
        assert result.wait
        code, result = Code.OK, check_mailbox(route, credential, given)
    assert (result.code, result.verdict) == (code, verdict_of(code))
    assert SECRET not in repr(result)


def test_a_name_that_is_not_reserved_does_not_exist() -> None:
    given = context()
    assert check_endpoint(endpoint("imap.example.com"), given).code is Code.DNS_NOT_FOUND
    assert check_endpoint(endpoint("127.0.0.1"), given).code is Code.ADDRESS_NOT_ALLOWED
    assert check_endpoint(endpoint("::1"), given).code is Code.ADDRESS_NOT_ALLOWED
    assert check("no-such-thing").code is Code.DNS_NOT_FOUND
    assert check("imap.ok").code is Code.OK


def test_the_secret_of_an_application_is_not_redeemed_anywhere() -> None:
    given = context()
    route = open_route(check("ok", given), given)
    assert check_mailbox(route, Credential("ada@a.example", "{}", CredentialKind.OAUTH2_CLIENT), given).code is Code.OK


@pytest.mark.parametrize(
    ("label", "days", "code"),
    [
        ("expires-in-20-days", 19, Code.OK),
        ("expires-in-20-days", 21, Code.TLS_EXPIRED),
        ("ok", 40, Code.OK),
        ("ok", 61, Code.OK),
        ("breaks-after-24-hours", 0.9, Code.OK),
        ("breaks-after-24-hours", 1.1, Code.CONNECT_REFUSED),
        ("down-from-24-to-48-hours", 1.1, Code.CONNECT_REFUSED),
        ("down-from-24-to-48-hours", 2.1, Code.OK),
    ],
)
def test_a_server_breaks_and_recovers_by_the_clock(label: str, days: float, code: Code) -> None:
    assert check(label, context(days)).code is code


def test_the_option_lets_a_certificate_in_and_holds_to_its_key() -> None:
    refused, allowed = check("self-signed"), check("self-signed", context(insecure=True))
    assert (refused.code, refused.option) == (Code.TLS_SELF_SIGNED, Option.NEEDED)
    assert (allowed.code, allowed.insecure) == (Code.OK, True)
    assert allowed.pin is not None
    pins = {str(endpoint("self-signed.test")): allowed.pin}
    assert check("self-signed", context(5, insecure=True, pins=pins)).code is Code.OK
    other = check("expired", context(insecure=True)).pin
    assert other is not None
    pins = {str(endpoint("self-signed.test")): other}
    assert check("self-signed", context(insecure=True, pins=pins)).code is Code.TLS_PIN_CHANGED


def test_dates_of_certificates_stay_where_they_are_while_the_clock_moves_by_less_than_a_day() -> None:
    """To move the clock is to move what is stored into the past: the certificate goes along by whole days."""
    shown = []
    for moved in (0.0, 0.4 * DAY, 1.6 * DAY):
        script = SandboxScript(SAVED, SAVED - moved, moved)
        tls = check_endpoint(endpoint("expires-in-20-days.test"), CheckContext(script=script)).tls
        assert tls is not None
        shown.append(tls.chain[0])
    assert shown[0] == shown[1] != shown[2]
    assert shown[0].sha256 == shown[2].sha256
