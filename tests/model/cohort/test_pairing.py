"""Small rosters whose best pairing can be found by trying every one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import LEXICON, NAMES, WORDS

from model.cohort import pairing
from model.cohort.pairing import LEFT_OVER, NO_LACK, NO_PARTNER, NO_STRENGTH, Between, Pairing, pair_up, pairing_sheet
from model.cohort.program import Effort
from model.domain import Gap, Profile, Reason
from model.errors import InputError
from model.reports import FOOTER
from model.selection import Needs

WRITING, CRISIS, DISCIPLINE = NAMES
UNITS, PEOPLE = Between.UNITS, Between.PEOPLE


def lack(competency: str | None, weight: float = 0.8, source: str = "组织评价", reason: Reason = Reason.LACK) -> Gap:
    return Gap(f"不会{competency}", competency, reason, None, source, weight)


def needs(identity: str, *gaps: Gap, unit: str | None = None, name: str | None = None, **scores: float) -> Needs:
    profile = Profile(identity, name, unit, scores=tuple(scores.items()))
    return Needs(profile, None, frozenset(), gaps, (False,) * len(gaps))


def paired(people: list[Needs], between: Between = UNITS) -> Pairing:
    return pair_up(people, LEXICON, between, Effort(30, 0), lambda: 0.0)


def couples(found: Pairing) -> set[tuple[str, str]]:
    return {(pair.first, pair.second) for pair in found.pairs}


def gives(people: list[Needs], between: Between) -> dict[tuple[str, str], int]:
    """What each gives each, in ten-thousandths, one competency and one person after the other."""
    groups: dict[str, list[Needs]] = {}
    for own in people:
        key = own.profile.unit if between is UNITS else own.profile.id
        if key is not None:
            groups.setdefault(key, []).append(own)
    total: dict[tuple[str, str], int] = {(a, b): 0 for a in groups for b in groups if a != b}
    for competency in NAMES:
        words = {competency, *WORDS[competency]}
        mean: dict[str, float] = {}
        short, tests = set(), {}
        for key, group in groups.items():
            weights = [
                max((g.weight for g in own.gaps if g.reason is Reason.LACK and g.competency == competency), default=0.0)
                for own in group
            ]
            mean[key] = sum(round(weight * 100) for weight in weights) / len(group)
            if sum(weight > 0 for weight in weights) / len(group) >= 0.1:
                short.add(key)
            marks = [[score for subject, score in own.profile.scores if subject in words] for own in group]
            tests[key] = [min(found) for found in marks if found]
        for giver, taker in total:
            if giver in short or taker not in short:
                continue
            stated = sum(
                any(g.reason is Reason.LACK and g.competency and g.source != "测试" for g in own.gaps)
                for own in groups[giver]
            )
            strength = 0.0
            if tests[giver]:
                strength = 100 * sum(mark >= 80 for mark in tests[giver]) / len(tests[giver])
            elif stated >= 3:
                strength = 50 * (1 - mean[giver] / max(mean.values()))
            total[giver, taker] += round(strength) * round(mean[taker])
    return total


def every_pairing(keys: list[str]) -> Iterator[list[tuple[str, str]]]:
    if not keys:
        yield []
        return
    first, *rest = keys
    yield from every_pairing(rest)
    for other in rest:
        for more in every_pairing([key for key in rest if key != other]):
            yield [(first, other), *more]


@st.composite
def rosters(draw: st.DrawFn) -> tuple[list[Needs], Between]:
    between = draw(st.sampled_from([UNITS, PEOPLE]))
    gaps = st.builds(
        lack,
        st.sampled_from([*NAMES, *NAMES, None]),
        st.sampled_from([0.54, 0.72, 0.8, 1.0]),
        st.sampled_from(["组织评价", "测试"]),
        st.sampled_from([Reason.LACK, Reason.LACK, Reason.LACK, Reason.DUTY]),
    )
    subjects = st.sampled_from([WRITING, "写材料", CRISIS, "现场指挥", DISCIPLINE, "书法"])
    scores = st.dictionaries(subjects, st.sampled_from([50.0, 79.9, 80.0, 95.0]), max_size=3)
    people = []
    for number in range(draw(st.integers(0, 7))):
        for member in range(draw(st.integers(1, 4)) if between is UNITS else 1):
            unit = draw(st.sampled_from([f"单位{number}"] * 9 + [None]))
            stated = draw(st.lists(gaps, max_size=2))
            people.append(needs(f"P{number}{member}", *stated, unit=unit, **draw(scores)))
    return people, between


@settings(max_examples=400, deadline=None)
@given(rosters())
def test_no_pairing_is_worth_more_and_all_reasons_reconcile(world: tuple[list[Needs], Between]):
    people, between = world
    found, given_to = paired(*world), gives(people, between)
    keys = sorted({key for pair in given_to for key in pair})
    mutual = {
        (a, b): given_to[a, b] + given_to[b, a] for a, b in combinations(keys, 2) if given_to[a, b] and given_to[b, a]
    }
    best = max(sum(mutual[pair] for pair in some) for some in every_pairing(keys) if set(some) <= set(mutual))
    assert found.certificate.objective == found.certificate.bound == best / 10_000
    assert found.certificate.status == "optimal"
    assert sum(round(pair.value * 10_000) for pair in found.pairs) == best
    for pair in found.pairs:
        assert pair.first_gives
        assert pair.second_gives
        amounts = [[round(gift.amount * 10_000) for gift in side] for side in (pair.first_gives, pair.second_gives)]
        assert all(side == sorted(side, reverse=True) for side in amounts)
        there, back = given_to[pair.first, pair.second], given_to[pair.second, pair.first]
        assert [sum(side) for side in amounts] == [there, back]
        assert round(pair.value * 10_000) == there + back
    told = [key for pair in found.pairs for key in (pair.first, pair.second)] + [key for key, _ in found.alone]
    everybody = {own.profile.unit if between is UNITS else own.profile.id for own in people} - {None}
    assert sorted(told) == sorted(everybody), "each in one pair, or alone"
    left = sorted(key for key, why in found.alone if why == LEFT_OVER)
    assert not set(combinations(left, 2)) & set(mutual)
    assert {key for pair in mutual for key in pair} >= set(left)


@settings(max_examples=50, deadline=None)
@given(rosters(), st.randoms())
def test_the_order_of_the_roster_decides_nothing(world: tuple[list[Needs], Between], chance):
    people, between = world
    shuffled = list(people)
    chance.shuffle(shuffled)
    assert paired(people, between) == paired(people, between)
    assert couples(paired(shuffled, between)) == couples(paired(people, between))


@settings(max_examples=100, deadline=None)
@given(rosters())
def test_where_not_all_pairs_are_looked_at_the_bound_still_holds(world: tuple[list[Needs], Between]):
    whole = paired(*world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "MOST_PAIRS", 0)
        patch.setattr(pairing, "PARTNERS", 1)
        some = paired(*world)
    assert some.certificate.objective <= whole.certificate.objective <= some.certificate.bound
    assert sum(pair.value for pair in some.pairs) == pytest.approx(some.certificate.objective)
    assert bool(some.notes and "互补的组合有" in some.notes[-1]) == bool(some.pairs)
    assert len({key for pair in couples(some) for key in pair}) == 2 * len(some.pairs)


def town(unit: str, *people: tuple[tuple[Gap, ...], dict[str, float]]) -> list[Needs]:
    return [needs(f"{unit}{place}", *gaps, unit=unit, **scores) for place, (gaps, scores) in enumerate(people)]


TOWN = town("甲镇", ((lack(CRISIS),), {WRITING: 85}), ((), {WRITING: 90}), ((), {"写材料": 70}))
BUREAU = town("乙局", ((lack(WRITING),), {CRISIS: 80}), ((lack(WRITING, 1.0), lack(WRITING, 0.6)), {}))


def test_two_units_that_complement_each_other_are_paired_with_the_evidence():
    (pair,) = paired([*TOWN, *BUREAU]).pairs
    # 乙局: its only tested person is good, and 0.8 over three people is lacked; 甲镇: two of three are good, (0.8 + 1.0) / 2 is lacked.
    assert (pair.first, pair.second, pair.value) == ("乙局", "甲镇", pytest.approx(0.27 * 1.0 + 0.67 * 0.9))
    assert [gift.text for gift in (*pair.first_gives, *pair.second_gives)] == [
        "乙局在“应急处突”方面有人成绩优良（测试 1 人，其中 1 人 80 分以上），甲镇 3 人中 1 人欠缺",
        "甲镇在“公文写作”方面有人成绩优良（测试 3 人，其中 2 人 80 分以上），乙局 2 人中 2 人欠缺",
    ]


def test_what_nobody_names_counts_half_and_is_told_as_the_weak_evidence_it_is():
    first = town("甲", *[((lack(WRITING, 1.0),), {})] * 3)
    second = town("乙", *[((lack(CRISIS, 1.0),), {})] * 3)
    (pair,) = paired(first + second).pairs
    assert pair.value == 1.0
    assert (
        pair.first_gives[0].text
        == "乙 3 人中没有人提到欠缺“公文写作”（没有对应的测试成绩，仅作旁证），甲 3 人中 3 人欠缺"
    )
    assert not paired(first[:2] + second).pairs, "two who name lacks are too few for silence to tell anything"
    silent = town("丙", *[((), {})] * 3) + town("丁", *[((lack(CRISIS, 1.0, "测试"),), {})] * 3)
    assert not paired(first + silent).pairs, "a failed test names nothing, and who names nothing is not strong"


def test_a_few_in_a_large_unit_do_not_make_it_lack_but_are_told():
    large = town("甲", *[((lack(CRISIS),), {})] * 10, ((lack(WRITING),), {}))
    (pair,) = paired(large + town("乙", *[((lack(WRITING),), {CRISIS: 90})] * 2)).pairs
    (gift,) = pair.second_gives
    assert gift.text == "甲 11 人中只有 1 人欠缺“公文写作”（没有对应的测试成绩，仅作旁证），乙 2 人中 2 人欠缺"


def test_who_lacks_a_competency_is_not_strong_in_it_whatever_the_tests_say():
    both = [((lack(WRITING),), {WRITING: 90})]
    assert not paired(town("甲", *both) + town("乙", *both)).pairs


def test_why_units_and_people_are_left_without_a_partner():
    people = [
        needs("P1", lack(WRITING), 应急处突=85),
        needs("P2", lack(CRISIS), 公文写作=85),
        needs("P3", lack(CRISIS, 0.6), 公文写作=85),
        needs("P4", lack(CRISIS)),
        needs("P5", 公文写作=90),
        needs("P6", lack(DISCIPLINE), 公文写作=90),
        needs("P7", lack(CRISIS, reason=Reason.DUTY), 公文写作=90),
    ]
    found = paired(people, PEOPLE)
    assert couples(found) == {("P1", "P2")}
    assert found.alone == (
        ("P3", LEFT_OVER), ("P4", NO_STRENGTH), ("P5", NO_LACK), ("P6", NO_PARTNER), ("P7", NO_LACK),
    )  # fmt: skip


def test_who_names_no_unit_takes_no_part_in_pairs_of_units():
    found = paired([*TOWN, needs("P", lack(WRITING))])
    assert found.pairs == ()
    assert [key for key, _ in found.alone] == ["甲镇"]
    assert found.notes == ("1 人未填单位，没有计入。",)


def test_an_empty_roster_has_no_pairs():
    assert paired([]).pairs == paired([]).alone == ()


def test_too_many_to_pair_are_refused_with_what_would_help(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pairing, "MOST_PARTICIPANTS", 1)
    with pytest.raises(InputError, match="按单位结对"):
        paired([*TOWN, *BUREAU])


def test_the_sheet_lists_the_pairs_then_those_alone():
    people = [*TOWN, *BUREAU, *town("丙村", ((lack(DISCIPLINE),), {}))]
    found = paired(people)
    sheet = pairing_sheet(found, people)
    assert [row[:3] for row in sheet.rows] == [[1, "乙局", "甲镇"], [2, "未结对", ""]]
    assert sheet.rows[0][5] == found.pairs[0].value
    assert (sheet.rows[1][3], sheet.rows[1][-1]) == ("丙村", NO_STRENGTH)
    assert {len(row) for row in sheet.rows} == {len(sheet.header)} == {len(sheet.widths)}
    assert sheet.footer[0] == FOOTER
    assert "共 1 对，互补值合计 0.8730；任何配法都不会超过 0.8730。" in sheet.footer


def test_a_sheet_about_people_tells_no_score_and_no_value():
    people = [
        needs("P1", lack(WRITING, 0.87, "测试"), name="张三", unit="甲镇", 应急处突=85, 公文写作=19.5),
        needs("P2", lack(CRISIS), name="李四", 公文写作=93),
    ]
    (row,) = pairing_sheet(paired(people, PEOPLE), people).rows
    assert row == [
        1, "张三\n甲镇", "李四", "张三“应急处突”测试成绩优良，李四欠缺这一项", "李四“公文写作”测试成绩优良，张三欠缺这一项", "", "", "",
    ]  # fmt: skip
    assert not re.search(r"\d", "".join(str(cell) for cell in row[1:]))


def test_a_sheet_prints_three_reasons_and_counts_the_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pairing, "MOST_REASONS", 1)
    people = [
        needs("P1", lack(WRITING), lack(CRISIS, 0.6), 党纪学习教育=85),
        needs("P2", lack(DISCIPLINE), 公文写作=93, 应急处突=90),
    ]
    (row,) = pairing_sheet(paired(people, PEOPLE), people).rows
    assert str(row[4]).splitlines() == ["P2“公文写作”测试成绩优良，P1欠缺这一项", "另有 1 项"]
