"""From a new course list to a version that answers, and back, in a browser."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from looking import Desk

REAL = Path(__file__).parents[4] / "shared" / "data" / "courses" / "platform_export_287.csv"
BUNDLED = Path(__file__).parents[3] / "training_data" / "courses.csv"
ROSTER = next(
    path
    for path in (REAL.parents[1] / "judged_dev" / "roster.xlsx", BUNDLED.with_name("roster_sample.xlsx"))
    if path.is_file()
)


@pytest.fixture
def new_list(tmp_path: Path) -> Path:
    """A real list as its platform exports it (the bundled one where that is not beside the repository), with a course less, a faulty cell, an unknown
    category, and three courses nobody knows what they teach."""
    known, number, category = (REAL, "id", "课程类别") if REAL.is_file() else (BUNDLED, "course_id", "branch")
    with known.open(encoding="utf-8-sig", newline="") as file:
        table = [{category: "", **row} for row in csv.DictReader(file)][1:]
    blank = dict.fromkeys(table[0], "")
    table += [
        {**blank, number: f"N{place}", "title": title} for place, title in enumerate(("随便聊聊", "下棋", "品茗"))
    ]
    table[0]["hours"] = "若干"
    table[1] |= {category: "经信类"} | ({"area": ""} if "area" in blank else {})
    content = io.StringIO()
    writer = csv.DictWriter(content, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    path = tmp_path / "新学期课程表.csv"
    path.write_text(content.getvalue(), encoding="utf-8-sig")
    return path


def activates(desk: Desk) -> None:
    """The real list has a third of the bundled courses: it is held up, and let through with a reason."""
    desk.click("启用这个版本")
    if REAL.is_file():
        assert desk.says("没有通过启用前的检查")
        desk.looked_at("45-held-up")
        desk.page.get_by_label("如确需启用，请写明理由").fill("换成平台自己的课程，缺的另行开发")
        desk.click("写明理由，仍然启用")
    assert desk.says("立即生效")


def plans_for_the_roster(desk: Desk) -> None:
    """From a messy roster to a plan, by whatever list is active."""
    desk.go("/roster")
    desk.page.set_input_files("input[type=file]", ROSTER)
    desk.click("读取名册")
    desk.click("下一步：看缺什么")
    assert desk.says("共性需求")
    desk.go("/plan")
    if REAL.is_file():  # It marks more courses as required than any class has hours for.
        desk.click("开始排")
        assert desk.says("不要求必修课全部安排")
        desk.looked_at("51-too-much-is-required")
        desk.page.get_by_label("目录中标为必修的课程必须安排").uncheck()
    desk.click("开始排")
    assert desk.says("补上了什么")
    desk.looked_at("51-plan-of-the-new-list")


def test_a_new_list_is_checked_trained_compared_activated_and_gone_back_from(desk: Desk, new_list: Path):
    desk.go("/course-list")
    desk.looked_at("40-course-list")
    desk.page.get_by_label("查找课程").fill("公文 写作")
    desk.click("查找")
    desk.page.locator("table tbody a").first.click()
    assert desk.says("补上了多少短板")
    desk.looked_at("41-course")
    desk.click("上传新课程表")
    desk.looked_at("42-new-list")
    desk.page.set_input_files("input[type=file]", new_list)
    desk.click("核对课程表")
    assert desk.says("有问题的单元格（1 处）")
    desk.looked_at("43-checked")
    desk.page.get_by_label("“经信类”归到").select_option("履职能力")
    desk.click("按更正重新核对")
    assert desk.says("已说明")
    desk.click("训练新版本")
    desk.looked_at("44-training")
    desk.go("/versions")
    assert desk.says("有一个训练正在进行")
    desk.click("看进展")
    assert desk.says("训练完成。")
    desk.click("看新版本")
    assert desk.says("质量：均值和 95% 区间")
    desk.looked_at("45-version")
    activates(desk)
    desk.looked_at("46-versions")
    desk.go("/curating")
    desk.looked_at("47-to-confirm")
    desk.page.get_by_label("另写一种能力：").first.fill("公文写作")
    desk.page.get_by_role("button", name="确认：").first.click()
    assert desk.says("已记下，立即生效")
    desk.go("/curating/said")
    assert desk.says("看过课程介绍")
    desk.page.get_by_text("补充本单位的说法…").click()
    desk.looked_at("48-said")
    desk.page.get_by_role("button", name="撤销：").first.click()
    assert desk.says("已撤销，立即生效")
    plans_for_the_roster(desk)
    desk.go("/versions")
    desk.page.get_by_role("button", name="退回 v").click()
    assert desk.says("已退回 v")


def test_what_the_catalog_leaves_out_is_shown_for_the_roster_on_the_desk(desk: Desk):
    desk.go("/roster")
    desk.click("用样例名册试一试")
    desk.go("/course-list/coverage")
    desk.click("按工作台上的名册统计")
    assert desk.says("门课没有推荐给任何人")
    desk.looked_at("49-coverage")


def test_a_word_that_does_not_fit_comes_back_to_be_changed(desk: Desk):
    desk.go("/curating/said")
    desk.page.get_by_text("补充本单位的说法…").click()
    form = desk.page.locator("details[open] form")
    form.get_by_label("本单位的说法").fill("扎口子")
    form.get_by_label("指哪种能力").fill("飞天遁地")
    form.get_by_label("理由").fill("本校的说法")
    form.get_by_role("button", name="确定").click()
    assert desk.says("不认识的能力“飞天遁地”")
    desk.looked_at("50-again")
