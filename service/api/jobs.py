"""Jobs: large work that was asked for, how far it has come, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apiflask import APIBlueprint, abort
from flask import Response, current_app, g, jsonify, request, url_for
from marshmallow import RAISE, fields
from werkzeug.wrappers import Response as BaseResponse

from service.cohorts import JSON, WORKBOOK
from service.jobs.queue import Queue
from service.shapes.fields import WHOLE, Door, between, both, characters, one_of
from service.store import jobs
from service.store.jobs import Job, Status
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("jobs", __name__, url_prefix="/api/v1", tag="jobs")

ASYNC = "respond-async"
UNKNOWN = "没有这个任务，或它已经到期删除；自己的任务见 /api/v1/jobs。"
NOT_YET = "任务还没有完成（{status}，已完成 {done}/{total}）；请按 Retry-After 的秒数等待后再取。"
NO_RESULT = {
    Status.FAILED: "任务没有完成，没有结果：{cause}",
    Status.CANCELLED: "任务已经取消，没有结果。",
}
WORDS = {Status.QUEUED: "排队中", Status.RUNNING: "处理中"}
BUSY = "已有一个训练在排队或进行（任务 {identity}）；请等它完成，或先取消它。"
NO_CURSOR = both("不是上一页给出的 next", "Not the next of a page before.")
ACCEPTED: Any = {
    "description": "已成为任务，见响应头 Location；完成后到 /jobs/{job_id}/result 取结果",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OneJobOut"}}},
}
TRAINED = {
    "type": "object",
    "description": "训练：版本、是否启用、未通过的检查、与原版本的比较、核对课程表所得（check，同 /course-lists/check）",
    "required": ["version", "active", "findings", "comparison", "check", "notes"],
    "properties": {"version": {"type": "string"}, "active": {"type": "boolean"}, "findings": {"type": "array"}},
}
RESULT: Any = {
    "description": "成功",
    "content": {
        JSON: {
            "schema": {
                "anyOf": [
                    {"$ref": f"#/components/schemas/{name}Out"} for name in ("Cohort", "Lists", "Lacking", "Batch")
                ]
                + [TRAINED]
            }
        },
        WORKBOOK: {"schema": {"type": "string", "format": "binary"}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    },
}


class JobsIn(Door):
    """Which page of the jobs."""

    cursor = fields.String(
        load_default="", validate=characters(0, 100), metadata={"description": "上一页的 next；不给则从最新的开始"}
    )
    limit = fields.Integer(load_default=50, error_messages={"invalid": WHOLE}, validate=between(1, 200))


class PreferIn(Door):
    """Whether the caller would rather come back later."""

    prefer = fields.String(
        data_key="Prefer",
        metadata={"description": "respond-async：不论大小都作为任务处理", "example": ASYNC},
    )


class JobOut(Door):
    """A job. ``done`` of ``total`` people are answered; ``result`` is the address of the answer once there is one."""

    id = fields.String()
    kind = fields.String(validate=one_of(("plan", "recommendations", "gaps", "batch", "training")))
    status = fields.String(validate=one_of(tuple(Status)))
    done = fields.Integer(metadata={"description": "已完成的人数"})
    total = fields.Integer()
    stage = fields.String(allow_none=True, metadata={"description": "训练进行到哪一步；done 和 total 此时是步数"})
    cause = fields.String(allow_none=True, metadata={"description": "没有完成的原因；其他情况为 null"})
    attempts = fields.Integer(metadata={"description": "第几次处理；进程意外中断时自动重试"})
    owner = fields.String()
    model_version = fields.String()
    created_at = fields.DateTime()
    started_at = fields.DateTime(allow_none=True)
    finished_at = fields.DateTime(allow_none=True)
    expires_at = fields.DateTime(allow_none=True, metadata={"description": "到时自动删除任务和结果"})
    result = fields.String(allow_none=True, metadata={"description": "结果的地址；还没有结果时为 null"})


class OneJobOut(JobOut):
    """A job asked for by its id."""


class JobsOut(Door):
    """A page of jobs, newest first."""

    jobs = fields.List(fields.Nested(JobOut))
    next = fields.String(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})


def dump_job(job: Job) -> dict[str, Any]:
    """A job in the shape of :class:`JobOut`."""
    told = job._asdict() | {"result": url_for("jobs.result", job_id=job.id) if job.status is Status.DONE else None}
    return {name: told[name] for name in JobOut().fields}


def prefers_later() -> bool:
    """Whether the caller asked for a job. Who may not see jobs is answered at once: a preference may be passed over."""
    asked = {part.split(";")[0].strip().lower() for part in ",".join(request.headers.getlist("Prefer")).split(",")}
    return ASYNC in asked and bool(g.principal and g.principal.role.covers(Role.PLANNER))


def later(
    kind: str,
    asked: Mapping[str, Any],
    version: str,
    people: int,
    given: Mapping[str, Iterable[bytes]],
    *,
    alone: bool = False,
) -> Response:
    """Make a job of a request: 202 with the job, 429 where the caller has too many under way, 409 where another of a kind that is done ``alone`` is."""
    try:
        job = jobs.create(store(), by(), kind, asked, version, people, given, alone=alone)
    except jobs.UnderWay as error:
        return problem(409, BUSY.format(identity=error.identity), headers={"Retry-After": "60"})
    except jobs.TooMany:
        detail = f"您已有 {jobs.MOST_WAITING} 个任务在排队或处理；请等其中一些完成，或取消不需要的。"
        return problem(429, detail, headers={"Retry-After": "60"})
    queue().send(job.id)
    response = jsonify(dict(OneJobOut().dump(dump_job(job))))
    response.status_code = 202
    response.headers.update({"Location": url_for("jobs.job", job_id=job.id), "Retry-After": "1"})
    if prefers_later():
        response.headers["Preference-Applied"] = ASYNC
    return response


@bp.get("/jobs")
@allows(Role.PLANNER)
@bp.input(JobsIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(JobsOut)
@bp.doc(summary="自己的任务", description="新的在前；管理角色可见全部。", operation_id="jobs", responses=[422])
def listed(query: dict[str, Any]) -> Any:
    """A page of jobs."""
    try:
        found, following = jobs.page(store(), g.principal, query["cursor"], query["limit"])
    except (ValueError, OverflowError):
        abort(422, detail={"query": {"cursor": [NO_CURSOR]}})
    return {"jobs": [dump_job(job) for job in found], "next": following}


@bp.get("/jobs/<job_id>")
@allows(Role.PLANNER)
@bp.output(OneJobOut)
@bp.doc(
    summary="一个任务的进展",
    description="未结束时带响应头 Retry-After，按其秒数再查。",
    operation_id="job",
    responses=[404],
)
def job(job_id: str) -> Any:
    """How far a job has come."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None:
        return problem(404, UNKNOWN)
    return dump_job(found), 200, {"Retry-After": "1"} if found.under_way else {}


@bp.get("/jobs/<job_id>/result")
@allows(Role.PLANNER)
@bp.doc(
    summary="一个任务的结果",
    description="与该请求立即答复时的内容和类型相同；QUEBU_JOB_HOURS 小时后删除。带 ETag。",
    operation_id="job_result",
    responses={200: RESULT, 304: {}, 404: {}, 409: {}},
)
def result(job_id: str) -> Any:
    """What came of a job."""
    found = jobs.find(store(), g.principal, job_id)
    if found is None:
        return problem(404, UNKNOWN)
    if found.under_way:
        told = NOT_YET.format(status=WORDS[found.status], done=found.done, total=found.total)
        return problem(409, told, headers={"Retry-After": "1"})
    if found.status is not Status.DONE:
        return problem(409, NO_RESULT[found.status].format(cause=found.cause))
    if request.if_none_match.contains_weak(found.id):  # The tag of what was packed on its way is weak.
        return _tagged(Response(status=304), found)
    response = Response(jobs.export(store(), by(), found), mimetype=found.result_type)
    if found.result_type == WORKBOOK:
        response.headers["Content-Disposition"] = f'attachment; filename="quebu-{found.kind}-{found.id}.xlsx"'
    return _tagged(response, found)


@bp.delete("/jobs/<job_id>")
@allows(Role.PLANNER)
@bp.output({}, status_code=204)
@bp.doc(
    summary="取消任务，或删除已结束的任务和结果",
    description="排队或处理中的任务立即取消；已结束的连同结果一起删除，不可恢复。",
    operation_id="delete_job",
    responses=[404],
)
def cancel(job_id: str) -> Any:
    """Stop a job, or forget one that has ended."""
    if jobs.find(store(), g.principal, job_id) is None:
        return problem(404, UNKNOWN)
    jobs.cancel(store(), by(), job_id, current_app.config["JOB_HOURS"])
    return "", 204


def _tagged(response: Response, job: Job) -> BaseResponse:
    """A result never changes, so the id of its job is its tag."""
    response.set_etag(job.id)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def queue() -> Queue:
    """The queue of the application, opened when it is first needed."""
    queue: Queue = current_app.extensions.setdefault("quebu.queue", Queue(store()))
    return queue
