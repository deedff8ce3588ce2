"""One profile in, one explained plan out."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, abort, current_app, g, request
from marshmallow import RAISE, ValidationError, fields
from marshmallow.validate import Range

from model.domain import Limits
from service.errors import faulty_fields, problem
from service.jsonl import parse
from service.schemas import Door, PlanOut, ProfileIn, dump_plan

bp = APIBlueprint("recommendations", __name__, url_prefix="/api/v1", tag="recommendations")

EXAMPLE = {
    "id": "P1",
    "unit": "青溪镇党委",
    "post": "镇党委书记",
    "level": "乡科级正职",
    "years_in_post": 3,
    "weaknesses": [{"text": "一上台讲话就冒汗", "severity": 3, "source": "组织评价"}],
    "scores": {"公文写作": 55},
    "completed": [],
    "hours_available": 24,
    "hours_done": 16,
    "online_hours_done": 30,
    "five_year_hours_done": 210,
    "restrictions": [],
}


class LimitsIn(Door):
    """Query parameters of a recommendation."""

    top = fields.Integer(
        error_messages={"invalid": "应为整数"},
        validate=Range(1, 100, error="应在 1 到 100 之间"),
        metadata={"description": "最多推荐几门（必修课另计）"},
    )
    level_window = fields.Integer(
        error_messages={"invalid": "应为整数"},
        validate=Range(0, 10, error="应在 0 到 10 之间"),
        metadata={"description": "允许与课程适用层级相差几级"},
    )


@bp.before_request
def read_body() -> Response | None:
    """Read the JSON before the framework does: its reader falls over nested brackets, and says less."""
    if request.method != "POST":
        return None
    if not request.is_json:
        abort(415)
    try:
        g.body = parse(request.get_data().decode("utf-8-sig"))
    except UnicodeDecodeError:
        return problem(400, "请求内容不是 UTF-8 编码；请以 UTF-8 提交。")
    except ValueError as error:
        return problem(400, f"请求内容{error}。")
    return None


@bp.post("/recommendations")
@bp.input(LimitsIn, location="query", arg_name="query", unknown=RAISE)
@bp.input(ProfileIn, location="json", validation=False, arg_name="_body", example=EXAMPLE)
@bp.output(PlanOut)
@bp.doc(summary="为一个人推荐课程", operation_id="recommend", responses=[422, 503])
def recommend(query: dict[str, int], _body: Any) -> Any:
    """Gaps, recommended courses with reasons, and the gaps no course closes."""
    recommender = current_app.extensions["quebu"].recommender()
    try:
        profile = ProfileIn(recommender.lexicon).load(g.body)
    except ValidationError as error:
        return problem(422, errors=faulty_fields(error.messages))
    limits = Limits(
        top=query.get("top", current_app.config["TOP"]),
        level_window=query.get("level_window", current_app.config["LEVEL_WINDOW"]),
    )
    return dump_plan(next(recommender.plans([profile], limits)))
