from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import KnowledgeError
from model.lexicon import (
    BANDS,
    EVERYBODY,
    MOST_DUTIES,
    TRAINING_DATA,
    Lexicon,
    PostFamily,
    Requirement,
    band_of,
    bare,
    load_lexicon,
)


def test_names_aliases_and_framework_members_lead_to_the_standard_term(tiny_lexicon: Lexicon):
    assert tiny_lexicon.named["写材料"] == tiny_lexicon.named["公文写作"] == "公文写作"
    assert tiny_lexicon.named["应急处突能力"] == "应急处突"


def test_a_standard_term_is_never_an_alias_of_another(lexicon: Lexicon):
    assert all(lexicon.named[bare(name)] == name for name in lexicon.by_name)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("乡科级正职", 20), (" 乡 科 级 正 职 ", 20), ("县处级副职（职级）", 30), ("四级主任科员", 10), ("副科级、一级主任科员", 20), ("科级以下", 0),
        ("科员", 0), ("一级科员", 0), ("六级职员", 30), ("三级警长", 10), ("青石镇镇长", 20), ("青石镇副镇长", 10), ("县委副书记、县长", 40),
        ("县长江路小学", None), ("社区长者食堂", None), ("园区长期规划", None), ("团县委书记", None), ("十三级职员", None), ("县长助理", None),
        ("副镇长（选调生）", 10), ("选调生", 0), ("局长", None), ("", None),
    ],
)  # fmt: skip
def test_levels_are_read_by_rank_words_first_and_titles_only_where_they_stand_alone(
    lexicon: Lexicon, text: str, level: int | None
):
    assert lexicon.level_of(text) == level


def test_a_rank_word_inside_the_name_of_the_unit_says_nothing_of_the_person(lexicon: Lexicon):
    assert lexicon.level_of("干事", unit="市委组织部科级干部科") is None
    assert lexicon.level_of("党工委书记", unit="东湖街道") == 20


def test_kinds_narrow_the_words_that_count(tiny_lexicon: Lexicon):
    assert tiny_lexicon.level_of("镇长") == 20
    assert tiny_lexicon.level_of("镇长", kinds=["领导职务", "职级"]) is None


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("县处级、乡科级正职", {20, 30, 40}), ("科级及以下", {0, 10, 20}), ("处级以上干部", {30, 40, 50, 60, 70, 80, 90, 100}),
        ("副科级以上公务员", {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}), ("正科级及以下", {0, 10, 20}), ("初任公务员", {0}),
        ("厅局级(含职级)", {50, 60}), ("全体党员干部", set()), ("青年干部", set()), ("", set()),
    ],
)  # fmt: skip
def test_an_audience_is_read_as_level_codes(lexicon: Lexicon, text: str, levels: set[int]):
    assert lexicon.levels_in(text) == levels


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("乡镇街道、村社区", {"乡镇街道", "村社区"}), ("高校组织党务、纪检监察巡察", {"高校组织党务", "纪检监察巡察"}), ("辅导员", {"高校学生工作"}),
        ("村（社区）党组织书记", {"村社区"}), ("乡镇党政正职", {"乡镇街道"}), ("各级领导干部", set()), ("", set()),
    ],
)  # fmt: skip
def test_an_audience_names_post_families_by_name_or_title(lexicon: Lexicon, text: str, families: set[str]):
    assert lexicon.families_in(text) == families


def test_every_family_name_leads_to_that_family_alone(lexicon: Lexicon):
    assert all(lexicon.families_in(family.name) == {family.name} for family in lexicon.families)


@pytest.mark.parametrize(
    ("unit", "post", "family"),
    [
        ("青石镇", "党委书记", "乡镇街道"), ("柳湾镇政府", "副镇长（分管安全生产、应急管理）", "乡镇街道"), ("李家庄村", "党支部书记", "村社区"),
        ("县财政局预算股", "股长", "财税金融国资审计"), ("县委组织部干部科", "科长", "组织人事"), ("清江大学信息学院", "专职辅导员", "高校学生工作"),
        ("县信访局", None, "政法信访"), (None, "县审计局局长", "财税金融国资审计"), (None, None, None), ("某处", "某职", None),
    ],
)  # fmt: skip
def test_the_post_family_follows_from_post_and_unit(
    lexicon: Lexicon, unit: str | None, post: str | None, family: str | None
):
    assert lexicon.family_of(unit, post) == family


def test_duties_come_from_family_and_band_with_what_everybody_needs_last(tiny_lexicon: Lexicon):
    assert tiny_lexicon.duties_of("党政综合", 30) == (("公文写作", 1.0), ("党纪学习教育", 0.3))
    assert tiny_lexicon.duties_of("乡镇街道", 20) == (("应急处突", 0.8), ("党纪学习教育", 0.3))
    assert tiny_lexicon.duties_of(None, 20) == (("党纪学习教育", 0.3),)
    assert tiny_lexicon.duties_of(None, None) == ()


@given(family=st.integers(-1, 34), level=st.sampled_from([None, *range(0, 101, 10)]))
def test_duties_are_few_ordered_and_weighted_between_0_and_1(lexicon: Lexicon, family: int, level: int | None):
    name = None if family < 0 else lexicon.families[family].name
    duties = lexicon.duties_of(name, level)
    weights = [weight for _, weight in duties]
    assert len(duties) <= MOST_DUTIES
    assert weights == sorted(weights, reverse=True)
    assert all(0 < weight <= 1 for weight in weights)
    assert {competency for competency, _ in duties} <= set(lexicon.by_name)


def asked(family: str = EVERYBODY, band: str = EVERYBODY, **weights: float) -> list[Requirement]:
    return [Requirement(family, band, competency, weight) for competency, weight in weights.items()]


def asking(*requirements: Requirement) -> Lexicon:
    families = tuple(PostFamily(name, "", (), (), "") for name in ("党政综合", "乡镇街道"))
    return Lexicon((), (), (), families, requirements)


def test_of_many_duties_the_heaviest_stay_and_of_equals_those_first_by_name():
    own = asked("党政综合", e=0.2, d=0.7, c=0.7, b=0.9, a=0.1)
    told = asking(*own, *asked(f=1.0)).duties_of("党政综合", 20)
    assert told == (("b", 0.9), ("c", 0.7), ("d", 0.7), ("f", 0.6))
    assert len(told) == MOST_DUTIES


def test_a_duty_that_several_ask_for_is_one_with_the_larger_weight():
    asks = asking(*asked("党政综合", a=0.5), *asked(a=0.9, b=1.0), *asked("党政综合", "乡科级", b=0.2))
    assert asks.duties_of("党政综合", 20) == (("b", 0.6), ("a", 0.54))
    assert asking(*asked("党政综合", a=0.6), *asked(a=0.9)).duties_of("党政综合", 20) == (("a", 0.6),)


@pytest.mark.parametrize("level", [None, 0, 20, 40, 7])
def test_an_unknown_family_is_asked_what_everybody_is(level: int | None):
    everybody = asked(a=1.0) + asked(EVERYBODY, "乡科级", b=0.5)
    asks = asking(*everybody, *asked("党政综合", c=1.0), *asked("没有的岗位族", d=1.0))
    expected = (("a", 0.6), ("b", 0.3)) if level == 20 else (("a", 0.6),)
    assert asks.duties_of("没有的岗位族", level) == expected
    assert asks.duties_of(None, level) == (() if level is None else expected)


def test_a_family_nothing_is_asked_of_has_no_duties():
    assert asking(*asked("党政综合", a=1.0)).duties_of("乡镇街道", 20) == ()


REQUIREMENTS = st.builds(
    Requirement,
    st.sampled_from([EVERYBODY, "党政综合", "乡镇街道"]),
    st.sampled_from([EVERYBODY, *list(BANDS)[:3]]),
    st.sampled_from("abcdef"),
    st.sampled_from([0.3, 0.5, 0.6, 1.0]),
)


@given(
    requirements=st.lists(REQUIREMENTS, max_size=12),
    family=st.sampled_from([None, "党政综合", "乡镇街道"]),
    level=st.sampled_from([None, 0, 10, 20, 40, 100]),
)
def test_duties_are_what_reading_all_requirements_anew_would_say(
    requirements: list[Requirement], family: str | None, level: int | None
):
    concerned = [
        (need.competency, need.weight * (0.6 if need.family == EVERYBODY else 1))
        for need in requirements
        if need.family in (EVERYBODY, family) and need.band in (EVERYBODY, band_of(level))
    ]
    heaviest = {name: max(weight for other, weight in concerned if other == name) for name, _ in concerned}
    ranked = sorted(heaviest.items(), key=lambda duty: (-duty[1], duty[0]))[:MOST_DUTIES]
    nobody = family is None and level is None
    assert asking(*requirements).duties_of(family, level) == (() if nobody else tuple(ranked))


def test_each_level_code_lies_in_one_band():
    codes = [code for band in BANDS.values() for code in band]
    assert sorted(codes) == list(range(0, 101, 10))
    assert (band_of(20), band_of(None), band_of(7)) == ("乡科级", None, None)


def test_knowledge_that_breaks_its_own_rules_is_refused_by_name(tmp_path: Path):
    for file in TRAINING_DATA.glob("*.csv"):
        shutil.copy(file, tmp_path)
    with (tmp_path / "post_requirements.csv").open("a", encoding="utf-8") as file:
        file.write("党政综合,全部,读心术,0.5\n")
    with pytest.raises(KnowledgeError, match="不认识的能力：读心术"):
        load_lexicon(tmp_path)
    (tmp_path / "levels.csv").unlink()
    with pytest.raises(KnowledgeError, match=r"levels\.csv.*无法读取"):
        load_lexicon(tmp_path)


@pytest.mark.parametrize(
    ("unit", "post"),
    [
        ("清江市政府", "市长"),
        ("云陵县委", "副书记、县长"),
        ("东湖区政府", "区委常委、副区长"),
        ("白沙县政协", "副主席"),
        (None, "县长"),
    ],
)
def test_who_leads_a_county_or_city_is_no_clerk_of_its_office(lexicon: Lexicon, unit: str | None, post: str):
    assert lexicon.family_of(unit, post) is None
    assert lexicon.family_of("云陵县政府办公室", "副主任") == "党政综合"
