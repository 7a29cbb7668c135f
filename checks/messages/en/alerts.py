"""The words of alerts in English."""

WORDS = {
    "what.endpoint": "{protocol} of {domain} ({host})",
    "what.server": "{host}, {domains} domains",
    "what.mailbox": "mailbox {address}",
    "what.mailboxes": "{mailboxes} mailboxes of {domain}",
    "what.source": "[operator] connections from {source}",
    "what.service": "[operator] all mail servers at once",
    "what.undone": "the change of {domain}",
    "what.notice": "{host} ({domain})",
    "subject.opened": "Broken: {what}",
    "subject.reminder": "Still broken ({number}): {what}",
    "subject.resolved": "Works again: {what}",
    "subject.over": "Was broken: {what}",
    "subject.undone": "Rolled back by itself: {what}",
    "subject.ahead": "Act in time: {what}",
    "subject.ahead_reminder": "Act in time ({number}): {what}",
    "subject.ahead_resolved": "No longer to be expected: {what}",
    "subject.info": "For your information: {what}",
    "subject.digest": "{count} alerts in one message",
    "subject.test": "Test of an alert channel",
    "intro.reminder": "This is still broken, for {lasted} now (reminder {number}).",
    "intro.resolved": "This works again. It had been broken for {lasted}. The cause was:",
    "intro.over": "This ended before it could be told. What followed from it, if anything, is told by itself. It was:",
    "intro.ahead_reminder": "This was told before and still applies (reminder {number}).",
    "intro.ahead_resolved": "This does not apply any more.",
    "intro.mailboxes": "Several mailboxes fail for the same cause:",
    "intro.change": "It began after change {change} was applied. To undo that: mail-preflight rollback {change}",
    "intro.change_undone": (
        "Change {change} was rolled back by itself: {failing} of {total} mailboxes that were to work failed after it "
        "was applied. The settings and credentials from before are in force again."
    ),
    "intro.source": (
        "Every server that is checked from {source} fails, others do not: most likely that address, or the network "
        "behind it, has a problem. Only the operator is told. The most frequent cause:"
    ),
    "intro.service": (
        "Nearly everything that is checked fails at once: most likely this service or its network has a problem, not "
        "the mail servers. Only the operator is told. The most frequent cause:"
    ),
    "seen": "What was seen: {seen}",
    "since": "Since: {time}",
    "ended": "Until: {time}",
    "servers": "Servers affected: {names}",
    "domains": "Domains: {names}",
    "mailbox": "Mailbox: {address}",
    "mailboxes": "Mailboxes affected: {count}",
    "named": " ({names})",
    "comma": ", ",
    "and_more": " and {count} more",
    "advice.source": "Find out whether that address is blocked, or routed differently than before.",
    "advice.service": "Check this service's network: name resolution, routes, firewalls, the connection IPs.",
    "advice.undone": (
        "Mend what is named here, then verify the change's settings anew. "
        "What was done: mail-preflight history {change}"
    ),
    "advice": "What to do: {advice}",
    "reference": "Reference: {reference}",
    "unknown": "unknown",
    "any_source": "this service's own address",
    "digest.head": "{count} alerts, told together:",
    "digest.line": "  {when}: {sentence} {where}",
    "digest.more": "And {count} more.",
    "test": (
        "This is a test of the alert channel {channel}. Nothing is broken. Alerts about mail servers and mailboxes "
        "will arrive in this way."
    ),
    "day": "1 day",
    "days": "{count} days",
    "hours": "{count} h",
    "minutes": "{count} min",
    "blank": " ",
}
