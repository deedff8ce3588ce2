"""How the pages look where it carries meaning: colours of heat maps, names that stay in sight, phones, browsers without scripts."""

from __future__ import annotations

import pytest
from looking import Desk
from playwright.sync_api import Browser, Locator, Page

PHONE = {"width": 390, "height": 844}
DARKEST = "rgb(234, 138, 115)"


@pytest.fixture
def sampled(desk: Desk) -> Desk:
    """A desk with the sample roster."""
    desk.go("/roster")
    desk.click("用样例名册试一试")
    return desk


def background(cell: Locator) -> str:
    return str(cell.evaluate("one => getComputedStyle(one).backgroundColor"))


def test_the_cells_of_a_heat_map_are_the_darker_the_more_they_count(sampled: Desk):
    sampled.go("/diagnosis")
    assert background(sampled.page.locator("td.heat-5").first) == DARKEST
    assert background(sampled.page.locator("td[class^=heat-]:not(.heat-5)").first) not in {
        DARKEST,
        "rgb(255, 255, 255)",
    }


def test_the_heat_maps_of_a_plan_are_coloured_too(sampled: Desk):
    sampled.go("/plan")
    sampled.click("开始排")
    assert sampled.says("方案 1：专题班")
    for name in ("热力图·单位", "热力图·层级"):
        sampled.page.get_by_role("link", name=name).click()
        assert background(sampled.page.locator("td.heat-5").first) == DARKEST
        assert not sampled.faults()


def test_the_name_of_a_row_stays_in_sight_when_a_wide_table_is_scrolled(sampled: Desk):
    sampled.page.set_viewport_size(PHONE)
    sampled.go("/diagnosis")
    place = sampled.page.locator(".table-scroll", has=sampled.page.locator("table.heat"))
    place.evaluate("one => { one.scrollLeft = 400; }")
    name, whole = place.locator("tbody th").first.bounding_box(), place.bounding_box()
    assert name
    assert whole
    assert abs(name["x"] - whole["x"]) < 3


def test_on_a_phone_the_table_stands_for_the_chart_and_texts_have_room(sampled: Desk):
    sampled.page.set_viewport_size(PHONE)
    sampled.go("/diagnosis")
    assert sampled.page.locator(".chart").is_hidden()
    rows = sampled.page.locator("table:not(.heat) tbody tr")
    assert rows.count() > 5
    assert max(rows.evaluate_all("all => all.map(one => one.offsetHeight)")) < 400


def unscripted(browser: Browser, viewport: dict[str, int] | None = None) -> Page:
    return browser.new_context(java_script_enabled=False, locale="zh-CN", viewport=viewport).new_page()  # type: ignore[arg-type]


def test_without_scripts_no_empty_picture_is_announced(browser: Browser, address: str):
    page = unscripted(browser)
    page.goto(f"{address}/roster")
    page.get_by_role("button", name="用样例名册试一试").click()
    page.goto(f"{address}/diagnosis")
    assert page.get_by_role("img").count() == 0
    assert page.locator("table.heat td a").count() > 50
    page.context.close()


def test_without_scripts_the_menu_of_a_phone_stands_open(browser: Browser, address: str):
    page = unscripted(browser, PHONE)
    page.goto(f"{address}/help")
    assert page.get_by_role("navigation", name="主菜单").get_by_role("link", name="课程目录").is_visible()
    assert page.get_by_role("button", name="打开菜单").count() == 0
    page.context.close()
