"""The sentences of reports in every language; what a code means is worded in `checks.messages`."""

from checks.language import Phrases, in_every_language

phrase = Phrases(in_every_language("worker.wording", "WORDS"))
