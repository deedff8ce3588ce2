"""保存与导出: the plans that were saved, and the files that are made of each of them, out of what was kept alone."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext

from model.files.sheets import SheetOut
from service.cohorts import JSON
from service.pages.downloads import download
from service.pages.plans.seeing import seen
from service.pages.plans.sheets import shown, table, workbook
from service.shapes.filed import Called, named
from service.shapes.outcome import Outcome
from service.shapes.sheets import load_sheet
from service.shapes.unit_lists import unit_sheets, unit_table
from service.store import plans
from service.store.plans import Saved
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem
from service.wire.languages import marked

bp = Blueprint("saved", __name__)

ON_A_PAGE = 20
PSEUDONYM = re.compile(r"p_\w{20}")  # What stands for somebody who was forgotten.
UNKNOWN = marked("没有这个方案，或它已经到期删除。")
NO_SHEETS = marked("这个方案由接口保存，没有带报表；可下载 JSON，或用名册重新排一次再保存。")


class NotKept(LookupError):
    """There is no such plan, or not the part of it that is asked for; the message says which."""


class Opened(NamedTuple):
    """A saved plan: what is told of it, its JSON, what its people are called, its sheets with tokens for names."""

    saved: Saved
    plan: dict[str, Any]
    people: list[Called]
    told: list[Any]

    @property
    def sheets(self) -> list[SheetOut]:
        """The sheets as values, still without names."""
        return [load_sheet(one) for one in self.told]


@bp.get("/saved")
@allows(Role.PLANNER)
def listed() -> Any:
    """The plans somebody saved, newest first."""
    cursor = request.args.get("cursor", "")
    try:
        found, following = plans.page(store(), g.principal, cursor, ON_A_PAGE)
    except (ValueError, OverflowError):
        return redirect(url_for("saved.listed"), 303)
    return render_template("saved/listed.html", step=4, plans=found, following=following, first=not cursor)


@bp.get("/saved/<plan_id>")
@allows(Role.PLANNER)
def show(plan_id: str) -> Any:
    """A saved plan: what it closes, who is missed, its reports and files."""
    found = _opened(plan_id)
    return render_template(
        "saved/show.html",
        step=4,
        saved=found.saved,
        people=found.people,
        reports=[(one["name"], len(one["rows"])) for one in found.told],
        no_sheets=gettext(NO_SHEETS),
        known=any(not PSEUDONYM.fullmatch(one["id"]) for one in found.plan["people"]),
        **seen(found.plan, request.args.get("sessions", "")),
    )


@bp.get("/saved/<plan_id>/sheets/<int:place>")
@allows(Role.PLANNER)
def sheet(plan_id: str, place: int) -> Any:
    """One of the reports of a saved plan."""
    found = _opened(plan_id)
    if place >= len(found.told):
        raise NotKept(UNKNOWN)
    return render_template(
        "plan/sheet.html",
        step=4,
        back=(url_for("saved.show", plan_id=plan_id), gettext("返回 %(title)s", title=found.saved.title)),
        to=lambda other: url_for("saved.sheet", plan_id=plan_id, place=other),
        further=lambda page: url_for("saved.sheet", plan_id=plan_id, place=place, page=page),
        shown=shown(found.told, place, found.people, request.args.get("page", "")),
        reports=[(one["name"], len(one["rows"])) for one in found.told],
    )


@bp.get("/saved/<plan_id>/print")
@allows(Role.PLANNER)
def on_paper(plan_id: str) -> Any:
    """A saved plan as it is printed on A4."""
    found = _opened(plan_id)
    return render_template("saved/print.html", saved=found.saved, outcome=Outcome(found.plan), people=found.people)


@bp.get("/saved/<plan_id>/workbook")
@allows(Role.PLANNER, cost=10)
def as_workbook(plan_id: str) -> Any:
    """The workbook of a saved plan."""
    found = _opened(plan_id, reports=True)
    return workbook([named(one, found.people) for one in found.sheets], found.saved.title)


@bp.get("/saved/<plan_id>/units.xlsx")
@allows(Role.PLANNER, cost=10)
def units(plan_id: str) -> Any:
    """Who attends, a sheet for each unit."""
    found = _opened(plan_id, reports=True)
    name = gettext("%(title)s 单位名单", title=found.saved.title)
    return workbook(unit_sheets(found.sheets, Outcome(found.plan), found.people), name)


@bp.get("/saved/<plan_id>/units.csv")
@allows(Role.PLANNER, cost=10)
def units_table(plan_id: str) -> Any:
    """The same as one table."""
    found = _opened(plan_id, reports=True)
    name = gettext("%(title)s 单位名单", title=found.saved.title)
    return table(unit_table(found.sheets, Outcome(found.plan), found.people), name)


@bp.get("/saved/<plan_id>/plan.json")
@allows(Role.PLANNER)
def as_json(plan_id: str) -> Any:
    """The plan as the interface tells it; the command and the interface take it as the plan before."""
    found = _opened(plan_id)
    content = json.dumps(found.plan, ensure_ascii=False, indent=2).encode()
    return download(content, JSON, f"{found.saved.title}.json")


@bp.post("/saved/<plan_id>/erase-names")
@allows(Role.PLANNER)
def erase_names(plan_id: str) -> Any:
    """Keep the analysis, forget the persons."""
    _own(plan_id)
    people = plans.erase_names(store(), by(), plan_id)
    flash(gettext("已抹去 %(people)s 人的身份，分析保留。", people=people))
    return redirect(url_for("saved.show", plan_id=plan_id), 303)


@bp.post("/saved/<plan_id>/delete")
@allows(Role.PLANNER)
def delete(plan_id: str) -> Any:
    """Forget a plan and who it is about."""
    kept = _own(plan_id)
    plans.remove(store(), by(), plan_id)
    flash(gettext("已删除《%(title)s》。", title=kept.title))
    return redirect(url_for("saved.listed"), 303)


def _own(plan_id: str) -> Saved:
    """What is told of a plan of somebody's own; NotKept where there is none."""
    saved = plans.find(store(), g.principal, plan_id)
    if saved is None:
        raise NotKept(UNKNOWN)
    return saved


def _opened(plan_id: str, *, reports: bool = False) -> Opened:
    """A plan of somebody's own; that it was read is recorded. NotKept where there is none, or where it has no ``reports`` though they are asked for."""
    saved = _own(plan_id)
    plan, names = plans.opened(store(), by(), plan_id)
    # Posts were not kept: who asked for names to be kept did not ask for more.
    people = [Called(names.get(one["id"], one["id"])) for one in plan["people"]]
    told = plans.sheets_of(store(), plan_id) or []
    if reports and not told:
        raise NotKept(gettext(NO_SHEETS))
    return Opened(saved, plan, people, told)


@bp.errorhandler(NotKept)
def _refused(error: NotKept) -> Response:
    return problem(404, str(error))
