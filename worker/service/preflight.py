"""The service as its operator has it. `account` is the door to the use cases, `processes` does the work."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Invalid
from settings_store import domains
from settings_store.audit import Actor
from settings_store.db import Database
from settings_store.domains import DEFAULT_ACCOUNT
from settings_store.secrets import Vault, load_or_create_key_file
from worker.config import Config
from worker.sandbox import script_of_account
from worker.service.account import Account
from worker.service.bound_to import Binding

if TYPE_CHECKING:
    from settings_store.access.api_keys import ApiKey
    from settings_store.accounts import AccountSummary
    from worker.connecting.login import Login
    from worker.metrics.readiness import Readiness
    from worker.runs.flow import Flow
    from worker.service.access.access import Access
    from worker.service.access.audit import OperatorsAudit
    from worker.service.access.authentication import Authenticator
    from worker.service.access.embedding import Embedding
    from worker.service.access.sign_in import SignedIn, SignIn
    from worker.service.domains.connecting import Connecting
    from worker.service.processes import Processes
    from worker.service.repetition import Repetition


@dataclass
class Preflight:
    """The service of all accounts."""

    config: Config
    database: Database
    vault: Vault

    @classmethod
    def open(cls, config: Config) -> Self:
        """Opens the database, brings it to the newest schema, reads the key. Raises `Invalid` or `Unavailable`."""
        database = Database(config.database_url.get_secret_value())
        database.migrate()
        with database.begin() as conn:
            domains.ensure_account(conn)
        return cls(config, database, Vault(_keys(config)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "authenticate" in vars(self):
            self.authenticate.close()
        self.database.close()

    @cached_property
    def authenticate(self) -> "Authenticator":
        """Whose an API key is."""
        from worker.service.access.authentication import Authenticator

        return Authenticator(self.database)

    def account(self, name: str = DEFAULT_ACCOUNT, *, actor: Actor) -> Account:
        """The use cases of an account, for whoever acts. Raises `Invalid` when there is no such account."""
        return self.account_by_id(self.account_id(name), actor=actor)

    def account_id(self, name: str) -> int:
        """The id of an account. Raises `Invalid` when there is no such account."""
        with self.database.read() as conn:
            return domains.find_account(conn, name)

    def account_by_id(self, account_id: int, *, actor: Actor) -> Account:
        """The use cases of an account that is known to be there."""
        return Account(self._binding(account_id, actor))

    def connecting(self, account_id: int, *, actor: Actor, member_of: int | None) -> "Connecting":
        """What a member of the domain with the id `member_of` may do; in every domain of the account where it is None.

        The account may be the sandbox of the one that the domain is of: then it is its domain of the same name. A
        member whose name is an address of their domain connects that mailbox and no other.
        """
        from worker.service.domains.connecting import Connecting

        return Connecting(self._binding(account_id, actor), member_of)

    def connecting_in(self, account_id: int, domain: str, *, actor: Actor) -> "Connecting":
        """The same for a member of the account's domain of that name. Raises `Invalid`."""
        with self.database.read() as conn:
            member_of = domains.find_domain(conn, account_id, domain).id
        return self.connecting(account_id, actor=actor, member_of=member_of)

    def _binding(self, account_id: int, actor: Actor) -> Binding:
        # The flow is made when it is asked for: most use cases need none.
        return Binding(
            database=self.database,
            config=self.config,
            vault=self.vault,
            account_id=account_id,
            actor=actor,
            publish=lambda task, run_id: self.database.after_commit(lambda: self.flow.resources.publish(task, run_id)),
            advance=lambda run_id: self.database.after_commit(lambda: self.flow.advance(run_id)),
            sweep=lambda run_id: self.database.after_commit(lambda: self.flow.sweep(run_id)),
            check=lambda endpoint, context: self._check(account_id, endpoint, context),
            log_in=lambda candidate: self.login(candidate),
            working=lambda: self.processes.working(),
            watching=lambda: self.processes.watching(),
            ended=lambda: self.flow.resources.news,
            sandboxed=lambda: self._sandboxed(account_id),
        )

    @cached_property
    def repetition(self) -> "Repetition":
        """What keeps requests that are sent again from doing anything again."""
        from worker.service.repetition import Repetition

        return Repetition(self.database, self.vault)

    def _check(self, account_id: int, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        """Decides here, for whoever asks, whether the server is real or a sandbox's."""
        from settings_store.runs import quarantine
        from worker.runs.endpoints import check_watched

        now = self.database.now()
        with self.database.read() as conn:
            quarantined = quarantine.active(conn, now)
            script = script_of_account(conn, account_id, now)
        return check_watched(endpoint, replace(context, script=script), self.flow.resources, quarantined)

    def _sandboxed(self, account_id: int) -> bool:
        with self.database.read() as conn:
            return script_of_account(conn, account_id, self.database.now()) is not None

    def access(self, account_id: int | None, actor: Actor, asked_with: "ApiKey | None" = None) -> "Access":
        """The keys and users of an account, of the operators for None; nobody is given more than `asked_with` has."""
        from worker.service.access.access import Access

        return Access(self.database, account_id, actor, asked_with)

    @property
    def sign_in(self) -> "SignIn":
        """Passwords and sessions of the page."""
        from worker.service.access.sign_in import SignIn

        return SignIn(self.database)

    def signed_in(self, account_id: int, actor: Actor) -> "SignedIn":
        """Who is signed in to an account's page."""
        from worker.service.access.sign_in import SignedIn

        return SignedIn(self.database, account_id, actor)

    def embedding(self, account_id: int, actor: Actor) -> "Embedding":
        """Where an account's page may be embedded, and links that do it."""
        from worker.service.access.embedding import Embedding

        return Embedding(self.database, account_id, actor)

    def operators(self, actor: Actor) -> "Access":
        """Who may operate the service by the API."""
        return self.access(None, actor)

    @property
    def operators_audit(self) -> "OperatorsAudit":
        """What operators did."""
        from worker.service.access.audit import OperatorsAudit

        return OperatorsAudit(self.database)

    def has_api_keys(self) -> bool:
        """Whether there is a key, of any account or the operators, with which the API can be asked."""
        from settings_store.access import api_keys

        with self.database.read() as conn:
            return api_keys.any_usable(conn, self.database.now())

    def readiness(self) -> "Readiness":
        """Whether requests can be answered now, and what is missing."""
        from worker.metrics.readiness import readiness

        return readiness(self.database, None if self.config.embedded else self.config.broker_url.get_secret_value())

    def account_name(self, account_id: int) -> str:
        """The name of an account that is known to be there."""
        from settings_store import accounts

        with self.database.read() as conn:
            return accounts.name_of(conn, account_id)

    def domain_name(self, domain_id: int) -> str:
        """The name of a domain that is known to be there."""
        with self.database.read() as conn:
            return domains.name_of(conn, domain_id)

    def accounts(self, after: str | None = None, limit: int | None = None) -> "list[AccountSummary]":
        """All accounts by name: at most `limit`, of those whose name comes after `after`."""
        from settings_store import accounts

        with self.database.read() as conn:
            return accounts.list_accounts(conn, after, limit)

    def add_account(self, name: str, actor: Actor) -> None:
        """Makes an account. Raises `Invalid`."""
        from settings_store import accounts

        with self.database.begin() as conn:
            accounts.add_account(conn, name, self.database.now(), actor)

    def remove_account(self, name: str, actor: Actor) -> None:
        """Removes an account that has no domains. Raises `Invalid`."""
        from settings_store import removal

        with self.database.begin() as conn:
            removal.remove_account(conn, name, self.database.now(), actor)

    def rotate_keys(self, actor: Actor) -> int:
        """Encrypts every credential, and the secrets of alert channels and webhooks, with the first key.

        Returns how many there were.
        """
        from worker.service.key_rotation import rotate_keys

        return rotate_keys(self.database, self.vault, actor)

    # -- parts

    @cached_property
    def processes(self) -> "Processes":
        """Who does the work."""
        from worker.service.processes import Processes  # with Celery, which most use cases need nothing of

        return Processes(self.config, self.database, self.vault)

    @property
    def flow(self) -> "Flow":
        """The use cases of runs."""
        return self.processes.flow

    @cached_property
    def login(self) -> "Login":
        """Tries mailboxes that are being connected, in this process: their secrets go through no broker."""
        from worker.connecting.login import Login

        return Login(self.flow.resources)


def _keys(config: Config) -> list[str]:
    given = config.secret_key.get_secret_value().replace(",", " ").split() if config.secret_key else []
    if given:
        return given
    if not config.embedded:
        raise Invalid("set MAIL_PREFLIGHT_SECRET_KEY; `mail-preflight keys new` makes one")
    return [load_or_create_key_file(config.key_file)]
