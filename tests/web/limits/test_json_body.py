"""What is read as JSON."""

import tracemalloc
from typing import Any

import pytest

from web.limits.json_body import parse
from web.problems.problem import Problem


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "is no JSON"),
        (b"\xff", 400, "no UTF-8 at byte 0"),
        (b'"\xed\xa0\x80"', 400, "no UTF-8 at byte 1"),
        (b"\xef\xbb\xbf{}", 400, "is no JSON"),
        ('{"a": 1}'.encode("utf-16"), 400, "no UTF-8"),
        (b"NaN", 400, "NaN is no number"),
        (b"[-Infinity]", 400, "is no number"),
        (b"1e999", 400, "too large"),
        (b"1" * 5000, 400, "too long"),
        (b'{"a": 1, "a": 2}', 400, "same name"),
        (b"[" * 100_000, 400, "deep"),
        (b"[" * 65 + b"]" * 65, 400, "deep"),
        (b'{"a/b": ["x", "\\u0000"]}', 422, "/a~1b/1: "),
        (b'{"a": "\\ud800"}', 422, "/a: "),
        (b'{"\\u0000": 1}', 422, "NUL"),
        (b'{"a": 9223372036854775808}', 422, "/a: "),
    ],
)
def test_what_others_read_otherwise_is_refused(body: bytes, status: int, said: str) -> None:
    with pytest.raises(Problem, match=said) as raised:
        parse(body)
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[" * 64 + b"]" * 64, 64),
        (b'{"a": [1.5, true, null, -9223372036854775807]}', {"a": [1.5, True, None, -9223372036854775807]}),
        ('"\U0001f600"'.encode(), "\U0001f600"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_what_is_json_is_read(body: bytes, value: Any) -> None:
    found = parse(body)
    if value == 64:
        value, found = value, _depth(found)
    assert found == value


def test_a_long_name_with_many_values_below_takes_memory_as_it_is_long() -> None:
    """Four times the bytes take some four times the memory: the place of each value was once written out, sixteen."""
    assert _peak(20_000) < 8 * _peak(5_000)


def _peak(size: int) -> int:
    body = b'{"%s": [%s]}' % (b"a" * size, b",".join([b"0"] * size))
    tracemalloc.start()
    try:
        parse(body)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_name_is_cut_where_it_is_told() -> None:
    with pytest.raises(Problem) as raised:
        parse(b'{"%s": "\\u0000"}' % (b"a" * 100_000))
    assert [len(error.pointer) for error in raised.value.errors] == [101]


def _depth(value: list[Any]) -> int:
    return 1 + _depth(value[0]) if value else 1
