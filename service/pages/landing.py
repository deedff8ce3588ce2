"""The landing page: what is running, and what to do next."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template

from model.errors import QuebuError
from service.wire.access import allows

bp = Blueprint("landing", __name__)


@bp.get("/")
@allows(None)
def index() -> str:
    """Say which version answers, and how to ask it, on the command line and over HTTP."""
    engine = current_app.extensions["quebu"]
    try:
        recommender, trouble = engine.recommender(), None
        card = engine.registry.card(recommender.version)
    except QuebuError as error:
        recommender, card, trouble = None, None, str(error)
    return render_template("landing.html", recommender=recommender, card=card, trouble=trouble)
