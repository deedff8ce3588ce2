"""One profile in, one explained plan out."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, Schema
from flask import current_app, request
from marshmallow import ValidationError, fields
from marshmallow.validate import Range

from model.domain import Limits
from service.errors import problem
from service.schemas import PlanOut, ProfileIn, dump_plan, flatten

bp = APIBlueprint("recommendations", __name__, url_prefix="/api/v1", tag="recommendations")


class LimitsIn(Schema):
    """Query parameters of a recommendation."""

    top = fields.Integer(
        validate=Range(1, 100, error="应在 1 到 100 之间"), metadata={"description": "最多推荐几门（必修课另计）"}
    )
    level_window = fields.Integer(validate=Range(0, 10), metadata={"description": "允许与课程适用层级相差几级"})


@bp.post("/recommendations")
@bp.input(LimitsIn, location="query", arg_name="query")
@bp.input(ProfileIn, location="json", validation=False, arg_name="_body")
@bp.output(PlanOut)
@bp.doc(summary="为一个人推荐课程", responses={422: "字段有误，逐项列出", 503: "尚未训练或启用版本"})
def recommend(query: dict[str, int], _body: Any) -> Any:
    """Gaps, recommended courses with reasons, and the gaps no course closes."""
    recommender = current_app.extensions["quebu"].recommender()
    body = request.get_json(silent=False)
    try:
        profile = ProfileIn(recommender.lexicon).load(body)
    except ValidationError as error:
        return problem(
            422,
            "请按 errors 逐项修改。",
            [{"field": field, "message": text} for field, text in flatten(error.messages)],
        )
    limits = Limits(
        top=query.get("top", current_app.config["TOP"]),
        level_window=query.get("level_window", current_app.config["LEVEL_WINDOW"]),
    )
    return dump_plan(next(recommender.plans([profile], limits)))
