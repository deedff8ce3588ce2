"""Signing in and out with an account; without JavaScript."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError

from service.store import logins
from service.wire.access import COOKIE, FAILING, allows, by, counting, store
from service.wire.cookies import STALE, encrypted_only

bp = Blueprint("login", __name__)

# The second character keeps out //other.site and /\other.site, which browsers take for another site.
OWN = re.compile(r"/(?:[\w.~%!$&'()*+,;=:@?-][\w.~%!$&'()*+,;=:@?/-]*)?")
WRONG = f"用户名或密码不对。连续 {logins.FAILURES} 次不对，账号会停用 {logins.REST.seconds // 60} 分钟；忘记密码请找管理员重设。"


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
        return _page(f"尝试过于频繁，请 {wait} 秒后再试。", 429, {"Retry-After": str(wait)})
    token = logins.sign_in(store(), by(), request.form.get("account", "").strip(), request.form.get("password", ""))
    if token is None:
        counting().count("signing in", address, FAILING)
        return _page(WRONG, 403)
    response = redirect(_own(request.form.get("next", "")), 303)
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
    return _page(STALE, 400)


def _page(trouble: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    who = logins.signed_in(store(), request.cookies.get(COOKIE, ""))
    page = render_template(
        "login.html",
        who=who and who.id.removeprefix("account:"),
        trouble=trouble,
        account=request.form.get("account", ""),
        next=_own(request.values.get("next", "")),
        open_line=request.scheme == "http" and encrypted_only(),
    )
    return make_response(page, status, headers or {})


def _own(path: str) -> str:
    """A path of this service; the first page instead of anything else, so that a link to us leads nobody to another site."""
    return path if OWN.fullmatch(path) else url_for("landing.index")
