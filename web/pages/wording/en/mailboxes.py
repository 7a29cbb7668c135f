"""The mailboxes of a domain."""

from checks.language import Texts

WORDS: Texts = {
    "mailboxes.heading": "Mailboxes of {domain}",
    "mailboxes.search": "Find a mailbox",
    "mailboxes.filter": "Which mailboxes",
    "mailboxes.all": "All ({count})",
    "mailboxes.address": "Address",
    "mailboxes.credential": "Credential",
    "mailboxes.state.connected": "Connected",
    "mailboxes.state.disconnected": "Disconnected",
    "mailboxes.state.unknown": "Not known",
    "mailboxes.kind.password": "Password",
    "mailboxes.kind.oauth2_token": "OAuth token",
    "mailboxes.kind.oauth2_client": "OAuth application",
    "mailboxes.kind.none": "none",
    "mailboxes.none": "No mailbox is like this.",
    "mailboxes.remove": "Remove the chosen ones",
    "mailboxes.retry": "Try rejected ones again",
    "mailboxes.retry.hint": "A credential that a server has rejected is not tried again by itself, so that nobody is locked out.",
    "mailboxes.import": "Import mailboxes",
    "mailboxes.import.button": "Import",
    "mailboxes.file": "CSV file",
    "mailboxes.rows": "Or its lines",
    "mailboxes.rows.hint": "The first line names the columns: address,password and, where they are needed, username and kind. Passwords are stored encrypted and never shown.",
    "mailboxes.imported": "{added} added, {updated} with another credential, {unchanged} as before.",
    "mailboxes.said.removed": "The mailboxes were removed, with their credentials.",
    "mailboxes.said.retry": "They will be tried again.",
}
