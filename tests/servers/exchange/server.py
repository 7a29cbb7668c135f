"""The stand-in Exchange as tests use it: `with ExchangeServer(folder, leaf, users=...) as server:`."""

import json
import os
import socket
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.certificates import CertificateFiles
from tests.servers.exchange.kinds import MailboxScenario, Protection, Scheme
from tests.servers.exchange.scenarios import SCENARIOS
from tests.servers.process import LOOPBACK, Daemon, Server

ROOT = Path(__file__).parents[3]
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
CLIENT_SECRET = "application-sesame"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One account. `acts` names a mailbox scenario. `impersonates`: a service account that may act for all others."""

    password: str = field(repr=False)
    acts: str = "ok"
    impersonates: bool = False


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One request that came, and the status it was answered with (0: closed without a word).

    `where`: "secure" (Exchange), "plain" (HTTP without TLS, at either port), "other" (the other host). `scheme` is that
    of its Authorization header, empty without one.
    """

    where: str
    connection: int
    method: str
    target: str
    scheme: str
    status: int


class ExchangeServer(Server):
    """Exchange Web Services on `port` of loopback, in a process of its own; `url` is the canonical URL.

    `http_port` is its port 80 (it redirects to https), `other_port` the other host that some scenarios redirect to.
    The leaf must be valid for `localhost` and 127.0.0.1, as `CertificateLab.issue()` makes them.
    """

    def __init__(
        self,
        folder: Path,
        leaf: CertificateFiles,
        users: Mapping[str, str | Mailbox],
        schemes: Sequence[Scheme] = ("Basic",),
        scenario: str = "",
        *,
        protection: Protection = "off",
        lockout: int = 5,
        version: str = "15.2.1544.4",
    ) -> None:
        """`users`: address to password, or to a `Mailbox`. `scenario`: see `play`. `protection`: Extended Protection
        for NTLM. `lockout`: bad logons until an account is locked, 0 for never."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._scenario = scenario
        self._config = {
            "accounts": {address: _account(user) for address, user in users.items()},
            "application": {"client_id": CLIENT_ID, "secret": CLIENT_SECRET},
            "chain": str(leaf.chain),
            "key": str(leaf.key),
            "schemes": list(schemes),
            "protection": protection,
            "lockout": lockout,
            "version": version,
        }
        command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", f"{__package__}.program"]
        self._daemon = Daemon([*command, str(folder / "config.json")], folder / "exchange.out", patience=0.2)
        self.port = self.http_port = self.other_port = 0
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Raises `ServerError` when it does not come up."""
        ports = self._folder / "ports.json"
        ports.unlink(missing_ok=True)
        with os.fdopen(
            os.open(self._folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
        ) as file:
            json.dump(self._config, file)
        self._daemon.start(ports.exists)
        known = json.loads(ports.read_text())
        self.port, self.http_port, self.other_port = known["secure"], known["plain"], known["other"]
        self._control = socket.create_connection((LOOPBACK, known["control"]))
        if self._scenario:
            self.play(self._scenario)

    def stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        self._daemon.stop()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/EWS/Exchange.asmx"

    @property
    def token_url(self) -> str:
        """The OAuth2 token endpoint, for `CLIENT_ID` and `CLIENT_SECRET`."""
        return f"https://localhost:{self.port}/lab/oauth2/v2.0/token"

    def play(self, scenario: str) -> None:
        """Behave as that scenario from the next connection on. A mailbox scenario is played by every mailbox."""
        if isinstance(SCENARIOS[scenario], MailboxScenario):
            self.act(scenario)
        else:
            self._ask("play", scenario=scenario)

    def act(self, scenario: str, address: str | None = None) -> None:
        """Make one mailbox (or all) behave as that mailbox scenario."""
        self._ask("act", scenario=scenario, address=address)

    def token(self, address: str = "") -> str:
        """A new bearer token of that mailbox's owner. Without an address: of the application, which impersonates."""
        return str(self._ask("token", address=address))

    def revoke_tokens(self) -> None:
        """All tokens expire."""
        self._ask("revoke")

    def logons(self) -> Counter[str]:
        """Successful logons by address. Each request with Basic or a user's token is one; NTLM is one a connection."""
        return Counter(self._ask("report")["good"])

    def bad_logons(self) -> Counter[str]:
        """Refused logons by address; by what was sent, in lower case, where there is no such account."""
        return Counter(self._ask("report")["bad"])

    def locked(self) -> list[str]:
        """Addresses that are locked out, sorted."""
        return list(self._ask("report")["locked"])

    def requests(self) -> list[Exchanged]:
        """Every request since the start or the last `forget`, in the order they came, at every listener."""
        return [Exchanged(*entry) for entry in self._ask("report")["requests"]]

    def requests_per_connection(self) -> list[int]:
        """How many requests each connection to Exchange carried (connections without any are left out)."""
        return list(Counter(one.connection for one in self.requests() if one.where == "secure").values())

    def connections(self) -> Counter[str]:
        """Accepted connections by listener: "secure", "plain", "other"."""
        return Counter(self._ask("report")["connections"])

    def open_connections(self) -> int:
        """Connections to Exchange that are open now."""
        return int(self._ask("report")["open"].get("secure", 0))

    def peak_connections(self) -> int:
        """The most connections to Exchange that were open at once since the last `forget`."""
        return int(self._ask("report")["peak"])

    def misplaced_credentials(self) -> list[Exchanged]:
        """Requests that carried an Authorization header without TLS or to another host. Must stay empty."""
        return [one for one in self.requests() if one.where != "secure" and one.scheme]

    def asked_elsewhere(self) -> int:
        """How many connections the other host got: it is only known from redirects and autodiscover."""
        return self.connections()["other"]

    def forget(self) -> None:
        """Count from nothing, unlock every account. Scenarios stay."""
        self._ask("forget")

    def reset(self) -> None:
        """As after the start: plain Exchange, all mailboxes well, nothing counted."""
        self._ask("play", scenario="exchange")
        self._ask("act", scenario="ok", address=None)
        self._ask("forget")

    def _ask(self, do: str, **values: object) -> Any:
        assert self._control is not None, "the server does not run"
        self._control.sendall(json.dumps({"do": do, **values}).encode() + b"\n")
        with self._control.makefile("rb") as answers:
            return json.loads(answers.readline())


def _account(user: str | Mailbox) -> dict[str, object]:
    mailbox = Mailbox(user) if isinstance(user, str) else user
    return {"password": mailbox.password, "acts": mailbox.acts, "impersonates": mailbox.impersonates}
