"""From a roster to a plan that is saved and exported, in a browser."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from looking import Desk
from playwright.sync_api import Browser


@pytest.fixture
def planned(desk: Desk) -> Desk:
    """A planner before a plan for the sample."""
    desk.go("/roster")
    desk.click("用样例名册试一试")
    desk.go("/plan")
    desk.click("开始排")
    assert desk.says("方案 1：专题班")
    return desk


def dragged(desk: Desk, what: str, onto: str) -> None:
    """Take hold, move a little, and only then go where it is dropped, as a hand does."""
    mouse = desk.page.mouse
    desk.page.locator(what).first.hover()
    mouse.down()
    box = desk.page.locator(what).first.bounding_box()
    assert box
    mouse.move(box["x"] + box["width"] / 2 + 8, box["y"] + box["height"] / 2 + 8)
    desk.page.locator(onto).hover()
    desk.page.locator(onto).hover()
    mouse.up()


def test_a_newcomer_has_a_workbook_in_six_clicks(desk: Desk, tmp_path: Path):
    desk.go("/")
    begun = time.monotonic()
    desk.click("用样例名册试一试")
    desk.click("下一步：看缺什么")
    desk.click("下一步：排方案")
    desk.click("开始排")
    desk.click("保存方案")
    with desk.page.expect_download() as told:
        desk.click("下载 Excel")
    told.value.save_as(tmp_path / "plan.xlsx")
    assert time.monotonic() - begun < 60
    assert desk.clicks <= 6
    assert told.value.suggested_filename.endswith(".xlsx")
    assert (tmp_path / "plan.xlsx").read_bytes()[:2] == b"PK"


def test_a_planner_sees_what_a_plan_closes_and_who_is_missed(planned: Desk):
    planned.page.locator("canvas").first.wait_for()
    planned.looked_at("20-plan")
    planned.page.get_by_role("link", name="三张清单").click()
    assert planned.says("难题、举措、责任清单")
    planned.looked_at("21-three-lists")
    planned.page.get_by_role("link", name="热力图·单位").click()
    planned.looked_at("22-plan-heat-map")
    planned.page.get_by_role("link", name="图表").click()
    planned.page.locator("canvas").first.wait_for()
    planned.looked_at("23-plan-charts")
    planned.go("/plan")
    planned.page.get_by_text("更多要求（类别").click()
    planned.looked_at("24-plan-form")
    assert planned.page.get_by_label("每场名额").is_hidden()
    planned.page.get_by_label("班次类型").select_option("menu")
    assert planned.page.get_by_label("每场名额").is_visible()


def test_a_slider_tells_what_more_hours_would_bring(planned: Desk):
    slider = planned.page.locator("#length")
    slider.focus()
    slider.press("ArrowRight")
    assert planned.says("改为 25 学时")
    assert planned.page.locator("#length-shown").inner_text() == "25"
    planned.looked_at("25-what-if")
    planned.click("按这个条件另排一份")
    assert planned.says("方案 2：专题班")


def test_keys_pressed_one_after_another_are_one_question(planned: Desk):
    asked: list[str] = []
    planned.page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/what-if") else None)
    slider = planned.page.locator("#length")
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
    assert planned.says("改为 30 学时")
    assert len(asked) == 1
    assert "Retry-After" not in planned.page.locator("#answer").inner_text()


def test_a_slider_and_its_label_agree_after_going_back(planned: Desk):
    slider = planned.page.locator("#length")
    slider.focus()
    slider.press("ArrowRight")
    planned.go("/plan")
    planned.page.go_back(wait_until="load")
    assert planned.page.locator("#length-shown").inner_text() == planned.page.locator("#length").input_value()


def test_while_a_plan_is_made_the_page_says_so(planned: Desk):
    planned.go("/plan")
    line = planned.page.locator("#planning span")
    assert line.is_hidden()
    # The form is held where it is, so that the page can be looked at while it waits.
    held = "document.querySelector('form[data-kinds]').addEventListener('submit', event => event.preventDefault())"
    planned.page.evaluate(held)
    planned.click("开始排")
    line.wait_for(state="visible")
    assert planned.page.get_by_role("status").get_by_text("正在排").is_visible()
    assert not planned.faults()
    planned.page.evaluate("window.dispatchEvent(new Event('pageshow'))")
    assert line.is_hidden()


def test_a_course_is_dragged_out_and_another_dragged_in_and_the_price_is_told(planned: Desk):
    dragged(planned, "tr[data-drag=out]", "[data-drop=out]")
    assert planned.says("与方案 1 相比")
    planned.looked_at("26-taken-out")
    planned.page.locator("#q").fill("公文写作训练营一")
    planned.page.locator("tr[data-drag=in]").first.wait_for()
    dragged(planned, "tr[data-drag=in]", "section[data-drop=in]")
    assert planned.says("与方案 2 相比")
    assert planned.says("排入《公文写作训练营一")
    planned.page.get_by_role("link", name="并排比较").click()
    assert planned.says("补上的短板分量（目标值）")
    planned.looked_at("27-compared")


def test_a_course_is_dragged_into_a_menu(desk: Desk):
    desk.go("/roster")
    desk.click("用样例名册试一试")
    desk.go("/plan")
    desk.page.locator("#kind").select_option("menu")
    desk.page.locator("#length").fill("6")
    desk.click("开始排")
    assert desk.says("菜单选学")
    desk.page.locator("#q").fill("公文")
    desk.page.locator("tr[data-drag=in]").first.wait_for()
    dragged(desk, "tr[data-drag=in]", "p[data-drop=in]")
    assert desk.says("与方案 1 相比")
    assert desk.says("必须开设的课程")
    desk.looked_at("32-menu")


def test_a_plan_is_kept_printed_and_forgotten(planned: Desk):
    planned.page.get_by_label("方案名称").fill("浏览器里的班")
    planned.click("保存方案")
    assert planned.says("方案已保存")
    planned.looked_at("28-saved")
    planned.click("打印（A4）")
    planned.looked_at("29-on-paper")
    pages = planned.page.pdf(format="A4")
    assert pages[:4] == b"%PDF"
    planned.click("返回")
    planned.page.get_by_text("抹去姓名…").click()
    planned.click("抹去《浏览器里的班》里的姓名")
    assert planned.says("人的身份，分析保留")
    planned.page.get_by_text("删除方案…").click()
    planned.click("删除《浏览器里的班》")
    assert planned.says("已删除《浏览器里的班》")
    planned.looked_at("30-saved-list")


def test_a_plan_is_readable_on_a_phone(planned: Desk):
    planned.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/plan", "/plan/1", "/plan/1/sheets/12", "/saved"):
        planned.go(path)
        assert planned.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), path
    planned.go("/plan/1")
    planned.looked_at("31-plan-phone")


def test_without_scripts_a_plan_is_made_changed_and_saved(browser: Browser, address: str):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{address}/roster")
    page.get_by_role("button", name="用样例名册试一试").click()
    page.goto(f"{address}/plan")
    page.get_by_role("button", name="开始排").click()
    page.get_by_role("button", name="移出").first.click()
    page.get_by_text("与方案 1 相比").first.wait_for()
    page.get_by_role("button", name="算一算").click()
    page.get_by_text("返回方案 2").first.wait_for()
    page.go_back()
    page.get_by_role("button", name="保存方案").click()
    page.get_by_text("方案已保存").first.wait_for()
    context.close()
