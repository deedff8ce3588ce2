"""补什么: what is asked of a plan; the plans that are tried, one beside the other. Nothing is saved before somebody says so."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import gettext

from model.cohort.rival import comparison_sheet
from service.pages import desk, waiting
from service.pages.plans import variants
from service.pages.plans.asking import DEFAULTS, form_of
from service.pages.plans.finding import courses_with, number_in
from service.pages.plans.making import SAVED, form_page, gone, laid, made
from service.store import plans
from service.store.roles import Role
from service.wire.access import allows, by, store

bp = Blueprint("plan", __name__)


@bp.get("/plan")
@allows(Role.PLANNER)
def show() -> Any:
    """The form, as it was filled in last or for the plan that ``from`` names, and the plans that are tried."""
    if desk.reading() is None:
        return redirect(url_for("roster.show"), 303)
    there = variants.listed()
    asked = number_in(request.args.get("from", ""))
    number = asked if asked is not None else there[-1]["number"] if there else 0
    last = variants.find(number)
    return form_page(last["form"], {}, of=number) if last else form_page(DEFAULTS, {})


@bp.post("/plan")
@allows(Role.PLANNER, cost=100)
def make() -> Any:
    """Make a plan of what was asked for."""
    return made(form_of(request.form))


@bp.get("/plan/courses")
@allows(Role.PLANNER)
def courses() -> str:
    """The courses that hold some words, each with its id, and to be put into a plan where one is named."""
    number = number_in(request.args.get("number", ""))
    return render_template("plan/found.html", number=number, **courses_with(request.args.get("q", "")))


@bp.get("/plan/compare")
@allows(Role.PLANNER)
def compare() -> Any:
    """Two plans side by side, each one on the desk or one that was saved."""
    first, second = request.args.get("first", ""), request.args.get("second", "")
    one, other = _told(first), _told(second)
    if one is None or other is None:
        return gone()
    found = variants.compared(one[1], other[1])
    return render_template(
        "plan/compare.html", step=3, found=found, sheet=comparison_sheet(found), names=(one[0], other[0])
    )


@bp.post("/plan/collected/<job_id>")
@allows(Role.PLANNER)
def collect(job_id: str) -> Any:
    """Lay on the desk what a job made, and forget the job."""
    return waiting.collected(job_id, lambda told: laid(told, told["variant"]).location)


def _told(name: str) -> tuple[str, dict[str, Any]] | None:
    """A plan that was named, with its title: the number of one on the desk, or the id of one that was saved."""
    if name.startswith(SAVED):
        kept = plans.find(store(), g.principal, name.removeprefix(SAVED))
        return (kept.title, plans.opened(store(), by(), kept.id)[0]) if kept else None
    number = number_in(name)
    found = variants.find(number) if number is not None else None
    return (gettext("方案 %(number)s", number=number), found["plan"]) if found else None
