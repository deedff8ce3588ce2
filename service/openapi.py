"""What APIFlask's OpenAPI document lacks: every error in the one shape, a required body, answers with all their keys."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask

from service.errors import PROBLEMS

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details. 不含请求中的任何内容，只含字段名。",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "urn:quebu:error:422"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "怎样改正"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string", "example": "weaknesses.0.severity"},
                    "message": {"type": "string", "example": "应为 1（轻）、2 或 3（重）"},
                },
            },
        },
    },
}
DESCRIPTION = (
    "缺什么补什么、干什么学什么：输入一个人的岗位和短板，返回推荐课程、理由和暂时补不上的短板。\n\n"
    "出错时一律返回 `application/problem+json`（RFC 9457），包括 404 和 405。"
)
WITH_BODY = (400, 413, 415)


def init_openapi(app: APIFlask) -> None:
    """Complete the document each time it is made."""
    app.config.update(AUTO_SERVERS=False, AUTO_OPERATION_ID=True, DESCRIPTION=DESCRIPTION, SUCCESS_DESCRIPTION="成功")

    @app.spec_processor
    def _completed(spec: Any) -> Any:
        schemas = spec["components"]["schemas"]
        for stranger in ("HTTPError", "ValidationError"):
            schemas.pop(stranger, None)
        schemas["Problem"] = PROBLEM
        for name, schema in schemas.items():
            if name.endswith("Out"):
                schema["required"] = list(schema["properties"])
        for path in spec["paths"].values():
            for operation in path.values():
                _complete(operation)
        return spec


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    given = {int(status) for status in responses if int(status) >= 400} | {500}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
        given.update(WITH_BODY)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in given:
        responses[str(status)] = {"description": PROBLEMS[status][0], "content": content}
    operation["responses"] = dict(sorted(responses.items()))
