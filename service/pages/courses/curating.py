"""待确认与调整: courses whose competencies somebody should confirm; and what was said of courses and words (停用、指定、所教能力、说法), made and taken back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from model.enrichment import STATES, proposals, to_review
from service.api.overrides import taken_back
from service.pages import desk
from service.pages.addresses import own
from service.pages.courses.sayings import KINDS, everything
from service.pages.forms import faults_told
from service.pages.paging import Page
from service.shapes.sayings import MOST_TAUGHT, OverrideIn
from service.store import overrides
from service.store.overrides import SYNONYM, TEACHES
from service.store.roles import Role
from service.wire.access import allows, by, store

bp = Blueprint("curating", __name__)

ASKED = 20  # Courses to confirm on a page.
SHOWN = 50  # Sayings on a page.
ONE = ("course_id", "gap", "person", "word", "reason")


@bp.get("/curating")
@allows(Role.PLANNER)
def show() -> str:
    """The courses whose competencies were not surely read, the least sure first."""
    recommender = desk.recommender()
    every = proposals(recommender)
    known = Counter(one.state for one in every)
    return render_template(
        "curating/show.html",
        page=Page.of(to_review(every), request.args.get("page", ""), ASKED),
        known={state: known[state] for state in STATES},
        names=[one.name for one in recommender.lexicon.competencies],
        most=MOST_TAUGHT,
        curates=g.principal.role.covers(Role.CURATOR),
    )


@bp.get("/curating/said")
@allows(Role.PLANNER)
def said() -> str:
    """What was said of courses and words, the newest first, with who, when and why."""
    recommender = desk.recommender()
    kind, reverted = request.args.get("kind", ""), request.args.get("reverted", "") == "1"
    found = everything(recommender.places, reverted=reverted)
    counts = Counter(one["kind"] for one in found)
    return render_template(
        "curating/said.html",
        kinds=KINDS,
        kind=kind if kind in KINDS else "",
        counts=counts,
        total=len(found),
        reverted=reverted,
        page=Page.of(
            [one for one in found if kind not in KINDS or one["kind"] == kind], request.args.get("page", ""), SHOWN
        ),
        names=[one.name for one in recommender.lexicon.competencies],
        curates=g.principal.role.covers(Role.CURATOR),
    )


@bp.post("/curating/said")
@allows(Role.CURATOR)
def say() -> Any:
    """Put to work what a curator says, as ``POST /overrides`` does; what does not fit comes back with the form."""
    recommender = desk.recommender()
    given, back = _given(), own(request.form.get("next") or url_for("curating.said"))
    try:
        asked = OverrideIn(recommender.catalog.row_of, recommender.lexicon).load(given)
    except ValidationError as error:
        page = render_template(
            "curating/again.html",
            kinds=KINDS,
            given=given,
            faults=faults_told(error),
            back=back,
            names=[one.name for one in recommender.lexicon.competencies],
        )
        return page, 422
    overrides.make(store(), by(), asked, recommender.titled.get(asked["course_id"]))
    flash(gettext("已记下，立即生效；重新训练后仍然有效，直到撤销。"))
    return redirect(back, 303)


@bp.post("/curating/said/<int:override_id>/revert")
@allows(Role.PLANNER)
def revert(override_id: int) -> Any:
    """Take one back: one's own, or any for those who keep the course list."""
    refused = taken_back(override_id)
    if refused is not None:
        return refused
    flash(gettext("已撤销，立即生效；记录保留。"))
    return redirect(own(request.form.get("next") or url_for("curating.said")), 303)


def _given() -> dict[str, Any]:
    """The form as the interface would be told it: what is blank was not said."""
    kind = request.form.get("kind", "")
    given: dict[str, Any] = {name: text for name in ONE if (text := request.form.get(name, "").strip())}
    names = [name.strip() for name in request.form.getlist("competencies") if name.strip()]
    if names or (kind == TEACHES and request.form.get("nothing")):
        given["competencies"] = [] if request.form.get("nothing") else names
    if kind == SYNONYM:
        given.pop("course_id", None)
    return {"kind": kind, **given}
