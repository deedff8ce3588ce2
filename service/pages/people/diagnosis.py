"""缺什么: who lacks what, by unit, level and competency; what is shared and what is not; each person's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext

from model.closing import Deed, Event, state_of
from model.cohort.diagnosis import COMMON_SHARE, heat_map, is_common, needs_of, sources_of, step_of
from model.cohort.need_reports import REST
from model.domain import Profile, Reading
from model.lexicon import bare
from model.reports import CAUSE_ADVICE
from service.cohorts import READ, asked_of
from service.pages import desk, waiting
from service.pages.forms import passed
from service.pages.paging import Page
from service.pages.people import lacking
from service.shapes.diagnosis import AXES
from service.shapes.people import dump_read
from service.shapes.schemas import dump_plan
from service.shapes.verdicts import FeedbackIn
from service.store import feedback, outcomes
from service.store.people import pseudonym
from service.store.roles import Role
from service.wire.access import allows, busy, by, store, take_place
from service.wire.errors import problem
from service.wire.languages import marked

bp = Blueprint("diagnosis", __name__)

ROWS = 40  # Rows of a heat map on a page.
SHOWN = 50  # People on a page.
NEEDS = 60  # Needs on a page; the individual ones are many.
REASONS = {"": marked("全部"), "lack": marked("缺什么补什么"), "duty": marked("干什么学什么")}
BESIDE = ("csrf_token", "roster")  # What a form sends beside what is said.


@bp.get("/diagnosis")
@allows(Role.PLANNER, cost=20)
def show() -> Any:
    """The heat map, the common and individual needs, the sources, those of whom nothing is known."""
    # Of thousands of people the roster is not opened where what they lack is known.
    reading = None if lacking.known() else desk.reading()
    if reading is None and not desk.there("read"):
        return redirect(url_for("roster.show"), 303)
    if reading and reading.read > current_app.config["MAX_COHORT"]:
        asked = {"suffix": READ, "month": None, "common": COMMON_SHARE, "answer": "", **asked_of(desk.limits())}
        return waiting.begin("gaps", asked=asked, total=reading.read, people=dump_read(reading), once=True)
    if reading and not take_place():
        return problem(503, busy())
    everybody = lacking.everybody()
    axis = request.args.get("axis", AXES[0]) if request.args.get("axis") in AXES else AXES[0]
    reason = request.args.get("reason", "") if request.args.get("reason") in REASONS else ""
    people = lacking.of_reason(everybody, reason)
    seen = heat_map(people, axis)
    # All others together would outshine each of them.
    shown = [need for need in seen.columns if need != REST]
    rows = Page.of(seen.rows, request.args.get("page", ""), ROWS)
    needs = needs_of(people)
    return render_template(
        "diagnosis/show.html",
        step=2,
        axes=AXES,
        axis=axis,
        reasons=REASONS,
        reason=reason,
        map=seen,
        chart=_drawn(rows, axis, reason, shown),
        rows=rows,
        most=max((count for row in seen.rows for count in row.counts[: len(shown)]), default=1) or 1,
        common=[need for need in needs if need.common],
        individual=Page.of([need for need in needs if not need.common], request.args.get("needs", ""), NEEDS),
        sources=sources_of(people),
        people=len(everybody),
        gaps=sum(len(person.gaps) for person in people),
        silent=[place for place, person in enumerate(everybody) if person.states_nothing],
    )


@bp.get("/diagnosis/people")
@allows(Role.PLANNER)
def people() -> Any:
    """The people of a cell, a row or a column of the heat map, or those of whom nothing is known, with what could be done."""
    if not lacking.known():  # That page works it out, by a job where the people are many.
        return redirect(url_for("diagnosis.show"), 303)
    everybody, asked = lacking.everybody(), lacking.asked_in(request.args)
    chosen = lacking.chosen(everybody, asked)
    told = [one for somebody in chosen for one in somebody.gaps]
    common = is_common(len(chosen), len(everybody))
    return render_template(
        "diagnosis/people.html",
        step=2,
        asked=asked,
        people=Page.of(chosen, request.args.get("page", ""), SHOWN),
        total=len(chosen),
        gaps=len(told),
        action=step_of(told, common=common) if told and "need" in asked else "",
    )


@bp.get("/people/<int:place>")
@allows(Role.PLANNER)
def person(place: int) -> Any:
    """One person: gaps with source and state, recommended courses with both reasons, what is unmet and why."""
    reading = desk.reading()
    if reading is None or place >= len(reading.values):
        return redirect(url_for("roster.show"), 303)
    return _page_of(reading, place)


@bp.post("/people/<int:place>/feedback")
@allows(Role.PLANNER)
def say(place: int) -> Any:
    """Keep what a planner says of a recommendation, as ``POST /feedback`` does."""
    reading = desk.reading()
    # A page that was left open knows a person by their place, where somebody else may stand by now.
    if reading is None or request.form.get("roster") != desk.mark() or place >= len(reading.values):
        flash(gettext("没有记下：工作台上的名册已经换过或清空，请重新打开这个人的页面。"), "warning")
        return redirect(url_for("roster.show"), 303)
    recommender = desk.recommender()
    given = {name: text.strip() for name, text in request.form.items() if name not in BESIDE and text.strip()}
    said, wrong = passed(FeedbackIn(recommender.catalog.row_of), {**given, "person": reading.values[place].id})
    if said is None:
        why = gettext("；").join(dict.fromkeys(wrong.values()))
        return _page_of(reading, place, given, gettext("没有记下：%(why)s。", why=why.rstrip("。."))), 422
    asked: dict[str, Any] = lacking.asked_in(request.args)
    here = redirect(url_for("diagnosis.person", place=place, **asked), 303)
    if said["scope"] == feedback.COURSE and not g.principal.role.covers(Role.CURATOR):
        flash(gettext("没有记下：对所有人停用一门课程，需要课程管理员的角色。"), "warning")
        return here
    feedback.keep(store(), by(), [said], recommender.version, recommender.titled)
    if said["verdict"] in feedback.REJECTING:
        desk.drop(*lacking.PARTS)
        waiting.abandon("gaps")
        flash(gettext("已记下，立即生效。可在“课程目录”的“待确认与调整”里撤销。"))
    elif said["verdict"] == feedback.WITHDRAW:
        flash(gettext("已撤回采纳。"))
    else:
        flash(gettext("已记下采纳；改变主意时，可以撤回。"))
    return here


@bp.post("/diagnosis/collected/<job_id>")
@allows(Role.PLANNER)
def collect(job_id: str) -> Any:
    """Take what a job found onto the desk, and forget the job."""

    def lay(told: Mapping[str, Any]) -> str:
        lacking.lay(told["results"], told["model_version"])
        return url_for("diagnosis.show")

    return waiting.collected(job_id, lay)


def _page_of(reading: Reading[Profile], place: int, said: Mapping[str, str] | None = None, trouble: str = "") -> str:
    """A person's page; with what was ``said`` there and the ``trouble`` with it, where it could not be kept."""
    profile, recommender, asked = reading.values[place], desk.recommender(), lacking.asked_in(request.args)
    told = dump_plan(next(recommender.plans([profile], desk.limits())))
    events = _events_of(profile)
    return render_template(
        "diagnosis/person.html",
        step=2,
        place=place,
        roster=desk.mark(),
        asked=asked,
        walk=_walk(place, len(reading.values), asked),
        profile=profile,
        level=recommender.lexicon.level_names.get(profile.level, "") if profile.level is not None else "",
        plan=told,
        named={gap["text"]: gap for gap in told["gaps"]},
        most=max((one["score"] for one in told["recommendations"]), default=1) or 1,
        advice={cause.value: words for cause, words in CAUSE_ADVICE.items()},
        courses={
            one["course_id"]: recommender.catalog.courses[recommender.catalog.row_of[one["course_id"]]]
            for one in told["recommendations"]
        },
        states={bare(gap): state_of(happened) for gap, happened in events.items()},
        accepted=_accepted(events),
        said=said or {},
        trouble=trouble,
        open_at=next((one["course_id"] for one in told["recommendations"] if said and _is_about(said, one)), None),
        bare=bare,
    )


def _is_about(said: Mapping[str, str], one: Mapping[str, Any]) -> bool:
    """Whether what was said stands in the form of this recommendation; an acceptance has no form."""
    rejects = said.get("verdict") in feedback.REJECTING
    return rejects and not one["required"] and said.get("course_id") == one["course_id"]


def _walk(place: int, people: int, asked: Mapping[str, str]) -> dict[str, Any]:
    """Who stands before and after somebody among those that were asked for, and how many they are; among all, where nothing narrows them or it
    cannot be told at once."""
    narrowed = any(name in asked for name in lacking.NARROWING) and (
        lacking.known() or (people <= current_app.config["MAX_COHORT"] and take_place())
    )
    places = [one.place for one in lacking.chosen(lacking.everybody(), asked)] if narrowed else range(people)
    return {
        "before": max((one for one in places if one < place), default=None),
        "after": min((one for one in places if one > place), default=None),
        "total": len(places),
        "narrowed": narrowed,
    }


def _drawn(rows: Page, axis: str, reason: str, columns: Sequence[str]) -> dict[str, Any]:
    """What a chart of these rows shows, where a click in it leads, and a sentence for who does not see it."""
    return {
        "columns": columns,
        "rows": [{"name": row.name, "counts": row.counts[: len(columns)]} for row in rows.entries],
        "address": url_for("diagnosis.people", axis=axis, reason=reason or None),
        "description": gettext("热力图：%(axis)s × 能力，数字见下面的表。", axis=axis),
    }


def _events_of(profile: Profile) -> Mapping[str, Sequence[Event]]:
    """What happened to the gaps of a person, as the feedback tells."""
    name = pseudonym(store(), profile.id)
    with store().reading() as connection:
        return outcomes.of_people(connection, [name]).get(name, {})


def _accepted(events: Mapping[str, Sequence[Event]]) -> dict[str, str]:
    """The courses that were taken for a person and not dropped since, and the gap each was taken for."""
    taken: dict[str, str] = {}
    for gap, happened in events.items():
        standing: set[str] = set()
        for one in happened:
            if one.deed is Deed.ARRANGED:
                standing.add(one.course)
            elif one.deed is Deed.DROPPED:
                standing.discard(one.course)
        taken |= dict.fromkeys(sorted(standing), gap)
    return taken
