"""帮助: what the product does, a first run step by step, what each page tells, and every word of the field with its meaning."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request

from model.cohort.nouns import Status
from model.domain import Cause
from service.pages.addresses import own
from service.pages.help import guide
from service.pages.help.glossary import MEANINGS, REMEDIES, SUBJECTS
from service.store.roles import Role
from service.wire.access import allows, seen

bp = Blueprint("manual", __name__)


@bp.get("/help")
@allows(None)
def show() -> str:
    """The whole of it on one page, so that the search of the browser finds every word."""
    who = seen()
    return render_template(
        "manual/show.html",
        subjects=SUBJECTS,
        meanings=MEANINGS,
        remedies=REMEDIES,
        causes=[cause.value for cause in Cause],
        states=[status.value for status in Status],
        plans=who is not None and who.role.covers(Role.PLANNER),
        hours=current_app.config["DESK_HOURS"],
        days=current_app.config["PLAN_DAYS"],
        job_hours=current_app.config["JOB_HOURS"],
    )


@bp.post("/help/guide")
@allows(None)
def put_away() -> Any:
    """Put the guide of the first run away, until the sample is taken anew."""
    guide.put_away()
    return redirect(own(request.form.get("next", "")), 303)
