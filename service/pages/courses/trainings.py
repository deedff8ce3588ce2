"""A training: begun from the list on the desk, its progress shown stage by stage; it can be left and come back to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, url_for
from flask_babel import gettext

from service.api.jobs import queue
from service.engine import Engine
from service.jobs.training import KIND, saved_by
from service.pages import desk
from service.pages.courses.newlist import ASKED, CHECKED, PARTS
from service.pages.waiting import UNKNOWN
from service.shapes.imports import COURSES
from service.store import jobs
from service.store.jobs import Job, Status
from service.store.roles import Role
from service.training import STAGES
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = Blueprint("trainings", __name__)


@bp.post("/course-list/new/train")
@allows(Role.CURATOR, cost=100)
def begin() -> Any:
    """Make a job of the list on the desk, as ``POST /models`` does."""
    asked = desk.take(ASKED)
    if asked is None or not desk.there(CHECKED):
        return redirect(url_for("newlist.show"), 303)
    content = desk.take_bytes(COURSES)
    given = {COURSES: jobs.sliced(content)} if content else {}
    order = {**asked, "activate": False, "reason": None}
    active = _engine().registry.pointer() or ""
    try:
        job = jobs.create(store(), by(), KIND, order, active, len(STAGES), given, alone=True)
    except jobs.UnderWay:
        flash(gettext("已有一个训练在排队或进行；请等它结束，或先取消它，再训练这一份。"), "warning")
        return redirect(url_for("versions.listed"), 303)
    except jobs.TooMany:
        return problem(429, gettext("您已有许多任务在排队；请等其中一些完成。"), headers={"Retry-After": "60"})
    queue().send(job.id)
    return redirect(url_for("trainings.show", job_id=job.id), 303)


@bp.get("/course-list/trainings/<job_id>")
@allows(Role.CURATOR)
def show(job_id: str) -> Any:
    """How far a training has come."""
    found = _find(job_id)
    return problem(404, UNKNOWN) if found is None else render_template("trainings/show.html", **_told(found))


@bp.get("/course-list/trainings/<job_id>/progress")
@allows(Role.CURATOR)
def progress(job_id: str) -> Any:
    """The part of the page that asks for itself again, until the training has ended."""
    found = _find(job_id)
    return problem(404, UNKNOWN) if found is None else render_template("trainings/progress.html", **_told(found))


@bp.post("/course-list/trainings/<job_id>/cancel")
@allows(Role.CURATOR)
def cancel(job_id: str) -> Any:
    """Stop it; nothing of it is kept."""
    found = _find(job_id)
    if found is not None and found.under_way:
        jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
        flash(gettext("训练已取消，没有留下新版本。"))
    return redirect(url_for("newlist.show"), 303)


@bp.post("/course-list/trainings/<job_id>/seen")
@allows(Role.CURATOR)
def seen(job_id: str) -> Any:
    """Go to the version a training made, and take its list from the desk."""
    found = _find(job_id)
    version = saved_by(_engine().registry, job_id) if found is not None else None
    if version is None:
        return redirect(url_for("versions.listed"), 303)
    desk.drop(*PARTS)
    return redirect(url_for("versions.show", version=version), 303)


def under_way() -> tuple[Job | None, bool]:
    """The training that is under way, and whether whoever asks may look into it."""
    found = jobs.under_way(store(), KIND)
    return found, found is not None and _find(found.id) is not None


def _find(job_id: str) -> Job | None:
    """A training of one's own; any for an admin."""
    found = jobs.find(store(), g.principal, job_id)
    return found if found is not None and found.kind == KIND else None


def _told(job: Job) -> dict[str, Any]:
    """The stages with how far each has come: done, under way, still to come."""
    reached = len(STAGES) if job.status is Status.DONE else job.done
    states = ["done" if number < reached else "now" if number == reached else "later" for number in range(len(STAGES))]
    # A version is compared with the active one when somebody opens it; a training that is not to activate it skips that stage.
    stages = list(zip(STAGES, states, strict=True))[:-1]
    return {"job": job, "stages": stages, "list": job.request["source"] or job.request["file"]}


def _engine() -> Engine:
    engine: Engine = current_app.extensions["quebu"]
    return engine
