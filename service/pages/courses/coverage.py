"""覆盖情况: which competencies have no course, how many people of the roster on the desk need them, and which courses nobody of it is recommended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext

from model.coverage import Use, coverage, left_over, use_of
from model.recommender import Recommender
from service.cohorts import READ, asked_of
from service.pages import desk, waiting
from service.pages.paging import Page
from service.shapes.people import dump_read
from service.shapes.schemas import dump_plan
from service.store.roles import Role
from service.wire.access import allows

bp = Blueprint("coverage", __name__)

SHOWN = 50  # Courses nobody is recommended, on a page.
PART = "used"  # The part of the desk that holds what the roster got.


@bp.get("/course-list/coverage")
@allows(Role.READER, cost=20, slow=True)
def show() -> str:
    """What the catalog leaves out, with what the roster got, where that was counted."""
    recommender = desk.recommender()
    found, use = coverage(recommender), _known(recommender)
    needed = use.needed if use else {}
    missing = sorted((one for one in found if not one.courses), key=lambda one: -needed.get(one.competency.name, 0))
    return render_template(
        "coverage/show.html",
        everything=len(found),
        missing=missing,
        single=[one for one in found if one.courses == 1],
        use=use,
        roster=desk.there("read"),
        plans=g.principal.role.covers(Role.PLANNER),
        nobody=Page.of(left_over(recommender.catalog, use), request.args.get("page", ""), SHOWN) if use else None,
        courses=len(recommender.catalog),
        top=desk.limits().top,
        version=recommender.version,
    )


@bp.post("/course-list/coverage/roster")
@allows(Role.PLANNER, cost=100, slow=True)
def count() -> Any:
    """Recommend to everybody on the desk's roster, and keep what is counted of it on the desk."""
    reading, recommender = desk.reading(), desk.recommender()
    if reading is None:
        flash(gettext("工作台上还没有花名册；请先读入一份。"), "warning")
        return redirect(url_for("roster.show"), 303)
    if reading.read > current_app.config["MAX_COHORT"]:
        asked = {"suffix": READ, "month": None, "explain": "none", "answer": "", **asked_of(desk.limits())}
        people = dump_read(reading)
        return waiting.begin("recommendations", asked=asked, total=reading.read, people=people, once=True)
    plans = recommender.plans(reading.values, desk.limits())
    _lay(recommender, (dump_plan(plan, "none") for plan in plans))
    return redirect(url_for("coverage.show"), 303)


@bp.post("/course-list/coverage/collected/<job_id>")
@allows(Role.PLANNER)
def collect(job_id: str) -> Any:
    """Take what a job recommended onto the desk, counted, and forget the job."""

    def lay(told: Mapping[str, Any]) -> str:
        recommender = desk.recommender()
        if told["model_version"] == recommender.version:
            _lay(recommender, told["results"])
        return url_for("coverage.show")

    return waiting.collected(job_id, lay)


def _lay(recommender: Recommender, plans: Iterable[Mapping[str, Any]]) -> None:
    use = use_of(
        ((gap["competency"] for gap in plan["gaps"]), (one["course_id"] for one in plan["recommendations"]))
        for plan in plans
    )
    desk.lay(PART, {"of": _mark(recommender), **use._asdict()})


def _known(recommender: Recommender) -> Use | None:
    """What was counted, as long as the roster, the version and what was said of courses are still those it was counted by."""
    told = desk.take(PART)
    if told is None or told.pop("of") != _mark(recommender):
        return None
    return Use(**told)


def _mark(recommender: Recommender) -> str:
    said = f"{recommender.version}{sorted(recommender.overrides.numbers)}{desk.mark()}"
    return hashlib.sha256(said.encode()).hexdigest()
