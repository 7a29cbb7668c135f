"""Domains with settings in force, written to the database without a preflight, and what is known of them."""

from collections.abc import Sequence

import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import Endpoint, Protocol
from checks.settings import ExchangeSettings, ImapSettings, Settings
from settings_store import domains, schema
from settings_store.health.endpoints import State, Watched

NOW = 1_700_000_000.0


def mail_settings(host: str = "mail.example.com", *, option: bool = False, smtp: str = "") -> ImapSettings:
    """IMAP and SMTP on one host, or on two."""
    imap = Endpoint(Protocol.IMAP, host, 993)
    return ImapSettings(imap, Endpoint(Protocol.SMTP, smtp or host, 465), allow_insecure_certificate=option)


def exchange_settings(host: str = "exchange.example.com") -> ExchangeSettings:
    return ExchangeSettings(f"https://{host}/EWS/Exchange.asmx")


def put_in_force(conn: sa.Connection, name: str, settings: Settings | None = None) -> int:
    """The id of the domain, whose settings these are from now on."""
    domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), name)
    settings_id = domains.save_settings(conn, domain_id, settings or mail_settings(), NOW)
    table = schema.domains
    conn.execute(table.update().where(table.c.id == domain_id).values(settings_id=settings_id))
    return domain_id


def add_mailboxes(conn: sa.Connection, domain_id: int, count: int, **values: object) -> list[int]:
    """The ids of new mailboxes of a domain. `values` are columns, the same for all."""
    start = conn.execute(sa.select(sa.func.count()).select_from(schema.mailboxes)).scalar_one()
    rows = [
        {"domain_id": domain_id, "address": f"box{number}@x", "username": "x", "credential": b"sealed", **values}
        for number in range(start, start + count)
    ]
    if rows:
        conn.execute(schema.mailboxes.insert(), rows)
    table = schema.mailboxes
    query = sa.select(table.c.id).where(table.c.address.in_([str(row["address"]) for row in rows]))
    return list(conn.execute(query.order_by(table.c.id)).scalars())


def settings_id_of(conn: sa.Connection, domain_id: int) -> int:
    return int(
        conn.execute(sa.select(schema.domains.c.settings_id).where(schema.domains.c.id == domain_id)).scalar_one()
    )


def row_of(
    conn: sa.Connection,
    domain_id: int,
    protocol: Protocol = Protocol.IMAP,
    *,
    state: State = "ok",
    verdict: Verdict = Verdict.OK,
    code: Code = Code.OK,
    at: float = NOW,
    ms: float = 12.5,
    moved: bool = True,
) -> Watched:
    """What a check at `at` might have found."""
    return Watched(
        domain_id=domain_id,
        domain=domains.name_of(conn, domain_id),
        account_id=1,
        protocol=protocol,
        settings_id=settings_id_of(conn, domain_id),
        server="mail.example.com:993",
        source="",
        state=state,
        since=at - 100,
        verdict=verdict,
        code=code,
        seen="said",
        fails=0,
        oks=4,
        silent=0,
        first_bad_at=None,
        last_ok_at=at,
        checked_at=at,
        ms=ms,
        document={"verdict": verdict.value},
        notices=[{"code": "tls.expires_soon", "facts": {"date": "2027-01-01"}}],
        moved=moved,
    )


def both_ok(conn: sa.Connection, domain_id: int, at: float = NOW) -> list[Watched]:
    """A mail domain whose endpoints both work."""
    return [row_of(conn, domain_id, protocol, at=at) for protocol in (Protocol.IMAP, Protocol.SMTP)]


def column(conn: sa.Connection, table: sa.Table, name: str) -> Sequence[object]:
    """A column of all rows, in the order of the primary key."""
    return conn.execute(sa.select(table.c[name]).order_by(*table.primary_key.columns)).scalars().all()
