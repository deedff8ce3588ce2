"""Query parameters of routes that take none: refused by name, as strangers are everywhere. Routes that take some refuse others by their schema."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask, abort
from flask import request

from service.shapes.fields import both
from service.wire.access import needed

NONE = both("这个地址不接受查询参数；请去掉", "This address takes no query parameters.")


def init_queries(app: APIFlask) -> None:
    """Refuse what would be passed over in silence: who writes ``?dry_run=true`` means it."""

    @app.before_request
    def _asked() -> None:
        # Who asks whether it lives may add what it likes.
        if request.endpoint is None or not request.args or needed(app, request.endpoint)[0] is None:
            return
        if request.path.startswith("/api/") and not takes_queries(app.view_functions[request.endpoint]):
            abort(422, detail={"query": {name: [NONE] for name in request.args}})


def takes_queries(view: Any) -> bool:
    """Whether a view declares query parameters."""
    return any(location == "query" for _, location, *_ in getattr(view, "_spec", {}).get("args", ()))
