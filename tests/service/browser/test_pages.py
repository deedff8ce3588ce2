"""Every page that a menu leads to: nothing hinders people, nothing is too heavy."""

from __future__ import annotations

import pytest
from looking import Desk

PAGES = (
    "/",
    "/roster",
    "/plan",
    "/saved",
    "/course-list",
    "/versions",
    "/curating",
    "/course-list/coverage",
    "/curating/said",
    "/admin/keys",
    "/admin/accounts",
    "/admin/audit",
    "/admin/settings",
    "/admin/erasure",
    "/admin/jobs",
    "/help",
    "/login",
)
HEAVIEST = 300_000


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """A desk with the sample roster."""
    desk.go("/roster")
    desk.click("用样例名册试一试")
    return desk


def test_nothing_on_any_page_hinders_anybody(filled: Desk):
    for path in PAGES:
        filled.go(path)
        assert filled.page.locator("h1").count() == 1, path
        filled.looked_at("page-" + path.strip("/").replace("/", "-"))


def test_every_page_fits_a_phone(filled: Desk):
    filled.page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        filled.go(path)
        assert filled.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), path


def test_pages_are_light(filled: Desk):
    heavy = {}
    for path in (*PAGES, "/diagnosis", "/people/0"):
        filled.go(path)
        weight = filled.page.evaluate(
            "performance.getEntries().filter(one => one.encodedBodySize && !one.name.includes('echarts'))"
            ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
        )
        if not 1000 < weight < HEAVIEST:
            heavy[path] = weight
    assert not heavy


def test_a_page_can_be_used_by_the_keyboard_alone(desk: Desk):
    desk.go("/roster")
    desk.page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.textContent") == "跳到正文"
    for _ in range(40):
        desk.page.keyboard.press("Tab")
        if desk.page.evaluate("document.activeElement.textContent").strip() == "用样例名册试一试":
            break
    desk.page.keyboard.press("Enter")
    assert desk.says("读到的人")


def test_the_interface_speaks_english_when_asked(desk: Desk):
    desk.go("/roster")
    desk.click("English")
    assert desk.page.locator("html").get_attribute("lang") == "en"
    assert "花名册" not in desk.page.locator("header").inner_text()
    desk.click("中文")
    assert desk.page.locator("html").get_attribute("lang") == "zh-CN"
