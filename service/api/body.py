"""The bodies of requests, read before the framework does: its reader falls over nested brackets, and says less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from apiflask import APIBlueprint, Schema
from flask import Response, abort, g, request

from service.shapes.jsonl import parse
from service.wire.errors import problem

View = TypeVar("View", bound=Callable[..., Any])

WRITING = {"POST", "PUT", "PATCH"}


def read_json() -> Response | None:
    """Put the JSON of the body into ``g.body``; a problem where it is none."""
    if request.method not in WRITING:
        return None
    if not request.is_json:
        abort(415)
    try:
        g.body = parse(request.get_data().decode("utf-8-sig"))
    except UnicodeDecodeError:
        return problem(400, "请求内容不是 UTF-8 编码；请以 UTF-8 提交。")
    except ValueError as error:
        return problem(400, f"请求内容{error}。")
    return None


def documents_body(bp: APIBlueprint, schema: type[Schema], example: Any = None) -> Callable[[View], View]:
    """Name the schema of the body in the document, to be put above ``bp.output``. The framework's wrapper is not kept: it would read the body again."""

    def noted(view: View) -> View:
        bp.input(schema, location="json", validation=False, example=example)(view)
        return view

    return noted


def documents_form(bp: APIBlueprint, schema: type[Schema]) -> Callable[[View], View]:
    """Name the schema of a form with a file in the document, in the same way."""

    def noted(view: View) -> View:
        bp.input(schema, location="form_and_files", validation=False)(view)
        return view

    return noted
