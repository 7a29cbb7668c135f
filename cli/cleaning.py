"""Lines that nothing a server says can break.

Whatever was said by a server is hostile until cleaned: an escape sequence could repaint the verdict above it.
"""

import unicodedata

_HARMFUL = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))  # controls, bidi overrides, lone surrogates, separators


def clean(text: str) -> str:
    """`text` on one line, with every control or formatting character made visible (`\\x1b`, `\\u202e`)."""
    lines = " / ".join(line for line in text.replace("\t", " ").splitlines() if line)
    if lines.isascii() and lines.isprintable():
        return lines
    return "".join(_visible(character) for character in lines)


def _visible(character: str) -> str:
    if unicodedata.category(character) in _HARMFUL:
        return character.encode("unicode_escape").decode("ascii")
    return character
