"""From a messy roster to who lacks what, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from looking import Desk
from playwright.sync_api import Browser

MESSY = Path(__file__).parents[4] / "shared" / "data" / "judged_dev" / "roster.xlsx"
SAMPLE = Path(__file__).parents[3] / "training_data" / "roster_sample.xlsx"


def given(desk: Desk, file: Path) -> None:
    desk.go("/roster")
    desk.page.set_input_files("input[type=file]", file)
    desk.click("读取名册")


@pytest.fixture
def messy() -> Path:
    return MESSY if MESSY.is_file() else SAMPLE  # The messy one is no part of the repository.


def test_a_planner_sees_how_the_roster_was_read_and_who_lacks_what(desk: Desk, messy: Path):
    desk.go("/")
    desk.looked_at("01-landing")
    desk.go("/roster")
    desk.looked_at("02-roster-give")
    given(desk, messy)
    assert desk.says("读到的人")
    desk.looked_at("03-roster-read")
    desk.click("下一步：看缺什么")
    assert desk.says("共性需求")
    desk.page.locator("canvas").first.wait_for()
    desk.looked_at("04-diagnosis")
    desk.page.locator("table.heat td a").nth(3).click()
    assert desk.says("返回缺什么")
    desk.looked_at("05-cell")
    desk.page.locator("table tbody a").first.click()
    assert desk.says("推荐的课程")
    desk.looked_at("06-person")


def test_what_a_planner_rejects_is_gone_at_once(desk: Desk):
    desk.go("/roster")
    desk.click("用样例名册试一试")
    desk.go("/people/0")
    first = desk.page.locator("article h3").first.inner_text()
    desk.page.get_by_text("不采纳…").first.click()
    desk.page.get_by_label("理由（必填）").first.fill("与本单位实际不符")
    desk.page.get_by_role("button", name="不采纳", exact=True).first.click()
    assert desk.says("已记下，立即生效")
    desk.looked_at("07-rejected")
    assert desk.page.locator("article h3").first.inner_text() != first


def test_a_large_roster_is_waited_for_over_a_lost_connection_and_ends_with_its_chart(browser: Browser, address: str):
    needs = ("公文写作不规范", "一上台讲话就冒汗", "不会做群众工作", "数据看不懂")
    rows = (f"某{number},{number % 9}号镇,镇长,{needs[number % 4]}{number % 50}" for number in range(1_100))
    roster = "\n".join(("姓名,单位,职务,短板", *rows)).encode()
    # Lost answers are told on the console of the browser, where the page of other tests allows nothing.
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/roster")
    page.set_input_files("input[type=file]", {"name": "名册.csv", "mimeType": "text/csv", "buffer": roster})
    page.get_by_role("button", name="读取名册").click()
    page.route("**/progress", lambda route: route.abort())
    page.get_by_role("link", name="下一步：看缺什么").click()
    page.get_by_text("没有问到进展").wait_for(state="visible")
    page.unroute("**/progress")
    page.locator("canvas").first.wait_for(state="visible")
    assert page.url == f"{address}/diagnosis"
    context.close()


def test_without_scripts_the_numbers_are_there_all_the_same(browser: Browser, address: str):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{address}/roster")
    page.get_by_role("button", name="用样例名册试一试").click()
    page.get_by_role("link", name="下一步：看缺什么").first.click()
    assert page.locator("table.heat td a").count() > 50
    context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(desk: Desk):
    desk.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/roster"):
        desk.go(path)
        assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), path
    desk.click("用样例名册试一试")
    desk.click("下一步：看缺什么")
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    desk.looked_at("08-phone")


def test_a_file_that_is_no_roster_is_refused_with_a_way_on(desk: Desk, tmp_path: Path):
    (tmp_path / "图片.xlsx").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    desk.go("/roster")
    desk.page.set_input_files("input[type=file]", tmp_path / "图片.xlsx")
    with desk.page.expect_response(lambda answer: answer.url.endswith("/roster")) as told:
        desk.page.get_by_role("button", name="读取名册").click()
    assert told.value.status == 422
    assert desk.says("不是表格")
