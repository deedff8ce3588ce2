"""What lists call their categories, and what it means to us."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.domain import Course
from model.errors import KnowledgeError
from model.files.categories import BRANCHES, Asked, Categories, asked, labels_of, load_categories, plain_answers
from model.lexicon import Lexicon


@pytest.fixture(scope="module")
def known(lexicon: Lexicon) -> Categories:
    return lexicon.categories


@pytest.mark.parametrize(
    ("text", "branch"),
    [
        ("履职能力/经济金融", "履职能力"), ("党性修养", "党性教育"), ("政治理论", "理论教育"), ("现代经济", "履职能力"), ("先进典型", "党性教育"),
        ("科学技术", "知识"), ("社会管理类", "履职能力"), ("综合支撑（行业分支）", "知识"), ("法治", "履职能力"), ("党性教育模块", "党性教育"),
        ("其他", ""), ("知识产权", ""), ("经济管理/工学", "履职能力"), ("宪法、法律和政策法规教育培训", "履职能力"), ("", ""), ("工学、经济建设", "履职能力"),
    ],
)  # fmt: skip
def test_a_label_of_any_scheme_stands_for_a_branch(known: Categories, text: str, branch: str):
    assert known.read(text).branch == branch


@pytest.mark.parametrize(
    ("text", "kept", "mode"),
    [("网络培训", "", "网络课程"), ("专题讲座", "", "线下讲授"), ("网络培训/政治理论", "政治理论", "网络课程"), ("专题讲座、工学", "工学", "线下讲授"), ("工学", "工学", "")],
)  # fmt: skip
def test_a_label_that_is_a_way_of_teaching_is_taken_out(known: Categories, text: str, kept: str, mode: str):
    said = known.read(text)
    assert (said.text, said.mode) == (kept, mode)


def test_only_labels_that_no_known_one_stands_beside_are_asked(known: Categories):
    assert known.read("经信类").unknown == ("经信类",)
    assert known.read("工学/生命科学").unknown == ("工学", "生命科学")
    assert known.read("其他").unknown == known.read("经济管理/工学").unknown == known.read("网络培训").unknown == ()


def test_an_answer_is_written_before_the_label_and_then_nothing_is_asked(known: Categories):
    answers = plain_answers([("经信 类", "知识"), ("经信类（新）", "履职能力")])
    assert answers == {"经信类": "履职能力"}
    told = known.answered("经信类", answers)
    assert (told, known.read(told).branch, known.read(told).unknown) == ("履职能力/经信类", "履职能力", ())
    assert known.answered(told, answers) == told
    assert known.answered("政治理论", answers) == "政治理论"


def test_an_answer_outranks_what_a_scheme_says(known: Categories):
    assert known.read(known.answered("社会管理", {"社会管理": "知识"})).branch == "知识"


def test_labels_are_asked_for_most_courses_first_with_the_branch_most_of_them_seem_to_teach(known: Categories):
    courses = [Course(str(n), "x", category=label) for n, label in enumerate(["甲类", "乙类", "乙类", "乙类", "法治"])]
    proposed = {"1": "知识", "2": "履职能力", "3": "履职能力"}
    assert asked(courses, known, proposed) == (Asked("乙类", 3, "履职能力"), Asked("甲类", 1, ""))


def test_of_two_branches_equally_often_taught_ours_come_in_their_order(known: Categories):
    courses = [Course("1", "x", category="甲类"), Course("2", "x", category="甲类")]
    assert asked(courses, known, {"1": BRANCHES[3], "2": BRANCHES[1]})[0].proposed == BRANCHES[1]


def test_the_labels_of_a_category_are_whole_ones_and_their_parts():
    assert {"宪法、法律", "宪法", "法律", "工学"} <= set(labels_of("宪法、法律 / 工学"))


HEAD = "scheme,label,branch,area,mode\n"


@pytest.mark.parametrize("rows", ["甲,党建,党的建设,,\n", "甲,党建,党性教育,,\n乙,党建,履职能力,,\n"])
def test_categories_that_break_their_rules_are_refused(rows: str, tmp_path: Path):
    (tmp_path / "categories.csv").write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="党建"):
        load_categories(tmp_path, ())
