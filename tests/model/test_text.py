from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import PackedNgrams, character_ngrams, plain, topic, words


def test_full_width_and_upper_case_and_marks_make_no_difference() -> None:
    assert plain("ＡＩ＋政务：怎么用？") == plain("ai+政务 怎么用") == "ai+政务 怎么用"


def test_marks_that_carry_meaning_stay() -> None:
    assert plain("C#、C++，达标率90％") == "c# c++ 达标率90%"


def test_a_text_of_marks_alone_is_empty() -> None:
    assert plain(" ——、。_ ") == ""


@given(st.text(max_size=30))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("公文写作能力不足", "公文写作"),
        ("应急处突能力有待进一步提高", "应急处突能力"),
        ("不熟悉专项债申报", "专项债申报"),
        ("缺乏基层经验", "基层经验"),
        ("数字化素养仍需加强", "数字化素养"),
        ("专业能力不足，办法不多", "专业"),
    ],
)
def test_a_topic_is_the_text_without_the_words_for_lacking(text: str, about: str) -> None:
    assert topic(text) == about


@pytest.mark.parametrize("text", ["能力不足", "短板", "不懂", "缺乏"])
def test_a_text_that_only_says_it_lacks_is_left_as_it_is(text: str) -> None:
    assert topic(text) == text


def test_a_word_for_lacking_inside_another_word_is_no_word_for_lacking() -> None:
    assert topic("做事没底线") == "做事没底线"
    assert topic("上台讲话心里没底") == "上台讲话心里"


@given(st.text(alphabet="公文写作能力不足有待加强短板，。 A", min_size=1, max_size=12))
def test_a_topic_is_empty_only_where_the_text_is(text: str) -> None:
    assert bool(topic(text)) == bool(plain(text))


def test_words_are_those_of_two_characters_or_more() -> None:
    found = words("写好公文写作的开头")
    assert "公文" in found
    assert "写作" in found
    assert "的" not in found


def test_ngrams_find_a_shared_stretch_without_any_segmentation() -> None:
    vectorizer = character_ngrams()
    rows = vectorizer.fit_transform(["公文写作", "突发事件处置"])
    closeness = (vectorizer.transform(["写材料、公文"]) @ rows.T).toarray()[0]
    assert closeness[0] > 0
    assert closeness[1] == 0


def test_ngrams_have_one_to_three_characters() -> None:
    grams = character_ngrams().fit(["公文写作"]).get_feature_names_out()
    assert {len(gram) for gram in grams} == {1, 2, 3}


def test_ngrams_read_the_normal_form() -> None:
    vectorizer = character_ngrams().fit(["ＡＩ写作"])
    assert "ai" in vectorizer.vocabulary_


TEXTS = st.text(st.sampled_from("公文写作 ，ＡＩai\x00\ud800𠮷1"), max_size=12)


@given(st.lists(TEXTS, min_size=1, max_size=6), st.sampled_from([np.float32, np.float64]))
def test_packed_ngrams_give_the_very_values_of_the_vectorizer_they_are_made_of(texts: list[str], dtype: type) -> None:
    fitted = character_ngrams(dtype).fit(["公文写作，AI写作", "突发事件处置 a1", "𠮷利"])
    expected, found = fitted.transform(texts), PackedNgrams(fitted).transform(texts)
    assert (found.dtype, found.indices.dtype, found.shape) == (expected.dtype, expected.indices.dtype, expected.shape)
    for part in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(found, part), getattr(expected, part)), part
