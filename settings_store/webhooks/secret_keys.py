"""The URLs and secrets of webhook endpoints under new keys."""

import sqlalchemy as sa

from checks.model import Fault, Invalid
from settings_store.db import Database
from settings_store.schema import webhook_endpoints as _endpoints
from settings_store.secrets import Vault

_SEALED = ("url", "secret", "old_secret")


def rotate_secrets(database: Database, vault: Vault) -> int:
    """Re-encrypts with the vault's first key what was written with another one; returns how many values that were.

    Raises `Invalid` at the end, when all others are done, if some cannot be read with any key.
    """
    rotated, unreadable = 0, list[str]()
    with database.begin() as conn:
        columns = (_endpoints.c[name] for name in ("id", "shown", *_SEALED))
        for row in conn.execute(sa.select(*columns).order_by(_endpoints.c.id).with_for_update()).mappings().all():
            try:
                values = _rotated({name: row[name] for name in _SEALED}, vault)
            except Fault:
                unreadable.append(row["shown"])
                continue
            if values:
                conn.execute(_endpoints.update().where(_endpoints.c.id == row["id"]).values(values))
            rotated += len(values)
    if unreadable:
        raise Invalid(
            f"the secrets of these webhook endpoints cannot be read with any of the keys: {', '.join(unreadable)}; add "
            "the key they were written with, or remove the endpoints and add them anew"
        )
    return rotated


def _rotated(sealed: dict[str, bytes | None], vault: Vault) -> dict[str, bytes]:
    return {name: vault.rotate(value) for name, value in sealed.items() if value and not vault.is_current(value)}
