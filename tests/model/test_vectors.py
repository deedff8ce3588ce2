"""A tiny encoder that really encodes: the vector of a text is drawn from its hash. It counts what it is asked."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.errors import EncoderUnavailable
from model.vectors import LONGEST, PROBE, Remembered, Vectors, digest

ROW = np.dtype(np.float32).itemsize * 2  # Bytes of a row as `spelt` makes it.
ODD = ["", " ", "?", "\x00", "\ud800", "\udbff", "写\udfff作", "😀", "e\u0301", "\u00e9", "长" * 5000]
SECRET = "见了记者就腿软"


class Tiny:
    """Vectors of eight values, of length 1; ``asked`` are the texts of every call."""

    name = "tiny/1"

    def __init__(self, ready: bool = True) -> None:
        self.ready = ready
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        if not self.ready:
            raise EncoderUnavailable("tiny")
        seeds = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        rows = np.array([list(seed[:8]) for seed in seeds], dtype=np.float32).reshape(-1, 8) - 127.5
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class Spelling:
    """Rows computed from texts: length and first code point; ``asked`` are the texts of every call."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        self.asked.append(texts)
        return spelt(texts)


def spelt(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[len(text), ord(text[:1] or "\0")] for text in texts], dtype=np.float32)


def ask(remembered: Remembered, texts: Sequence[str]) -> list[str]:
    """The texts that had to be computed, after a look at the rows."""
    compute = Spelling()
    rows = remembered.rows(texts, compute)
    assert [row.tolist() for row in rows] == spelt(texts).tolist()
    assert len(compute.asked) <= 1
    return [text for texts in compute.asked for text in texts]


def test_distinct_texts_not_seen_before_are_computed_once_and_at_once():
    remembered = Remembered(2**20)
    assert ask(remembered, ["甲", "乙", "甲"]) == ["甲", "乙"]
    assert ask(remembered, ["乙", "丙", "甲", "丙"]) == ["丙"]
    assert ask(remembered, ["丙", "乙", "甲"]) == []


def test_no_texts_ask_for_nothing():
    assert ask(Remembered(2**20), []) == []


def test_the_least_recently_used_go_first():
    remembered = Remembered(3 * ROW)
    ask(remembered, ["甲", "乙", "丙"])
    ask(remembered, ["甲"])
    assert ask(remembered, ["丁"]) == ["丁"]
    assert ask(remembered, ["甲", "丙", "丁"]) == []
    assert ask(remembered, ["乙"]) == ["乙"]


@given(
    rows=st.integers(0, 4),
    calls=st.lists(st.lists(st.sampled_from("甲乙丙丁戊己"), max_size=5), max_size=12),
)
def test_what_is_forgotten_is_what_a_textbook_lru_of_that_many_rows_forgets(rows: int, calls: list[list[str]]):
    remembered = Remembered(rows * ROW + ROW - 1)
    kept: OrderedDict[str, None] = OrderedDict()
    for texts in calls:
        missing = list(dict.fromkeys(text for text in texts if text not in kept))
        for text in texts:
            if text in kept:
                kept.move_to_end(text)
        assert ask(remembered, texts) == missing
        for text in missing:
            kept[text] = None
            if len(kept) > rows:
                kept.popitem(last=False)


def test_a_row_larger_than_the_memory_is_answered_and_not_kept():
    remembered = Remembered(ROW - 1)
    assert ask(remembered, ["甲"]) == ask(remembered, ["甲"]) == ["甲"]


def test_texts_are_told_apart_whatever_they_are_made_of():
    remembered = Remembered(2**20)
    assert ask(remembered, ODD) == ODD
    assert ask(remembered, ODD[::-1]) == []


def test_of_a_text_nothing_readable_is_kept():
    remembered = Remembered(2**20)
    ask(remembered, [SECRET])
    assert SECRET not in repr(vars(remembered))
    assert repr(digest(SECRET)) in repr(vars(remembered))


def test_written_and_read_it_is_empty_and_as_large_as_before():
    remembered = Remembered(2 * ROW)
    ask(remembered, ["甲", SECRET])
    written = pickle.dumps(remembered)
    assert not any(mark in written for mark in (SECRET.encode(), digest(SECRET), spelt([SECRET]).tobytes()))
    again = pickle.loads(written)
    assert ask(again, ["甲", "乙", "丙"]) == ["甲", "乙", "丙"]
    assert ask(again, ["乙", "丙"]) == []
    assert ask(again, ["甲"]) == ["甲"]
    assert ask(remembered, ["甲"]) == [], "writing takes nothing from the one written"


def test_a_computation_that_fails_leaves_nothing_behind():
    def fail(texts: list[str]) -> NDArray[np.float32]:
        raise EncoderUnavailable(f"{len(texts)}")

    remembered = Remembered(2**20)
    ask(remembered, ["甲"])
    with pytest.raises(EncoderUnavailable, match="1"):
        remembered.rows(["甲", "乙"], fail)
    assert ask(remembered, ["甲", "乙"]) == ["乙"]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_computation_that_gives_another_number_of_rows_is_refused_and_not_kept(rows: int):
    remembered = Remembered(2**20)
    with pytest.raises(ValueError, match="zip"):
        remembered.rows(["甲", "乙"], lambda _: np.zeros((rows, 2), dtype=np.float32))
    assert ask(remembered, ["甲", "乙"]) == ["甲", "乙"]


def test_what_is_kept_does_not_change_when_the_computed_array_is_used_again():
    remembered, scratch = Remembered(2**20), np.ones((1, 2), dtype=np.float32)
    remembered.rows(["甲"], lambda _: scratch)
    scratch[:] = 7
    assert remembered.rows(["甲"], spelt)[0].tolist() == [1, 1]


@pytest.mark.parametrize("size", [0, 5 * ROW, 2**20])
def test_many_threads_at_once_get_the_right_rows(size: int):
    remembered, threads = Remembered(size), 8
    start = threading.Barrier(threads)

    def use(seed: int) -> bool:
        start.wait()
        chance = np.random.default_rng(seed)
        for _ in range(60):
            texts = ["字" * int(length) for length in chance.integers(0, 12, 6)]
            rows = remembered.rows(texts, spelt)
            if [row.tolist() for row in rows] != spelt(texts).tolist():
                return False
        return True

    with ThreadPoolExecutor(threads) as pool:
        assert all(pool.map(use, range(threads)))


@pytest.fixture
def tiny() -> Tiny:
    return Tiny()


def test_each_gap_text_is_encoded_once_however_often_it_is_asked_for(tiny: Tiny):
    vectors = Vectors(tiny)
    first = vectors.of(["写材料", "招商", "写材料"])
    again = vectors.of(["招商", "写材料"])
    assert tiny.asked == [[PROBE, "写材料", "招商"]]
    assert first.tolist() == [again[1].tolist(), again[0].tolist(), again[1].tolist()]
    assert (first.dtype, first.shape) == (np.float32, (3, 8))


def test_each_course_text_is_encoded_once_and_the_order_and_number_of_mentions_do_not_matter(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课二", "课一", "课二"])
    vectors.learn(["课一", "课三"])
    vectors.learn(["课三", "课二"])
    vectors.of(["课三", "课一"])
    assert tiny.asked == [[PROBE, "课一", "课二"], ["课三"]]


def test_a_version_that_takes_over_asks_the_same_encoder_for_no_text_again(tiny: Tiny):
    before, after = Vectors(tiny), Vectors(Tiny())
    expected = before.of(["课一", "课二"])
    after.go_on_from(before)
    assert after.of(["课一", "课二"]).tolist() == expected.tolist()
    assert after.encoder.asked == [[PROBE]]
    after.of(["课三"])
    assert before.of(["课三"]).tolist() == Vectors(Tiny()).of(["课三"]).tolist()
    assert tiny.asked == [[PROBE, "课一", "课二"]]


@pytest.mark.parametrize("fault", ["another name", "another model", "out of reach", "nothing asked"])
def test_a_version_goes_on_from_no_other_encoder(fault: str, tiny: Tiny):
    before, other = Vectors(tiny), Tiny()
    if fault != "nothing asked":
        before.of(["课一"])
    if fault == "another name":
        other.name = "tiny/2"
    elif fault == "another model":
        other.encode = lambda texts: -tiny.encode(texts)  # type: ignore[method-assign]
    elif fault == "out of reach":
        other.ready = False
    after = Vectors(other)
    after.go_on_from(before)
    if fault == "out of reach":
        with pytest.raises(EncoderUnavailable):
            after.of(["课一"])
    else:
        assert after.of(["课一"]).tolist() == Vectors(other).of(["课一"]).tolist()


def test_vectors_of_before_are_read_too(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课一", "课二"])
    old = Vectors.__new__(Vectors)
    old.__setstate__(vectors.__getstate__() | {"known": dict(vectors.known)})
    assert old.of(["课二", "课一"]).tolist() == vectors.of(["课二", "课一"]).tolist()
    assert old.encoder is None


def test_what_is_learnt_is_written_with_a_version_and_what_is_merely_asked_is_not(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课一"])
    course, gap = vectors.of(["课一", SECRET])
    written = pickle.dumps(vectors)
    assert not any(mark in written for mark in (SECRET.encode(), digest(SECRET), gap.astype(np.float16).tobytes()))
    assert "课一".encode() not in written
    read = pickle.loads(written)
    assert read.of(["课一"])[0].tolist() == course.tolist()
    with pytest.raises(EncoderUnavailable):
        read.of([SECRET])


def test_a_course_text_is_not_pushed_out_by_any_number_of_gap_texts(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课一"])
    vectors._recent = Remembered(16)  # One vector of eight half-precision values.
    for text in ("甲", "乙", "甲"):
        vectors.of([text])
    vectors.of(["课一"])
    assert tiny.asked == [[PROBE, "课一"], ["甲"], ["乙"], ["甲"]]


def shipped(*texts: str) -> dict[bytes, NDArray[np.float16]]:
    return {digest(text): row.astype(np.float16) for text, row in zip(texts, Tiny().encode(texts), strict=True)}


def test_a_vector_that_comes_with_the_product_is_taken_and_never_computed(tiny: Tiny):
    vectors = Vectors(tiny, shipped("写材料", "课一"))
    vectors.learn(["课一", "课二"])
    assert vectors.of(["写材料", "课一"]).tolist() == Vectors(Tiny()).of(["写材料", "课一"]).tolist()
    assert tiny.asked == [[PROBE, "课二"]]


def test_a_version_holds_what_it_learnt_but_not_what_comes_with_the_product(tiny: Tiny):
    vectors = Vectors(tiny, shipped("课一", "写材料"))
    vectors.learn(["课一"])
    written = pickle.dumps(vectors)
    assert digest("课一") in written
    assert digest("写材料") not in written
    assert pickle.loads(written).of(["课一"]).tolist() == vectors.of(["课一"]).tolist()


def test_only_the_named_texts_are_kept_of_what_was_learnt(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课一", "课二", "课三"])
    before = vectors.of(["课二"])
    vectors.forget_all_but(["课二", "课四"])
    assert set(vectors.known) == {digest("课二")}
    assert vectors.of(["课二"]).tolist() == before.tolist()
    tiny.asked.clear()
    vectors.of(["课一", "课四"])
    assert tiny.asked == [["课一", "课四"]], "a text that was named but never learnt is not known"


@given(text=st.text(max_size=20) | st.sampled_from(ODD), others=st.lists(st.text(max_size=5), max_size=3))
def test_a_text_has_the_same_vector_to_the_bit_wherever_it_comes_from(text: str, others: list[str]):
    asked = Vectors(Tiny())
    fresh = asked.of([*others, text])[-1]
    learnt = Vectors(Tiny())
    learnt.learn([text])
    read = pickle.loads(pickle.dumps(learnt))
    with_product = Vectors(Tiny(), {digest(text): learnt.known[digest(text)]})
    for vector in (asked.of([text])[0], learnt.of([text])[0], read.of([text])[0], with_product.of([text])[0]):
        assert vector.tobytes() == fresh.tobytes()
    assert np.array_equal(fresh.astype(np.float16).astype(np.float32), fresh), "half precision holds it"
    np.testing.assert_allclose(fresh, Tiny().encode([text[:LONGEST]])[0], atol=5e-4)


def test_without_an_encoder_known_texts_are_answered_and_others_say_so(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课一"])
    vectors = pickle.loads(pickle.dumps(vectors))
    assert (vectors.encoder, vectors.ready, vectors.name) == (None, False, "tiny/1")
    assert vectors.of(["课一", "课一"]).shape == (2, 8)
    for use in (vectors.of, vectors.learn):
        with pytest.raises(EncoderUnavailable, match="tiny/1"):
            use(["课一", "写材料"])
    vectors.encoder = tiny
    assert vectors.ready
    assert vectors.of(["写材料"]).shape == (1, 8)


def test_they_are_ready_when_their_encoder_is(tiny: Tiny):
    vectors = Vectors(tiny)
    assert vectors.ready
    tiny.ready = False
    assert not vectors.ready


def test_an_encoder_that_fails_leaves_no_half_learnt_text_behind(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(["课一"])
    tiny.ready = False
    for use in (vectors.of, vectors.learn):
        with pytest.raises(EncoderUnavailable):
            use(["课二"])
    assert set(vectors.known) == {digest("课一")}
    tiny.ready = True
    assert np.isfinite(vectors.of(["课一", "课二"])).all()


class Exchanged(Tiny):
    """Another model under the same name: turned by ``angle``, or with fewer ``values``."""

    def __init__(self, angle: float = 0.0, values: int = 8) -> None:
        super().__init__()
        self.angle, self.values = angle, values

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = super().encode(texts)
        turned = np.cos(self.angle) * rows + np.sin(self.angle) * rows[:, ::-1] * np.tile([1, -1], 4)
        return turned[:, : self.values].astype(np.float32)


@pytest.mark.parametrize(
    ("other", "same"),
    [(Exchanged(), True), (Exchanged(0.1), True), (Exchanged(0.2), False), (Exchanged(values=5), False)],
)
def test_an_encoder_handed_to_a_version_is_compared_once_with_the_one_it_learnt_by(other: Exchanged, same: bool):
    learnt = Vectors(Tiny())
    learnt.learn(["课一"])
    read = pickle.loads(pickle.dumps(learnt))
    read.encoder = other
    if same:
        assert read.of(["写材料"]).shape == read.of(["招商"]).shape == (1, 8)
        assert other.asked == [[PROBE, "写材料"], ["招商"]]
        return
    for use in (read.of, read.learn):
        with pytest.raises(EncoderUnavailable):
            use(["写材料"])
    assert (read.ready, len(other.asked)) == (False, 1), "then it is asked no more"
    with pytest.raises(EncoderUnavailable):
        read.learn(["课一"])
    again = pickle.loads(pickle.dumps(read))
    again.encoder = Tiny()
    assert again.ready, "read anew, a version looks anew"
    assert again.of(["课一", "写材料"]).tolist() == learnt.of(["课一", "写材料"]).tolist()


def test_odd_texts_have_vectors_like_any_other(tiny: Tiny):
    vectors = Vectors(tiny)
    vectors.learn(ODD)
    assert vectors.of(ODD).tolist() == Vectors(Tiny()).of(ODD).tolist()
    assert np.allclose(np.linalg.norm(vectors.of(ODD), axis=1), 1, atol=1e-2)
    assert len({row.tobytes() for row in vectors.of(ODD)}) == len(ODD)


def test_an_encoder_is_never_given_more_than_the_beginning_of_a_text(tiny: Tiny):
    vectors = Vectors(tiny)
    beginning = "长" * LONGEST
    assert vectors.of([beginning + "甲"]).tolist() == vectors.of([beginning + "乙", beginning])[:1].tolist()
    vectors.learn([beginning + "丙"])
    assert {text for texts in tiny.asked for text in texts} == {PROBE, beginning}


def test_many_threads_at_once_get_the_vectors_of_their_texts(tiny: Tiny):
    vectors, texts = Vectors(tiny), [f"短板{number}" for number in range(30)]
    expected = Vectors(Tiny()).of(texts).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: vectors.of(texts).tolist(), range(32)))
    assert all(one == expected for one in found)
