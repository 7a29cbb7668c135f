"""Settings that were found."""

from checks.language import Texts

WORDS: Texts = {
    "finding.heading": "Find the settings of {domain}",
    "finding.settings": "Settings",
    "finding.button": "Find settings",
    "finding.button.hint": "Looks up what the domain publishes and checks each server. That takes up to half a minute; nobody logs in.",
    "finding.looking": "Looking for the settings of {target}: each source is here as it ends.",
    "finding.source.found": "{source}: settings found",
    "finding.source.nothing": "{source}: nothing found",
    "finding.failed": "Looking for the settings has failed on our side, which says nothing about the domain. Look again.",
    "finding.again": "Look again",
    "finding.back": "Back to the settings",
    "finding.target": "Domain or address",
    "finding.target.hint": "An address helps where the servers depend on it; it is told to servers of its own domain only.",
    "finding.own": "Here only the settings of {domain} are looked for.",
    "finding.by": "From: {source}",
    "finding.also": "The same is said by: {sources}.",
    "finding.confidence": "Confidence: {words}",
    "finding.trusted": "Trusted.",
    "finding.not_trusted": "Not trusted.",
    "finding.login": "User name",
    "finding.password": "Password",
    "finding.accept": "I know {host} and accept that passwords are sent there",
    "finding.not_accepted": "Nothing vouches for {hosts}: accept these very hosts first, or take other settings.",
    "finding.take": "Take over into the form",
    "finding.unusable": "A server of it does not work, so it cannot be taken over.",
    "finding.incomplete": "A server is missing, so it cannot be taken over: enter both in the form.",
    "finding.findings": "What the domain's admin should know",
    "finding.asked": "What was asked: {count} sources in {seconds} s",
}
