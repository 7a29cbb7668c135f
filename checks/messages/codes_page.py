"""The table of all codes, as Markdown: `python -m checks.messages.codes_page > docs/codes.md`."""

import sys

from checks.codes import CODES, Code
from checks.language import Language
from checks.messages import blame_word, wording

_EXAMPLE = {
    "host": "mail.example.com",
    "port": "993",
    "protocol": "IMAP",
    "date": "2026-03-03",
    "names": "www.example.net",
    "seconds": "10",
    "addresses": "2001:db8::1",
    "security": "tls",
    "count": "180",
    "reason": "the first mailboxes were all rejected",
    "subject": "CN=mail.example.com",
    "issuer": "CN=Example CA",
    "versions": "TLSv1.1",
}

_HEAD = """\
# Codes

Every check ends with one of these codes. The list is made from `checks/codes.py` and `checks/messages/`; a test keeps
it complete. Make it anew with `python -m checks.messages.codes_page > docs/codes.md`.

A lasting cause is a failure: it can make a change unsafe. A temporary one is inconclusive: it never counts as a
disconnect. The sentences are filled in with example values.
"""

_TITLES = {
    Language.EN: ("## English", "| code | cause | who acts | lasts | what to do |"),
    Language.JA: ("## 日本語", "| コード | 原因 | 対応する人 | 継続性 | 対応 |"),
}
_LASTS = {Language.EN: ("temporary", "lasting"), Language.JA: ("一時的", "継続的")}


def table() -> str:
    """The whole document, in both languages."""
    return "\n".join([_HEAD, *(part for language in Language for part in (*_section(language), ""))])[:-1] + "\n"


def _section(language: Language) -> list[str]:
    title, head = _TITLES[language]
    return [title, "", head, "| --- | --- | --- | --- | --- |", *(_row(code, language) for code in Code)]


def _row(code: Code, language: Language) -> str:
    words, trait = wording(code, _EXAMPLE, language), CODES[code]
    lasts = "-" if code is Code.OK else _LASTS[language][trait.permanent]
    cells = (f"`{code}`", words.sentence, blame_word(trait.blame, language), lasts, words.advice)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(table())
