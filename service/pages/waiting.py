"""Long work: a job is begun, its progress is shown and can be left and come back to, and what came of it goes onto the desk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask import Blueprint, Response, current_app, flash, g, make_response, redirect, render_template, url_for
from flask_babel import gettext

from service.api.jobs import queue
from service.pages import begun, desk
from service.store import jobs
from service.store.jobs import Job, Status
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem
from service.wire.languages import marked

bp = Blueprint("waiting", __name__)

UNKNOWN = marked("没有这个任务，或它已经到期删除。")


class Place(NamedTuple):
    """Where a kind of job belongs: what it is called, the route of the page it is asked for on, and the route that takes what came of it."""

    words: str
    back: str
    collect: str


PLACES = {
    "gaps": Place(marked("看缺什么"), "diagnosis.show", "diagnosis.collect"),
    "plan": Place(marked("排方案"), "plan.show", "plan.collect"),
    "recommendations": Place(marked("统计覆盖情况"), "coverage.show", "coverage.collect"),
}


def begin(
    kind: str, *, asked: Mapping[str, Any], total: int, people: Any, previous: bytes = b"", once: bool = False
) -> Any:
    """Begin a job on ``people`` (JSON) and go where its progress is shown; ``previous`` is a plan that is carried on. With ``once`` go to the job of
    this kind that the desk waits for already, if there is one."""
    if once:
        for work in begun.listed():
            known = None if work.result or work.kind != kind else jobs.find(store(), g.principal, work.job)
            if known is not None and (known.under_way or known.status is Status.DONE):
                return redirect(url_for("waiting.show", job_id=known.id), 303)
    content = json.dumps(people, ensure_ascii=False).encode()
    given = {"people": jobs.sliced(content), "previous": jobs.sliced(previous)}
    try:
        job = jobs.create(store(), by(), kind, asked, desk.recommender().version, total, given)
    except jobs.TooMany:
        return problem(429, gettext("您已有许多任务在排队；请等其中一些完成。"), headers={"Retry-After": "60"})
    begun.add(job.id, kind)
    queue().send(job.id)
    return redirect(url_for("waiting.show", job_id=job.id), 303)


def collected(job_id: str, lay: Callable[[Any], str]) -> Any:
    """Take what came of a job onto the desk by ``lay``, which tells where it is shown; forget the job; and go there."""
    work, found = begun.find(job_id), jobs.find(store(), g.principal, job_id)
    if work is None:  # It is about people who do not lie here.
        flash(gettext("工作台上的名册已经换过或清空，这个任务的结果没有放上来；需要的话请重新做一次。"), "warning")
        return redirect(url_for("roster.show"), 303)
    if work.result or found is None or found.status is not Status.DONE:
        return redirect(url_for("waiting.show", job_id=job_id), 303)
    told = json.loads(b"".join(jobs.export(store(), by(), found)))
    jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
    address = lay(told)
    begun.settle(job_id, address)
    return redirect(address, 303)


def abandon(*kinds: str) -> None:
    """Stop the work of the desk, of some kinds or all of it, because what it works on is no longer so; what it made and nobody took goes with it."""
    stale = [one for one in begun.listed() if not kinds or one.kind in kinds]
    for one in stale:
        if not one.result and jobs.find(store(), g.principal, one.job) is not None:
            jobs.cancel(store(), by(), one.job, current_app.config["JOB_HOURS"])
    begun.drop(*(one.job for one in stale))


def works() -> list[tuple[str, Job]]:
    """What the desk waits for, in words, and its job: for the pages of the workbench, where somebody who left it looks for it."""
    waited = [(one, jobs.find(store(), g.principal, one.job)) for one in begun.listed() if not one.result]
    return [(gettext(PLACES[one.kind].words), job) for one, job in waited if job is not None]


@bp.get("/waiting/<job_id>")
@allows(Role.PLANNER)
def show(job_id: str) -> Any:
    """How far a job has come; where its result was taken, that."""
    work, found = begun.find(job_id), jobs.find(store(), g.principal, job_id)
    if work is not None and work.result:
        return redirect(work.result, 303)
    if found is None:
        return problem(404, UNKNOWN)
    return render_template("waiting/show.html", **_told(found))


@bp.get("/waiting/<job_id>/progress")
@allows(Role.PLANNER)
def progress(job_id: str) -> Response:
    """The part of the page that asks for itself again, until the job has ended."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None:  # The page itself knows where its result is, or says that there is none.
        return problem(404, UNKNOWN, headers={"HX-Redirect": url_for("waiting.show", job_id=job_id)})
    return make_response(render_template("waiting/progress.html", **_told(found)))


@bp.post("/waiting/<job_id>/cancel")
@allows(Role.PLANNER)
def cancel(job_id: str) -> Any:
    """Stop it."""
    if jobs.find(store(), g.principal, job_id) is not None:
        jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
    begun.drop(job_id)
    return redirect(url_for("roster.show"), 303)


def _told(job: Job) -> dict[str, Any]:
    place = PLACES.get(job.kind)  # None of a kind that the interface alone begins.
    own = begun.find(job.id) is not None
    if not job.under_way and job.status is not Status.DONE:
        begun.drop(job.id)  # That it failed is being said; the workbench need not say it again.
    return {
        "job": job,
        "back": place.back if place else "roster.show",
        "collect": place.collect if place and own else None,
    }
