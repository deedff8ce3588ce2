"""What is said of words and courses whatever version answers (rejections, pins, corrections, synonyms): made, shown with who, when and why, and reverted."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, g
from marshmallow import RAISE, fields

from model.overrides import Places
from service.api.audit import LAST
from service.api.body import documents_body, read_json
from service.api.feedback import OnwardIn
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import Door, both, characters
from service.shapes.sayings import OverrideIn
from service.shapes.verdicts import LONGEST_COURSE
from service.store import overrides
from service.store.overrides import Override
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem
from service.wire.languages import marked

bp = APIBlueprint("overrides", __name__, url_prefix="/api/v1", tag="feedback")
bp.before_request(read_json)

UNKNOWN = "没有这个编号的人工调整；各条见 /api/v1/overrides?reverted=true。"
NOT_YOURS = marked("别人作出的人工调整，由管理课程目录的人撤销；需要“课程目录”（curator）角色。")


class OverrideOut(Door):
    """A rejection or a saying, with who, when and why."""

    id = fields.Integer()
    kind = fields.String(metadata={"description": "reject 停用，pin 指定，teaches 所教能力，synonym 说法"})
    course_id = fields.String(allow_none=True)
    title = fields.String(allow_none=True, metadata={"description": "作出调整时的课程名称；没有课程时为 null"})
    applies_to = fields.String(
        allow_none=True,
        metadata={
            "description": "现在对应的课程编号：编号改了就按名称找；课程目录里没有这门课、或这个编号已是另一门课时为 null"
        },
    )
    gap = fields.String(allow_none=True, metadata={"description": "只对这条短板"})
    person = fields.String(allow_none=True, metadata={"description": "只对这个人：代号"})
    word = fields.String(allow_none=True, metadata={"description": "synonym：说法"})
    competencies = fields.List(
        fields.String(), allow_none=True, metadata={"description": "pin、teaches、synonym：能力的规范词"}
    )
    reason = fields.String()
    actor = fields.String()
    at = fields.DateTime()
    feedback = fields.Integer(allow_none=True, metadata={"description": "由哪条反馈而来"})
    applies = fields.Boolean(metadata={"description": "现在是否起作用：没有撤销，课程目录里也有这门课"})
    reverted_at = fields.DateTime(allow_none=True)
    reverted_by = fields.String(allow_none=True)


class NewOverrideOut(OverrideOut):
    """One just made, or the one that said the same before."""


class OverridesOut(Door):
    """A page of them, oldest first."""

    overrides = fields.List(fields.Nested(OverrideOut))
    next = fields.Integer(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})
    model_version = fields.String()


class WhichIn(OnwardIn, VersionIn):
    """Which of them."""

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
    summary="停用或指定课程，更正所教能力，补充说法",
    description="立即生效，重新训练后仍然有效，直到撤销。已有同样的调整时，答复就是那一条；同一门课程的所教能力、同一个说法，后说的取代先说的。",
    operation_id="make_override",
    responses=[422, 503],
)
def make_override(query: dict[str, Any]) -> Any:
    """Put one to work."""
    recommender = recommender_of(query)
    asked = OverrideIn(recommender.catalog.row_of, recommender.lexicon).load(g.body)
    made = overrides.make(store(), by(), asked, recommender.titled.get(asked["course_id"]))
    return dump_override(made, recommender.places), 201


@bp.get("/overrides")
@allows(Role.PLANNER)
@bp.input(WhichIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(OverridesOut)
@bp.doc(summary="人工调整", operation_id="overrides", responses=[422, 503])
def listed(query: dict[str, Any]) -> Any:
    """Those at work, oldest first."""
    recommender, most = recommender_of(query), query["limit"]
    found = overrides.listed(store(), query["cursor"], most + 1, query["reverted"], query["course_id"])
    return {
        "overrides": [dump_override(one, recommender.places) for one in found[:most]],
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
    """Let one be at work no longer."""
    return taken_back(override_id) or ("", 204)


def taken_back(override_id: int) -> Response | None:
    """Revert an override; a problem where there is none of that number, or whoever asks may not."""
    found = overrides.find(store(), override_id) if override_id <= LAST else None
    if found is None:
        return problem(404, UNKNOWN)
    if found.actor != g.principal.id and not g.principal.role.covers(Role.CURATOR):
        return problem(403, NOT_YOURS)
    overrides.revert(store(), by(), override_id)
    return None


def dump_override(one: Override, places: Places) -> dict[str, Any]:
    """An override in the shape of :class:`OverrideOut`."""
    told = one._asdict()
    now = None if one.course_id is None else places.there(one.course_id, one.title)
    applies = (now is not None or one.course_id is None) and one.reverted_at is None
    return {"person": told.pop("pseudonym"), "applies_to": now, "applies": applies, **told}
