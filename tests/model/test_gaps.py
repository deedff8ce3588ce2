from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import GAP_KINDS, GAP_SOURCES, Gap, Profile, Reason, Weakness
from model.gaps import Understanding, duty_texts, gaps_of, kind_of, texts_of
from model.lexicon import Lexicon
from model.recommender import Recommender

MAYOR = Profile("P1", unit="青溪镇政府", post="镇长", level=20)
MEANING = {
    "写材料": "公文写作",
    "公文写作": "公文写作",
    "稿子没骨头": "公文写作",
    "一出事就慌": "应急处突",
    "应急处突": "应急处突",
    "防汛": "应急处突",
    "党纪": "党纪学习教育",
    "说不清的事": None,
    "全面": None,
}


def gaps(person: Profile, lexicon: Lexicon, **splits: tuple[str, ...]) -> tuple[Gap, ...]:
    """The gaps of one person where each text means what ``MEANING`` says."""
    lacks = {weakness.text: splits.get(weakness.text, (weakness.text,)) for weakness in person.weaknesses}
    understood = {text: Understanding(name, unclear=name is None) for text, name in MEANING.items()}
    family = lexicon.family_of(person.unit, person.post)
    return gaps_of(person, family, lexicon, lacks, understood)


def with_lacks(*weaknesses: Weakness, person: Profile = Profile("P1")) -> Profile:  # noqa: B008 (frozen)
    return replace(person, weaknesses=weaknesses)


def test_a_stated_lack_keeps_its_words_and_carries_competency_reason_kind_source_and_weight(
    tiny_lexicon: Lexicon,
) -> None:
    (gap,) = gaps(with_lacks(Weakness("一出事就慌", "经验盲区", "组织评价", 3)), tiny_lexicon)
    assert gap == Gap("一出事就慌", "应急处突", Reason.LACK, "经验盲区", "组织评价", 1.0)


def test_a_lack_without_kind_and_source_is_a_self_report_of_the_kind_its_words_tell(tiny_lexicon: Lexicon) -> None:
    (gap,) = gaps(with_lacks(Weakness("稿子没骨头")), tiny_lexicon)
    assert gap == Gap("稿子没骨头", "公文写作", Reason.LACK, "能力弱项", "本人自评", 0.72)


@pytest.mark.parametrize("source", GAP_SOURCES)
def test_what_is_stated_as_a_lack_is_a_lack_whatever_its_source(source: str, tiny_lexicon: Lexicon) -> None:
    (gap,) = gaps(with_lacks(Weakness("写材料", source=source)), tiny_lexicon)
    assert (gap.reason, gap.source) == (Reason.LACK, source)


@pytest.mark.parametrize("source", GAP_SOURCES)
def test_a_severer_lack_weighs_more_and_no_weight_leaves_0_to_1(source: str, tiny_lexicon: Lexicon) -> None:
    weights = [gaps(with_lacks(Weakness("写材料", None, source, s)), tiny_lexicon)[0].weight for s in (1, 2, 3)]
    assert 0 < weights[0] < weights[1] < weights[2] <= 1


def test_a_lack_whose_meaning_is_not_known_stays_a_gap_in_its_own_words(tiny_lexicon: Lexicon) -> None:
    (gap,) = gaps(with_lacks(Weakness("说不清的事")), tiny_lexicon)
    assert (gap.text, gap.competency) == ("说不清的事", None)


def test_a_text_of_several_lacks_becomes_several_gaps_of_one_weight_and_source(tiny_lexicon: Lexicon) -> None:
    found = gaps(with_lacks(Weakness("两样", None, "组织评价")), tiny_lexicon, 两样=("写材料", "防汛"))
    assert {(gap.text, gap.competency, gap.source, gap.weight) for gap in found} == {
        ("写材料", "公文写作", "组织评价", 0.8),
        ("防汛", "应急处突", "组织评价", 0.8),
    }


@given(
    order=st.permutations(
        [Weakness("写材料"), Weakness("写 材料", None, "组织评价", 3), Weakness("写材料", severity=1)]
    )
)
def test_what_is_stated_twice_is_one_gap_and_the_heavier_statement_counts(
    order: list[Weakness], lexicon: Lexicon
) -> None:
    understood = {text: Understanding("公文写作", unclear=False) for text in ("写材料", "写 材料")}
    lacks = {text: (text,) for text in understood}
    (gap,) = gaps_of(with_lacks(*order), None, lexicon, lacks, understood)
    assert (gap.text, gap.weight, gap.source) == ("写 材料", 1.0, "组织评价")


def test_a_failed_test_does_not_make_a_graver_statement_lighter(tiny_lexicon: Lexicon) -> None:
    stated = Weakness("公文写作", None, "组织评价", 3)
    found = gaps(replace(with_lacks(stated), scores=(("公文写作", 59.0),)), tiny_lexicon)
    assert [(gap.source, gap.weight) for gap in found] == [("组织评价", 1.0)]


def test_equal_words_of_different_reason_are_two_gaps(tiny_lexicon: Lexicon) -> None:
    found = gaps(with_lacks(Weakness("应急处突"), person=MAYOR), tiny_lexicon)
    assert [gap.reason for gap in found if gap.text == "应急处突"] == [Reason.LACK, Reason.DUTY]


@pytest.mark.parametrize(("score", "weight"), [(0.0, 1.0), (30.0, 0.8), (55.0, 0.63), (59.9, 0.6)])
def test_a_failed_test_is_a_lack_and_weighs_more_the_worse_it_is(
    score: float, weight: float, tiny_lexicon: Lexicon
) -> None:
    found = gaps(Profile("P1", scores=(("公文写作", score),)), tiny_lexicon)
    assert found == (Gap("公文写作", "公文写作", Reason.LACK, "知识空白", "测试", weight),)


@pytest.mark.parametrize("score", [60.0, 85.0, 100.0])
def test_a_passed_test_is_no_gap_and_nothing_to_understand(score: float, tiny_lexicon: Lexicon) -> None:
    person = Profile("P1", scores=(("公文写作", score),))
    assert gaps(person, tiny_lexicon) == ()
    assert texts_of(person) == []


def test_a_failed_test_in_a_subject_the_lexicon_does_not_name_is_a_gap_too(tiny_lexicon: Lexicon) -> None:
    person = Profile("P1", scores=(("党纪", 40.0), ("说不清的事", 40.0)))
    assert texts_of(person) == ["党纪", "说不清的事"]
    assert {(gap.text, gap.competency) for gap in gaps(person, tiny_lexicon)} == {
        ("党纪", "党纪学习教育"),
        ("说不清的事", None),
    }


def test_the_post_asks_for_what_its_family_and_level_need(tiny_lexicon: Lexicon) -> None:
    found = gaps(MAYOR, tiny_lexicon)
    assert [(gap.text, gap.competency, gap.reason, gap.kind, gap.source) for gap in found] == [
        ("应急处突", "应急处突", Reason.DUTY, None, "岗位要求"),
        ("党纪学习教育", "党纪学习教育", Reason.DUTY, None, "岗位要求"),
    ]


def test_the_family_that_is_handed_over_counts_and_is_not_read_again_from_unit_and_post(tiny_lexicon: Lexicon) -> None:
    understood = {text: Understanding(name, unclear=name is None) for text, name in MEANING.items()}
    asked = {
        family: [gap.competency for gap in gaps_of(MAYOR, family, tiny_lexicon, {}, understood)]
        for family in ("党政综合", None, "没有的岗位族")
    }
    everybody = ["党纪学习教育"]
    assert asked == {"党政综合": ["公文写作", *everybody], None: everybody, "没有的岗位族": everybody}


def test_a_person_of_whom_nothing_is_known_has_no_gaps(tiny_lexicon: Lexicon) -> None:
    assert gaps(Profile("P1"), tiny_lexicon) == ()


def test_in_the_first_year_the_post_asks_for_more(tiny_lexicon: Lexicon) -> None:
    def weight(years: float | None) -> float:
        return gaps(replace(MAYOR, years_in_post=years), tiny_lexicon)[0].weight

    assert weight(0.5) == 0.45
    assert weight(1.0) == weight(9.0) == weight(None) == 0.36


def test_every_lack_however_slight_weighs_more_than_what_the_post_asks_of_everybody(tiny_lexicon: Lexicon) -> None:
    person = with_lacks(Weakness("写材料", severity=1), person=MAYOR)
    assert [gap.reason for gap in gaps(person, tiny_lexicon)] == [Reason.LACK, Reason.DUTY, Reason.DUTY]


def test_a_stated_duty_stands_for_what_the_post_asks_and_never_weighs_less_than_it(tiny_lexicon: Lexicon) -> None:
    clerk = Profile("P1", unit="县政府办公室", post="秘书", duty="负责写材料")
    found = {gap.text: gap for gap in gaps(clerk, tiny_lexicon)}
    assert set(found) == {"写材料", "党纪学习教育"}
    assert found["写材料"].weight == gaps(replace(clerk, duty=None), tiny_lexicon)[0].weight == 0.45


def test_a_stated_duty_that_names_no_competency_is_no_gap(tiny_lexicon: Lexicon) -> None:
    assert gaps(Profile("P1", duty="主持全面工作"), tiny_lexicon) == ()


@pytest.mark.parametrize(
    ("duty", "texts"),
    [
        ("分管安全生产、应急管理等工作", ["安全生产", "应急管理"]),
        ("负责文稿起草；协助主任抓督查", ["文稿起草", "主任抓督查"]),
        ("主管信访工作，信访", ["信访"]),
        ("主持工作", []),
        ("", []),
        (None, []),
    ],
)
def test_a_duty_text_names_one_subject_a_piece(duty: str | None, texts: list[str]) -> None:
    assert duty_texts(Profile("P1", duty=duty)) == texts


def test_gaps_stand_heaviest_first_and_the_political_ones_first_among_equals(tiny_lexicon: Lexicon) -> None:
    found = gaps(with_lacks(Weakness("写材料"), Weakness("党纪"), Weakness("防汛", severity=3)), tiny_lexicon)
    assert [gap.text for gap in found] == ["防汛", "党纪", "写材料"]


LACKS = tuple(Weakness(text, None, source, 2) for text in ("写材料", "防汛", "党纪") for source in GAP_SOURCES[:3])


@given(order=st.permutations(LACKS))
def test_the_order_in_which_lacks_are_stated_changes_nothing(order: list[Weakness], lexicon: Lexicon) -> None:
    understood = {text: Understanding(MEANING[text], unclear=False) for text in ("写材料", "防汛", "党纪")}
    lacks = {text: (text,) for text in understood}
    person = replace(MAYOR, unit=None, post=None, level=None)
    assert gaps_of(with_lacks(*order, person=person), None, lexicon, lacks, understood) == gaps_of(
        with_lacks(*LACKS, person=person), None, lexicon, lacks, understood
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("从没处理过群体性事件，没经验", "经验盲区"),
        ("新任镇长", "经验盲区"),
        ("不懂专项债政策", "知识空白"),
        ("写材料没有观点", "能力弱项"),
    ],
)
def test_the_kind_of_a_lack_is_told_by_its_words(text: str, kind: str) -> None:
    assert kind_of(text) == kind
    assert kind in GAP_KINDS


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("写材料、保密、PPT", ("写材料", "保密", "PPT")),
        ("公文写作/招商引资", ("公文写作", "招商引资")),
        ("写材料不行，也不会应急处突", ("写材料不行", "也不会应急处突")),
        ("写材料不行、应急处突没经验", ("写材料不行", "应急处突没经验")),
        ("审批、审计", ("审批", "审计")),
        ("公文写作、招商引资、公文写作", ("公文写作", "招商引资")),
        ("专项债申报、隐性债务化解办法不多", ("专项债申报、隐性债务化解办法不多",)),
        ("招商没门路，项目“捡到篮里、都是菜”", ("招商没门路，项目“捡到篮里、都是菜”",)),
        ("公文写作（请示、报告、招商方案）", ("公文写作（请示、报告、招商方案）",)),
        ("A/B测试不会做", ("A/B测试不会做",)),
        ("公文写作、年假没休", ("公文写作、年假没休",)),
        ("写材料", ("写材料",)),
        ("、", ("、",)),
    ],
)
def test_a_text_is_split_only_where_one_lack_ends_and_another_begins(
    text: str, lacks: tuple[str, ...], trained: Recommender
) -> None:
    assert trained.reader.split([text, "写材料、保密"])[text] == lacks


@given(
    st.lists(
        st.sampled_from(["写材料", "保密", "招商不会", "也没经验", "PPT", "（一、二）", "的"]), min_size=1, max_size=5
    )
)
def test_splitting_loses_and_invents_no_words(trained: Recommender, pieces: list[str]) -> None:
    text = "、".join(pieces)
    found = trained.reader.split([text])[text]
    assert all(lack and lack in text for lack in found)
    assert set("".join(found)) >= set(text) - {"、"}


def test_texts_are_understood_by_name_by_meaning_or_as_naming_no_lack(trained: Recommender) -> None:
    reader = trained.reader
    found = reader.understand(["写 材料", "年假攒了三年，一天没休成", "起草讲话稿没有思路", "起草讲话稿没有思路"])
    assert found["写 材料"] == Understanding("公文写作", unclear=False)
    assert found["年假攒了三年，一天没休成"] == Understanding(None, unclear=True)
    assert found["起草讲话稿没有思路"].competency == "公文写作"
    assert reader.understand([]) == {}
    assert reader.split([]) == {}
