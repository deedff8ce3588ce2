"""A body read one value at a time says what the same body read at once says: the same values, or the same sentence."""

from __future__ import annotations

import json
import re
import sys
import tracemalloc
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.shapes.jsonl import parse
from service.shapes.listed import CHUNK, NotListed, TooLong, find_profiles, profiles_of

LONGEST = 100_000
BOM = b"\xef\xbb\xbf"


def at_once(data: bytes) -> str:
    """What the whole body says, values written out (NaN is not equal to itself)."""
    try:
        body = parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "not UTF-8"
    except ValueError as error:
        return str(error)
    if not (isinstance(body, dict) and set(body) == {"profiles"} and isinstance(body["profiles"], list)):
        return "another shape"
    return f"{len(body['profiles'])} {body['profiles']!r}"


def one_by_one(data: bytes, chunk: int = CHUNK, longest: int = LONGEST) -> str:
    file = BytesIO(data)
    try:
        found = find_profiles(file, longest, chunk)
    except UnicodeDecodeError:
        return "not UTF-8"
    except ValueError as error:
        return str(error)
    except NotListed:
        return "another shape"
    return f"{found.people} {list(profiles_of(file, found, longest, chunk))!r}"


def alike(told: str) -> str:
    """Later Pythons place a comma too many elsewhere."""
    return told if sys.version_info < (3, 13) else re.sub(r"第 \d+ 个字符", "", told)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["profiles", "id", "名"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
WRITTEN = st.builds(
    lambda value, ascii, indent: json.dumps(value, ensure_ascii=ascii, indent=indent).encode("utf-8", "surrogatepass"),
    st.fixed_dictionaries({"profiles": st.lists(JSON, max_size=6)}) | JSON,
    st.booleans(),
    st.sampled_from([None, 1]),
)
PIECES = st.lists(
    st.sampled_from(
        [*b"{}[],:\"-.e1 \n\t\\\x00\x7f\xff", '{"profiles": [', '"profiles"', '"id"', "]}", "NaN", "-Infinity", "Infinit", "true", "nul", "1e400", "-0", "01", "0.1e+7",
         '"\\ud83d"', '"\\ud83d\\ude00"', '"\\u00e9', "钟", "😀", "\ufeff", "\u3000", "9" * 4301, "9" * 4301 + ".5"]
    ),
    max_size=12,
).map(lambda pieces: b"".join(bytes([piece]) if isinstance(piece, int) else piece.encode() for piece in pieces))  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """What was written well, with one place taken out or overwritten."""
    data = draw(WRITTEN)
    start = draw(st.integers(0, len(data)))
    return data[:start] + draw(PIECES | st.just(b"")) + data[start + draw(st.integers(0, 3)) :]


@given(data=WRITTEN | damaged() | PIECES, marked=st.booleans(), chunk=st.integers(1, 60) | st.just(CHUNK))
@example(b'{"profiles": [1], "profiles": [2, 3]}', False, CHUNK)
@example(b'{"profiles": [1], "profiles": []}', False, CHUNK)
@example(b'{"profiles": 1, "profiles": [2]}', False, CHUNK)
@example(b'{"profiles": [2], "profiles": 1}', False, CHUNK)
@example(b'{"prof\\u0069les": [1]}', False, CHUNK)
@example(b'{"profiles": ["\\ud83d"], "x": }', False, CHUNK)
@example(b'{"\\ud83d": 1}', False, CHUNK)
@example(b'{"profiles": [1]} \n x', False, 1)
@example(b'{"profiles": [NaN, -Infinity, 1e400, -0, 1.50]}', False, 1)
@example(b'{"profiles": [{"a": [' + b"9" * 4301 + b".5]}]}", False, 7)
@example('{"profiles": ["\n"'.encode("utf-16"), False, 3)
@settings(max_examples=400)
def test_a_body_read_by_values_says_what_it_says_read_at_once(data: bytes, marked: bool, chunk: int):
    whole = BOM + data if marked else data
    assert alike(one_by_one(whole, chunk)) == alike(at_once(whole))


@pytest.mark.parametrize("depth", [900, 100_000])
def test_nesting_is_borne_as_far_as_elsewhere(depth: int):
    data = b'{"profiles": [' + b"[" * depth + b"]" * depth + b"]}"
    assert one_by_one(data, LONGEST)[:12] == at_once(data)[:12]


@pytest.mark.parametrize("chunk", [1, 50, CHUNK])
def test_a_value_may_have_so_many_bytes_and_no_more(chunk: int):
    def body(length: int) -> bytes:
        return b'{"profiles": [1, "' + b"\xe7\x94\xb2" * 20 + b"x" * (length - 62) + b'", 2]}'

    assert one_by_one(body(100), chunk, 100) == at_once(body(100))
    with pytest.raises(TooLong):
        one_by_one(body(101), chunk, 100)
    with pytest.raises(TooLong):
        one_by_one(body(500)[:400], chunk, 100)


@pytest.mark.parametrize("data", [b'{"people": [%s]}', b"[%s]", b'{"profiles": {"a": "%s"}}'])
def test_what_is_too_long_to_be_looked_at_where_no_profile_stands_is_another_shape(data: bytes):
    assert one_by_one(data % (b"1," * 200 + b"1"), 64, 100) == "another shape"


def test_a_long_number_is_told_however_long_it_is():
    assert one_by_one(b'{"profiles": [' + b"9" * 50_000 + b"]}", 1000, 10_000) == at_once(b"9" * 50_000)


def test_more_people_than_anybody_may_send_are_not_counted_to_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.shapes.listed.MOST_COUNTED", 50)
    assert find_profiles(BytesIO(b'{"profiles": [' + b"1," * 51 + b"and then it is not JSON"), LONGEST).people == 51


@pytest.mark.parametrize("number", [100, 5000])
def test_memory_does_not_grow_with_the_number_of_people(number: int):
    person: dict[str, Any] = {"id": "P1", "weaknesses": [{"text": "一上台讲话就冒汗" * 20}] * 3}
    file = BytesIO(json.dumps({"profiles": [person] * number}).encode())
    tracemalloc.start()
    try:
        assert sum(1 for _ in profiles_of(file, find_profiles(file, LONGEST), LONGEST)) == number
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
