"""What is counted, as Prometheus asks for it."""

from __future__ import annotations

from apiflask import APIBlueprint, FileSchema
from flask import Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from service.store.roles import Role
from service.wire.access import allows
from service.wire.metrics import metrics_now

bp = APIBlueprint("metrics", __name__, url_prefix="/api/v1", tag="health")


@bp.get("/metrics")
@allows(Role.READER)
@bp.output(FileSchema(type="string", format="prometheus"), content_type="text/plain")
@bp.doc(
    summary="运行指标",
    description="Prometheus 文本格式：各接口的请求数和耗时、已答复的人数、正在使用的版本。不含请求中的任何内容。",
    operation_id="metrics",
)
def metrics() -> Response:
    """Counts and times, of all processes together."""
    return Response(metrics_now().text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
