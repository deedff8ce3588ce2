"""What planners say of recommendations: taken in, one or many at once, and given out again. What they reject is out at once."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, request
from marshmallow import RAISE, ValidationError, fields

from model.files.sheets import FORMULA_STARTS
from service.api.audit import AfterIn
from service.api.body import documents_body, read_json
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import WHOLE, Door, at_most, between, one_of
from service.shapes.verdicts import FeedbackIn
from service.store import audit, feedback
from service.store.feedback import COURSE, VERDICTS, Said
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("feedback", __name__, url_prefix="/api/v1", tag="feedback")
bp.before_request(read_json)

MOST = 1000
CSV = "text/csv"
EXAMPLE = {
    "verdict": "reject",
    "course_id": "Q0001",
    "gap": "一上台讲话就冒汗",
    "person": "P1",
    "reason": "讲的是公文，不是讲话",
}

NO_RIGHT = "对所有人停用一门课程需要“课程目录”（curator）角色；请写明 gap 或 person，或请管理课程目录的人处理。"


class KeptOut(Door):
    """Where a piece of feedback is kept, and what it put to work."""

    id = fields.Integer()
    override = fields.Integer(
        allow_none=True, metadata={"description": "因此起作用的人工调整的编号，见 /api/v1/overrides；没有则为 null"}
    )
    known = fields.Boolean(metadata={"description": "课程目录里是否有这门课"})


class AllKeptOut(Door):
    """An entry for each piece of feedback, in the order given."""

    results = fields.List(fields.Nested(KeptOut))
    model_version = fields.String()


class SaidOut(Door):
    """A piece of feedback."""

    id = fields.Integer()
    at = fields.DateTime()
    actor = fields.String()
    person = fields.String(allow_none=True, metadata={"description": "代号"})
    course_id = fields.String()
    gap = fields.String(allow_none=True)
    verdict = fields.String(validate=one_of(VERDICTS))
    scope = fields.String(allow_none=True)
    replacement = fields.String(allow_none=True)
    reason = fields.String()
    score_before = fields.Float(allow_none=True)
    score_after = fields.Float(allow_none=True)
    model_version = fields.String()


class FeedbackOut(Door):
    """A page of feedback, oldest first."""

    feedback = fields.List(fields.Nested(SaidOut))
    next = fields.Integer(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})


class OnwardIn(AfterIn):
    """Which part of a list, oldest first."""

    limit = fields.Integer(load_default=100, error_messages={"invalid": WHOLE}, validate=between(1, 1000))


@bp.post("/feedback")
@allows(Role.PLANNER)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@documents_body(bp, FeedbackIn, EXAMPLE)
@bp.output(AllKeptOut, status_code=201)
@bp.doc(
    summary="反馈",
    description=(
        f"一条，或 1 到 {MOST} 条的列表；有一条读不懂则都不保存。reject 和 replace 立即生效：这门课不再用于这条短板（或这个人），直到撤销。"
        "replace 的新课程留给以后的训练，不会因此提前。model_version 是给出推荐的版本。"
    ),
    operation_id="give_feedback",
    responses=[422, 503],
)
def give_feedback(query: dict[str, Any]) -> Any:
    """Keep it, and put what is rejected to work."""
    recommender = recommender_of(query)
    courses = recommender.catalog.row_of
    if isinstance(g.body, list) and not 1 <= len(g.body) <= MOST:
        raise ValidationError([at_most(MOST, 1)])
    given = FeedbackIn(courses, many=isinstance(g.body, list)).load(g.body)
    said = given if isinstance(given, list) else [given]
    if any(one["scope"] == COURSE for one in said) and not g.principal.role.covers(Role.CURATOR):
        return problem(403, NO_RIGHT)
    kept = feedback.keep(store(), by(), said, recommender.version, recommender.titled)
    results = [{**one._asdict(), "known": asked["course_id"] in courses} for asked, one in zip(said, kept, strict=True)]
    return {"results": results, "model_version": recommender.version}, 201


@bp.get("/feedback")
@allows(Role.CURATOR)
@bp.input(OnwardIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(FeedbackOut)
@bp.doc(
    summary="收到的反馈",
    description=f"Accept 为 {CSV} 时，答复是 cursor 之后的全部反馈，一张 Excel 能打开的表。每次读取都记入审计日志。",
    operation_id="feedback",
    responses=[422],
)
def listed(query: dict[str, Any]) -> Any:
    """What was said, oldest first. That it was read is recorded."""
    database, after, most = store(), query["cursor"], query["limit"]
    table = request.accept_mimetypes.best_match(["application/json", CSV]) == CSV
    with database.writing() as connection:
        found = [] if table else feedback.page(connection, after, most + 1)
        rows = feedback.count(connection, after) if table else len(found[:most])
        audit.record(database, connection, by(), "feedback.export", "feedback", after=after, rows=rows)
    if table:
        return Response(_table(feedback.every(database, after)), mimetype=CSV)
    page = found[:most]
    return {"feedback": [_dumped(one) for one in page], "next": page[-1].id if len(found) > most else None}


def _dumped(one: Said) -> dict[str, Any]:
    told = one._asdict()
    return {"person": told.pop("pseudonym"), **told}


HEADER = (
    "编号", "时间", "经办", "人员代号", "课程编号", "短板", "意见", "范围", "换成的课程", "理由", "训前成绩", "训后成绩", "模型版本",
)  # fmt: skip


def _table(said: Iterable[Said]) -> Iterator[str]:
    """A table that Excel opens, a line at a time; nothing in it is a formula."""
    yield "\ufeff" + _line(HEADER)
    for one in said:
        yield _line(
            [one.at.isoformat(timespec="seconds") if name == "at" else value for name, value in one._asdict().items()]
        )


def _line(values: Iterable[Any]) -> str:
    line = StringIO()
    harmless = (
        "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value for value in values
    )
    csv.writer(line).writerow(harmless)
    return line.getvalue()
