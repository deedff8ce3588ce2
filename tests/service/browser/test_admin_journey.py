"""The administrator's pages, help and the guide of a first run, in a browser."""

from __future__ import annotations

import pytest
from looking import Desk

PAGES = {
    "help": "/help",
    "keys": "/admin/keys",
    "accounts": "/admin/accounts",
    "audit": "/admin/audit",
    "settings": "/admin/settings",
    "erasure": "/admin/erasure",
    "jobs": "/admin/jobs",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fit_for_everybody_at_a_desk_and_on_a_phone(desk: Desk, name: str):
    desk.go(PAGES[name])
    desk.looked_at(f"60-{name}")
    desk.page.set_viewport_size({"width": 390, "height": 844})
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_nobody_is_erased_before_it_is_confirmed(desk: Desk):
    desk.go("/admin/erasure")
    desk.page.get_by_label("人员编号").fill("工号-4711")
    desk.click("下一步：确认")
    assert desk.says("抹去以后不可恢复")
    desk.looked_at("61-erasure-confirm")
    desk.click("抹去“工号-4711”")
    assert desk.says("没有找到这个编号")
    desk.looked_at("62-erasure-done")


def test_the_guide_leads_from_the_help_to_what_is_lacking_and_can_be_put_away(desk: Desk):
    desk.go("/help")
    desk.click("用样例名册试一试")
    assert desk.says("第 1 步，共 4 步")
    desk.looked_at("63-guide")
    desk.click("下一步：看缺什么")
    assert desk.says("第 2 步，共 4 步")
    desk.click("不再提示")
    assert desk.says("依据从哪里来")
    assert desk.page.get_by_text("共 4 步").count() == 0


def test_what_a_word_means_is_shown_to_the_keyboard_too(desk: Desk):
    desk.go("/roster")
    desk.click("用样例名册试一试")
    desk.page.locator(".term", has_text="层级").first.focus()
    tip = desk.page.get_by_role("tooltip")
    tip.wait_for(state="visible")
    assert "乡科级正职" in tip.inner_text()
    assert desk.page.locator(".term", has_text="层级").first.get_attribute("aria-describedby")
    assert not desk.faults()


def test_the_pages_speak_english_to_whoever_asks(desk: Desk):
    desk.go("/help")
    desk.click("English")
    assert desk.says("How to read a certificate")
    desk.looked_at("64-english")
    desk.click("中文")
    assert desk.says("怎样读最优性证明")


def test_the_first_account_shuts_the_door_and_keys_come_and_go(alone: Desk):
    name, words = "chen", "一句好记的话，比几个符号更安全"
    alone.go("/admin/accounts")
    alone.page.get_by_label("用户名").fill(name)
    for field in ("密码", "再输入一次"):
        alone.page.get_by_label(field, exact=True).first.fill(words)
    alone.click("建立账号")
    alone.go("/admin/keys")
    assert alone.says("登录")
    alone.looked_at("65-login")
    alone.page.get_by_label("用户名").fill(name)
    alone.page.get_by_label("密码").fill(words)
    alone.page.locator("main").get_by_role("button", name="登录").click()
    alone.page.get_by_label("哪个系统使用").fill("人事系统")
    alone.click("发放密钥")
    assert alone.says("到期")
    alone.looked_at("66-key")
    alone.go("/admin/keys")
    assert alone.says("已发放的密钥（1 个）")
    alone.page.get_by_text("吊销…").click()
    alone.click("吊销“人事系统”")
    assert alone.says("已吊销")
    alone.go("/admin/audit")
    assert alone.says("吊销密钥")
