from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.reader import Understanding, is_good, names_nothing
from model.recommender import Recommender


@pytest.mark.parametrize(
    "clause",
    [
        "公文写作能力强", "写作没问题", "不缺写作能力", "不需要学公文", "业务熟练", "原则性强", "不怕得罪人", "英语没有任何困难", "理论功底扎实",
        "党建工作不存在短板", "不是不懂政策", "还不错",
    ],
)  # fmt: skip
def test_what_is_good_or_not_wanted_is_no_lack(clause: str):
    assert is_good(clause)
    assert names_nothing(clause)


@pytest.mark.parametrize(
    "clause",
    [
        "执行力不强", "公文写作能力不太强", "业务不够熟练", "希望写作能力更强", "不能不加强学习", "不缺席但不发言", "没有问题意识", "没有不怕的",
        "做大做强集体经济", "怎么才能写好材料", "理论功底不扎实", "缺乏斗争精神", "不差钱就是不会花", "应急处突", "想把材料写得很好",
    ],
)  # fmt: skip
def test_a_lack_is_not_taken_for_something_good_because_of_one_word_in_it(clause: str):
    assert not is_good(clause)
    assert not names_nothing(clause)


@pytest.mark.parametrize(
    "text", ["123456", "", "   ", "……", "12.5%", "😀", "无", "英语没问题，专八", "写作强，业务熟练。"]
)
def test_a_text_without_words_or_with_nothing_but_good_names_no_lack(text: str):
    assert names_nothing(text)


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("不缺写作能力只缺招商经验", ("缺招商经验",)),
        ("公文写作没问题，但是不会应急处突", ("不会应急处突",)),
        ("不是不懂招商，是不会写材料", ("不会写材料",)),
        ("除了写材料，别的都还行", ("写材料",)),
        ("一是不会写材料，二是不懂招商引资", ("不会写材料", "不懂招商引资")),
        ("首先，不会写材料。其次，应急处突没经验。", ("不会写材料", "应急处突没经验")),
        ("不会写材料\n招商没门路", ("不会写材料", "招商没门路")),
        ("1.公文写作熟练 2.应急处突没经验", ("应急处突没经验",)),
        ("不会写材料；没有短板", ("不会写材料",)),
        ("调研走过场，蜻蜓点水", ("调研走过场，蜻蜓点水",)),
        ("公文写作能力强", ("公文写作能力强",)),
    ],
)
def test_what_is_good_is_set_aside_and_what_was_marked_is_told_apart(
    text: str, lacks: tuple[str, ...], trained: Recommender
):
    assert trained.reader.split([text])[text] == lacks


def test_who_only_says_what_is_good_is_offered_nothing(trained: Recommender):
    good, lack = trained.answer(["公文写作能力强", "公文写作能力不强"])
    assert (good.answerable, good.matches) == (False, ())
    assert lack.answerable
    assert trained.reader.understand(["公文写作能力强"])["公文写作能力强"] == Understanding(None, unclear=True)
    assert not trained.relevance(["公文写作能力强"]).any()


def test_each_of_several_lacks_has_its_best_course_among_the_first(trained: Recommender):
    text = "写材料、应急处突"
    both, writing, crisis = trained.answer([text, "写材料", "应急处突"], top=4)
    assert [match.course for match in both.matches[:2]] == [writing.matches[0].course, crisis.matches[0].course]
    assert len(both.matches) == 4


@given(st.text(max_size=60))
def test_any_text_is_read_and_a_text_of_one_clause_is_never_cut(text: str):
    assert isinstance(names_nothing(text), bool)
    assert isinstance(is_good(text), bool)
