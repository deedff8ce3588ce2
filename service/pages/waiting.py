"""Long work: a job is begun, its progress is shown and can be left and come back to, and what came of it goes onto the desk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from service.api.jobs import queue
from service.pages import desk
from service.store import jobs
from service.store.jobs import Job, Status
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = Blueprint("waiting", __name__)

UNKNOWN = "没有这个任务，或它已经到期删除。"


def begin(
    kind: str, asked: Mapping[str, Any], total: int, people: Any, back: str, collect: str, previous: bytes = b""
) -> Any:
    """Begin a job on ``people`` (JSON) and go where its progress is shown; ``back`` is the page it belongs to, ``collect`` the route that takes
    its answer; ``previous`` a plan that is carried on."""
    content = json.dumps(people, ensure_ascii=False).encode()
    given = {"people": jobs.sliced(content), "previous": jobs.sliced(previous)}
    try:
        job = jobs.create(store(), by(), kind, asked, desk.recommender().version, total, given)
    except jobs.TooMany:
        return problem(429, gettext("您已有许多任务在排队；请等其中一些完成。"), headers={"Retry-After": "60"})
    queue().send(job.id)
    return redirect(url_for("waiting.show", job_id=job.id, back=back, collect=collect), 303)


def collected(job_id: str) -> Any | None:
    """What came of a job, which is then forgotten; None where there is nothing."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None or found.status is not Status.DONE:
        return None
    told = json.loads(b"".join(jobs.export(store(), by(), found)))
    jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
    return told


@bp.get("/waiting/<job_id>")
@allows(Role.PLANNER)
def show(job_id: str) -> Any:
    """How far a job has come."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None:
        return problem(404, UNKNOWN)
    return render_template("waiting/show.html", **_told(found))


@bp.get("/waiting/<job_id>/progress")
@allows(Role.PLANNER)
def progress(job_id: str) -> Response:
    """The part of the page that asks for itself again, until the job has ended."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None:
        return problem(404, UNKNOWN)
    return make_response(render_template("waiting/progress.html", **_told(found)))


@bp.post("/waiting/<job_id>/cancel")
@allows(Role.PLANNER)
def cancel(job_id: str) -> Any:
    """Stop it."""
    if jobs.find(store(), g.principal, job_id) is not None:
        jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
    return redirect(url_for("roster.show"), 303)


def _told(job: Job) -> dict[str, Any]:
    known = current_app.view_functions
    back, collect = request.args.get("back", ""), request.args.get("collect", "")
    return {
        "job": job,
        "share": job.done / job.total if job.total else 0.0,
        "back": back if back in known else "roster.show",
        "collect": collect if collect in known else None,
    }
