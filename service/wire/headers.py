"""Headers that every answer carries. The pages load what this service has, and nothing else; no other site may frame them."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import Flask, Response, g, request

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def init_headers(app: Flask) -> None:
    """Set the headers on every answer, errors included. A request keeps the id its caller gave it, or gets one."""

    @app.before_request
    def _named() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex

    @app.after_request
    def _secured(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        response.headers["X-Request-ID"] = g.request_id
        # Answers tell of persons and of the version active now; only what the pages are made of may be kept, and what a tag vouches for.
        if request.endpoint != "static" and "ETag" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
