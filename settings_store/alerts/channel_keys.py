"""The URLs of alert channels under new keys."""

import sqlalchemy as sa

from checks.model import Fault, Invalid
from settings_store.db import Database
from settings_store.schema import alert_channels
from settings_store.secrets import Vault


def rotate_urls(database: Database, vault: Vault) -> int:
    """Re-encrypts with the vault's first key what was written with another one; returns how many URLs that were.

    Raises `Invalid` at the end, when all others are done, if some cannot be read with any key.
    """
    rotated, unreadable = 0, list[str]()
    with database.begin() as conn:
        columns = alert_channels.c.id, alert_channels.c.name, alert_channels.c.url
        for row in conn.execute(sa.select(*columns).order_by(alert_channels.c.id).with_for_update()).all():
            if vault.is_current(row.url):
                continue
            try:
                url = vault.rotate(row.url)
            except Fault:
                unreadable.append(row.name)
                continue
            conn.execute(alert_channels.update().where(alert_channels.c.id == row.id).values(url=url))
            rotated += 1
    if unreadable:
        raise Invalid(
            f"the URLs of these alert channels cannot be read with any of the keys: {', '.join(unreadable)}; add the "
            "key they were written with, or remove the channels and add them anew"
        )
    return rotated
