"""Is the service able to answer?"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import current_app

bp = APIBlueprint("health", __name__, url_prefix="/api/v1/health", tag="health")


@bp.get("/ready")
@bp.doc(summary="就绪检查", responses={503: "尚未训练或启用版本"})
def ready() -> dict[str, Any]:
    """200 with the active version once it is loaded; 503 before."""
    recommender = current_app.extensions["quebu"].recommender()
    return {"status": "ready", "model_version": recommender.version, "courses": len(recommender.catalog)}
