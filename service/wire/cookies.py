"""Cookies of the pages: they travel encrypted and to this site alone, and no form is taken that was not made here."""

from __future__ import annotations

from apiflask import APIFlask
from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect

from service.store.database import Database
from service.wire.access import local_name
from service.wire.errors import problem
from service.wire.languages import marked

STALE = marked("这一页停留过久，或浏览器没有保存 cookie；请返回上一页，刷新后重试。")


class _Sessions(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        return encrypted_only()


def encrypted_only() -> bool:
    """Whether a cookie set now may travel over https alone: everywhere but within this machine."""
    return request.scheme != "http" or not local_name()


def init_cookies(app: APIFlask, database: Database) -> None:
    """Sign the session's cookie, and ask every form for the token it was made with. The interface takes no cookies, so it needs none; call
    this after all blueprints are known."""
    app.secret_key = database.digest("session", "cookie")
    app.session_interface = _Sessions()
    # The token is good for as long as the session is: a planner may fill in a form all afternoon.
    app.config.update(SESSION_COOKIE_NAME="quebu_session", SESSION_COOKIE_SAMESITE="Lax", WTF_CSRF_TIME_LIMIT=None)
    guard = CSRFProtect(app)
    for blueprint in app.blueprints.values():
        if (blueprint.url_prefix or "").startswith("/api/"):
            guard.exempt(blueprint)

    @app.errorhandler(CSRFError)
    def _stale(_: CSRFError) -> Response:
        return problem(400, STALE)
