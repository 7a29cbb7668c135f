"""The stand-in Exchange does what the tests rely on. Asked with requests, requests_ntlm and exchangelib."""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exchangelib
import pytest
import requests
from exchangelib.errors import EWSError
from exchangelib.folders import Calendar, Inbox, Root
from exchangelib.protocol import FailFast, Protocol
from exchangelib.services import GetFolder
from exchangelib.version import Build, Version
from requests.adapters import HTTPAdapter
from requests_ntlm import HttpNtlmAuth

from checks.codes import Code
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.endpoints import ENDPOINTS
from tests.servers.exchange.kinds import EndpointScenario, MailboxScenario, Scheme
from tests.servers.exchange.mailboxes import MAILBOXES
from tests.servers.exchange.server import CLIENT_ID, CLIENT_SECRET, ExchangeServer, Mailbox
from tests.servers.exchange.wire import Answer, gzip_bomb

FIRST, SECOND, SERVICE = "user000@lab.example", "user001@lab.example", "service@lab.example"
USERS: dict[str, str | Mailbox] = {
    FIRST: "Sesame-0",
    SECOND: "Sesame-1",
    SERVICE: Mailbox("Sesame-s", impersonates=True),
}
RIGHT, WRONG = (FIRST, "Sesame-0"), (FIRST, "wrong")
BODY = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="m" xmlns:t="t">'
    "<s:Body><m:GetFolder><m:FolderIds><t:DistinguishedFolderId Id='inbox'/></m:FolderIds></m:GetFolder></s:Body>"
    "</s:Envelope>"
)
HARMFUL = {"silent", "drip", "gzip_bomb", "flood", "cut", "hang_up", "reset"}


@pytest.fixture(scope="module")
def running(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    schemes: tuple[Scheme, ...] = ("Basic", "NTLM", "Negotiate", "Bearer")
    with ExchangeServer(server_folder / "exchange", certificates.issue(rsa_key=True), USERS, schemes) as server:
        yield server


@pytest.fixture
def server(running: ExchangeServer) -> ExchangeServer:
    running.reset()
    return running


@pytest.fixture
def client(certificates: CertificateLab) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(certificates.ca_file)
        yield session


def ask(client: requests.Session, server: ExchangeServer, auth: Any = None, timeout: float = 5) -> requests.Response:
    return client.post(server.url, data=BODY, auth=auth, allow_redirects=False, timeout=timeout)


def folders_of(server: ExchangeServer, ca_file: Path, **options: Any) -> list[str]:
    """Log on once with exchangelib as facts have it; "ok" or the error's class for inbox and calendar."""
    impersonated = options.pop("access_type", exchangelib.DELEGATE)
    configuration = exchangelib.Configuration(
        service_endpoint=server.url,
        retry_policy=FailFast(),
        version=Version(Build(14, 3, 123, 4), "Exchange2010_SP2"),
        **{"credentials": exchangelib.Credentials(*RIGHT), "auth_type": exchangelib.BASIC, **options},
    )
    protocol = fresh_protocol(ca_file, configuration)
    try:
        account = exchangelib.Account(FIRST, config=configuration, autodiscover=False, access_type=impersonated)
        account.protocol = protocol
        root = Root(account=account)
        asked = [Inbox(root=root, name="x"), Calendar(root=root, name="x")]
        found = list(GetFolder(account=account).call(folders=asked, additional_fields=[], shape="IdOnly"))
        return [type(one).__name__ if isinstance(one, Exception) else "ok" for one in found]
    except (EWSError, requests.RequestException) as error:
        return [type(error).__name__]
    finally:
        protocol.close()


def fresh_protocol(ca_file: Path, configuration: exchangelib.Configuration) -> Protocol:
    """A protocol of a class of its own, past exchangelib's cache."""

    class Adapter(HTTPAdapter):
        def send(self, *arguments: Any, **options: Any) -> requests.Response:
            return super().send(*arguments, **{**options, "verify": str(ca_file)})

    own = type("OwnProtocol", (Protocol,), {"HTTP_ADAPTER_CLS": Adapter, "TIMEOUT": 1.0})
    return type.__call__(own, config=configuration)


def as_application(server: ExchangeServer, secret: str) -> dict[str, Any]:
    """Options of `folders_of`: OAuth2 client credentials."""

    class Credentials(exchangelib.OAuth2Credentials):  # type: ignore[misc] # exchangelib has no types
        token_url = server.token_url

    identity = exchangelib.Identity(primary_smtp_address=FIRST)
    return {
        "credentials": Credentials(CLIENT_ID, secret, "lab", identity=identity),
        "auth_type": exchangelib.OAUTH2,
        "access_type": exchangelib.IMPERSONATION,
    }


class TestEndpointScenarios:
    def test_there_are_more_than_sixty(self) -> None:
        assert len(ENDPOINTS) + len(MAILBOXES) > 60

    def test_every_code_is_one_of_ours(self) -> None:
        codes = {code for one in ENDPOINTS for code in (one.code, one.logon, one.warning or "ok")}
        codes |= {code for box in MAILBOXES for code in (box.mail, box.calendar)}
        assert codes <= {code.value for code in Code}

    @pytest.mark.parametrize("scenario", [one for one in ENDPOINTS if one.schemes], ids=lambda one: one.name)
    def test_offers_the_schemes(
        self, server: ExchangeServer, client: requests.Session, scenario: EndpointScenario
    ) -> None:
        server.play(scenario.name)

        response = ask(client, server)

        offered = [offer.split(" ")[0] for offer in response.raw.headers.getlist("WWW-Authenticate")]
        assert response.status_code == 401
        assert tuple(offered) == scenario.schemes

    @pytest.mark.parametrize(
        "scenario", [one for one in ENDPOINTS if one.front and one.name not in HARMFUL], ids=lambda one: one.name
    )
    def test_answers_as_the_table_says_and_takes_no_logon(
        self, server: ExchangeServer, client: requests.Session, scenario: EndpointScenario
    ) -> None:
        server.play(scenario.name)

        response = ask(client, server, RIGHT)

        assert isinstance(scenario.front, Answer)
        assert (response.status_code, response.content) == (scenario.front.status, scenario.front.body)
        assert not server.logons()
        assert "{" not in "".join(response.headers.values())

    def test_redirects_name_the_other_host_and_are_counted_there(
        self, server: ExchangeServer, client: requests.Session
    ) -> None:
        server.play("redirect_other_host")
        location = ask(client, server).headers["Location"]
        assert location == f"https://127.0.0.1:{server.other_port}/EWS/Exchange.asmx"
        assert server.asked_elsewhere() == 0

        client.post(location, auth=RIGHT)

        assert server.asked_elsewhere() == 1
        assert [one.scheme for one in server.misplaced_credentials()] == ["Basic"]

    def test_a_redirect_on_the_same_host_leads_to_exchange(
        self, server: ExchangeServer, client: requests.Session
    ) -> None:
        server.play("redirect_path")
        location = ask(client, server).headers["Location"]
        assert client.post(location, data=BODY, auth=RIGHT).status_code == 200

    def test_the_loop_names_the_url_that_was_asked(self, server: ExchangeServer, client: requests.Session) -> None:
        server.play("redirect_loop")
        assert ask(client, server).headers["Location"] == server.url

    @pytest.mark.parametrize("name", ["silent", "drip", "tls_silent"])
    def test_keeps_waiting(self, server: ExchangeServer, client: requests.Session, name: str) -> None:
        server.play(name)
        with pytest.raises((requests.Timeout, requests.ConnectionError), match="timed out"):
            ask(client, server, timeout=0.3)

    @pytest.mark.parametrize("name", ["cut", "hang_up", "reset", "closed"])
    def test_breaks_off(self, server: ExchangeServer, client: requests.Session, name: str) -> None:
        server.play(name)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            ask(client, server)

    @pytest.mark.parametrize("name", ["gzip_bomb", "flood"])
    def test_is_too_much(self, server: ExchangeServer, client: requests.Session, name: str) -> None:
        server.play(name)
        with client.post(server.url, data=BODY, stream=True) as response:
            received = sum(len(response.raw.read(65536, decode_content=True)) for _ in range(3))
        assert received > 65536
        assert len(gzip_bomb()) < 100_000

    def test_speaks_no_tls(self, server: ExchangeServer) -> None:
        server.play("plain_http")
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")

    def test_http_is_redirected_and_credentials_in_clear_are_seen(
        self, server: ExchangeServer, client: requests.Session
    ) -> None:
        response = client.post(
            f"http://localhost:{server.http_port}/EWS/Exchange.asmx", auth=RIGHT, allow_redirects=False
        )
        assert (response.status_code, response.headers["Location"]) == (301, server.url)
        assert client.get(f"http://localhost:{server.port}/").status_code == 400

        assert [one.scheme for one in server.misplaced_credentials()] == ["Basic"]
        assert server.connections()["plain"] == 2

    @pytest.mark.parametrize(
        ("name", "host"), [("exchange", "localhost"), ("autodiscover_other", "127.0.0.1"), ("autodiscover_missing", "")]
    )
    def test_autodiscover(self, server: ExchangeServer, client: requests.Session, name: str, host: str) -> None:
        server.play(name)
        url = f"https://localhost:{server.port}/autodiscover/autodiscover.json?Email={FIRST}&Protocol=EWS"
        response = client.get(url)
        assert response.status_code == (200 if host else 404)
        if host:
            assert response.json()["Protocol"] == "EWS"
            assert response.json()["Url"].startswith(f"https://{host}:")

    def test_tells_its_version_unless_told_not_to(self, server: ExchangeServer, client: requests.Session) -> None:
        assert ask(client, server).headers["X-OWA-Version"] == "15.2.1544.4"
        assert 'MinorBuildNumber="4"' in ask(client, server, RIGHT).text
        server.play("no_version")
        assert "X-OWA-Version" not in ask(client, server).headers


EXPECTED = {
    "mail_denied": ["ErrorAccessDenied", "ok"],
    "calendar_denied": ["ok", "ErrorAccessDenied"],
    "mail_missing": ["ErrorFolderNotFound", "ok"],
    "calendar_missing": ["ok", "ErrorFolderNotFound"],
    "calendar_missing_item": ["ok", "ErrorItemNotFound"],
    "one_answer": ["ok"],
    "no_answer": [],
    "ok": ["ok", "ok"],
    "access_denied": ["ErrorAccessDenied", "ErrorAccessDenied"],
    "rejected": ["UnauthorizedError"],
    "locked": ["UnauthorizedError"],
    "disabled": ["UnauthorizedError"],
    "expired": ["UnauthorizedError"],
    "locked_said": ["UnauthorizedError"],
    "no_mailbox_header": ["CASError"],
    "ews_disabled": ["MalformedResponseError"],
    "busy_503": ["ErrorServerBusy"],
    "transient": ["ErrorServerBusy"],
    "page_after_logon": ["MalformedResponseError"],
    "broken_after_logon": ["MalformedResponseError"],
    "slow": ["ErrorTimeoutExpired"],
    "hang_up_after_logon": ["ErrorTimeoutExpired"],
    "nothing_there_ErrorFolderNotFound": ["ErrorFolderNotFound", "ErrorFolderNotFound"],
    "nothing_there_ErrorItemNotFound": ["ErrorItemNotFound", "ErrorItemNotFound"],
    "old": ["ErrorInvalidSchemaVersionForMailboxVersion"],  # once it has tried all its versions
    "legacy_access": ["TransportError"],  # it has no exception for these codes
    "legacy_access_fault": ["SOAPError"],
    "other_operation": ["TransportError"],
}
"""What exchangelib makes of a scenario, where it is not simply the response code that the scenario has."""
VERSIONS = 10  # that exchangelib 6 tries in turn
ENDLESS = {"drip_after_logon", "flood_after_logon"}


def response_code(scenario: MailboxScenario) -> str:
    """The code inside the answer."""
    answer = scenario.refusal or scenario.instead
    if answer is None:
        return scenario.inbox if scenario.inbox != "NoError" else scenario.agenda
    return answer.body.decode().partition("ResponseCode")[2].partition(">")[2].partition("<")[0]


class TestMailboxScenarios:
    @pytest.mark.parametrize(
        "scenario", [one for one in MAILBOXES if one.name not in ENDLESS], ids=lambda one: one.name
    )
    def test_exchangelib_sees_it_with_one_logon(
        self, server: ExchangeServer, certificates: CertificateLab, scenario: MailboxScenario
    ) -> None:
        server.play(scenario.name)

        seen = folders_of(server, certificates.ca_file)

        assert seen == EXPECTED.get(scenario.name, [response_code(scenario)])
        assert (server.logons() + server.bad_logons()) == {FIRST: VERSIONS if scenario.name == "old" else 1}
        assert bool(server.bad_logons()) == bool(scenario.refusal)

    def test_one_mailbox_only(self, server: ExchangeServer, client: requests.Session) -> None:
        server.act("ews_disabled", FIRST)
        assert ask(client, server, RIGHT).status_code == 403
        assert ask(client, server, (SECOND, "Sesame-1")).status_code == 200

    def test_a_wrong_password_hears_no_reason(self, server: ExchangeServer, client: requests.Session) -> None:
        server.play("expired_said")
        assert ask(client, server, WRONG).status_code == 401
        assert "ErrorPasswordExpired" in ask(client, server, RIGHT).text

    def test_back_off_is_named_in_both_forms(self, server: ExchangeServer, client: requests.Session) -> None:
        for name in ("busy", "busy_inside"):
            server.play(name)
            assert "BackOffMilliseconds" in ask(client, server, RIGHT).text


class TestLogons:
    @pytest.mark.parametrize("name", [FIRST, FIRST.upper(), f"\\{FIRST}", "LAB\\user000", "user000"])
    @pytest.mark.parametrize("ntlm", [False, True], ids=["basic", "ntlm"])
    def test_names_of_an_account(self, server: ExchangeServer, client: requests.Session, name: str, ntlm: bool) -> None:
        auth = HttpNtlmAuth(name, "Sesame-0") if ntlm else (name, "Sesame-0")
        assert ask(client, server, auth).status_code == 200
        assert server.logons() == {FIRST: 1}

    def test_locks_an_account_and_forgets(self, server: ExchangeServer, client: requests.Session) -> None:
        for _ in range(5):
            assert ask(client, server, WRONG).status_code == 401
        assert server.locked() == [FIRST]
        assert ask(client, server, RIGHT).status_code == 401
        assert server.bad_logons() == {FIRST: 6}
        assert not server.logons()

        server.forget()

        assert ask(client, server, RIGHT).status_code == 200
        assert not server.bad_logons()
        assert not server.locked()

    def test_ntlm_takes_three_requests_of_one_connection(
        self, server: ExchangeServer, client: requests.Session
    ) -> None:
        assert ask(client, server, HttpNtlmAuth(*RIGHT)).status_code == 200
        assert ask(client, server).status_code == 200, "NTLM authenticates the connection"
        assert server.requests_per_connection() == [4]
        assert server.logons() == {FIRST: 1}

    @pytest.mark.parametrize(
        ("scenario", "binding", "status"),
        [
            ("ntlm", False, 200),
            ("ntlm", True, 200),
            ("negotiate", True, 200),
            ("protected", True, 200),
            ("protected", False, 401),
            ("protected_proxy", True, 401),
            ("no_keep_alive", True, 401),
        ],
    )
    def test_ntlm(
        self, server: ExchangeServer, client: requests.Session, scenario: str, binding: bool, status: int
    ) -> None:
        server.play(scenario)
        assert ask(client, server, HttpNtlmAuth(*RIGHT, send_cbt=binding)).status_code == status
        assert server.logons().total() == (status == 200)

    def test_kerberos_only_gives_no_challenge(self, server: ExchangeServer, client: requests.Session) -> None:
        server.play("kerberos_only")
        with pytest.raises(PermissionError, match="did not respond with NTLM challenge"):
            ask(client, server, HttpNtlmAuth(*RIGHT))

    @pytest.mark.parametrize("auth", [HttpNtlmAuth(*WRONG), HttpNtlmAuth("nobody@lab.example", "x")])
    def test_ntlm_refuses(self, server: ExchangeServer, client: requests.Session, auth: HttpNtlmAuth) -> None:
        assert ask(client, server, auth).status_code == 401
        assert server.bad_logons().total() == 1

    def test_exchangelib_with_ntlm_and_channel_binding(
        self, server: ExchangeServer, certificates: CertificateLab
    ) -> None:
        server.play("protected")
        assert folders_of(server, certificates.ca_file, auth_type=exchangelib.NTLM) == ["ok", "ok"]
        assert server.requests_per_connection() == [3]

    def test_a_scheme_that_is_not_offered(self, server: ExchangeServer, client: requests.Session) -> None:
        server.play("ntlm")
        assert ask(client, server, RIGHT).status_code == 401
        assert not server.logons() + server.bad_logons()

    def test_bearer_token_of_a_mailbox(self, server: ExchangeServer, client: requests.Session) -> None:
        client.headers["Authorization"] = f"Bearer {server.token(FIRST)}"
        assert ask(client, server).status_code == 200
        assert server.logons() == {FIRST: 1}

        server.revoke_tokens()

        assert "invalid_token" in ask(client, server).headers["WWW-Authenticate"]

    def test_exchangelib_with_client_credentials(self, server: ExchangeServer, certificates: CertificateLab) -> None:
        found = folders_of(server, certificates.ca_file, **as_application(server, CLIENT_SECRET))
        assert found == ["ok", "ok"]

    def test_a_wrong_client_secret(self, server: ExchangeServer, certificates: CertificateLab) -> None:
        with pytest.raises(Exception, match="AADSTS7000215"):
            folders_of(server, certificates.ca_file, **as_application(server, "wrong"))
        assert [one.status for one in server.requests()] == [401]

    @pytest.mark.parametrize(
        ("user", "password", "expected"),
        [(SERVICE, "Sesame-s", ["ok", "ok"]), (SECOND, "Sesame-1", ["ErrorImpersonateUserDenied"])],
    )
    def test_impersonation_is_for_service_accounts(
        self, server: ExchangeServer, certificates: CertificateLab, user: str, password: str, expected: list[str]
    ) -> None:
        credentials = exchangelib.Credentials(user, password)
        found = folders_of(server, certificates.ca_file, credentials=credentials, access_type=exchangelib.IMPERSONATION)
        assert found == expected

    def test_no_delegate_reads_anothers_mailbox(self, server: ExchangeServer, certificates: CertificateLab) -> None:
        credentials = exchangelib.Credentials(SECOND, "Sesame-1")
        denied = folders_of(server, certificates.ca_file, credentials=credentials)
        assert denied == ["ErrorAccessDenied", "ErrorAccessDenied"]


class TestServer:
    def test_twenty_connections_at_once(self, server: ExchangeServer, certificates: CertificateLab) -> None:
        statuses: Counter[int] = Counter()
        together = threading.Barrier(20)

        def work() -> None:
            with requests.Session() as own:
                own.trust_env = False
                own.verify = str(certificates.ca_file)
                ask(own, server, RIGHT)
                together.wait(20)
                statuses.update([ask(own, server, RIGHT).status_code for _ in range(4)])

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == {200: 80}
        assert server.peak_connections() >= 20
        assert server.requests_per_connection() == [5] * 20
        assert server.logons() == {FIRST: 100}

    def test_starts_with_a_scenario(
        self, server_folder: Path, certificates: CertificateLab, client: requests.Session
    ) -> None:
        leaf = certificates.issue()
        users = {FIRST: Mailbox("Sesame-0", "ews_disabled")}
        with ExchangeServer(server_folder / "second", leaf, users, scenario="forbidden") as server:
            assert ask(client, server, RIGHT).status_code == 403
            assert not server.logons()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port))

    def test_no_secret_in_what_it_says_of_itself(self) -> None:
        assert "Sesame" not in repr(USERS[SERVICE])
