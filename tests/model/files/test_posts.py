"""How 单位及职务 splits: values as real lists write them (the units are invented)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.files.posts import split_unit_post

SPLIT = """
青石镇|党委书记
云溪镇政府|党委副书记、镇长
白塔乡|人大主席
枫林街道|党工委委员、统战委员
东湖区桂溪街道|党工委宣统委员
石桥镇|宣传委员
石桥镇|人大副主席、工会主席（试用期一年）
石桥镇|党委委员、副镇长（正科级，挂职）
县委组织部干部科|科长
中共云陵县委|常委、组织部部长
县委|副书记、政法委书记
县委|书记（二级巡视员）
县纪委|书记
县政协|副主席
县政协|一级调研员
县人大常委会|副主任、党组成员
团县委|书记
县总工会|党组书记、常务副主席
民盟东陵县委|主任委员
县委政法委|常务副书记
县人民武装部|政治委员
县委办公室|副主任，县委督查室主任
县委|常委、县委办公室主任、县委保密委员会办公室主任兼国家保密局局长
北河区政府|区委常委、副区长
云陵县人民政府|副县长（挂职）
市发展和改革委员会|党组成员、副主任
市发展改革委|党组成员、总经济师
县财政局|党组成员副局长
县住建局|总工程师
发展和改革局|局长
市生态环境局综合执法支队|副支队长
市劳动保障监察支队|支队长
东湖区城市管理局二中队|中队长
县公安局交警大队|副大队长、三级警长
县公安局城关派出所|教导员
县农业农村局|四级调研员
县直机关工委组织部|四级主任科员
市委巡察办|正科级巡察专员
县委网信办|副主任（副科级）主持工作
市委网信办网络应急科|干部
县民政局社会救助股|工作人员
县应急管理局应急指挥中心|值班员
市信访局接访科|科员
县税务局第二税务分局（办税服务厅）|局长
市委党校（市行政学院）教务科|科长、讲师
党委（校长）办公室|主任
市纪委监委驻市财政局纪检监察组|组长
市中级人民法院民一庭|庭长、审判委员会委员
县人民检察院|一级检察官
县医院|党委副书记、工会主席
县人民医院内科|主任医师
县第一中学|副校长（主持工作）
滨江大学文学院|党委副书记
滨江大学党委统战部|副部长
滨江大学|党委常委、副校长
清江大学信息学院|专职辅导员
清江大学马克思主义学院|院长、教授
清江水务集团|总经理助理
清江文化旅游集团|纪委副书记、纪检监察室主任
东陵经济开发区|党工委书记、管委会主任
派驻上河村（市水利局）|驻村第一书记
李家庄村|党支部书记兼村委会主任
城南街道锦绣社区|党委书记
白沙县大塘镇塘头村|党支部书记助理（选调生）
云陵县茶岭乡高坡村|报账员
""".strip().splitlines()


@pytest.mark.parametrize("line", SPLIT)
def test_a_cell_splits_into_unit_and_post(line: str):
    unit, post = line.split("|")
    assert split_unit_post(unit + post) == (unit, post)
    assert split_unit_post(f" {unit}\n{post}") == (unit, post)


@pytest.mark.parametrize(
    ("text", "unit", "post"),
    [
        ("柳湾镇政府 副镇长（分管安全生产、应急管理）", "柳湾镇政府", "副镇长（分管安全生产、应急管理）"),
        ("县文旅体局 体育股股长", "县文旅体局", "体育股股长"),
        ("县委组织部 干部科 科长", "县委组织部干部科", "科长"),
        ("云溪镇政府 党委副书记 镇长", "云溪镇政府", "党委副书记、镇长"),
        ("县财政局 局  长", "县财政局", "局长"),
        ("县财政局　主　任", "县财政局", "主任"),
    ],
)
def test_a_blank_before_a_post_decides(text: str, unit: str, post: str):
    assert split_unit_post(text) == (unit, post)


@pytest.mark.parametrize(
    ("text", "unit", "post"),
    [
        ("县财政局长", "县财政局", "局长"),
        ("青石镇长", "青石镇", "镇长"),
        ("县政府办秘书科长", "县政府办秘书科", "科长"),
    ],
)
def test_a_character_shared_by_unit_and_post_serves_both(text: str, unit: str, post: str):
    assert split_unit_post(text) == (unit, post)


def test_an_assignment_for_a_time_belongs_to_the_post():
    assert split_unit_post("挂职云陵县人民政府副县长") == ("云陵县人民政府", "副县长（挂职）")


@pytest.mark.parametrize("unit", ["县信访局", "县委办公室", "县教师发展中心", "市总工会", "县人大常委会代表联络站"])
def test_without_a_post_all_of_it_is_the_unit(unit: str):
    assert split_unit_post(unit) == (unit, None)


@pytest.mark.parametrize("post", ["主任科员", "副科级干部", "党支部书记", "二级巡视员", "科长、四级调研员"])
def test_without_a_unit_all_of_it_is_the_post(post: str):
    assert split_unit_post(post) == (None, post)


def test_a_blank_cell_is_neither():
    assert split_unit_post("  ") == (None, None)


@given(st.text(st.sampled_from("县委镇政府办公室副主任书记局长、（）兼 正科级一二挂职成员"), max_size=40))
def test_nothing_but_blanks_and_marks_is_lost_and_nothing_is_invented(text: str):
    unit, post = split_unit_post(text)
    plain = text.translate({ord(mark): None for mark in " 、（）"})
    kept = ((unit or "") + (post or "")).translate({ord(mark): None for mark in " 、（）"})
    assert sorted(set(kept)) == sorted(set(plain))
    assert len(plain) <= len(kept) <= len(plain) + 1


@pytest.mark.parametrize(
    "text",
    [
        "兼" * 30_000,
        "副主任兼" * 8_000,
        "、书记" * 10_000,
        "（" * 30_000,
        "党委" * 15_000,
        "兼" * 499,
        "（" * 499,
        "、书记" * 166,
    ],
)
def test_a_hostile_cell_costs_no_time(text: str):
    began = time.process_time()
    split_unit_post(text)
    assert time.process_time() - began < 3
