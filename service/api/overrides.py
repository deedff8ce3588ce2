"""The rejections at work: made, shown with who, when and why, and reverted."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import g
from marshmallow import RAISE, fields

from service.api.audit import LAST
from service.api.body import documents_body, read_json
from service.api.feedback import OnwardIn
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import Door, both, characters
from service.shapes.verdicts import LONGEST_COURSE, OverrideIn
from service.store import overrides
from service.store.overrides import Override
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("overrides", __name__, url_prefix="/api/v1", tag="feedback")
bp.before_request(read_json)

UNKNOWN = "没有这个编号的人工调整；各条见 /api/v1/overrides?reverted=true。"
NOT_YOURS = "别人作出的人工调整，由管理课程目录的人撤销；需要“课程目录”（curator）角色。"


class OverrideOut(Door):
    """A rejection, with who, when and why."""

    id = fields.Integer()
    course_id = fields.String()
    title = fields.String(allow_none=True, metadata={"description": "课程目录里没有这门课时为 null"})
    gap = fields.String(allow_none=True, metadata={"description": "只对这条短板"})
    person = fields.String(allow_none=True, metadata={"description": "只对这个人：代号"})
    reason = fields.String()
    actor = fields.String()
    at = fields.DateTime()
    feedback = fields.Integer(allow_none=True, metadata={"description": "由哪条反馈而来"})
    applies = fields.Boolean(metadata={"description": "现在是否起作用：没有撤销，课程目录里也有这门课"})
    reverted_at = fields.DateTime(allow_none=True)
    reverted_by = fields.String(allow_none=True)


class NewOverrideOut(OverrideOut):
    """A rejection just made, or the one that said the same before."""


class OverridesOut(Door):
    """A page of rejections, oldest first."""

    overrides = fields.List(fields.Nested(OverrideOut))
    next = fields.Integer(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})
    model_version = fields.String()


class WhichIn(OnwardIn, VersionIn):
    """Which of the rejections."""

    reverted = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        error_messages={"invalid": both("应为 true 或 false", "Must be true or false.")},
        metadata={"description": "true 时也列出已撤销的"},
    )
    course_id = fields.String(
        load_default=None, validate=characters(1, LONGEST_COURSE), metadata={"description": "只列出这门课的"}
    )


@bp.post("/overrides")
@allows(Role.CURATOR)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@documents_body(bp, OverrideIn)
@bp.output(NewOverrideOut, status_code=201)
@bp.doc(
    summary="停用一门课程",
    description="不写 gap 和 person 时对所有人停用。立即生效，重新训练后仍然有效，直到撤销；已有同样的调整时，答复就是那一条。",
    operation_id="make_override",
    responses=[422, 503],
)
def make_override(query: dict[str, Any]) -> Any:
    """Reject a course without feedback."""
    catalog = recommender_of(query).catalog
    asked = OverrideIn(catalog.row_of).load(g.body)
    made = overrides.reject(store(), by(), asked["course_id"], asked["gap"], asked["person"], asked["reason"])
    return _dumped(made, catalog.courses[catalog.row_of[made.course_id]].title), 201


@bp.get("/overrides")
@allows(Role.PLANNER)
@bp.input(WhichIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(OverridesOut)
@bp.doc(summary="人工调整", operation_id="overrides", responses=[422, 503])
def listed(query: dict[str, Any]) -> Any:
    """The rejections, oldest first."""
    recommender, most = recommender_of(query), query["limit"]
    found = overrides.listed(store(), query["cursor"], most + 1, query["reverted"], query["course_id"])
    titles = {course.id: course.title for course in recommender.catalog}
    return {
        "overrides": [_dumped(one, titles.get(one.course_id)) for one in found[:most]],
        "next": found[most - 1].id if len(found) > most else None,
        "model_version": recommender.version,
    }


@bp.delete("/overrides/<int:override_id>")
@allows(Role.PLANNER)
@bp.output({}, status_code=204)
@bp.doc(
    summary="撤销人工调整",
    description="立即生效；记录保留。已撤销的保持原样。planner 角色只能撤销自己作出的。",
    operation_id="revert_override",
    responses=[404],
)
def revert(override_id: int) -> Any:
    """Let a rejection be at work no longer."""
    found = overrides.find(store(), override_id) if override_id <= LAST else None
    if found is None:
        return problem(404, UNKNOWN)
    if found.actor != g.principal.id and not g.principal.role.covers(Role.CURATOR):
        return problem(403, NOT_YOURS)
    overrides.revert(store(), by(), override_id)
    return "", 204


def _dumped(one: Override, title: str | None) -> dict[str, Any]:
    told = one._asdict()
    applies = title is not None and one.reverted_at is None
    return {"person": told.pop("pseudonym"), "title": title, "applies": applies, **told}
