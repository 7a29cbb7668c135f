"""Seeds, changed: bytes flipped and cut, pieces repeated, words of the protocol put in anywhere."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.fuzz.invariants import SIZE

_NUMBERS = (b"0", b"-1", b"-5", b"4294967296", b"9" * 30, b"9" * 5_000, b"1e9", b"0x10", b"\xd9\xa3")
_ANYWHERE = (
    b"",
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"%00",
    b"\xff\xfe",
    *_NUMBERS,
)


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes], vocabulary: Sequence[bytes]) -> bytes:
    """A seed with up to five changes."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        data = _changed(draw, data, vocabulary)[:SIZE]
    return data


def _changed(draw: st.DrawFn, data: bytes, vocabulary: Sequence[bytes]) -> bytes:
    begin = draw(st.integers(0, len(data)))
    end = min(len(data), begin + draw(st.sampled_from((0, 1, 2, 4, 16, 100, 10_000))))
    kind = draw(st.sampled_from(("word", "byte", "cut", "repeat", "drop", "number", "line")))
    piece = data[begin:end]
    if kind == "cut":
        return data[:begin]
    if kind == "drop":
        return data[:begin] + data[end:]
    if kind == "repeat":
        times = draw(st.sampled_from((2, 3, 50, 3_000)))
        return data[:begin] + piece * min(times, SIZE // (len(piece) + 1)) + data[end:]
    if kind == "line":
        lines = data.splitlines(keepends=True)
        moved = draw(st.integers(0, len(lines)))
        return b"".join(lines[moved:] + lines[:moved])
    if kind == "byte":
        return data[:begin] + draw(st.binary(min_size=1, max_size=4)) + data[begin + 1 :]
    words = (*vocabulary, *_ANYWHERE) if kind == "word" else _NUMBERS
    return data[:begin] + draw(st.sampled_from(words)) + data[end:]
