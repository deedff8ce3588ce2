"""A plan that is tried: how good it is, what it closes, who is missed and why; a course put in or taken out; its reports; and saved at last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from model.cohort.nouns import CohortPlan
from model.domain import Profile, Reading
from model.errors import InputError
from service.api.plans import PlanIn
from service.cohorts import tried
from service.pages import desk
from service.pages.forms import faults_told
from service.pages.plans import variants
from service.pages.plans.asking import Form, asked_in, in_words_of_the_form, with_course, without
from service.pages.plans.changes import Change, changes_told, class_kind
from service.pages.plans.finding import courses_with, number_in
from service.pages.plans.making import gone, is_long, made
from service.pages.plans.seeing import seen
from service.pages.plans.sheets import shown, workbook
from service.shapes.filed import named
from service.shapes.outcome import Outcome, covered_by
from service.shapes.sheets import load_sheet
from service.store import plans
from service.store.roles import Role
from service.wire.access import allows, busy, by, store, take_place
from service.wire.languages import marked

bp = Blueprint("variant", __name__)

PATIENCE = 10.0  # Seconds of search while somebody holds a slider.


@bp.get("/plan/<int:number>")
@allows(Role.PLANNER)
def show(number: int) -> Any:
    """A plan and all that is to be seen of it at once."""
    found = variants.find(number)
    if found is None:
        return gone()
    words = request.args.get("q", "")
    return render_template(
        "plan/variant.html",
        step=3,
        number=number,
        found=found,
        form=found["form"],
        required=_required(found["plan"]),
        people=variants.called(),
        reports=[(one["name"], len(one["rows"])) for one in variants.sheets(number)],
        others=[one for one in variants.listed() if one["number"] != number],
        title=f"{class_kind(found['plan']['kind'])} {datetime.now().date()}",
        at_once=len(found["plan"]["people"]) <= current_app.config["MAX_COHORT"],
        **seen(found["plan"], request.args.get("sessions", "")),
        **(courses_with(words) if words else {"courses": [], "total": 0, "q": ""}),
    )


@bp.post("/plan/<int:number>/without")
@allows(Role.PLANNER, cost=100)
def leave_out(number: int) -> Any:
    """The same plan without a course, beside the present one."""
    found, chosen = variants.find(number), number_in(request.form.get("session", ""))
    if found is None or chosen is None or chosen >= len(found["plan"]["sessions"]):
        return gone()
    session = found["plan"]["sessions"][chosen]
    words = marked("移出《%(title)s》")
    if chosen in _required(found["plan"]):
        words = marked("移出《%(title)s》（目录中的必修课）")
    return made(without(found["form"], session["course_ids"]), [(words, {"title": session["title"]})], number)


@bp.post("/plan/<int:number>/with")
@allows(Role.PLANNER, cost=100)
def put_in(number: int) -> Any:
    """The same plan with a course that must be held, beside the present one."""
    found, course = variants.find(number), request.form.get("course_id", "")
    catalog = desk.recommender().catalog
    if found is None or course not in catalog.row_of:
        return gone()
    title = catalog.courses[catalog.row_of[course]].title
    return made(with_course(found["form"], course), [(marked("排入《%(title)s》"), {"title": title})], number)


@bp.post("/plan/<int:number>/otherwise")
@allows(Role.PLANNER, cost=100)
def otherwise(number: int) -> Any:
    """Take up other hours or seats as a plan of its own."""
    found = variants.find(number)
    if found is None:
        return gone()
    form, changes = _changed(found["form"])
    return made(form, changes, number)


@bp.post("/plan/<int:number>/what-if")
@allows(Role.PLANNER, cost=100)
def what_if(number: int) -> Any:
    """What the best plan with other hours or seats would close, beside what this one closes."""
    found, reading = variants.find(number), desk.reading()
    if found is None or reading is None:
        return gone()
    form, changes = _changed(found["form"])
    other, trouble = _tried(form, reading)
    page = "plan/what_if.html" if "HX-Request" in request.headers else "plan/what_if_page.html"
    return render_template(
        page,
        step=3,
        number=number,
        form=form,
        change=changes_told(changes),
        trouble=trouble,
        outcome=Outcome(found["plan"]),
        other=other,
        share=covered_by(other).share if other else 0.0,
    )


@bp.get("/plan/<int:number>/sheets/<int:place>")
@allows(Role.PLANNER)
def sheet(number: int, place: int) -> Any:
    """One of the reports of a plan."""
    told = variants.sheets(number) if variants.find(number) else []
    if place >= len(told):
        return gone()
    return render_template(
        "plan/sheet.html",
        step=3,
        back=(url_for("variant.show", number=number), gettext("返回方案 %(number)s", number=number)),
        to=lambda other: url_for("variant.sheet", number=number, place=other),
        further=lambda page: url_for("variant.sheet", number=number, place=place, page=page),
        shown=shown(told, place, variants.called(), request.args.get("page", "")),
        reports=[(one["name"], len(one["rows"])) for one in told],
    )


@bp.get("/plan/<int:number>/workbook")
@allows(Role.PLANNER, cost=10)
def as_workbook(number: int) -> Any:
    """The workbook of a plan that is tried."""
    if variants.find(number) is None:
        return gone()
    people = variants.called()
    sheets = [named(load_sheet(one), people) for one in variants.sheets(number)]
    return workbook(sheets, gettext("方案 %(number)s", number=number))


@bp.post("/plan/<int:number>/save")
@allows(Role.PLANNER, cost=10)
def save(number: int) -> Any:
    """Keep a plan, as ``POST /plans`` does, and its reports with it."""
    found, reading = variants.find(number), desk.reading()
    if found is None or reading is None:
        return gone()
    names = [{"id": person.id, "name": person.name} for person in reading.values if person.name]
    body = {"title": request.form.get("title", "").strip(), "plan": found["plan"], "names": names}
    try:
        asked = PlanIn().load(body)
    except ValidationError as error:
        wrong = gettext("；").join(faults_told(error))
        flash(gettext("没有保存：%(told)s。", told=wrong), "warning")
        return redirect(url_for("variant.show", number=number), 303)
    kept = plans.save(
        store(),
        by(),
        asked["title"],
        asked["plan"],
        {one["id"]: one["name"] for one in asked["names"]},
        current_app.config["PLAN_DAYS"],
        variants.sheets(number),
    )
    flash(gettext("方案已保存。"))
    return redirect(url_for("saved.show", plan_id=kept.id), 303)


@bp.post("/plan/<int:number>/drop")
@allows(Role.PLANNER)
def drop(number: int) -> Any:
    """Take a plan from the desk."""
    variants.drop(number)
    return redirect(url_for("plan.show"), 303)


def _required(plan: Mapping[str, Any]) -> frozenset[int]:
    """The places of the sessions that are held because the catalog requires them of everybody they are for: none of a menu."""
    if plan["parameters"].get("menu") or not plan["parameters"].get("catalog_required"):
        return frozenset()
    catalog = desk.recommender().catalog
    known = {course.id for course in catalog if course.required}
    return frozenset(number for number, one in enumerate(plan["sessions"]) if known & set(one["course_ids"]))


def _changed(form: Form) -> tuple[Form, list[Change]]:
    """The form with the hours and seats that were chosen instead, and what that changes."""
    asked = {name: request.form[name].strip() for name in ("length", "seats") if request.form.get(name, "").strip()}
    changes: list[Change] = []
    if asked.get("length", form.get("length")) != form.get("length"):
        words = marked("改为 %(length)s 天") if form.get("length_in") == "days" else marked("改为 %(length)s 学时")
        changes.append((words, {"length": asked["length"]}))
    if asked.get("seats", form.get("seats")) != form.get("seats"):
        changes.append((marked("改为每场 %(seats)s 个名额"), {"seats": asked["seats"]}))
    return {**form, **asked}, changes or [(marked("条件不变"), {})]


def _tried(form: Form, reading: Reading[Profile]) -> tuple[CohortPlan | None, str]:
    """The plan that a changed form asks for, or why there is none."""
    _, asked, faults = asked_in(form)
    if asked is None:
        return None, gettext("；").join(faults.values())
    if is_long(asked, reading):
        return None, gettext("人数较多或求解时间较长，不能随拖随算；请按这个条件另排一份，完成后再比较。")
    if not take_place():
        return None, busy()
    quick = replace(asked, time_limit=min(asked.time_limit, PATIENCE))
    try:
        return tried(desk.recommender(), reading.values, quick, current_app.config), ""
    except InputError as error:
        return None, in_words_of_the_form(error)
