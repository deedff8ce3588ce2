"""Is the service able to answer?"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, Schema
from flask import current_app
from marshmallow import fields
from marshmallow.validate import Equal

bp = APIBlueprint("health", __name__, url_prefix="/api/v1/health", tag="health")


class ReadyOut(Schema):
    """Which version answers, and on how many courses."""

    status = fields.String(validate=Equal("ready"))
    model_version = fields.String()
    courses = fields.Integer()


@bp.get("/ready")
@bp.output(ReadyOut)
@bp.doc(
    summary="就绪检查",
    description="已启用的版本加载完成后返回 200，之前返回 503。",
    operation_id="ready",
    responses=[503],
)
def ready() -> dict[str, Any]:
    """200 with the active version once it is loaded; 503 before."""
    recommender = current_app.extensions["quebu"].recommender()
    return {"status": "ready", "model_version": recommender.version, "courses": len(recommender.catalog)}
