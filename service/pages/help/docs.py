"""The page that shows the OpenAPI document, by Swagger UI from this service's own files."""

from __future__ import annotations

from flask import Blueprint, render_template

from service.wire.access import allows

bp = Blueprint("docs", __name__)


@bp.get("/docs")
@allows(None)
def page() -> str:
    """What can be asked, to be read and tried."""
    return render_template("docs.html")
