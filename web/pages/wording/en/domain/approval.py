"""A second person's approval."""

from checks.language import Texts

WORDS: Texts = {
    "approval.needed": "A change takes effect after a second person has approved it.",
    "approval.switch_on": "Ask for a second person's approval",
    "approval.switch_off": "Ask for no approval any more",
    "approval.said.on": "From now on a second person approves every change of the domain before it is applied.",
    "approval.said.off": "Changes of the domain need no approval any more.",
    "approval.awaits": "Awaits approval.",
    "approval.by_you": "It is applied after a second person has approved this report. You have not saved the change, so you can.",
    "approval.by_others": "It cannot be applied before a second person, who has not saved the change, has approved this report.",
    "approval.older": "{who} has approved an older report, which counts no more.",
    "approval.button": "Approve",
    "approval.given": "Approved by {who},",
    "approval.other_applies": "A program saved it, so somebody other than whoever approved it applies it.",
    "approval.said.approved": "The change is approved and can be applied.",
}
