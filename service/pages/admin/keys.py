"""管理: keys for systems and the settings in force; the pages beside them (accounts, audit log, erasing, jobs) are modules of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from service.api.keys import KeyIn
from service.pages.admin import accounts, auditing, erasing, tasks
from service.pages.admin.meanings import MEANINGS, told_of
from service.pages.forms import passed, whole
from service.pages.paging import Page
from service.settings import SETTINGS
from service.store import keys as store_keys
from service.store import logins
from service.store.database import now
from service.store.roles import ROLE_NAMES, Role
from service.wire.access import allows, by, store

bp = Blueprint("admin", __name__)

SHOWN = 50  # Keys on a page.
PARTS = (
    ("admin.keys", lazy_gettext("密钥")),
    ("admin.accounts.listed", lazy_gettext("账号")),
    ("admin.auditing.show", lazy_gettext("审计日志")),
    ("admin.settings", lazy_gettext("设置")),
    ("admin.erasing.ask", lazy_gettext("抹去一个人")),
    ("admin.tasks.listed", lazy_gettext("任务")),
)
for _part in (accounts, auditing, erasing, tasks):
    bp.register_blueprint(_part.bp)


@bp.app_context_processor
def _navigation() -> dict[str, Any]:
    return {"administration": PARTS}


@bp.get("/admin/keys")
@allows(Role.ADMIN)
def keys() -> str:
    """The keys ever given out, the newest first, and a form for another."""
    return _page({}, {})


@bp.post("/admin/keys")
@allows(Role.ADMIN)
def create_key() -> Any:
    """Give out a key, shown on this answer and never again."""
    told = {name: request.form.get(name, "").strip() for name in ("name", "role", "days")}
    asked, wrong = passed(KeyIn(), {**told, "days": whole(told["days"])})
    # Nobody can sign in yet: who gives out a key here has to know that the pages are closed to them by it.
    if asked and g.principal.id == logins.LOCAL and not request.form.get("known"):
        asked, wrong = None, {"known": gettext("请先确认：发放后本机会话结束。")}
    if asked is None:
        return _page(told, wrong), 422
    key = store_keys.create(store(), by(), asked["name"], Role(asked["role"]), asked["days"])
    # No redirect, for the key would have to be kept somewhere on its way to the next page.
    page = render_template("admin/key.html", key=key, told=store_keys.told(store(), store_keys.identity(key)))
    return page, 201


@bp.post("/admin/keys/<key_id>/revoke")
@allows(Role.ADMIN)
def revoke_key(key_id: str) -> Any:
    """Refuse a key from now on."""
    known = store_keys.told(store(), key_id)
    if known is None:
        flash(gettext("没有这个编号的密钥。"), "warning")
    else:
        store_keys.revoke(store(), by(), key_id)
        flash(gettext("密钥“%(name)s”（%(id)s）已吊销，立即生效。", name=known.name, id=known.id))
    return redirect(url_for("admin.keys"), 303)


@bp.get("/admin/settings")
@allows(Role.ADMIN)
def settings() -> str:
    """The settings in force; what is secret is told to be set or not, and no more."""
    rows = [(setting, told_of(setting, current_app.config[setting.name])) for setting in SETTINGS]
    return render_template("admin/settings.html", rows=rows, meanings=MEANINGS)


def _page(told: dict[str, str], wrong: dict[str, str]) -> str:
    found = store_keys.listed(store())[::-1]
    return render_template(
        "admin/keys.html",
        keys=Page.of(found, request.args.get("page", ""), SHOWN),
        expired={key.id for key in found if key.expires_at and datetime.fromisoformat(key.expires_at) <= now()},
        roles=ROLE_NAMES,
        told=told,
        wrong=wrong,
        days=store_keys.DAYS,
        most=store_keys.MOST_DAYS,
        longest=store_keys.LONGEST_NAME,
        local=g.principal.id == logins.LOCAL,
    )
