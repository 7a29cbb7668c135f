"""What users and API keys are, and what they may do."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a user is to an account. An operator belongs to none: the accounts themselves are theirs."""

    SUPER_ADMIN = "super_admin"
    ACCOUNT_ACCESS = "account_access"
    MEMBER = "member"
    HOST_APP = "host_app"
    OPERATOR = "operator"


class Right(StrEnum):
    """What a route asks for. A key's scopes are the rights of its role that it keeps."""

    READ = "read"
    """Settings, changes, reports, health and events of the account."""
    CHANGE = "change"
    """Save, verify and give up changes, check endpoints, set maintenance: nothing that takes effect on a mailbox."""
    APPLY = "apply"
    """Put settings in force, and take them back."""
    CREDENTIALS = "credentials"
    """Write and remove mailboxes with their credentials. Nobody reads these."""
    ADMIN = "admin"
    """Keys, users, webhooks, alert channels, the audit, and the removal of domains."""
    CONNECT = "connect"
    """Read what is filled in for one's own domain, and connect one's own mailbox."""
    OPERATE = "operate"
    """Accounts."""


_EDITOR = frozenset({Right.READ, Right.CHANGE, Right.APPLY, Right.CREDENTIALS})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.SUPER_ADMIN: _EDITOR | {Right.ADMIN, Right.CONNECT},
    Role.ACCOUNT_ACCESS: _EDITOR | {Right.CONNECT},
    Role.MEMBER: frozenset({Right.CONNECT}),
    Role.HOST_APP: _EDITOR | {Right.ADMIN, Right.CONNECT},
    Role.OPERATOR: frozenset({Right.OPERATE}),
}
