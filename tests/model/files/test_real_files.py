"""The readers on real files, as they came. What is absent here is skipped with its reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from model.domain import Profile, Reading, Restriction
from model.files.courselists import read_catalog
from model.files.rosters import read_roster
from model.files.tables import read_sheets
from model.lexicon import TRAINING_DATA, Lexicon
from model.titles import TitleIndex

READABLE = Path(__file__).parents[2] / "data" / "readable"
COURSE_LISTS = {"cadre_courses_1380.csv": 1380, "platform_export_287.csv": 284, "icourse163_1219.csv": 1219}


@pytest.fixture(scope="module")
def rosters(shared: Path, lexicon: Lexicon) -> dict[str, Reading[Profile]]:
    folder = shared / "judged_dev"
    return {name: read_roster(read_sheets(folder / name), lexicon) for name in ("roster.xlsx", "roster_gbk.csv")}


@pytest.fixture(scope="module")
def key(shared: Path) -> list[dict]:
    lines = (shared / "judged_dev" / "roster_key.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def sample(lexicon: Lexicon) -> Reading[Profile]:
    return read_roster(read_sheets(TRAINING_DATA / "roster_sample.xlsx"), lexicon)


def reconciled(reading: Reading) -> bool:
    return reading.read + reading.rejected + sum(reading.skipped.values()) == reading.rows


def test_the_messy_roster_reads_the_same_from_workbook_and_csv(rosters: dict[str, Reading[Profile]]):
    assert rosters["roster.xlsx"].values == rosters["roster_gbk.csv"].values


def test_the_messy_roster_gives_everybody_of_the_key_and_nobody_else(
    rosters: dict[str, Reading[Profile]], key: list[dict]
):
    for reading in rosters.values():
        assert [(person.id, person.name) for person in reading.values] == [
            (str(row["序号"]), row["name"]) for row in key
        ]
        assert reconciled(reading)
        assert (reading.rejected, reading.faults) == (0, ())


def test_no_cell_of_the_messy_roster_loses_unit_post_level_or_restriction(rosters: dict[str, Reading[Profile]]):
    people = {person.id: person for person in rosters["roster.xlsx"].values}
    assert all(person.unit and person.post and person.level is not None for person in people.values())
    assert all(person.years_in_post is not None for person in people.values())
    assert (people["4"].level, people["4"].duty, people["30"].level) == (10, "分管安全生产、应急管理", 30)
    assert [people[identity].hours_available for identity in ("3", "4", "6", "8", "9", "49")] == [
        30,
        None,
        40,
        8,
        20,
        None,
    ]
    assert people["28"].restrictions == {Restriction.ONLINE_ONLY, Restriction.NO_TRAVEL}
    assert people["50"].restrictions == frozenset()


def test_completed_courses_are_the_ones_of_the_key(
    rosters: dict[str, Reading[Profile]], key: list[dict], shared: Path, lexicon: Lexicon
):
    catalog, _ = read_catalog(read_sheets(shared / "courses" / "cadre_courses_1380.csv"), lexicon)
    titles = TitleIndex(catalog)
    found = {person.id: titles.resolve(person.completed) for person in rosters["roster.xlsx"].values}
    assert found == {str(row["序号"]): (set(row["completed"]), ()) for row in key}


@pytest.mark.parametrize("name", COURSE_LISTS)
def test_real_course_lists_read_without_a_fault_and_in_any_order(shared: Path, lexicon: Lexicon, name: str):
    (sheet,) = read_sheets(shared / "courses" / name)
    catalog, reading = read_catalog([sheet], lexicon)
    assert len(catalog) == COURSE_LISTS[name]
    assert (reconciled(reading), reading.rejected, reading.faults) == (True, 0, ())
    if not reading.skipped.get("同号被覆盖"):
        turned = replace(sheet, rows=(sheet.rows[0], *reversed(sheet.rows[1:])))
        assert read_catalog([turned], lexicon)[0].fingerprint == catalog.fingerprint


def test_the_sample_roster_splits_every_unit_from_its_post(sample: Reading[Profile]):
    written = {row[2] for row in read_sheets(TRAINING_DATA / "roster_sample.xlsx")[0].rows}
    assert all(person.unit and person.post for person in sample.values)
    people = {person.id: (person.unit, person.post) for person in sample.values}
    assert [people[identity] for identity in ("5", "9", "14", "32", "62", "66", "81")] == [
        ("市委巡察办", "正科级巡察专员"), ("市发展和改革委员会", "党组成员、副主任"), ("市生态环境局综合执法支队", "副支队长"),
        ("中共云陵县委", "常委、组织部部长"), ("东湖区桂溪街道", "党工委宣统委员"), ("东湖区桂溪街道桂溪社区", "工作者"),
        ("清江文化旅游集团", "纪委副书记、纪检监察室主任"),
    ]  # fmt: skip
    assert all(f"{person.unit}{person.post}" in written for person in sample.values)


def test_the_sample_roster_is_read_as_its_writers_meant_it(sample: Reading[Profile]):
    people = {person.id: person for person in sample.values}
    assert (sample.read, reconciled(sample), sample.faults) == (80, True, ())
    assert "“联系电话”列含个人隐私，推荐课程用不到，已略去不读。" in sample.notes
    assert "1380000" not in str(sample)
    assert [weakness.text for weakness in people["5"].weaknesses] == [
        "底稿一写就是十几页，组长说看不见问题", "会计凭证看得眼花，看不出门道",
    ]  # fmt: skip
    assert len(people["31"].weaknesses) == 5
    assert [weakness.source for weakness in people["22"].weaknesses] == ["组织评价"] * 2
    assert [weakness.text for weakness in people["66"].weaknesses] == [
        weakness.text for weakness in people["65"].weaknesses
    ]
    assert (people["1"].years_in_post, people["7"].years_in_post) == (3.5, 0.5)
    assert [people[identity].level for identity in ("2", "5", "18", "28", "33", "42", "63", "77")] == [
        20,
        30,
        30,
        20,
        0,
        10,
        0,
        None,
    ]
    assert people["14"].restrictions == {Restriction.ONLINE_ONLY, Restriction.NOT_OFF_POST}


def test_the_sample_roster_names_courses_of_the_bundled_list(sample: Reading[Profile], lexicon: Lexicon):
    catalog, _ = read_catalog(read_sheets(TRAINING_DATA / "courses.csv"), lexicon)
    titles = TitleIndex(catalog)
    unknown = {text for person in sample.values for text in titles.resolve(person.completed)[1]}
    assert unknown == {"心理急救师（初级）认证", "县域数字乡村操盘手训练营"}
    bonds = next(person for person in sample.values if person.id == "9")
    assert {catalog.courses[catalog.row_of[i]].title[:14] for i in titles.resolve(bonds.completed)[0]} == {
        "专项债券项目全流程（上）：谋", "读懂宏观经济数据（上）：GD",
    }  # fmt: skip


def test_an_old_xls_roster_reads_with_merged_units_dates_and_ditto(lexicon: Lexicon):
    reading = read_roster(read_sheets(READABLE / "roster.xls"), lexicon, today=(2025, 9))
    assert [(person.name, person.unit, person.post, person.years_in_post) for person in reading.values] == [
        ("韩立秋", "青溪县财政局", "副局长", 1.0), ("金亦文", "青溪县财政局", "预算股股长", 2.33),
    ]  # fmt: skip
    assert len({person.weaknesses for person in reading.values}) == 1
    assert reconciled(reading)
