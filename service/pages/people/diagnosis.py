"""缺什么: who lacks what, by unit, level and competency; what is shared and what is not; each person's own page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from model.closing import State, state_of
from model.cohort.diagnosis import COMMON_SHARE, Person, heat_map, is_common, needs_of, place_of, sources_of, step_of
from model.cohort.need_reports import REST
from model.domain import Limits, Profile, Reason
from model.lexicon import bare
from model.reports import CAUSE_ADVICE, need_of
from service.cohorts import READ, asked_of, people_lacking
from service.pages import desk, waiting
from service.pages.paging import Page
from service.shapes.diagnosis import AXES, dump_person, load_person
from service.shapes.people import dump_read
from service.shapes.schemas import dump_plan
from service.shapes.verdicts import FeedbackIn
from service.store import feedback, outcomes
from service.store.people import pseudonym
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.languages import marked

bp = Blueprint("diagnosis", __name__)

ROWS = 40  # Rows of a heat map on a page.
SHOWN = 50  # People on a page.
NEEDS = 60  # Needs on a page; the individual ones are many.
REASONS = {"": marked("全部"), "lack": marked("缺什么补什么"), "duty": marked("干什么学什么")}
ASKED = ("axis", "row", "need", "reason", "text", "silent")


@bp.get("/diagnosis")
@allows(Role.PLANNER, cost=20, slow=True)
def show() -> Any:
    """The heat map, the common and individual needs, the sources, those of whom nothing is known."""
    reading = desk.reading()
    if reading is None:
        return redirect(url_for("roster.show"), 303)
    if not _known() and reading.read > current_app.config["MAX_COHORT"]:
        asked = {"suffix": READ, "month": None, "common": COMMON_SHARE, "answer": "", **_limits_asked()}
        return waiting.begin("gaps", asked, reading.read, dump_read(reading), "diagnosis.show", "diagnosis.collect")
    everybody = _people()
    axis = request.args.get("axis", AXES[0]) if request.args.get("axis") in AXES else AXES[0]
    reason = request.args.get("reason", "") if request.args.get("reason") in REASONS else ""
    people = _only(everybody, reason)
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
    if not _known():  # That page works it out, by a job where the people are many.
        return redirect(url_for("diagnosis.show"), 303)
    everybody, chosen, told = _people(), [], []
    asked = {name: request.args.get(name, "") for name in ASKED}
    row_of = place_of(asked["axis"] or AXES[0])
    shown = set(heat_map(_only(everybody, asked["reason"]), asked["axis"] or AXES[0]).columns)

    def wanted(need: str) -> bool:
        return need == asked["need"] or (asked["need"] == REST and need not in shown)

    for place, person in enumerate(_only(everybody, asked["reason"])):
        if asked["row"] and row_of(person) != asked["row"]:
            continue
        if asked["text"] and asked["text"] not in f"{person.name}{person.id}{person.unit}{person.post}":
            continue
        if asked["silent"] and not everybody[place].states_nothing:
            continue
        gaps = [one for one in person.gaps if not asked["need"] or wanted(need_of(one.gap))]
        if gaps or not asked["need"]:
            chosen.append((place, person, gaps))
            told += gaps
    common = is_common(len(chosen), len(everybody))
    return render_template(
        "diagnosis/people.html",
        step=2,
        asked=asked,
        people=Page.of(chosen, request.args.get("page", ""), SHOWN),
        total=len(chosen),
        gaps=len(told),
        action=step_of(told, common=common) if told and asked["need"] else "",
    )


@bp.get("/people/<int:place>")
@allows(Role.PLANNER)
def person(place: int) -> Any:
    """One person: gaps with source and state, recommended courses with both reasons, what is unmet and why."""
    reading = desk.reading()
    if reading is None or place >= len(reading.values):
        return redirect(url_for("roster.show"), 303)
    profile = reading.values[place]
    recommender = desk.recommender()
    plan = next(recommender.plans([profile], Limits(current_app.config["TOP"], current_app.config["LEVEL_WINDOW"])))
    told = dump_plan(plan)
    named = {gap["text"]: gap for gap in told["gaps"]}
    return render_template(
        "diagnosis/person.html",
        step=2,
        place=place,
        people=len(reading.values),
        profile=profile,
        level=recommender.lexicon.level_names.get(profile.level, "") if profile.level is not None else "",
        plan=told,
        named=named,
        most=max((one["score"] for one in told["recommendations"]), default=1) or 1,
        advice={cause.value: words for cause, words in CAUSE_ADVICE.items()},
        courses={
            one["course_id"]: recommender.catalog.courses[recommender.catalog.row_of[one["course_id"]]]
            for one in told["recommendations"]
        },
        states=_states_of(profile),
        bare=bare,
    )


@bp.post("/people/<int:place>/feedback")
@allows(Role.PLANNER)
def say(place: int) -> Any:
    """Keep what a planner says of a recommendation, as ``POST /feedback`` does."""
    reading = desk.reading()
    if reading is None or place >= len(reading.values):
        return redirect(url_for("roster.show"), 303)
    profile = reading.values[place]
    recommender = desk.recommender()
    given = {name: text.strip() for name, text in request.form.items() if name != "csrf_token" and text.strip()}
    try:
        said = FeedbackIn(recommender.catalog.row_of).load({**given, "person": profile.id})
    except ValidationError:
        flash(gettext("没有记下：不采纳和换课要写理由，换课还要写明换成哪门课程的编号。"), "warning")
        return redirect(url_for("diagnosis.person", place=place), 303)
    if said["scope"] == feedback.COURSE and not g.principal.role.covers(Role.CURATOR):
        flash(gettext("没有记下：对所有人停用一门课程，需要课程管理员的角色。"), "warning")
        return redirect(url_for("diagnosis.person", place=place), 303)
    feedback.keep(store(), by(), [said], recommender.version, recommender.titled)
    desk.drop("diagnosis", "diagnosed")
    flash(gettext("已记下，立即生效。可在“课程目录”的“待确认与调整”里撤销。"))
    return redirect(url_for("diagnosis.person", place=place), 303)


@bp.post("/diagnosis/collected/<job_id>")
@allows(Role.PLANNER)
def collect(job_id: str) -> Any:
    """Take what a job found onto the desk, and forget the job."""
    told = waiting.collected(job_id)
    if told is not None:
        _lay(told["results"], told["model_version"])
    return redirect(url_for("diagnosis.show"), 303)


def _limits() -> Limits:
    return Limits(current_app.config["TOP"], current_app.config["LEVEL_WINDOW"])


def _limits_asked() -> dict[str, Any]:
    return asked_of(_limits())


def _known() -> bool:
    """Whether what the people of the desk lack was worked out, with the version that is active."""
    known = desk.take("diagnosed")
    return known is not None and known["version"] == desk.recommender().version


def _people() -> list[Person]:
    """The people of the desk and what they lack, worked out once for a roster and a version."""
    if _known():
        return [load_person(one) for one in desk.take("diagnosis")]
    reading, recommender = desk.reading(), desk.recommender()
    found = people_lacking(recommender, reading, _limits()) if reading else []
    _lay([dump_person(one) for one in found], recommender.version)
    return found


def _lay(people: list[Any], version: str) -> None:
    desk.lay("diagnosis", people)
    desk.lay("diagnosed", {"version": version})


def _only(people: list[Person], reason: str) -> list[Person]:
    """The people with the gaps of one reason alone."""
    if not reason:
        return people
    kept = Reason(reason)
    return [replace(person, gaps=tuple(one for one in person.gaps if one.gap.reason is kept)) for person in people]


def _drawn(rows: Page, axis: str, reason: str, columns: Sequence[str]) -> dict[str, Any]:
    """What a chart of these rows shows, where a click in it leads, and a sentence for who does not see it."""
    return {
        "columns": columns,
        "rows": [{"name": row.name, "counts": row.counts[: len(columns)]} for row in rows.entries],
        "address": url_for("diagnosis.people", axis=axis, reason=reason or None),
        "description": gettext("热力图：%(axis)s × 能力，数字见下面的表。", axis=axis),
    }


def _states_of(profile: Profile) -> dict[str, State]:
    """How far the gaps of a person have come, by their bare words, as the feedback tells."""
    name = pseudonym(store(), profile.id)
    with store().reading() as connection:
        told = outcomes.of_people(connection, [name]).get(name, {})
    return {bare(gap): state_of(events) for gap, events in told.items()}
