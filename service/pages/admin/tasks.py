"""任务: the large work of everybody, how far it has come, and a way to stop it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext

from service.store import jobs
from service.store.jobs import Status
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.languages import marked

bp = Blueprint("tasks", __name__)

SHOWN = 50  # Jobs on a page.
KINDS = {
    "plan": marked("排方案"),
    "recommendations": marked("推荐清单"),
    "gaps": marked("看缺什么"),
    "batch": marked("批量推荐"),
    "training": marked("训练"),
}
STATUSES = {
    Status.QUEUED: marked("排队中"),
    Status.RUNNING: marked("处理中"),
    Status.DONE: marked("已完成"),
    Status.FAILED: marked("没有完成"),
    Status.CANCELLED: marked("已取消"),
}


@bp.get("/admin/jobs")
@allows(Role.ADMIN)
def listed() -> str:
    """The jobs of everybody, the newest first."""
    try:
        found, following = jobs.page(store(), g.principal, request.args.get("cursor", "")[:100], SHOWN)
    except (ValueError, OverflowError):  # A cursor that is none: from the beginning.
        found, following = jobs.page(store(), g.principal, "", SHOWN)
    return render_template(
        "admin/jobs.html",
        jobs=found,
        following=following,
        kinds=KINDS,
        statuses=STATUSES,
        later=request.args.get("cursor"),
    )


@bp.post("/admin/jobs/<job_id>/cancel")
@allows(Role.ADMIN)
def cancel(job_id: str) -> Any:
    """Stop a job. One that has ended meanwhile stays with its result."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None or not found.under_way:
        flash(gettext("这个任务已经结束，或已到期删除；没有可取消的。"), "warning")
    else:
        jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
        flash(gettext("任务 %(id)s 已取消。", id=job_id))
    return redirect(url_for(".listed"), 303)
