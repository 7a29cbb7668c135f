"""The service's settings, from the environment (`MAIL_PREFLIGHT_*`). docs/operations.md explains each."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from checks.clients.profile import Ciphers, ClientProfile
from checks.clients.python import PYTHON
from checks.clients.selection import client_profile
from checks.context import ENDPOINT_SECONDS, LOGIN_SECONDS
from checks.model import Invalid
from checks.network.address_policy import MAIL_AND_HTTPS, AddressPolicy, Network
from checks.network.static_addresses import (
    AddressRange,
    StaticAddress,
    addresses_of,
    egresses,
    parse_networks,
    parse_ranges,
)
from checks.network.way_out import Source
from checks.settings import parse_port

EMBEDDED_BROKER = "memory://localhost/"
_BROKER_HELP = "give memory:// or redis://[user:password@]host[:port]/number, or rediss:// with TLS"


def _data_folder() -> Path:
    return platformdirs.user_data_path("mail-preflight", appauthor=False)


class Config(BaseSettings):
    """One process's settings. The defaults are the embedded mode: SQLite in the user's data folder, no broker."""

    model_config = SettingsConfigDict(env_prefix="MAIL_PREFLIGHT_", hide_input_in_errors=True)

    database_url: SecretStr = Field(default_factory=lambda: SecretStr(f"sqlite:///{_data_folder() / 'preflight.db'}"))
    broker_url: SecretStr = SecretStr(EMBEDDED_BROKER)
    secret_key: SecretStr | None = None
    """Fernet keys, separated by commas or blanks; the first encrypts. None: a key file in the user's data folder."""
    allow_networks: Annotated[tuple[Network, ...] | None, NoDecode] = None
    allow_ports: Annotated[frozenset[int] | Literal["any"] | None, NoDecode] = None
    """Ports beside those of mail and HTTPS that may be connected to; `any`: all, as where the service is embedded."""
    source_address: Annotated[tuple[str, ...], NoDecode] = ()
    """The address that connections leave from, one of each family; none: the system chooses."""
    shared_addresses: Annotated[tuple[Network, ...], NoDecode] = ()
    """Where connections seem to come from that leave from no static address, as mail servers see it."""
    static_addresses: Annotated[tuple[AddressRange, ...], NoDecode] = ()
    """The ranges that domains with static addresses are connected to from."""
    egress: str = ""
    """Whose static addresses this process has; '' where they have no name."""
    x509_strict: bool = False
    """Whether the app that will connect reads certificates as Python does from 3.13 on; off: as 3.12 and before."""
    tls_ciphers: Ciphers = "python"
    """Which ciphers the app that will connect offers up to TLS 1.2: Python's own list, or OpenSSL's."""
    revocation: bool = False
    """Whether the checks of runs and of health ask the authority whether an accepted certificate was revoked."""
    client_profile: Annotated[ClientProfile, NoDecode] = PYTHON
    """How the app's mail client logs in: `python`, `node`, or the path of a TOML file."""
    logins_at_once: int = Field(default=20, ge=1, le=200)
    lanes: int = Field(default=2, ge=1, le=16)
    page_size: int = Field(default=25, ge=1, le=500)
    canaries: int = Field(default=5, ge=1, le=50)
    endpoint_seconds: float = Field(default=ENDPOINT_SECONDS, ge=1, le=30)
    """What the check of one endpoint may take; a worker that has a run for longer than 45 seconds counts as gone."""
    login_seconds: float = Field(default=LOGIN_SECONDS, ge=1, le=120)
    """What one login may take; Dovecot answers a failed one after up to 15 seconds."""
    like_failures: int = Field(default=25, ge=2)
    """After so many like failures in a row, with no success between, a lane stops the run."""
    logins_per_hour: int = Field(default=60, ge=2)
    watch_minutes: float = Field(default=30, ge=0)
    watch_every_minutes: float = Field(default=5, gt=0)
    watch_threshold: float = Field(default=0.02, ge=0, le=1)
    """The share of the watched mailboxes that may fail (at least one) before a change is rolled back."""
    state_hours: float = Field(default=24, gt=0)
    """A mailbox's last known state that is older counts as unknown."""
    report_minutes: float = Field(default=15, gt=0)
    health_endpoint_minutes: float = Field(default=5, gt=0)
    """How often a domain's endpoints are checked."""
    health_mailbox_hours: float = Field(default=6, gt=0)
    """In how many hours every mailbox of a domain comes up once, a few at a time."""
    health_slice_minutes: float = Field(default=15, gt=0)
    """How often some of a domain's mailboxes come up."""
    health_slices: int = Field(default=4, ge=1, le=500)
    """How many domains' mailboxes come up at a time, over all health workers; each has room for four."""
    health_retry_seconds: float = Field(default=60, gt=0)
    """When an endpoint is looked at again that has just begun to fail or to work."""
    health_fails: int = Field(default=3, ge=1)
    """So many failed checks in a row make an incident."""
    health_oks: int = Field(default=2, ge=1)
    """So many successful checks in a row end it."""
    health_silent_minutes: float = Field(default=30, ge=0)
    """An endpoint that gives no conclusive answer for so long makes an incident too; 0: it never does."""
    health_settle_minutes: float = Field(default=10, ge=0)
    """An incident is over when all has been well for so long; what fails again before is the same incident."""
    health_threads: int = Field(default=64, ge=1, le=200)
    """How many endpoints one worker checks at a time."""
    history_hours: float = Field(default=48, gt=0)
    """How long each health check is kept; hours are kept for `history_days`."""
    history_days: float = Field(default=90, gt=0)
    reminder_hours: float = Field(default=24, ge=0)
    """How often admins are told that an incident is still open; 0: never."""
    digest_from: int = Field(default=5, ge=2)
    """So many alerts to one channel at a time become one message."""
    alert_give_up_hours: float = Field(default=72, gt=0)
    """How long an alert that cannot be sent is tried again."""
    public_url: str = ""
    """Where people reach this service with a browser; alerts then have a link."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Where a worker or `serve` tells Prometheus its metrics; None: nowhere."""
    metrics_host: str = "127.0.0.1"
    web_port: int | None = Field(default=8025, ge=1, le=65535)
    """Where `serve` and `web` answer the HTTP API; None (0, or empty): `serve` does not."""
    web_host: str = "127.0.0.1"
    web_trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    """The networks of our own proxies, whose `X-Forwarded-For` and `-Proto` are believed."""
    web_rate_read: int = Field(default=3000, ge=0)
    """How many requests that only read one API key may send in a minute; 0: any number. So of the next three."""
    web_rate_write: int = Field(default=600, ge=0)
    web_rate_expensive: int = Field(default=120, ge=0)
    """Those that make us ask mail servers."""
    web_rate_failures: int = Field(default=100, ge=0)
    """Those of one address whose API key is none, before they are answered 429."""
    web_rate_sign_in: int = Field(default=10, ge=0)
    """How often an address may try to sign in to the page in a minute; 0: as often as it likes."""
    web_connections: int = Field(default=800, ge=10)
    """How many connections one process holds; beyond it, those that have waited longest to send make room."""
    web_waiting: int = Field(default=100, ge=1)
    """How many streams and long polls of one API key a process serves at a time."""
    stream_heartbeat_seconds: float = Field(default=15, gt=0)
    """After so long without news a stream sends a comment, so that nobody on the way thinks it dead."""
    stream_minutes: float = Field(default=60, gt=0)
    """After so long a stream ends, and its reader goes on with another one."""
    access_log: Literal["off", "json"] = "off"
    """Whether `serve` and `web` write a line to standard error for each request."""
    log_level: str = "WARNING"

    @field_validator("allow_networks", "web_trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ipaddress.ip_network(item) for item in value.replace(",", " ").split())

    @field_validator("allow_ports", mode="before")
    @classmethod
    def _split_ports(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return "any" if value.strip() == "any" else frozenset(map(parse_port, value.replace(",", " ").split()))

    @field_validator("source_address", mode="before")
    @classmethod
    def _split_source(cls, value: object) -> object:
        if not isinstance(value, str):
            return value or ()
        return tuple(str(ipaddress.ip_address(item)) for item in value.replace(",", " ").split())

    @field_validator("shared_addresses", mode="before")
    @classmethod
    def _read_shared(cls, value: object) -> object:
        return parse_networks(value) if isinstance(value, str) else value

    @field_validator("static_addresses", mode="before")
    @classmethod
    def _read_static(cls, value: object) -> object:
        return parse_ranges(value) if isinstance(value, str) else value

    @field_validator("web_port", mode="before")
    @classmethod
    def _none_is_a_port(cls, value: object) -> object:
        """A variable cannot be None."""
        return None if isinstance(value, str) and value.strip() in {"", "0"} else value

    @field_validator("client_profile", mode="before")
    @classmethod
    def _read_profile(cls, value: object) -> object:
        return client_profile(value) if isinstance(value, str) else value

    @field_validator("broker_url")
    @classmethod
    def _is_a_broker(cls, value: SecretStr) -> SecretStr:
        """Fails without the text, which may hold a password."""
        try:
            url = urlsplit(value.get_secret_value().strip())
            database, port_fits = url.path.strip("/"), url.port is None or url.port > 0
        except ValueError:
            raise ValueError(_BROKER_HELP) from None
        remote = url.scheme in {"redis", "rediss"} and bool(url.hostname) and port_fits
        if not (url.scheme == "memory" or (remote and (not database or database.isdecimal()))):
            raise ValueError(_BROKER_HELP)
        return SecretStr(value.get_secret_value().strip())

    @property
    def embedded(self) -> bool:
        """Whether the worker lives in the process that needs it."""
        return self.broker_url.get_secret_value().startswith("memory:")

    @property
    def policy(self) -> AddressPolicy:
        """Where checks may connect to: everything when embedded, public addresses when distributed, unless set."""
        everything = self.embedded and self.allow_networks is None
        return AddressPolicy(everything, self.allow_networks or (), self._ports)

    @property
    def _ports(self) -> frozenset[int] | None:
        if self.allow_ports == "any" or (self.embedded and self.allow_ports is None):
            return None
        return MAIL_AND_HTTPS | (self.allow_ports or frozenset())

    @property
    def shared_source(self) -> Source:
        """Where connections leave from that need no static address."""
        return Source.of(*self.source_address)

    @property
    def shared_name(self) -> str:
        """The one address that mail servers see of these; '' where there are several, or it is not known."""
        if len(self.shared_addresses) == 1 and self.shared_addresses[0].num_addresses == 1:
            return str(self.shared_addresses[0].network_address)
        return self.source_address[0] if len(self.source_address) == 1 and not self.shared_addresses else ""

    @property
    def own_static(self) -> tuple[StaticAddress, ...]:
        """The static addresses that this process leaves from. Where it is the only one, it has all of them."""
        names = egresses(self.static_addresses) if self.embedded else (self.egress,)
        return tuple(address for name in names for address in addresses_of(self.static_addresses, name))

    @property
    def threads(self) -> int:
        """How many mailboxes one lane tries at a time."""
        return max(1, self.logins_at_once // self.lanes)

    @property
    def key_file(self) -> Path:
        """Where the embedded mode keeps its key."""
        return _data_folder() / "secret.key"


def load_config() -> Config:
    """The settings of this process. Raises `Invalid` that names the variable."""
    try:
        return Config()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "MAIL_PREFLIGHT_" + "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise Invalid(f"the environment variable {name} is not usable: {reason}") from None
