"""The sentences of reports in every language; what a code means is worded in `checks.messages`."""

from checks.language import Language, Phrases
from worker.wording import en, ja

phrase = Phrases({Language.EN: en.WORDS, Language.JA: ja.WORDS})
