"""Every error as RFC 9457 problem details (``application/problem+json``), naming each faulty field."""

from __future__ import annotations

import logging
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, jsonify

from model.errors import InputError, QuebuError, VersionError
from service.schemas import flatten

log = logging.getLogger(__name__)

TITLES = {400: "请求格式有误", 404: "没有这个地址", 405: "不支持这种请求方法", 413: "请求内容过大", 415: "请求内容应为 JSON", 422: "请求内容不符合要求",
          500: "系统内部错误", 503: "服务尚未就绪"}  # fmt: skip


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None, headers: Any = None) -> Response:
    """One problem-details response."""
    body: dict[str, Any] = {
        "type": f"urn:quebu:error:{status}",
        "title": TITLES.get(status, "请求未能完成"),
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status
    response.headers.extend(headers or {})
    response.content_type = "application/problem+json"
    return response


def init_errors(app: APIFlask) -> None:
    """Map errors raised on purpose, framework errors and crashes to problem details."""

    @app.error_processor
    def _from_http(error: HTTPError) -> Response:
        faults = (
            [{"field": field.removeprefix("json."), "message": message} for field, message in flatten(error.detail)]
            if error.detail
            else []
        )
        detail = "请按 errors 逐项修改。" if faults else TITLES.get(error.status_code, str(error.message))
        return problem(error.status_code, detail, faults, error.headers)

    @app.errorhandler(QuebuError)
    def _from_purpose(error: QuebuError) -> Response:
        if isinstance(error, VersionError):
            return problem(503, str(error), headers={"Retry-After": "30"})
        return problem(422 if isinstance(error, InputError) else 500, str(error))

    @app.errorhandler(Exception)
    def _from_crash(error: Exception) -> Response:
        # The message of an unexpected error may hold what a person wrote; only its kind and place are logged.
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        log.error("unexpected %s at %s", type(error).__name__, where)
        return problem(500, "请稍后重试；若仍然出现，请联系管理员并告知发生时间。")
