"""The language of the pages, chosen by a button and kept in a cookie."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request

from service.pages.addresses import own
from service.wire.access import allows
from service.wire.cookies import encrypted_only
from service.wire.languages import COOKIE, LANGUAGES

bp = Blueprint("language", __name__)
A_YEAR = 365 * 24 * 3600


@bp.post("/language")
@allows(None)
def choose() -> Any:
    """Go back to the page in the language that was chosen."""
    response = redirect(own(request.form.get("next", "")), 303)
    if request.form.get("language") in LANGUAGES:
        response.set_cookie(
            COOKIE, request.form["language"], A_YEAR, httponly=True, samesite="Lax", secure=encrypted_only()
        )
    return response
