"""Signing in and out with an account; without JavaScript."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError

from service.pages.addresses import own
from service.store import logins
from service.wire.access import COOKIE, FAILING, allows, by, counting, store
from service.wire.cookies import STALE, encrypted_only

bp = Blueprint("login", __name__)


@bp.get("/login")
@allows(None)
def form() -> Response:
    """The form, or who is signed in."""
    return _page()


@bp.post("/login")
@allows(None)
def sign_in() -> Any:
    """Set the cookie of whoever knows the password, and go on to the page that was asked for."""
    address = request.remote_addr or ""
    wait = counting().full("signing in", address, FAILING)
    if wait:
        return _page(gettext("尝试过于频繁，请 %(wait)s 秒后再试。", wait=wait), 429, {"Retry-After": str(wait)})
    token = logins.sign_in(store(), by(), request.form.get("account", "").strip(), request.form.get("password", ""))
    if token is None:
        counting().count("signing in", address, FAILING)
        return _page(_wrong(), 403)
    response = redirect(own(request.form.get("next", "")), 303)
    longest = int(logins.SIGNED_IN.total_seconds())
    response.set_cookie(COOKIE, token, longest, httponly=True, samesite="Lax", secure=encrypted_only())
    return response


@bp.post("/logout")
@allows(None)
def sign_out() -> Any:
    """Forget the token, here and in the browser."""
    token = request.cookies.get(COOKIE, "")
    g.principal = logins.signed_in(store(), token)
    logins.sign_out(store(), by(), token)
    response = redirect(url_for("login.form"), 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=encrypted_only())
    return response


@bp.errorhandler(CSRFError)
def _stale(_: CSRFError) -> Response:
    return _page(gettext(STALE), 400)


def _wrong() -> str:
    return str(
        gettext(
            "用户名或密码不对。连续 %(failures)s 次不对，账号会停用 %(minutes)s 分钟；忘记密码请找管理员重设。",
            failures=logins.FAILURES,
            minutes=logins.REST.seconds // 60,
        )
    )


def _page(trouble: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    who = logins.signed_in(store(), request.cookies.get(COOKIE, ""))
    page = render_template(
        "login.html",
        signed=who and who.id.removeprefix("account:"),
        trouble=trouble,
        account=request.form.get("account", ""),
        next=own(request.values.get("next", "")),
        open_line=request.scheme == "http" and encrypted_only(),
    )
    return make_response(page, status, headers or {})
