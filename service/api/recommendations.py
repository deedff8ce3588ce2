"""One profile in, one explained plan out; or its gaps alone."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, abort
from flask import current_app, g
from marshmallow import RAISE, fields
from marshmallow.validate import Length

from model.domain import Limits, Profile
from model.recommender import Recommender
from service.api.body import documents_body, read_json
from service.engine import Engine
from service.shapes.fields import WHOLE, Door, at_most, between, both, characters, one_of
from service.shapes.schemas import NO_GAPS, GapOut, PlanOut, ProfileIn, dump_gap, dump_plan
from service.store.layer import Layer
from service.store.roles import Role
from service.wire.access import allows
from service.wire.metrics import metrics_now

bp = APIBlueprint("recommendations", __name__, url_prefix="/api/v1", tag="recommendations")
bp.before_request(read_json)

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
EXPLAIN = ("full", "codes", "none")
UNKNOWN_VERSION = both(
    "没有这个版本；现有版本见 /api/v1/models", "Unknown version; /api/v1/models lists those there are."
)


class VersionIn(Door):
    """Which version is to answer."""

    model_version = fields.String(
        validate=characters(1, 20), metadata={"description": "指定版本，如 v0001；默认为启用的版本"}
    )


class LimitsIn(VersionIn):
    """Query parameters of a recommendation."""

    top = fields.Integer(
        error_messages={"invalid": WHOLE},
        validate=between(1, 100),
        metadata={"description": "最多推荐几门（必修课另计）"},
    )
    level_window = fields.Integer(
        error_messages={"invalid": WHOLE},
        validate=between(0, 10),
        metadata={"description": "允许与课程适用层级相差几级"},
    )
    excluded = fields.List(
        fields.String(validate=characters(1, 200)),
        data_key="exclude",
        validate=Length(max=1000, error=at_most(1000)),
        metadata={"description": "不推荐的课程编号，可多次给出"},
    )
    explain = fields.String(
        load_default="full",
        validate=one_of(EXPLAIN),
        metadata={"description": "理由：full 全文，codes 只给代码，none 不给"},
    )


class GapsOut(Door):
    """What one person lacks."""

    id = fields.String()
    gaps = fields.List(fields.Nested(GapOut))
    model_version = fields.String()
    note = fields.String(metadata={"description": "只在没有短板和岗位需要时出现，说明原因"})


def limits_of(query: dict[str, Any]) -> Limits:
    """The limits that query parameters ask for, else those of the settings."""
    return Limits(
        top=query.get("top", current_app.config["TOP"]),
        level_window=query.get("level_window", current_app.config["LEVEL_WINDOW"]),
        excluded=frozenset(query.get("excluded", ())),
    )


def recommender_of(query: dict[str, Any]) -> Recommender:
    """The version that is to answer, under the rejections at work; raises VersionError where there is none, a 422 where the one asked for is
    unknown."""
    engine: Engine = current_app.extensions["quebu"]
    version = query.get("model_version")
    if version is not None and version not in engine.registry.versions():
        abort(422, detail={"query": {"model_version": [UNKNOWN_VERSION]}})
    layer: Layer = current_app.extensions["quebu.overrides"]
    return layer.over(engine.recommender(version))


def profile_of(recommender: Recommender) -> Profile:
    """The profile in the body; raises ValidationError."""
    profile: Profile = ProfileIn(recommender.lexicon).load(g.body)
    return profile


@bp.post("/recommendations")
@allows(Role.READER)
@bp.input(LimitsIn, location="query", arg_name="query", unknown=RAISE)
@documents_body(bp, ProfileIn, EXAMPLE)
@bp.output(PlanOut)
@bp.doc(summary="为一个人推荐课程", operation_id="recommend", responses=[422, 503])
def recommend(query: dict[str, Any]) -> Any:
    """Gaps, recommended courses with reasons, and the gaps no course closes."""
    recommender = recommender_of(query)
    profile = profile_of(recommender)
    plan = next(recommender.plans([profile], limits_of(query)))
    metrics_now().count(1, len(plan.gaps))
    return dump_plan(plan, query["explain"])


@bp.post("/gaps")
@allows(Role.READER)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@documents_body(bp, ProfileIn, EXAMPLE)
@bp.output(GapsOut)
@bp.doc(summary="一个人缺什么", operation_id="gaps", responses=[422, 503])
def gaps(query: dict[str, Any]) -> Any:
    """What one person lacks and what the post asks for, without courses."""
    recommender = recommender_of(query)
    profile = profile_of(recommender)
    (needs,), _ = recommender.needs([profile])
    metrics_now().count(1, len(needs.gaps))
    return {
        "id": profile.id,
        "gaps": [dump_gap(gap) for gap in needs.gaps],
        "model_version": recommender.version,
        **({} if needs.gaps else {"note": NO_GAPS}),
    }
