"""What reports of changes and of health say in English, besides what codes mean: that is in `checks.messages`."""

from checks.language import Texts

REPORT: Texts = {
    "verdict.unsafe": "{disconnect} of {total} mailboxes of {domain} would disconnect.",
    "verdict.unsafe.unclear": "For {unclear} more we could not tell.",
    "verdict.safe": "Nobody would disconnect.",
    "verdict.safe.all": "All {total} mailboxes of {domain} were looked at.",
    "verdict.cannot_tell": "Could not tell for {unclear} of {total} mailboxes of {domain}.",
    "verdict.empty.ok": (
        "No mailbox of {domain} is known, so none was tried. The servers work; who would disconnect cannot be told."
    ),
    "verdict.empty.fail": "The servers do not work. No mailbox of {domain} is known, so none was tried.",
    "verdict.empty.inconclusive": (
        "Could not tell whether the servers work. No mailbox of {domain} is known, so none was tried."
    ),
    "service.mail": "mail",
    "service.calendar": "calendar",
    "impact.keeps_working": "{count} keep working",
    "impact.will_disconnect": "{count} would disconnect",
    "impact.will_reconnect": "{count} would connect again",
    "impact.already_disconnected": "{count} are disconnected already",
    "impact.cannot_tell": "{count} cannot be told",
    "suspect": "{count} mailboxes fail alike, so one common cause is likely:",
    "suspect.mailboxes": (
        "So many at once are rarely their owners' mistake. Is it the right server, and does it take these user names?"
    ),
    "left": "{count} mailboxes were not tried. To go on with them, when what stopped it is mended:",
    "next.safe": "Put the settings in force:",
    "next.unsafe": "Correct the settings and verify again. To put them in force all the same:",
    "next.cannot_tell": "Verify again later. To put the settings in force all the same:",
    "next.empty": (
        "Is that the right domain? If so, verify again with --mailboxes FILE."
        " To put the settings in force all the same:"
    ),
    "next.approve": "A second person, who has not saved the change, approves it before it can be applied:",
    "next.resume": "They can be put in force when no mailbox is left untried: go on with those, or verify again.",
    "next.again": "The change must be verified again before it can be applied. To do that:",
    "next.rollback": "The settings are in force. To have the earlier ones again:",
    "next.reopen": "The change was given up, or replaced by a newer one. To take it up again:",
    "next.none": "The settings are not in force any more. To try them again, verify them as a new change.",
    "api.left": "{count} mailboxes were not tried. Go on with them when what stopped it is mended.",
    "api.next.safe": "The settings can be put in force.",
    "api.next.unsafe": (
        "Correct the settings and save them anew. To put these in force all the same takes the number of disconnects."
    ),
    "api.next.cannot_tell": "Verify again later. The settings can be put in force all the same.",
    "api.next.empty": (
        "Is that the right domain? If so, save the settings again with its mailboxes."
        " They can be put in force all the same."
    ),
    "api.next.approve": "A second person, who has not saved the change, approves it before it can be applied.",
    "api.next.resume": "They can be put in force when no mailbox is left untried: go on with those, or verify again.",
    "api.next.again": "The change must be verified again before it can be applied.",
    "api.next.rollback": "The settings are in force. The earlier ones can be put in force again.",
    "api.next.reopen": "The change was given up, or replaced by a newer one. It can be taken up again.",
    "api.next.none": "The settings are not in force any more. To try them again, save them as a new change.",
}

HEALTH: Texts = {
    "health.healthy": "{domain} is healthy.",
    "health.failing": "Something of {domain} does not work.",
    "health.unknown": "It is not known how {domain} is.",
    "health.paused": "{domain} is paused: nobody watches it.",
    "health.maintenance": "{domain} is in maintenance: nobody watches it meanwhile.",
    "health.not_configured": "{domain} has no settings in force: nothing is checked.",
    "health.paused.since": "Since {time}. To watch it again:",
    "health.maintenance.until": "From {start} until {end} ({id}). {note}",
    "health.trouble": (
        "The service itself has trouble, of which its operator knows: what seems to fail here may be no fault of yours."
    ),
    "health.short.healthy": "healthy",
    "health.short.failing": "failing",
    "health.short.unknown": "not known",
    "health.short.paused": "paused",
    "health.short.maintenance": "in maintenance",
    "health.short.not_configured": "no settings",
    "health.line.incidents": "open incidents: {count}",
    "health.line.notices": "notices: {count}",
    "health.line.mailboxes": "mailboxes: {counts}",
    "health.total": "Domains: {count} ({states})",
    "health.endpoint.ok": "works since {time}",
    "health.endpoint.fail": "does not work since {time}",
    "health.endpoint.silent": "has given no clear answer since {time}",
    "health.endpoint.unknown": "not known",
    "health.never": "Not checked yet.",
    "health.stale": "That is long ago. Is `mail-preflight serve` running, or beat and a worker for `health`?",
    "health.begun": "Checks in a row that were not ok: {count}. It is not yet certain.",
    "health.recovering": "Checks in a row that were ok again: {count}. It is not yet certain.",
    "health.since": "since {time}",
    "health.mailboxes": "{connected} connected, {disconnected} disconnected, {unknown} not known",
    "health.incident.span": "From {start} until {end}.",
    "health.incident.since": "Since {time}.",
    "health.incident.recovered": "Works again since {time}; over when that has lasted a while.",
    "health.incident.reopened": "Times it came back: {count}.",
    "health.incident.domains": "Domains: {names}",
    "scope.endpoint": "server",
    "scope.server": "server of several domains",
    "scope.mailbox": "mailbox",
    "scope.mailboxes": "several mailboxes",
    "scope.source": "connection IP",
    "scope.service": "this service",
    "scope.notice": "ahead of time",
    "severity.critical": "critical",
    "severity.warning": "warning",
    "severity.info": "for information",
    "health.nobody": "Nobody is told when something fails. To have somebody told:",
    "health.told": "Told when something fails: {names}",
}

WORDS: Texts = {**REPORT, **HEALTH}
