"""What a member may do, and nothing else of the account: see what is filled in for their domain, connect a mailbox."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.messages.providers import Hint, hint_for
from checks.model import EndpointResult, Invalid, LoginResult, MailboxState, Unavailable, Unknown
from checks.settings import Settings, normalise_domain
from settings_store import domains
from settings_store.changes import changes
from settings_store.connecting import attempts, waiting
from settings_store.connecting.attempts import Attempt, AttemptState, UnderWay
from settings_store.domains import DomainRow
from settings_store.mailboxes import connecting, rejections
from settings_store.mailboxes.rows import MailboxRow, RowCheck, as_stored
from worker.connecting.login import Candidate, Tried
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Prefill:
    """What is filled in for who connects a mailbox of a domain. `settings` None: it has none, they are to be typed.

    `address` is the only one that may be connected, None where that is any of the domain.
    """

    domain: str
    settings: Settings | None
    hint: Hint | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Connected:
    """An attempt that was made, and what the servers were found to be; `services` are those of Exchange, by name."""

    attempt: Attempt
    endpoints: tuple[EndpointResult, ...] = ()
    services: Mapping[str, str] | None = None
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class _Own:
    """A member's domain, and the one address there that they may connect, None where that is any."""

    domain: str
    address: str | None


@dataclass(frozen=True, slots=True)
class _Begun:
    id: str
    domain_id: int
    in_force: int | None
    row: MailboxRow
    candidate: Candidate | None = None
    recalled: LoginResult | None = None


@dataclass(frozen=True, slots=True)
class Connecting:
    """Of one account, and for the member of a domain of that one alone: any other answers as one that is not there.

    `_member_of` is the id of their domain, None for who may connect in each. The account may be the sandbox of the one
    that it is of: then it is the domain of the same name. Every use case that a member has belongs here, and begins
    with `_domain`.
    """

    _to: Binding
    _member_of: int | None

    def settings(self, domain: str) -> Settings | None:
        """The settings in force, None where there are none yet. Raises `Invalid`."""
        with self._to.database.read() as conn:
            found = self._domain(conn, domain)
            return domains.load_settings(conn, found.settings_id) if found.settings_id is not None else None

    def prefill(self, domain: str) -> Prefill:
        """What is filled in, and what the provider wants as the password. Raises `Invalid`."""
        name = normalise_domain(domain)
        with self._to.database.read() as conn:
            own = self._own(conn)
            _require_reach(name, own)
            known, settings = domains.known_settings(conn, self._to.account_id, name)
        if own is not None and not known:  # others may begin with a new one
            raise Unknown(f"domain {name} is not known", "domain")
        return Prefill(name, settings, _hint(name, settings), own.address if own else None)

    def connect(
        self, domain: str, login: Mapping[str, str], typed: Settings | None = None, *, insist: bool = False
    ) -> Connected:
        """Tries a mailbox's login once, and stores it where it works: it is the domain's from then on.

        `login` are values by the names of a mailbox file's columns. `typed` are settings for a domain that has none:
        there the mailbox waits for an admin, with its secret where that has worked. With `insist` it is stored as well
        where nobody can tell whether the login works, unless that would replace one that is stored.

        Raises `Invalid`; `NotNow` where it cannot be tried at the moment.
        """
        row = self._row(normalise_domain(domain), login)
        begun, tried = self._begin(domain, row, typed), None
        try:
            tried = self._try(begun)
            return self._conclude(begun, tried, insist=insist)
        except BaseException:
            with contextlib.suppress(Unavailable):  # what is told is why this failed
                self._give_up(begun, tried)
            raise

    def _try(self, begun: _Begun) -> Tried | None:
        """The one login; None where nobody knows a server."""
        if begun.recalled is not None:
            return Tried(begun.recalled, judged=True, endpoints=())
        return self._to.log_in(begun.candidate) if begun.candidate else None

    def look(self, attempt_id: str) -> Attempt:
        """What became of an attempt; a member sees their own. Raises `Unknown`."""
        with self._to.database.read() as conn:
            found, own = attempts.find(conn, self._to.account_id, attempt_id), self._own(conn)
        if own is not None and (found.domain != own.domain or found.person != self._to.actor.person):
            raise Unknown("there is no such connection", "connection_id")
        return found

    # -- the two transactions

    def _begin(self, domain: str, row: MailboxRow, typed: Settings | None) -> _Begun:
        to = self._to
        with to.database.begin() as conn:
            now, found = to.database.now(), self._domain_or_new(conn, domain)
            if found.settings_id is not None and typed is not None:
                raise Invalid("the domain has settings, which its mailboxes inherit; leave `settings` out", "settings")
            typed_id = domains.save_settings(conn, found.id, typed, now) if typed is not None else None
            attempt_id = attempts.begin(conn, found.id, row, typed_id, now, to.actor)
            settings_id = found.settings_id if found.settings_id is not None else typed_id
            if settings_id is None:
                return _Begun(attempt_id, found.id, None, row)
            recalled = self._recalled(conn, found, row, now)
        candidate = Candidate(
            settings_id,
            found.name,
            row.address,
            row.username,
            row.kind,
            to.vault.seal(row.password),
            in_force=found.settings_id is not None,
        )
        return _Begun(attempt_id, found.id, found.settings_id, row, candidate, recalled)

    def _recalled(self, conn: Connection, found: DomainRow, row: MailboxRow, now: float) -> LoginResult | None:
        """What a server has said of this very login lately, where it is not to be sent there again yet."""
        known = connecting.find(conn, found.id, row.address)
        if found.settings_id is None or known is None:
            return None
        if not known.logs_in_with(row.username, row.password, self._to.vault):
            return None
        servers = {
            f"{each.host}:{each.port}": each.protocol
            for each in domains.load_settings(conn, found.settings_id).endpoints
        }
        said = rejections.held(conn, known.id, list(servers), now)
        if said is None:
            return None
        server, code, seen = said
        return LoginResult(Verdict.FAIL, Code(code), servers[server], seen)

    def _conclude(self, begun: _Begun, tried: Tried | None, *, insist: bool) -> Connected:
        to = self._to
        with to.database.begin() as conn:
            now = to.database.now()
            self._require_same(conn, begun)
            result = tried.result if tried else None
            if begun.in_force is None:
                self._wait(conn, begun, tried, now)
            else:
                state = self._store(conn, begun, tried, now, insist=insist)
                attempts.conclude(conn, begun.id, state, result)
                if state in (AttemptState.CONNECTED, AttemptState.STORED):
                    attempts.remove_others(conn, begun.domain_id, begun.row.address, begun.id)
                waiting.tell(conn, begun.domain_id, begun.id, state, result, to.actor, now)
            attempt = attempts.find(conn, to.account_id, begun.id)
            settings = domains.load_settings(conn, begun.in_force) if begun.in_force is not None else attempt.settings
        hint = _hint(attempt.domain, settings)
        return Connected(attempt, tried.endpoints if tried else (), result.services if result else None, hint)

    def _require_same(self, conn: Connection, begun: _Begun) -> None:
        """The domain has the settings still that were tried."""
        try:
            in_force = changes.lock_domain(conn, begun.domain_id)
        except sa.exc.NoResultFound:
            raise Unknown("the domain was removed meanwhile", "domain") from None
        if in_force != begun.in_force:
            raise UnderWay("the domain's settings were changed meanwhile; connect the mailbox once more")

    def _store(self, conn: Connection, begun: _Begun, tried: Tried | None, now: float, *, insist: bool) -> AttemptState:
        """Stores a mailbox of a domain that has settings, if it may be."""
        if tried is None or (tried.judged and tried.result.verdict is Verdict.FAIL):
            return AttemptState.FAILED
        row, vault = begun.row, self._to.vault
        known = connecting.find(conn, begun.domain_id, row.address)
        same = known is not None and known.logs_in_with(row.username, row.password, vault)
        login = {} if same else _login(row, vault.seal(row.password))
        if tried.result.verdict is Verdict.OK:
            found = (MailboxState.CONNECTED, Code.OK.value)
            connecting.put(conn, begun.domain_id, row.address, login, found, now)
            return AttemptState.CONNECTED
        replaces = known is not None and known.credential is not None and known.state is not MailboxState.DISCONNECTED
        if not insist or replaces:
            return AttemptState.CANNOT_TELL
        found = (MailboxState.UNKNOWN, tried.result.code.value)
        connecting.put(conn, begun.domain_id, row.address, login, found, now)
        return AttemptState.STORED

    def _wait(self, conn: Connection, begun: _Begun, tried: Tried | None, now: float) -> None:
        """In a domain without settings: an admin is to complete it."""
        result = tried.result if tried else None
        works = result is not None and result.verdict is Verdict.OK
        sealed = self._to.vault.seal(begun.row.password) if works else None
        if waiting.wait(conn, begun.domain_id, begun.id, result, sealed, self._to.actor, now):
            return
        rejected = tried is not None and tried.judged
        state = AttemptState.FAILED if rejected else AttemptState.CANNOT_TELL
        attempts.conclude(conn, begun.id, state, result)
        waiting.tell(conn, begun.domain_id, begun.id, state, result, self._to.actor, now)

    def _give_up(self, begun: _Begun, tried: Tried | None) -> None:
        """Forgets an attempt that could not be concluded, unless a server has rejected it: that counts."""
        with self._to.database.begin() as conn:
            if tried is not None and tried.judged and tried.result.verdict is Verdict.FAIL:
                attempts.conclude(conn, begun.id, AttemptState.FAILED, tried.result)
            else:
                attempts.remove(conn, [begun.id])

    # -- who may what

    def _own(self, conn: Connection) -> _Own | None:
        """What a member may reach; None for who may connect in each domain."""
        if self._member_of is None:
            return None
        name = domains.name_of(conn, self._member_of)
        return _Own(name, own_address(self._to.actor.name, name))

    def _domain(self, conn: Connection, domain: str) -> DomainRow:
        """The domain, where whoever asks may connect in it. Raises `Invalid`."""
        _require_reach(domain, self._own(conn))
        return domains.find_domain(conn, self._to.account_id, domain)

    def _domain_or_new(self, conn: Connection, domain: str) -> DomainRow:
        """The same; whoever may connect in any domain may begin with a new one."""
        if self._member_of is None:
            domains.ensure_domain(conn, self._to.account_id, domain)
        return self._domain(conn, domain)

    def _row(self, domain: str, login: Mapping[str, str]) -> MailboxRow:
        """The mailbox, checked, and one that whoever asks may connect."""
        with self._to.database.read() as conn:
            own = self._own(conn)
        _require_reach(domain, own)
        row = RowCheck(domain).mailbox(login, 1)
        if own is not None and own.address is not None and row.address != own.address:
            raise Invalid(f"a member connects their own mailbox, which is {own.address}", "address")
        return row


def _require_reach(domain: str, own: _Own | None) -> None:
    name = normalise_domain(domain)
    if own is not None and name != own.domain:
        raise Unknown(f"domain {name} is not known", "domain")


def own_address(name: str, domain: str) -> str | None:
    """The address that a member's name is, where it is one of their domain."""
    local_part, at, _ = name.rpartition("@")
    stored = as_stored(name)
    return stored if at and local_part and stored.endswith(f"@{domain}") else None


def _login(row: MailboxRow, sealed: bytes) -> dict[str, object]:
    return {"username": row.username, "credential": sealed, "credential_kind": row.kind.value}


def _hint(domain: str, settings: Settings | None) -> Hint | None:
    return hint_for(domain, [endpoint.host for endpoint in settings.endpoints] if settings else ())
