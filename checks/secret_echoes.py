"""Where a text has a secret in it, in whatever form a server echoes it.

The text is read in several ways (`_View`): as it is, with its escapes undone once and twice, as hexadecimal. Each way
is searched for pieces of the secret of a certain length; so a secret that is cut, or stands in the middle of something,
is found like a whole one. All of it takes time in proportion to the text.
"""

import base64
import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]

_SHORT = 6  # characters: of a shorter secret only the whole is looked for, as it was typed
_LONGEST_PIECE = 24
_TELLING = 4  # characters: a shorter piece of a secret, or of its base64, is found in any text by chance
_ORDINARY = 12  # letters: a shorter piece of nothing but letters may be a word, such as "password"

_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|(?P<quoted>(?:=[0-9A-F]{2})+)"  # quoted-printable, RFC 2045, 6.7
    r"|(?P<json>(?:\\u[0-9A-Fa-f]{4})+)"
    r"|(?P<byte>(?:\\x[0-9A-Fa-f]{2})+)"
    r"|\\(?P<plain>[\"'\\/bfnrt])"
    r"|(?P<html>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});)"
)
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_HEX_APART = re.compile(r"[ :,-]+|0x|\\x")
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")


@dataclass(frozen=True, slots=True)
class _View:
    """A way to read a text. `begins` and `ends` say which part of the text each character stands for."""

    text: str
    begins: list[int]
    ends: list[int]

    def span(self, begin: int, end: int) -> Span:
        return self.begins[begin], self.ends[end - 1]


@dataclass(frozen=True, slots=True, repr=False)
class _Wanted:
    """What is looked for in one kind of view: pieces of `size` characters; at the end of a text also `beginnings`."""

    size: int
    pieces: frozenset[str]
    beginnings: frozenset[str]


@dataclass(frozen=True, slots=True, repr=False)
class _Secret:
    """A secret in its forms. `folded`: whether upper and lower case are the same."""

    folded: bool
    whole: int
    plain: _Wanted
    hexadecimal: _Wanted
    base64: tuple[_Wanted, ...]


def find(text: str, secret: str) -> list[Span]:
    """The parts of a text that show the secret or much of it, in order and apart from each other."""
    if not text:
        return []
    forms = _forms(secret)
    once = _unescaped(_as_it_is(text))
    views = [_as_it_is(text)]
    if once is not None:
        views.append(once)
        twice = _unescaped(once)
        views += [twice] if twice else []
    found = [span for view in views for span in _in_words(view, forms)]
    found += _in_pieces(_hexadecimal(text), forms.hexadecimal)
    found += _in_base64(text, forms)
    return _merged(found)


# -- the secret


def _forms(secret: str) -> _Secret:
    long = len(secret) >= _SHORT
    size = min(max(_SHORT, -(-len(secret) // 2)), _LONGEST_PIECE) if long else len(secret)
    words = [secret, secret.encode("utf-8", "surrogatepass").decode("latin-1")]
    words += [each[::-1] for each in words] if long else []
    raws = [each.encode(coding, "surrogatepass") for each in {secret, words[-1]} for coding in _ENCODINGS]
    cores: dict[int, list[str]] = defaultdict(list)
    for core in _cores(secret):
        if len(core) >= _TELLING:
            cores[min(len(core), -(-size * 4 // 3))].append(core)
    return _Secret(
        folded=long,
        whole=len(secret),
        plain=_wanted(words, size, _folded if long else str),
        hexadecimal=_wanted([raw.hex() for raw in raws], max(2 * size, 2 * _TELLING)),
        base64=tuple(_wanted(alike, length) for length, alike in cores.items()),
    )


def _wanted(forms: list[str], size: int, fold: Callable[[str], str] = str) -> _Wanted:
    pieces = {
        fold(form[place : place + size]) for form in forms for place in range(max(0, len(form) - size + 1)) if form
    }
    beginnings = {form[:length] for form in forms for length in range(_TELLING, min(size, len(form)))}
    return _Wanted(size, frozenset(pieces), frozenset(beginnings))


def _cores(secret: str) -> Iterator[str]:
    """The base64 characters that the secret alone decides, wherever in a group of three bytes it begins."""
    for coding in _ENCODINGS:
        raw = secret.encode(coding, "surrogatepass")
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + raw).decode("ascii")
            yield encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


# -- the text


def _as_it_is(text: str) -> _View:
    places = list(range(len(text) + 1))
    return _View(text, places[:-1], places[1:])


def _unescaped(view: _View) -> _View | None:
    """The same text with what is escaped in it undone; None where nothing is."""
    letters: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    last = 0
    for match in _ESCAPE.finditer(view.text):
        begin, end = match.span()
        letters.append(view.text[last:begin])
        begins += view.begins[last:begin]
        ends += view.ends[last:begin]
        for letter, width in _undone(match):
            letters.append(letter)
            begins.append(view.begins[begin])
            ends.append(view.ends[begin + width - 1])
            begin += width
        last = end
    if not last:
        return None
    letters.append(view.text[last:])
    return _View("".join(letters), begins + view.begins[last:], ends + view.ends[last:])


def _undone(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The characters of an escape, each with how much of the escape it takes."""
    kind, text = match.lastgroup, match[0]
    if kind in ("percent", "quoted", "byte"):
        width = 4 if kind == "byte" else 3
        raw = bytes.fromhex("".join(text[place + width - 2 : place + width] for place in range(0, len(text), width)))
        for letter in raw.decode("utf-8", "surrogateescape"):
            yield letter, width * len(letter.encode("utf-8", "surrogateescape"))
    elif kind == "json":
        raw = bytes.fromhex(text.replace("\\u", ""))
        for letter in raw.decode("utf-16-be", "surrogatepass"):
            yield letter, 6 * len(letter.encode("utf-16-be", "surrogatepass")) // 2
    elif kind == "plain":
        yield _PLAIN.get(text[1], text[1]), 2
    else:
        yield html.unescape(text)[:1] or " ", len(text)


def _hexadecimal(text: str) -> _View:
    """The text without what stands between hexadecimal digits."""
    lowered = _folded(text)
    begins: list[int] = []
    letters: list[str] = []
    last = 0
    for match in _HEX_APART.finditer(lowered):
        letters.append(lowered[last : match.start()])
        begins += range(last, match.start())
        last = match.end()
    letters.append(lowered[last:])
    begins += range(last, len(lowered))
    return _View("".join(letters), begins, [place + 1 for place in begins])


def _folded(text: str) -> str:
    """In lower case, character by character; forms (application/x-www-form-urlencoded) write a blank as "+"."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters become two
        lowered = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return lowered.replace("+", " ")


# -- the search


def _in_words(view: _View, forms: _Secret) -> Iterator[Span]:
    folded = _folded(view.text) if forms.folded else view.text
    for begin, end in _runs(folded, forms.plain):
        piece = view.text[begin:end]
        if end - begin >= min(forms.whole, _ORDINARY) or not _may_be_a_word(piece):
            yield view.span(begin, end)
    if cut := _cut(view.text, forms.plain):
        yield view.span(len(view.text) - cut, len(view.text))


def _may_be_a_word(piece: str) -> bool:
    return piece.isalpha() and piece[1:] in (piece[1:].lower(), piece[1:].upper())


def _in_pieces(view: _View, wanted: _Wanted) -> Iterator[Span]:
    for begin, end in _runs(view.text, wanted):
        yield view.span(begin, end)
    if cut := _cut(view.text, wanted, 2 * _TELLING):
        yield view.span(len(view.text) - cut, len(view.text))


def _in_base64(text: str, forms: _Secret) -> Iterator[Span]:
    """Whole runs of base64 characters: what stands around the secret in them is the rest of a message with it."""
    for match in _BASE64.finditer(text):
        token = match[0].replace("-", "+").replace("_", "/").rstrip("=")
        if any(_cut(token, core) or next(_runs(token, core), None) for core in forms.base64):
            yield match.span()


def _runs(text: str, wanted: _Wanted) -> Iterator[Span]:
    """The longest stretches that consist of wanted pieces, one overlapping the next."""
    size = wanted.size
    begin = end = -1
    for place in range(len(text) - size + 1):
        if text[place : place + size] in wanted.pieces:
            if place > end:
                if end >= 0:
                    yield begin, end
                begin = place
            end = place + size
    if end >= 0:
        yield begin, end


def _cut(text: str, wanted: _Wanted, least: int = _TELLING) -> int:
    """How many characters at the end of the text are the beginning of something wanted."""
    sizes = range(min(wanted.size - 1, len(text)), least - 1, -1)
    return next((size for size in sizes if text[-size:] in wanted.beginnings), 0)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
