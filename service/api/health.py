"""Is the service able to answer?"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, Schema
from flask import current_app
from marshmallow import fields
from marshmallow.validate import Equal

from service.engine import Engine
from service.wire.access import allows
from service.wire.errors import problem

bp = APIBlueprint("health", __name__, url_prefix="/api/v1/health", tag="health")


class ReadyOut(Schema):
    """Which version answers, on how many courses, and by which sentence encoder."""

    status = fields.String(validate=Equal("ready"))
    model_version = fields.String()
    courses = fields.Integer()
    encoder = fields.String(
        allow_none=True, metadata={"description": "正在使用的句向量编码器；没有可用的编码器时为 null。"}
    )
    degraded = fields.Boolean(metadata={"description": "true 表示没有可用的编码器，只凭词句和能力匹配，效果较差。"})
    trouble = fields.String(metadata={"description": "只在启用的版本用不了、仍由此前的版本应答时出现，说明原因"})


class LiveOut(Schema):
    """The process answers."""

    status = fields.String(validate=Equal("live"))


@bp.get("/live")
@allows(None)
@bp.output(LiveOut)
@bp.doc(summary="存活检查", description="进程能应答即返回 200，不看模型。", operation_id="live")
def live() -> dict[str, str]:
    """200 while the process answers at all."""
    return {"status": "live"}


@bp.get("/ready")
@allows(None)
@bp.output(ReadyOut)
@bp.doc(
    summary="就绪检查",
    description="已启用的版本加载完成后返回 200，之前返回 503。",
    operation_id="ready",
    responses=[503],
)
def ready() -> Any:
    """200 with the version that answers once one is loaded; 503 before."""
    engine: Engine = current_app.extensions["quebu"]
    recommender = engine.ready()
    if recommender is None:
        return problem(503, "模型正在载入，请稍候。", headers={"Retry-After": "1"})
    encoder = recommender.matcher.encoder
    return {
        "status": "ready",
        "model_version": recommender.version,
        "courses": len(recommender.catalog),
        "encoder": encoder,
        "degraded": encoder is None,
        **({"trouble": str(engine.refusal)} if engine.refusal else {}),
    }
