"""What APIFlask's OpenAPI document lacks: every error in the one shape, a required body, answers with all their keys."""

from __future__ import annotations

import re
from typing import Any

from apiflask import APIFlask

from service.store.roles import ROLE_NAMES, Role
from service.wire.access import needed
from service.wire.errors import PROBLEMS

ERROR = {
    "type": "object",
    "additionalProperties": False,
    "required": ["field", "pointer", "message", "message_en"],
    "properties": {
        "field": {"type": "string", "example": "weaknesses.0.severity"},
        "pointer": {"type": "string", "description": "JSON pointer (RFC 6901)", "example": "/weaknesses/0/severity"},
        "message": {"type": "string", "example": "应为 1（轻）、2 或 3（重）"},
        "message_en": {"type": "string", "example": "Must be 1 (slight), 2 or 3 (severe)."},
    },
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details. 不含请求中的任何内容，只含字段名。",
    "additionalProperties": False,
    "required": ["type", "title", "title_en", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "urn:quebu:error:422"},
        "title": {"type": "string"},
        "title_en": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "怎样改正"},
        "errors": {"type": "array", "items": ERROR},
        "request_id": {"type": "string", "description": "与响应头 X-Request-ID 相同；批量答复中的单条不带"},
    },
}
FAILED = {
    "type": "object",
    "description": "批量请求中没有能用的一条。",
    "additionalProperties": False,
    "required": ["index", "id", "error"],
    "properties": {
        "index": {"type": "integer", "description": "第几条，从 0 数起"},
        "id": {"type": ["string", "null"]},
        "error": {"$ref": "#/components/schemas/Problem"},
    },
}
PEOPLE = {
    "type": "object",
    "required": ["profiles"],
    "additionalProperties": False,
    "properties": {"profiles": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ProfileIn"}}},
}
ANSWER = {"anyOf": [{"$ref": "#/components/schemas/PlanOut"}, {"$ref": "#/components/schemas/FailedOut"}]}
NDJSON = "application/x-ndjson"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROSTER = {"type": "string", "format": "binary", "description": "名册文件，文件名的后缀为 .xlsx .xls .csv .jsonl 之一"}
PARTS = {
    "plan": {"type": "string", "contentMediaType": "application/json", "example": '{"hours": 8}'},
    "previous": {"type": "string", "contentMediaType": "application/json", "description": "保存的方案"},
    "deadline": {"type": "string", "maxLength": 100},
}
# The parts of a form beside the roster, the one that must be there first.
UPLOADED: dict[str, tuple[str, ...]] = {
    "plan_cohort": ("plan", "previous", "deadline"),
    "recommend_cohort": (),
    "diagnose_cohort": (),
}
DESCRIPTION = (
    "缺什么补什么、干什么学什么：输入一个人的岗位和短板，返回推荐课程、理由和暂时补不上的短板。\n\n"
    "出错时一律返回 `application/problem+json`（RFC 9457），包括 404 和 405。\n\n"
    "请求体可以用 gzip 压缩（`Content-Encoding: gzip`），大小限制按解压后计；压缩损坏是 400，用其他方式压缩是 415。带 `Accept-Encoding: gzip` 的请求得到压缩的答复。"
)
WITH_BODY = (400, 413, 415)
BINARY = {"schema": {"type": "string", "format": "binary"}}
TOLD_OF_FEW = {"note", "overridden", "trouble"}  # There only where there is something to tell.
WITH_KEY = (401, 403, 422, 429, 503)  # Strangers among the query parameters are refused; the store may be away.
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "`quebu keys create` 发放的密钥。本机首次启动、还没有任何密钥时，从本机访问不需要密钥。",
}


def init_openapi(app: APIFlask) -> None:
    """Complete the document each time it is made."""
    app.config.update(AUTO_SERVERS=False, AUTO_OPERATION_ID=True, DESCRIPTION=DESCRIPTION, SUCCESS_DESCRIPTION="成功")

    @app.spec_processor
    def _completed(spec: Any) -> Any:
        schemas = spec["components"]["schemas"]
        for stranger in ("HTTPError", "ValidationError"):
            schemas.pop(stranger, None)
        schemas["Problem"], schemas["FailedOut"] = PROBLEM, FAILED
        schemas["BatchOut"]["properties"]["results"]["items"] = ANSWER
        for name, schema in schemas.items():
            if name.endswith("Out"):
                schema["required"] = [part for part in schema["properties"] if part not in TOLD_OF_FEW]
        asked = {
            (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower()): needed(app, rule.endpoint)[0]
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
        }
        spec["components"]["securitySchemes"] = {"key": KEY}
        for address, path in spec["paths"].items():
            for method, operation in path.items():
                if role := asked[address, method]:
                    _with_key(operation, role)
                if operation["operationId"] == "recommend_batch":
                    _with_lines(operation)
                if operation["operationId"] in UPLOADED:
                    _with_roster(operation)
                if operation["operationId"] == "check_courses":
                    operation["responses"]["200"]["content"][WORKBOOK] = BINARY
                if operation["operationId"] == "give_feedback":
                    _one_or_many(operation)
                if operation["operationId"] == "feedback":
                    operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
                _complete(operation)
        return spec


def _with_key(operation: dict[str, Any], role: Role) -> None:
    operation["security"] = [{"key": []}]
    operation["description"] = (
        f"{operation.get('description', '')}\n\n角色：{ROLE_NAMES[role]}（`{role.value}`）。".strip()
    )
    operation["responses"].update({str(status): {} for status in WITH_KEY})


def _with_lines(operation: dict[str, Any]) -> None:
    """A batch comes, and is answered, as one JSON value or as one a line; the view reads it itself, so the framework knows no body."""
    line = {"schema": {"type": "string", "description": "每行一个 ProfileIn"}}
    operation["requestBody"] = {"content": {"application/json": {"schema": PEOPLE}, NDJSON: line}}
    answer = {"schema": {"type": "string", "description": "每行一个 PlanOut 或 FailedOut"}}
    operation["responses"]["200"]["content"][NDJSON] = answer


def _with_roster(operation: dict[str, Any]) -> None:
    """A cohort comes as JSON or as a form with a roster, and is answered as JSON or as a workbook."""
    parts = UPLOADED[operation["operationId"]]
    form = {"type": "object", "required": ["roster", *parts[:1]], "additionalProperties": False, "properties": {}}
    form["properties"] = {"roster": ROSTER} | {name: PARTS[name] for name in parts}
    operation["requestBody"]["content"]["multipart/form-data"] = {"schema": form}
    operation["responses"]["200"]["content"][WORKBOOK] = BINARY


def _one_or_many(operation: dict[str, Any]) -> None:
    """A body may be one value or a list of them."""
    content = operation["requestBody"]["content"]["application/json"]
    content["schema"] = {
        "anyOf": [content["schema"], {"type": "array", "minItems": 1, "maxItems": 1000, "items": content["schema"]}]
    }


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "304" in responses:
        responses["304"] = {"description": "与 If-None-Match 所指的一致，没有内容"}
    given = {int(status) for status in responses if int(status) >= 400} | {500}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
        given.update(WITH_BODY)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in given:
        responses[str(status)] = {"description": PROBLEMS[status][0], "content": content}
    operation["responses"] = dict(sorted(responses.items()))
