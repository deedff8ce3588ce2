"""What a training would learn from the feedback now, what is short of it, and what the last one learnt: shown before it acts."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import current_app
from marshmallow import RAISE, fields

from model.feedback import lesson
from model.learning import summary, worths
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import Door
from service.store import feedback
from service.store.roles import Role
from service.wire.access import allows, store

bp = APIBlueprint("learning", __name__, url_prefix="/api/v1", tag="feedback")


class LearningOut(Door):
    """What there is to learn from, and what was learnt."""

    on = fields.Boolean(metadata={"description": "训练是否学习反馈（QUEBU_LEARN）"})
    enough = fields.Boolean(metadata={"description": "反馈是否够学"})
    missing = fields.List(fields.String(), metadata={"description": "还缺什么"})
    pieces = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "各种反馈的条数：accepted 采纳，instead 换成，rejected 否决，attended 参加，improved、unimproved 测试有无提高"
        },
    )
    pairs = fields.Integer(metadata={"description": "合并后“短板—课程”判断的组数"})
    texts = fields.Integer(metadata={"description": "不同的短板条数"})
    planners = fields.Integer(metadata={"description": "经办人数"})
    planners_capped = fields.Integer(metadata={"description": "因说得太多而折减的经办人数"})
    dropped = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "没有采用的：course_gone 课程已不在目录，contradicted 意见相反而抵消，long_ago 太久以前"
        },
    )
    weights = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        metadata={"description": "现用权重：每种依据为 0.5 时使对数几率增加多少，offset 为没有任何依据时的对数几率"},
    )
    last = fields.Dict(
        allow_none=True, metadata={"description": "现用版本训练时从反馈学到了什么、前后对比；没有学过则为 null"}
    )
    model_version = fields.String()


@bp.get("/feedback/learning")
@allows(Role.CURATOR)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(LearningOut)
@bp.doc(
    summary="从反馈学习",
    description="现在训练会从反馈学到什么。学习只在训练时发生，新权重随候选版本列出，启用之后才起作用。",
    operation_id="learning",
    responses=[422, 503],
)
def learning(query: dict[str, Any]) -> Any:
    """What a training would learn."""
    recommender = recommender_of(query)
    with store().reading() as connection:
        found = lesson(feedback.judged(connection), recommender.catalog.row_of)
    ranker = recommender.matcher.rankers_[0]
    return {
        "on": bool(current_app.config["LEARN"]),
        "enough": not found.missing,
        "missing": list(found.missing),
        **summary(found),
        "weights": worths(ranker.evidence.features, ranker.weights),
        "last": recommender.metrics.get("feedback"),
        "model_version": recommender.version,
    }
