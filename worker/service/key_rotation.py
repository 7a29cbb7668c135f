"""A new key takes over: everything that is stored encrypted is encrypted with it."""

from settings_store.access.answers import rotate_answers
from settings_store.actors import Actor
from settings_store.alerts.channel_keys import rotate_urls
from settings_store.db import Database
from settings_store.events import events
from settings_store.events.administration import EncryptionKeyRotated
from settings_store.mailboxes.mailboxes import rotate_credentials
from settings_store.secrets import Vault
from settings_store.webhooks.secret_keys import rotate_secrets


def rotate_keys(database: Database, vault: Vault, actor: Actor) -> int:
    """Encrypts every credential, and the secrets of alert channels and webhooks, with the vault's first key.

    Returns how many there were.
    """
    rotate_answers(database, vault)
    count = rotate_urls(database, vault) + rotate_secrets(database, vault) + rotate_credentials(database, vault)
    with database.begin() as conn:
        rotated = EncryptionKeyRotated(subject="service", at=database.now(), actor=actor, secrets=count)
        events.record(conn, rotated)
    return count
