"""The words of discovery, in every language: sources, evidence, repairs and findings, by key."""

from checks.language import Phrases, in_every_language

PHRASES = Phrases(in_every_language("checks.messages", "WORDS", "discovery"))
