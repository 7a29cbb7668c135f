"""Incidents: failures that health checks found, open until recovered. No two of one subject are open at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from checks.model import Code


class Scope(StrEnum):
    """What an incident is about. Those of `SOURCE` and `SERVICE` are the operator's."""

    ENDPOINT = "endpoint"  # one endpoint of one domain
    SERVER = "server"  # one server, and several domains of an account on it
    MAILBOX = "mailbox"
    MAILBOXES = "mailboxes"  # those of a domain together
    SOURCE = "source"  # one connection IP of ours
    SERVICE = "service"  # everything at once: then it is us
    NOTICE = "notice"  # nothing fails yet


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are UTC seconds since 1970. `account_id` is None for the operator's. `domains` are names, by name."""

    id: str
    account_id: int | None
    scope: Scope
    subject: str
    domain_id: int | None
    mailbox_id: int | None
    severity: Severity
    code: Code
    facts: Mapping[str, str]
    seen: str
    since: float
    opened_at: float
    recovered_at: float | None = None
    closed_at: float | None = None
    reopened: int = 0
    mailboxes: int = 0
    domains: Sequence[str] = field(default=())
    address: str = ""
    """The mailbox's, where it is about one."""
