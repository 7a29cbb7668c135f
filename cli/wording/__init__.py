"""The command's own words in every language; what a code means is worded in `checks.messages`."""

from checks.language import Phrases, in_every_language

phrase = Phrases(in_every_language("cli.wording", "WORDS"))
