"""Signing in and out, as a browser does it: forms, cookies, redirects, no script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from postgres import SECRET
from werkzeug.test import TestResponse

from service import create_app
from service.pages.addresses import OWN
from service.store import logins
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role
from service.wire.access import COOKIE, FAILING, allows

pytestmark = pytest.mark.usefixtures("cheap_passwords")

NAME, PASSWORD = "zhang.wei", "一句好记的话，比符号安全"
# Where a page has the token of its forms.
TOKENS = r'csrf_token" value="[^"]*"|"X-CSRFToken": "[^"]*"'
HTTPS = {"base_url": "https://quebu.example", "headers": {"Referer": "https://quebu.example/login"}}


@pytest.fixture
def account(database: Database) -> None:
    logins.create(database, By("test"), NAME, Role.PLANNER, PASSWORD)


@pytest.fixture
def paged(secured: APIFlask) -> APIFlask:
    """The application with a page that planners may see and change."""

    @secured.get("/planning")
    @allows(Role.PLANNER)
    def planning() -> str:
        return "seen"

    @secured.post("/planning")
    @allows(Role.PLANNER)
    def change() -> str:
        return "changed"

    return secured


@pytest.fixture
def browser(paged: APIFlask, account: None) -> FlaskClient:
    return paged.test_client()


class Inputs(HTMLParser):
    """The inputs of a page, and which of them a label names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inputs: list[dict[str, str | None]] = []
        self.labelled: set[str | None] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            self.inputs.append(dict(attrs))
        if tag == "label":
            self.labelled.add(dict(attrs)["for"])


def hidden(response: TestResponse) -> dict[str, str]:
    """What a form sends without being asked."""
    found = Inputs(response.get_data(as_text=True)).inputs
    return {
        str(one["name"]): str(one["value"]) for one in found if one["type" if "type" in one else "name"] == "hidden"
    }


def sign_in(
    browser: FlaskClient, password: str = PASSWORD, name: str = NAME, at: str = "/login", **how: Any
) -> TestResponse:
    form = hidden(browser.get(at, **how)) | {"account": name, "password": password}
    return browser.post("/login", data=form, **how)


def cookies_set(response: TestResponse, name: str) -> list[str]:
    return [line for line in response.headers.getlist("Set-Cookie") if line.startswith(f"{name}=")]


def test_a_page_asks_for_a_sign_in_and_is_shown_after_it(browser: FlaskClient):
    refused = browser.get("/planning?year=2026&unit=%E9%9D%92%E6%BA%AA")
    assert (refused.status_code, refused.get_data()) != (200, b"seen")
    assert refused.status_code == 303
    entered = sign_in(browser, at=refused.location)
    assert entered.status_code == 303
    assert browser.get(entered.location).get_data() == b"seen"
    assert entered.location.startswith("/planning?year=2026")


def test_whoever_is_signed_in_may_do_what_the_role_covers(browser: FlaskClient, paged: APIFlask):
    @paged.get("/administration")
    @allows(Role.ADMIN)
    def administration() -> str:
        return "seen"

    sign_in(browser)
    assert browser.get("/planning").status_code == 200
    assert browser.get("/administration").status_code == 403


def test_a_wrong_name_and_a_wrong_password_get_the_same_words(browser: FlaskClient):
    answers = [sign_in(browser, PASSWORD + "x"), sign_in(browser, name="nobody")]
    bodies = [re.sub(rf'{TOKENS}|account" value="[^"]*"', "", one.get_data(as_text=True)) for one in answers]
    assert bodies[0] == bodies[1]
    assert [one.status_code for one in answers] == [403, 403]
    assert not any(cookies_set(one, COOKIE) for one in answers)
    assert not any(PASSWORD in one.get_data(as_text=True) for one in answers)


def test_an_account_that_rests_is_told_nothing_else_either(browser: FlaskClient, database: Database):
    wrong = [sign_in(browser, "x").get_data(as_text=True) for _ in range(logins.FAILURES)][-1]
    assert [one.locked for one in logins.listed(database)] == [True]
    right = sign_in(browser)
    strip = re.compile(TOKENS)
    assert right.status_code == 403
    assert strip.sub("", right.get_data(as_text=True)) == strip.sub("", wrong)


def test_many_wrong_passwords_from_one_address_have_to_wait_and_others_do_not(browser: FlaskClient, database: Database):
    for number in range(FAILING):
        assert sign_in(browser, name=f"nobody{number}").status_code == 403
    refused = sign_in(browser)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "秒后再试" in refused.get_data(as_text=True)
    assert sign_in(browser, environ_overrides={"REMOTE_ADDR": "192.0.2.8"}).status_code == 303


@pytest.mark.parametrize("change", [{"csrf_token": ""}, {"csrf_token": "x.y.z"}, {"csrf_token": None}])
def test_a_form_that_was_not_made_here_is_refused_and_can_be_sent_again(browser: FlaskClient, change: dict[str, Any]):
    form = hidden(browser.get("/login")) | {"account": NAME, "password": PASSWORD} | change
    refused = browser.post("/login", data={name: value for name, value in form.items() if value is not None})
    assert refused.status_code == 400
    assert not cookies_set(refused, COOKIE)
    again = hidden(refused) | {"account": NAME, "password": PASSWORD}
    assert browser.post("/login", data=again).status_code == 303


def test_the_token_of_another_browser_is_refused(paged: APIFlask, browser: FlaskClient):
    browser.get("/login")
    form = hidden(paged.test_client().get("/login")) | {"account": NAME, "password": PASSWORD}
    assert browser.post("/login", data=form).status_code == 400


def test_a_signed_in_page_takes_no_form_without_its_token(browser: FlaskClient):
    sign_in(browser)
    refused = browser.post("/planning")
    assert (refused.status_code, refused.content_type) == (400, "application/problem+json")
    token = hidden(browser.get("/login"))["csrf_token"]
    assert browser.post("/planning", data={"csrf_token": token}).get_data() == b"changed"
    assert browser.post("/planning", headers={"X-CSRFToken": token}).get_data() == b"changed"


def test_over_https_a_form_has_to_come_from_this_site(browser: FlaskClient):
    form = hidden(browser.get("/login", **HTTPS)) | {"account": NAME, "password": PASSWORD}
    for referrer in ("https://evil.example/login", "http://quebu.example/login", ""):
        elsewhere = browser.post("/login", data=form, base_url="https://quebu.example", headers={"Referer": referrer})
        assert elsewhere.status_code == 400
    assert browser.post("/login", data=form, **HTTPS).status_code == 303


@pytest.mark.parametrize(
    ("base", "secure"),
    [
        ("http://localhost", False),
        ("http://localhost:8000", False),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://192.0.2.7:8000", True),
        ("http://quebu.example", True),
        ("http://localhost.evil.example", True),
        ("https://localhost", True),
        ("https://quebu.example", True),
    ],
)
def test_cookies_are_not_for_scripts_nor_for_other_sites_and_travel_encrypted(
    browser: FlaskClient, base: str, secure: bool
):
    entered = sign_in(browser, base_url=base, headers={"Referer": f"{base}/login"})
    page = browser.get("/login", base_url=base)
    for cookie in (*cookies_set(entered, COOKIE), *cookies_set(page, "quebu_session")):
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        assert ("; Secure" in cookie) == secure
        assert "Domain" not in cookie
    assert cookies_set(entered, COOKIE)
    # A browser does not keep such a cookie of an unencrypted page; the person has to be told why nothing happens.
    assert ("地址栏若以 http:// 开头" in page.get_data(as_text=True)) == (secure and base.startswith("http://"))


def test_behind_a_trusted_proxy_that_speaks_https_cookies_travel_encrypted(
    database: Database, tmp_path: Any, account: None
):
    url = database.url.render_as_string(hide_password=False)
    app = create_app({"REGISTRY": str(tmp_path / "r"), "DATABASE_URL": url, "SECRET": SECRET, "TRUSTED_PROXIES": 1})
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "quebu.example", "X-Forwarded-For": "192.0.2.7"}
    answer = app.test_client().get("/login", headers=proxied)
    assert "; Secure" in cookies_set(answer, "quebu_session")[0]
    assert "地址栏若以 http:// 开头" not in answer.get_data(as_text=True)
    app.extensions["quebu.store"].engine.dispose()


def test_the_cookie_ends_with_the_session_and_holds_nothing_of_the_person(browser: FlaskClient):
    (cookie,) = cookies_set(sign_in(browser), COOKIE)
    assert f"Max-Age={int(logins.SIGNED_IN.total_seconds())}" in cookie
    assert re.fullmatch(rf"{COOKIE}=[A-Za-z0-9_-]{{43}}", cookie.split(";")[0])


def test_signing_out_ends_the_session_on_the_server(browser: FlaskClient, paged: APIFlask):
    sign_in(browser)
    stolen = browser.get_cookie(COOKIE)
    assert stolen
    page = browser.get("/login")
    assert f"已登录为 {NAME}" in page.get_data(as_text=True)
    left = browser.post("/logout", data=hidden(page))
    assert (left.status_code, left.location) == (303, "/login")
    assert browser.get_cookie(COOKIE) is None
    thief = paged.test_client()
    thief.set_cookie(COOKIE, stolen.value)
    assert thief.get("/planning").status_code == 303


def test_another_site_can_neither_sign_out_nor_do_it_by_a_link(browser: FlaskClient):
    sign_in(browser)
    assert browser.post("/logout").status_code == 400
    assert browser.get("/logout").status_code == 405
    assert browser.get("/planning").status_code == 200


def test_signing_out_twice_is_no_fault(browser: FlaskClient):
    form = hidden(browser.get("/login"))
    for _ in range(2):
        assert browser.post("/logout", data=form).status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/%0d%0aSet-Cookie:x=1\r\nX: y", " //evil.example",
        "javascript:alert(1)", "evil.example", "", "/\n/evil.example", "http:/evil.example", "/login\0", "///evil.example",
    ],
)  # fmt: skip
def test_signing_in_leads_to_no_other_site(browser: FlaskClient, elsewhere: str):
    form = hidden(browser.get("/login", query_string={"next": elsewhere}))
    assert form["next"] == "/"
    entered = browser.post("/login", data=form | {"account": NAME, "password": PASSWORD, "next": elsewhere})
    assert (entered.status_code, entered.location) == (303, "/")


@given(st.text(max_size=20) | st.text("/\\:.@aé\t\n\r %", max_size=8))
def test_a_path_that_is_followed_is_one_of_this_service(path: str):
    if OWN.fullmatch(path):
        assert path.startswith("/")
        assert not re.search(r"[\\\s\0]", path)
        assert not path.startswith("//")


def test_the_form_is_labelled_in_chinese_needs_no_script_and_loads_nothing_from_elsewhere(browser: FlaskClient):
    text = browser.get("/login").get_data(as_text=True)
    found = Inputs(text)
    shown = {one.get("id") for one in found.inputs if one.get("type") != "hidden"}
    assert shown == found.labelled == {"account", "password"}
    assert 'lang="zh-CN"' in text
    assert not re.search(r'<script(?! src="/static/)|<style|\s(style|on\w+)=|https?://', text)
    kinds = {one["name"]: (one.get("type"), one.get("autocomplete")) for one in found.inputs}
    assert kinds["password"] == ("password", "current-password")
    assert kinds["account"] == (None, "username")


def test_what_was_typed_as_a_name_is_shown_again_as_text(browser: FlaskClient):
    name = '"><script>alert(1)</script>'
    text = sign_in(browser, name=name).get_data(as_text=True)
    assert "<script>" not in text
    assert name in [one.get("value") for one in Inputs(text).inputs]


def test_the_interface_takes_no_cookie(browser: FlaskClient):
    sign_in(browser)
    assert browser.get("/planning").status_code == 200
    assert browser.get("/api/v1/models").status_code == 401


def test_an_account_that_is_disabled_is_out_at_once(browser: FlaskClient, database: Database):
    sign_in(browser)
    logins.disable(database, By("test"), NAME)
    assert browser.get("/planning").status_code == 303
