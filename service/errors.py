"""Every error as RFC 9457 problem details (``application/problem+json``), naming each faulty field.

Nothing a person wrote into a body comes back in an error or goes into a log: only the names of fields do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, current_app, jsonify

from model.errors import InputError, QuebuError, VersionError
from service.schemas import field_name, flatten

log = logging.getLogger(__name__)

MOST_ERRORS = 100

# Status -> what happened, and what would be right.
PROBLEMS = {
    400: ("请求格式有误", "请求内容不是完整的 JSON；请检查引号、逗号和括号。"),
    404: ("没有这个地址", "接口的地址见 /openapi.json。"),
    405: ("不支持这种请求方法", "这个地址支持的方法见响应头 Allow。"),
    413: ("请求内容过大", "请求内容不能超过 {MAX_BODY_MB} MB；请分几次提交。"),
    415: ("请求内容应为 JSON", "请用 Content-Type: application/json，以 UTF-8 编码提交。"),
    422: ("请求内容不符合要求", "请按 errors 逐项修改。"),
    500: ("系统内部错误", "请稍后重试；若仍然出现，请联系管理员并告知发生时间。"),
    503: ("服务尚未就绪", "请稍后重试。"),
}
OTHER = ("请求未能完成", "接口的用法见 /openapi.json。")


def problem(
    status: int,
    detail: str | None = None,
    errors: Iterable[dict[str, str]] = (),
    headers: Any = None,
) -> Response:
    """One problem-details response. Of very many errors the first are listed, and ``detail`` tells their number."""
    title, usual = PROBLEMS.get(status, OTHER)
    found = list(errors)
    body: dict[str, Any] = {
        "type": f"urn:quebu:error:{status}",
        "title": title,
        "status": status,
        "detail": detail or usual.format_map(current_app.config),
    }
    if found:
        body["errors"] = found[:MOST_ERRORS]
    if len(found) > MOST_ERRORS:
        body["detail"] += f"共 {len(found)} 处，先列出 {MOST_ERRORS} 处。"
    response = jsonify(body)
    response.status_code = status
    response.headers.extend(headers or {})
    response.content_type = "application/problem+json"
    return response


def faulty_fields(messages: Any) -> list[dict[str, str]]:
    """Marshmallow's messages as the ``errors`` of a problem; ``body`` where the whole of it is meant."""
    return [{"field": field_name(steps) or "body", "message": message} for steps, message in flatten(messages)]


def init_errors(app: APIFlask) -> None:
    """Map errors raised on purpose, framework errors and crashes to problem details."""

    @app.error_processor
    def _from_http(error: HTTPError) -> Response:
        return problem(error.status_code, errors=faulty_fields(error.detail or {}), headers=error.headers)

    @app.errorhandler(QuebuError)
    def _from_purpose(error: QuebuError) -> Response:
        if isinstance(error, VersionError):
            return problem(503, str(error), headers={"Retry-After": "30"})
        return problem(422, str(error)) if isinstance(error, InputError) else problem(500)

    @app.errorhandler(Exception)
    def _from_crash(error: Exception) -> Response:
        # The message of an unexpected error may hold what a person wrote; only its kind and place are logged.
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        log.error("unexpected %s at %s", type(error).__name__, where)
        return problem(500)
