"""Those who wait for a domain's settings."""

from checks.language import Texts

WORDS: Texts = {
    "pending.heading": "Waiting for settings",
    "pending.lead": "They want to connect a mailbox in a domain that has no settings yet. Complete the settings, look at the servers before: their passwords go there. Once they are applied, everybody whose login works is connected and told.",
    "pending.username": "signs in as {name}",
    "pending.by": "by {who}",
    "pending.typed": "Typed",
    "pending.typed.nothing": "no servers",
    "pending.came": "What came of it",
    "pending.works": "The login works and is kept.",
    "pending.worked": "The login worked and is not kept: it has to be connected once more.",
    "pending.untried": "Nothing was tried, and no password is kept.",
    "pending.complete": "Complete the settings",
    "pending.dismiss": "Dismiss",
    "pending.more": "The newest {count} are shown; the others come up once these are done.",
    "pending.come_with_it": "{count} {count:person waits|people wait} for settings here: those whose login was kept come with this change, and are tried with these servers.",
    "pending.said.dismissed": "The entry was dismissed; what was kept of it is gone.",
}
