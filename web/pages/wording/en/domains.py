"""The list of domains."""

from checks.language import Texts

WORDS: Texts = {
    "domains.heading": "Domains",
    "domains.name": "Domain",
    "domains.state": "State",
}
