from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.cohort.nouns import Session
from model.cohort.quotas import (
    COLUMNS,
    ROOM,
    SCREEN,
    HourAccount,
    Quota,
    Standing,
    hour_warnings,
    hours_due,
    load_quotas,
    planned_hours,
    switched_on,
)
from model.domain import Course, Profile
from model.errors import InputError, KnowledgeError
from model.lexicon import TRAINING_DATA, Lexicon
from model.reports import FOOTER
from model.training import Sources

YEARLY = Quota("Q2", "年度规定", "乡科级以下", None, 20, 90.0, 12.0, "年度", ROOM, "条例", "S", True, "")
LONG = Quota("Q1", "五年规定", "县处级以上", 30, 80, 550.0, None, "五年", ROOM, "条例", "S", True, "")
ONLINE = Quota("Q5", "网络规定", "各类干部", None, None, 50.0, None, "年度", SCREEN, "规划", "S", False, "先看看")
WANG = Profile("P1", "王三", "青溪镇政府", "镇长", level=20)


def due(person: Profile, quota: Quota = YEARLY, room: float = 0.0, screen: float = 0.0) -> HourAccount:
    return hours_due([person], [quota], {ROOM: {person.id: room}, SCREEN: {person.id: screen}})


def session(hours: float, *courses: Course, people: tuple[str, ...] = ("P1",)) -> Session:
    return Session(courses, "一门课", hours, False, "知识", 0.0, people)


@pytest.mark.parametrize(
    ("done", "planned", "standing", "share", "shortfall"),
    [
        (0, 0, Standing.MISSED, 0.0, 90.0), (0, 10, Standing.WEAK, 1 / 9, 80.0), (44.9, 0, Standing.WEAK, 44.9 / 90, 45.1),
        (45, 0, Standing.SHORT, 0.5, 45.0), (80, 9.99, Standing.SHORT, 89.99 / 90, 0.01), (80, 10, Standing.MET, 1.0, 0.0),
        (120, 0, Standing.MET, 4 / 3, 0.0), (None, 0, Standing.UNTOLD, None, None), (None, 95, Standing.UNTOLD, None, None),
    ],
)  # fmt: skip
def test_what_is_done_and_planned_decides_how_a_person_stands(
    done: float | None, planned: float, standing: Standing, share: float | None, shortfall: float | None
) -> None:
    (one,) = due(replace(WANG, hours_done=done), room=planned).due
    assert (one.standing, one.done, one.planned, one.shortfall) == (standing, done, planned, shortfall)
    assert one.share == (None if share is None else pytest.approx(share))


def test_where_training_counts_as_weak_can_be_chosen() -> None:
    people = [replace(WANG, hours_done=60.0)]
    found = {share: hours_due(people, [YEARLY], {}, share).due[0].standing for share in (0.5, 0.8)}
    assert found == {0.5: Standing.SHORT, 0.8: Standing.WEAK}


def test_hours_of_one_kind_and_period_never_count_for_another() -> None:
    person = replace(WANG, hours_done=90.0, level=30)
    found = hours_due([person], [replace(YEARLY, most_level=None), LONG, ONLINE], {})
    assert [one.standing for one in found.due] == [Standing.MET, Standing.UNTOLD, Standing.UNTOLD]
    assert due(replace(WANG, online_hours_done=20.0), ONLINE, room=99.0, screen=30.0).due[0].standing is Standing.MET


@pytest.mark.parametrize(("level", "asked"), [(0, ["Q2", "Q5"]), (20, ["Q2", "Q5"]), (30, ["Q1", "Q5"]), (90, ["Q5"])])
def test_a_quota_asks_the_levels_between_its_bounds(level: int, asked: list[str]) -> None:
    found = hours_due([replace(WANG, level=level)], [LONG, YEARLY, ONLINE], {})
    assert [one.quota.id for one in found.due] == asked


def test_somebody_without_a_level_is_asked_only_by_what_asks_everybody_and_is_counted() -> None:
    found = hours_due([replace(WANG, level=None), WANG], [LONG, YEARLY, ONLINE], {})
    assert [(one.person.level, one.quota.id) for one in found.due] == [(None, "Q5"), (20, "Q2"), (20, "Q5")]
    assert found.unplaced == 1
    assert hours_due([replace(WANG, level=None)], [ONLINE], {}).unplaced == 0


def test_planned_hours_are_those_of_each_attendee_in_class_or_on_screen() -> None:
    sessions = [
        session(2.0, Course("c1", "讲授", hours=2.0, mode="线下讲授"), people=("P1", "P2")),
        session(1.5, Course("c2", "网课", hours=1.5, mode="网络课程"), people=("P2",)),
        session(4.0, Course("c3", "直播", hours=1.0, mode="直播"), Course("c4", "研讨", mode="")),
    ]
    planned = planned_hours(sessions)
    assert {kind: dict(hours) for kind, hours in planned.items()} == {
        ROOM: {"P1": 5.0, "P2": 2.0}, SCREEN: {"P2": 1.5, "P1": 1.0},
    }  # fmt: skip


def test_quotas_are_those_switched_on_unless_others_are_named() -> None:
    quotas = (LONG, YEARLY, ONLINE)
    assert switched_on(quotas) == (LONG, YEARLY)
    assert switched_on(quotas, " q5，Q1 ") == (LONG, ONLINE)
    with pytest.raises(InputError, match="没有编号为 Q7、QX 的学时规定；可选的有 Q1、Q2、Q5"):
        switched_on(quotas, "QX,Q7,Q5")


def test_the_bundled_quotas_ask_a_section_chief_and_a_division_chief_for_what_the_regulation_says() -> None:
    quotas = switched_on(load_quotas())
    people = [replace(WANG, level=20), replace(WANG, level=30)]
    assert [(one.quota.id, one.quota.hours, one.quota.period) for one in hours_due(people, quotas, {}).due] == [
        ("Q2", 90.0, "年度"), ("Q5", 50.0, "年度"), ("Q1", 550.0, "五年"), ("Q5", 50.0, "年度"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("hours", "九十"), ("hours", "0"), ("hours", "nan"), ("period", "每月"), ("kind", "自学"), ("status", "T"), ("on", "是"),
        ("least_level", "科级"), ("days", "十二"),
    ],
)  # fmt: skip
def test_a_broken_row_of_the_file_is_named(tmp_path: Path, column: str, cell: str) -> None:
    cells = ("Q8", "某规定", "某些人", "", "20", "90", "", "年度", ROOM, "某处", "S", "1", "")
    good = dict(zip(COLUMNS, cells, strict=True))
    file = tmp_path / "quotas.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{','.join(good.values())}\n", encoding="utf-8")
    assert [(quota.hours, quota.least_level, quota.most_level, quota.on) for quota in load_quotas(tmp_path)] == [
        (90.0, None, 20, True)
    ]
    file.write_text(f"{','.join(COLUMNS)}\n{','.join({**good, column: cell}.values())}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="Q8"):
        load_quotas(tmp_path)


def test_nothing_is_learnt_from_quotas(tmp_path: Path) -> None:
    for path in TRAINING_DATA.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "quotas.csv").unlink()
    assert Sources.of(tmp_path, []).fingerprint == Sources.of(TRAINING_DATA, []).fingerprint


PEOPLE = (
    replace(WANG, hours_done=0.0),
    replace(WANG, id="P2", name=None, hours_done=30.0),
    replace(WANG, id="P3", hours_done=90.0),
    replace(WANG, id="P4"),
    replace(WANG, id="P5", level=None, hours_done=1.0),
)


def test_the_sheet_lists_everybody_who_does_not_keep_a_quota(tiny_lexicon: Lexicon) -> None:
    sheet = hour_warnings(hours_due(PEOPLE, [YEARLY], {ROOM: {"P2": 20.0}}), tiny_lexicon)
    assert list(sheet.header) == [
        "序号", "姓名", "单位及职务", "职务层次", "适用规定", "应完成学时", "已完成学时", "本方案增加", "完成率", "差额", "预警",
    ]  # fmt: skip
    assert len(sheet.widths) == len(sheet.header)
    post = ["青溪镇政府 镇长", "乡科级正职", "年度规定", 90.0]
    assert sheet.rows == [
        [1, "王三", *post, 0.0, 0.0, "0%", 90.0, "漏训"],
        [2, "P2", *post, 30.0, 20.0, "55.5%", 40.0, "未达标"],
        [3, "王三", *post, "未填", 0.0, "", None, "未填"],
    ]


def test_the_lines_below_make_the_numbers_add_up_and_tell_where_each_quota_stands(tiny_lexicon: Lexicon) -> None:
    footer = hour_warnings(hours_due(PEOPLE, [YEARLY, LONG], {}, 0.3), tiny_lexicon).footer
    assert footer[0] == "应核算 4 人次（一人适用几项规定计几次）：漏训 1、弱训 0、未达标 1、未填 1，达标 1（未列出）。"
    assert "1 人看不出层级" in footer[1]
    assert "30%" in footer[2]
    assert footer[3] == "未填：名册里没有此人这一项的已完成学时；请在“集中培训学时”列补上，没有参加的填 0。"
    assert "五年学时按整个周期核算" in footer[4]
    assert footer[5] == "Q2 年度规定：乡科级以下，年度集中培训 90 学时（或 12 天）。出处（S，已见出处）：条例 。"
    assert footer[6].startswith("Q1 五年规定")
    assert footer[-1] == FOOTER


def test_almost_done_is_not_shown_as_done(tiny_lexicon: Lexicon) -> None:
    (row,) = hour_warnings(due(replace(WANG, hours_done=89.99)), tiny_lexicon).rows
    assert row[-3:] == ["99.9%", 0.01, "未达标"]


def test_a_roster_that_tells_no_hours_gets_one_sentence_that_names_the_columns_to_add(tiny_lexicon: Lexicon) -> None:
    sheet = hour_warnings(hours_due([WANG], [YEARLY, ONLINE], {}), tiny_lexicon)
    assert sheet.rows == []
    assert sheet.footer[0].startswith("名册里没有已完成学时，无法预警；请在名册中加上“集中培训学时”“网络学时”列")


def test_where_no_quota_asks_anybody_nobody_is_told_to_add_a_column(tiny_lexicon: Lexicon) -> None:
    sheet = hour_warnings(hours_due([WANG], [LONG], {}), tiny_lexicon)
    assert sheet.footer[0].startswith("应核算 0 人次")


HOURS = st.none() | st.floats(0, 200)


@given(
    st.lists(st.tuples(st.sampled_from([None, 0, 20, 30, 90]), HOURS, HOURS, HOURS, st.floats(0, 100)), max_size=8),
    st.floats(0.01, 1),
)
def test_listed_and_kept_are_all_and_the_shortfall_fills_the_quota(people: list, weak_share: float) -> None:
    profiles = [Profile(f"P{n}", None, None, None, level, hours_done=room, online_hours_done=screen, five_year_hours_done=five)
                for n, (level, room, screen, five, _) in enumerate(people)]  # fmt: skip
    planned = {ROOM: {f"P{n}": told[-1] for n, told in enumerate(people)}}
    account = hours_due(profiles, [LONG, YEARLY, ONLINE], planned, weak_share)
    counts = Counter(one.standing for one in account.due)
    for one in account.due:
        assert (one.standing is Standing.UNTOLD) == (one.done is None) == (one.shortfall is None)
        if one.done is not None and one.shortfall is not None:
            assert (one.shortfall == 0) == (one.standing is Standing.MET)
            assert one.done + one.planned + one.shortfall >= one.quota.hours - 0.01
    sheet = hour_warnings(account, Lexicon((), (), (), (), ()))
    assert len(sheet.rows) in {0, len(account.due) - counts[Standing.MET]}
