"""The command's own words in English: headings, labels, progress. A report comes worded."""

from checks.language import Texts

WORDS: Texts = {
    "stopped": "Stopped early:",
    "heading.servers": "Servers",
    "client": "Judged as the mail client of the profile “{name}” connects and logs in.",
    "heading.causes": "Why",
    "heading.will_disconnect": "Would disconnect",
    "heading.cannot_tell": "Cannot tell",
    "heading.already_disconnected": "Disconnected already",
    "heading.will_reconnect": "Would connect again",
    "heading.chain": "Certificates the server presented",
    "heading.counts": "All mailboxes",
    "heading.next": "What next",
    "seen": "Seen:",
    "seen.server": "In the server's own words:",
    "advice": "What to do:",
    "field": "Form field to look at:",
    "warning": "Warning:",
    "fix": "What would repair it:",
    "certificate": "Certificate warning:",
    "chain.valid": "valid {not_before} to {not_after}",
    "chain.issuer": "issued by {issuer}",
    "who": "Who acts:",
    "heading.left": "Not tried",
    "more": "and {count} more; all of them:",
    "progress.queued": "Waiting for a worker",
    "progress.servers": "Servers",
    "progress.mailboxes": "Mailboxes",
    "progress.counts": "{ok} ok, {fail} fail, {inconclusive} inconclusive",
    "progress.rate": "{rate}/s",
    "progress.line": "{stage}: {done} of {total}, {rate}/s, {counts}",
    "health.no_domains": "There is no domain yet. `mail-preflight verify DOMAIN ...` saves settings for one.",
    "health.checked": "Last checked:",
    "health.available": "Available",
    "health.latency": "Latency",
    "health.hours": "24 h",
    "health.days": "{days} days",
    "health.unclear": "without a clear answer: {count}",
    "health.ms": "{low} to {high} ms, {longest} at most",
    "health.notice": "Ahead of time:",
    "heading.health_mailboxes": "Mailboxes",
    "heading.disconnected": "Disconnected",
    "heading.incidents": "Open incidents",
    "heading.incidents_past": "Incidents of the last 7 days",
    "heading.alerts": "Alerts",
    "health.more": "and {count} more",
    "changes.none": "No change of this domain was saved yet.",
    "changes.saved": "saved {when} by {who}",
    "changes.draft": "not verified",
    "changes.verifying": "being verified",
    "changes.verified": "verified",
    "changes.applied": "applied",
    "changes.discarded": "discarded",
    "changes.superseded": "replaced by a newer one",
    "changes.rolled_back": "rolled back",
    "applied": "Applied to {domain}; {count} mailboxes will disconnect.",
    "applied.watched": "Watched for {minutes} minutes; if more fail than the report said, that is {what}.",
    "applied.watched.undone": "undone by itself",
    "applied.watched.noted": "noted in its history, and the admins are alerted",
    "applied.unwatched": (
        "Nobody watches it: neither `mail-preflight serve` nor beat with workers is at work. Only if somebody"
        " does: if more fail than the report said, that is {what}. To watch it here: mail-preflight watch "
        "{id}"
    ),
    "applied.undo": "To undo it: mail-preflight rollback {id}",
    "watch.until": "Watched until {time}.",
    "watch.rolled_back": "The change was rolled back: the settings from before are in force again.",
    "watch.trouble": "The change stays in force, but something is wrong:",
    "watch.over": "The watch is over; no more failed than the report said.",
    "watch.left": (
        "not looked on any more; the change stays in force, and is watched while `mail-preflight serve` runs "
        "or `mail-preflight watch {id}` does"
    ),
    "help.usage": "Usage: ",
    "help.options": "Options",
    "help.arguments": "Arguments",
    "help.commands": "Commands",
    "demo.sandbox": "{domain} is a sandbox: two real mail servers on this machine, {count} mailboxes on the old one.",
    "demo.begin": (
        "An admin now saves the settings of the new one. Before they take effect, every mailbox logs in there."
    ),
    "demo.end": (
        "Nothing took effect: all mailboxes still use the old server. The sandbox and that change are gone now."
    ),
    "demo.own": "For a domain of your own, with a CSV file whose first line is address,password:",
}
