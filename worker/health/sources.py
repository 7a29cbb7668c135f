"""From where mail servers are connected to: what customers put on the allow lists of their firewalls."""

from dataclasses import dataclass

from sqlalchemy import Connection

from settings_store.health import endpoints


@dataclass(frozen=True, slots=True)
class ConnectionIps:
    """The addresses that we connect from, as far as they are known; `system_chooses`: there may be others."""

    addresses: tuple[str, ...]
    system_chooses: bool


def connection_ips(conn: Connection, account_id: int, own: str) -> ConnectionIps:
    """As set here (`own`, '' where the system chooses), and as other workers have last done it for the account."""
    known = set(endpoints.sources(conn, account_id)) | {own}
    return ConnectionIps(tuple(sorted(known - {""})), "" in known)
