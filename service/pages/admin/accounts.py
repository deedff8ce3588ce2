"""账号: the accounts of people, made, disabled, enabled, given a new password. What ``quebu accounts`` does, on a page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext

from model.errors import InputError
from service.pages.paging import Page
from service.store import logins
from service.store.roles import ROLE_NAMES, Role
from service.wire.access import allows, by, store

bp = Blueprint("accounts", __name__)

SHOWN = 50  # Accounts on a page.


@bp.get("/admin/accounts")
@allows(Role.ADMIN)
def listed() -> Any:
    """All accounts by name, and a form for another."""
    return _page()


@bp.post("/admin/accounts")
@allows(Role.ADMIN)
def create() -> Any:
    """Make an account."""
    name, role = request.form.get("name", "").strip(), request.form.get("role", "")
    local = g.principal.id == logins.LOCAL
    if role not in list(Role):
        return _page(gettext("请选择角色。"))
    if local and role != Role.ADMIN:
        return _page(gettext("第一个账号请选“管理”角色：建立后本机会话结束，没有管理账号就不能再打开这几页。"))
    if _mistyped():
        return _page(gettext("两次输入的密码不同，没有建立；请重新输入。"))
    try:
        logins.create(store(), by(), name, Role(role), request.form.get("password", ""))
    except InputError as error:
        return _page(str(error))
    flash(gettext("账号“%(name)s”已建立。", name=name))
    # The local session is over: whoever made the account signs in with it.
    return redirect(url_for("login.form", next=url_for(".listed")) if local else url_for(".listed"), 303)


@bp.post("/admin/accounts/<name>/disable")
@allows(Role.ADMIN)
def disable(name: str) -> Any:
    """Let an account sign in no more; not one's own, for nobody might be left to undo it."""
    if g.principal.id == f"account:{name}":
        flash(gettext("不能停用自己正在用的账号；请由另一位管理员停用。"), "warning")
        return redirect(url_for(".listed"), 303)
    return _done(name, logins.disable, gettext("账号“%(name)s”已停用，已登录的地方都已退出。", name=name))


@bp.post("/admin/accounts/<name>/enable")
@allows(Role.ADMIN)
def enable(name: str) -> Any:
    """Let it sign in again."""
    return _done(name, logins.enable, gettext("账号“%(name)s”可以登录了。", name=name))


@bp.post("/admin/accounts/<name>/password")
@allows(Role.ADMIN)
def set_password(name: str) -> Any:
    """Give it a new password, and sign it out everywhere."""
    if _mistyped():
        flash(gettext("两次输入的密码不同，没有更改；请重新输入。"), "warning")
        return redirect(url_for(".listed"), 303)
    password = request.form.get("password", "")
    words = gettext("账号“%(name)s”的密码已重设，已登录的地方都已退出。", name=name)
    return _done(name, lambda database, who, known: logins.set_password(database, who, known, password), words)


def _mistyped() -> bool:
    return request.form.get("password", "") != request.form.get("again", "")


def _done(name: str, change: Any, words: str) -> Any:
    try:
        change(store(), by(), name)
    except InputError as error:
        flash(str(error), "warning")
    else:
        flash(words)
    return redirect(url_for(".listed"), 303)


def _page(trouble: str = "") -> Any:
    """The page; what was typed as a password is not shown again."""
    page = render_template(
        "admin/accounts.html",
        accounts=Page.of(logins.listed(store()), request.args.get("page", ""), SHOWN),
        roles=ROLE_NAMES,
        told=request.form,
        trouble=trouble,
        shortest=logins.SHORTEST_PASSWORD,
        longest=logins.LONGEST_PASSWORD,
        failures=logins.FAILURES,
        local=g.principal.id == logins.LOCAL,
        own=g.principal.id.removeprefix("account:"),
    )
    return (page, 422) if trouble else page
