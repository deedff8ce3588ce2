"""Every error as RFC 9457 problem details (``application/problem+json``), naming each faulty field, in Chinese and in English.

Nothing a person wrote into a body comes back in an error or goes into a log: only the names of fields do.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from apiflask import APIFlask, HTTPError
from flask import Response, g, jsonify, request
from marshmallow import ValidationError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from model.errors import InputError, QuebuError, VersionError
from service.shapes.fields import field_name, flatten, pointer
from service.store.patience import disk_full

log = logging.getLogger(__name__)

MOST_ERRORS = 100


class Known(NamedTuple):
    """What happened, in Chinese and in English, and what would be right, in Chinese."""

    title: str
    english: str
    remedy: str


PROBLEMS = {
    400: Known("请求格式有误", "Malformed request", "请求内容不是完整的 JSON；请检查引号、逗号和括号。"),
    401: Known(
        "需要有效的密钥",
        "Key needed",
        "请在请求头中写 Authorization: Bearer 加空格加密钥。密钥可能缺少、写错、过期或已被吊销，由管理员用 quebu keys create 发放。",
    ),
    403: Known("权限不够", "Not allowed", "请向管理员申请相应的角色。"),
    404: Known("没有这个地址", "Not found", "接口的地址见 /openapi.json。"),
    405: Known("不支持这种请求方法", "Method not allowed", "这个地址支持的方法见响应头 Allow。"),
    413: Known("请求内容过大", "Request too large", "请求内容不能超过 {most} MB；请分几次提交。"),
    409: Known("与现状冲突", "Conflict", "请先查看当前的状态，再决定是否重试。"),
    415: Known(
        "请求内容的类型不对", "Unsupported media type", "请用 Content-Type: application/json，以 UTF-8 编码提交。"
    ),
    422: Known("请求内容不符合要求", "Request not as documented", "请按 errors 逐项修改。"),
    429: Known("请求过于频繁", "Too many requests", "请按响应头 Retry-After 的秒数等待后再试。"),
    500: Known("系统内部错误", "Internal error", "请稍后重试；若仍然出现，请联系管理员并告知 request_id。"),
    503: Known("服务尚未就绪", "Not ready", "请稍后重试。"),
    507: Known("存储空间不足", "Insufficient storage", "服务器的磁盘已满，没有保存；请联系管理员。"),
}
OTHER = Known("请求未能完成", "Request failed", "接口的用法见 /openapi.json。")


def body_of(status: int, detail: str | None = None, errors: Iterable[dict[str, str]] = ()) -> dict[str, Any]:
    """The members of a problem. Of very many errors the first are listed, and ``detail`` tells their number."""
    known = PROBLEMS.get(status, OTHER)
    found = list(errors)
    body: dict[str, Any] = {
        "type": f"urn:quebu:error:{status}",
        "title": known.title,
        "title_en": known.english,
        "status": status,
        "detail": detail or known.remedy,
    }
    if found:
        body["errors"] = found[:MOST_ERRORS]
    if len(found) > MOST_ERRORS:
        body["detail"] += f"共 {len(found)} 处，先列出 {MOST_ERRORS} 处。"
    return body


def problem(
    status: int,
    detail: str | None = None,
    errors: Iterable[dict[str, str]] = (),
    headers: Any = None,
) -> Response:
    """One problem-details response; ``request_id`` is what an administrator finds in the log."""
    if status == 413 and detail is None:
        # Which limit holds depends on the route.
        detail = PROBLEMS[413].remedy.format(most=(request.max_content_length or 0) // 2**20)
    body = body_of(status, detail, errors)
    response = jsonify(body | {"request_id": g.request_id})
    response.status_code = status
    response.headers.extend(headers or {})
    response.content_type = "application/problem+json"
    return response


def faulty_fields(messages: Any, root: str = "body") -> list[dict[str, str]]:
    """Marshmallow's messages as the ``errors`` of a problem; ``root`` names the whole where the whole of it is meant."""
    return [
        {
            "field": field_name(said.steps) or root,
            "pointer": pointer(said.steps),
            "message": said.chinese,
            "message_en": said.english,
        }
        for said in flatten(messages)
    ]


def init_errors(app: APIFlask) -> None:
    """Map errors raised on purpose, framework errors and crashes to problem details."""

    @app.error_processor
    def _from_http(error: HTTPError) -> Response:
        return problem(error.status_code, errors=faulty_fields(error.detail or {}), headers=error.headers)

    @app.errorhandler(ValidationError)
    def _from_schema(error: ValidationError) -> Response:
        return problem(422, errors=faulty_fields(error.messages))

    @app.errorhandler(QuebuError)
    def _from_purpose(error: QuebuError) -> Response:
        if isinstance(error, VersionError):
            return problem(503, str(error), headers={"Retry-After": "30"})
        return problem(422, str(error)) if isinstance(error, InputError) else problem(500)

    @app.errorhandler(DBAPIError)
    def _from_store(error: DBAPIError) -> Response:
        if disk_full(error):
            return problem(507)
        if isinstance(error, DataError):
            return problem(422, "请求中有数据库不能保存的字符（如空字符）；请去掉后重试。")
        if isinstance(error, OperationalError | InterfaceError):
            return _not_available(type(error.orig).__name__)
        return _from_crash(error)

    @app.errorhandler(PoolTimeout)
    def _from_pool(error: PoolTimeout) -> Response:
        return _not_available(type(error).__name__)

    @app.errorhandler(OSError)
    def _from_disk(error: OSError) -> Response:
        return problem(507) if error.errno == errno.ENOSPC else _from_crash(error)

    @app.errorhandler(Exception)
    def _from_crash(error: Exception) -> Response:
        # The message of an unexpected error may hold what a person wrote; only its kind and place are logged.
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        log.error("unexpected %s at %s in request %s", type(error).__name__, where, g.request_id)
        return problem(500)


def _not_available(kind: str) -> Response:
    # The driver's words may name hosts and users; the kind of the error is enough.
    log.error("store not available (%s) in request %s", kind, g.request_id)
    return problem(503, "数据库暂时不可用；请稍后重试。", headers={"Retry-After": "5"})
