"""Accounts, domains and the immutable versions of their settings."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from checks.model import Authentication, Endpoint, MailboxState, Protocol, Security, Unknown
from checks.settings import ExchangeSettings, ImapSettings, Settings, normalise_domain
from settings_store.db import insert_into
from settings_store.schema import accounts, attempts, domains, events, health_schedule, mailboxes, settings

DEFAULT_ACCOUNT = "default"
"""The one that is always there."""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A domain as stored. `settings_id` is the version in force, None until a change is applied."""

    id: int
    account_id: int
    name: str
    settings_id: int | None


@dataclass(frozen=True, slots=True)
class DomainSummary:
    """A domain, its settings in force (None until a change is applied) and its mailboxes counted by every state.

    `paused_at`: since when nobody watches it (UTC seconds since 1970), None where somebody does. `waiting`: how many
    members wait for its settings. `needs_approval`: a change of it is applied after a second person has approved it.
    """

    name: str
    settings: Settings | None
    mailboxes: Mapping[MailboxState, int]
    paused_at: float | None = None
    waiting: int = 0
    needs_approval: bool = False

    @property
    def kind(self) -> Literal["imap", "exchange"] | None:
        return self.settings.kind if self.settings else None


def ensure_account(conn: sa.Connection, name: str = DEFAULT_ACCOUNT) -> int:
    """The id of the account, which is created when missing."""
    return _ensure(conn, accounts, {"name": name})


def unused_account_id(conn: sa.Connection) -> dict[str, int]:
    """The id for a new account, as values for an insert; nothing where the database numbers rows well by itself.

    SQLite gives the number of a row that is gone to the next, who would see what happened to that account.
    """
    if conn.dialect.name == "postgresql":
        return {}
    known = (sa.select(sa.func.max(column)) for column in (accounts.c.id, events.c.account_id))
    return {"id": 1 + max(conn.execute(query).scalar() or 0 for query in known)}


def find_account(conn: sa.Connection, name: str) -> int:
    """The id of the account of that name. Raises `Invalid` when there is none."""
    found = conn.scalar(sa.select(accounts.c.id).where(accounts.c.name == name))
    if found is None:
        raise Unknown(f"account {name!r} is not known; `mail-preflight accounts list` lists them", "account")
    return int(found)


def ensure_domain(conn: sa.Connection, account_id: int, name: str) -> int:
    """The id of the account's domain, which is created when missing. Raises `Invalid` for a malformed name."""
    return _ensure(conn, domains, {"account_id": account_id, "name": normalise_domain(name)})


def find_domain(conn: sa.Connection, account_id: int, name: str) -> DomainRow:
    """The account's domain. Raises `Invalid` when the name is malformed or not known."""
    name = normalise_domain(name)
    columns = domains.c.id, domains.c.account_id, domains.c.name, domains.c.settings_id
    found = conn.execute(sa.select(*columns).where(domains.c.account_id == account_id, domains.c.name == name))
    row = found.mappings().first()
    if row is None:
        raise Unknown(f"domain {name} is not known; import its mailboxes or save its settings first", "domain")
    return DomainRow(**row)


def is_known(conn: sa.Connection, account_id: int, name: str) -> bool:
    """Whether the account has the domain. Raises `Invalid` when the name is malformed."""
    mine = domains.c.account_id == account_id, domains.c.name == normalise_domain(name)
    return conn.scalar(sa.select(domains.c.id).where(*mine)) is not None


def known_settings(conn: sa.Connection, account_id: int, name: str) -> tuple[bool, Settings | None]:
    """Whether the account has the domain, whose name is normalised, and its settings in force, in one question."""
    query = sa.select(settings).select_from(domains).outerjoin(settings, settings.c.id == domains.c.settings_id)
    row = conn.execute(query.where(domains.c.account_id == account_id, domains.c.name == name)).mappings().first()
    return row is not None, _from_row(row) if row is not None and row["kind"] else None


def require_domain(conn: sa.Connection, account_id: int, domain_id: int) -> None:
    """Raises `Invalid` when the account has no domain with an id from outside."""
    mine = domains.c.id == domain_id, domains.c.account_id == account_id
    if conn.scalar(sa.select(domains.c.id).where(*mine)) is None:
        raise Unknown(f"domain {domain_id} is not known; give one of the account's own", "domain")


def lock_mailboxes(conn: sa.Connection, *domain_ids: int, change_id: str | None = None) -> None:
    """Whoever writes many mailboxes holds them first, after their domains' places in the schedule, in one order.

    Where `change_id` names a change, those that come with it are held too, and nothing may refer to any of these anew
    meanwhile: they are about to change hands. Whoever refers to many does so in this order.

    So no two wait for each other in PostgreSQL, which locks rows in the order in which it meets them; SQLite has one
    writer.
    """
    if conn.dialect.name != "postgresql":
        return
    mine: sa.ColumnElement[bool] = mailboxes.c.domain_id.in_(domain_ids)
    if change_id is not None:
        mine = sa.or_(mine, mailboxes.c.change_id == change_id)
    for key, which in (
        (health_schedule.c.domain_id, health_schedule.c.domain_id.in_(domain_ids)),
        (mailboxes.c.id, mine),
    ):
        rows = sa.select(key).where(which).order_by(key).with_for_update(key_share=change_id is None)
        conn.execute(sa.select(sa.func.count()).select_from(rows.subquery()))


def name_of(conn: sa.Connection, domain_id: int) -> str:
    """The name of the domain with this id, which must exist."""
    return str(conn.execute(sa.select(domains.c.name).where(domains.c.id == domain_id)).scalar_one())


def names_of(conn: sa.Connection, domain_ids: Collection[int]) -> dict[int, str]:
    """The names of the domains with these ids, of those that there still are."""
    rows = conn.execute(sa.select(domains.c.id, domains.c.name).where(domains.c.id.in_(domain_ids)))
    return {row.id: row.name for row in rows}


def in_force(conn: sa.Connection, domain_id: int) -> int | None:
    """The id of the settings in force. Takes no lock."""
    query = sa.select(domains.c.settings_id).where(domains.c.id == domain_id)
    found: int | None = conn.execute(query).scalar_one()
    return found


def account_of(conn: sa.Connection, domain_id: int) -> int:
    """The id of the account that a domain belongs to. The domain must exist."""
    return int(conn.execute(sa.select(domains.c.account_id).where(domains.c.id == domain_id)).scalar_one())


def list_domains(
    conn: sa.Connection, account_id: int, *, after: str = "", limit: int | None = None
) -> list[DomainSummary]:
    """The account's domains in the order of their names; those behind the name `after`, `limit` of them at most."""
    behind = _summaries(domains.c.account_id == account_id, domains.c.name > after)
    return _summarised(conn, behind.order_by(domains.c.name).limit(limit))


def find_names(
    conn: sa.Connection, account_id: int, text: str, after: str, limit: int, only: sa.Select[tuple[int]] | None = None
) -> dict[int, str]:
    """The account's domains whose names have a text in them, by id: `limit` of them, behind the name `after`.

    `only`: of those whose ids that query finds.
    """
    mine = domains.c.account_id == account_id, domains.c.name > after
    query = sa.select(domains.c.id, domains.c.name).where(*mine)
    if only is not None:
        query = query.where(domains.c.id.in_(only))
    if text:
        query = query.where(domains.c.name.contains(text.lower(), autoescape=True))
    return {row.id: row.name for row in conn.execute(query.order_by(domains.c.name).limit(limit))}


def count_of(conn: sa.Connection, account_id: int) -> int:
    """How many domains an account has."""
    mine = sa.select(sa.func.count()).select_from(domains).where(domains.c.account_id == account_id)
    return int(conn.execute(mine).scalar_one())


def summary_of(conn: sa.Connection, domain_id: int) -> DomainSummary:
    """The domain with this id, which must exist."""
    return _summarised(conn, _summaries(domains.c.id == domain_id))[0]


def _summaries(*conditions: sa.ColumnElement[bool]) -> "sa.Select[tuple[Any, ...]]":
    columns = domains.c.id.label("row_id"), domains.c.name, domains.c.paused_at, domains.c.needs_approval
    joined = sa.select(*columns, settings).outerjoin_from(domains, settings, settings.c.id == domains.c.settings_id)
    return joined.where(*conditions)


def _summarised(conn: sa.Connection, query: "sa.Select[tuple[Any, ...]]") -> list[DomainSummary]:
    rows = conn.execute(query).mappings().all()
    ids = [row["row_id"] for row in rows]
    counts, waiting = _mailbox_counts(conn, ids), _waiting_counts(conn, ids)
    return [
        DomainSummary(
            row["name"],
            _from_row(row) if row["kind"] else None,
            counts[row["row_id"]],
            row["paused_at"],
            waiting.get(row["row_id"], 0),
            row["needs_approval"],
        )
        for row in rows
    ]


def save_settings(conn: sa.Connection, domain_id: int, settings_: Settings, now: float) -> int:
    """Stores a new version, which never changes again, and returns its id. `now` is UTC seconds since 1970."""
    values = {
        "domain_id": domain_id,
        "kind": settings_.kind,
        "allow_insecure_certificate": settings_.allow_insecure_certificate,
        "ca_pem": settings_.ca_pem,
        "static_addresses": settings_.static_addresses,
        "created_at": now,
    }
    result = conn.execute(settings.insert().values(**values, **_server_columns(settings_)))
    return _id(result.inserted_primary_key)


def load_settings(conn: sa.Connection, settings_id: int) -> Settings:
    """The version with this id, which must exist."""
    return _from_row(conn.execute(sa.select(settings).where(settings.c.id == settings_id)).mappings().one())


def load_versions(conn: sa.Connection, settings_ids: Collection[int]) -> dict[int, Settings]:
    """The versions with these ids."""
    rows = conn.execute(sa.select(settings).where(settings.c.id.in_(settings_ids))).mappings()
    return {row["id"]: _from_row(row) for row in rows}


def _server_columns(settings_: Settings) -> dict[str, str | int | None]:
    if isinstance(settings_, ExchangeSettings):
        return {"exchange_url": settings_.url, "exchange_typed": settings_.typed or None}
    columns: dict[str, str | int | None] = {"smtp_authentication": settings_.smtp.authentication.value}
    for name, endpoint in (("imap", settings_.imap), ("smtp", settings_.smtp)):
        columns |= {
            f"{name}_host": endpoint.host,
            f"{name}_port": endpoint.port,
            f"{name}_security": endpoint.security.value,
        }
    return columns


def _from_row(row: sa.RowMapping) -> Settings:
    if row["kind"] == "exchange":
        return ExchangeSettings(
            row["exchange_url"],
            row["allow_insecure_certificate"],
            row["ca_pem"],
            row["exchange_typed"] or "",
            row["static_addresses"],
        )
    return ImapSettings(
        Endpoint(Protocol.IMAP, row["imap_host"], row["imap_port"], Security(row["imap_security"])),
        Endpoint(
            Protocol.SMTP,
            row["smtp_host"],
            row["smtp_port"],
            Security(row["smtp_security"]),
            authentication=Authentication(row["smtp_authentication"] or Authentication.LOGIN),
        ),
        row["allow_insecure_certificate"],
        row["ca_pem"],
        row["static_addresses"],
    )


def count_mailboxes(conn: sa.Connection, domain_id: int) -> int:
    """How many mailboxes a domain has: those that inherit its settings. New ones of a change are not among them yet."""
    return sum(_mailbox_counts(conn, [domain_id])[domain_id].values())


def _mailbox_counts(conn: sa.Connection, domain_ids: Sequence[int]) -> Mapping[int, Mapping[MailboxState, int]]:
    """For each of these domains with mailboxes, and by default: how many mailboxes are in each state."""
    counts: defaultdict[int, dict[MailboxState, int]] = defaultdict(lambda: dict.fromkeys(MailboxState, 0))
    for first in range(0, len(domain_ids), _CHUNK):
        mine = mailboxes.c.domain_id.in_(domain_ids[first : first + _CHUNK])
        columns = mailboxes.c.domain_id, mailboxes.c.state
        query = sa.select(*columns, sa.func.count().label("number")).where(mine).group_by(*columns)
        for row in conn.execute(query):
            counts[row.domain_id][MailboxState(row.state)] = row.number
    return counts


def _waiting_counts(conn: sa.Connection, domain_ids: Sequence[int]) -> Mapping[int, int]:
    """For each of these domains for which members wait: how many."""
    counts: dict[int, int] = {}
    for first in range(0, len(domain_ids), _CHUNK):
        mine = attempts.c.domain_id.in_(domain_ids[first : first + _CHUNK]), attempts.c.state == "pending"
        query = sa.select(attempts.c.domain_id, sa.func.count()).where(*mine).group_by(attempts.c.domain_id)
        counts |= {row[0]: row[1] for row in conn.execute(query)}
    return counts


def _ensure(conn: sa.Connection, table: sa.Table, values: Mapping[str, str | int]) -> int:
    """The id of the row with these values. Two transactions that insert it at once get the same row."""
    query = sa.select(table.c.id).where(*(table.c[name] == value for name, value in values.items()))
    found = conn.scalar(query)
    if found is None:
        conn.execute(insert_into(conn, table).values(**values).on_conflict_do_nothing())
        found = conn.execute(query).scalar_one()
    return int(found)


def _id(primary_key: Any) -> int:
    return int(primary_key[0])
