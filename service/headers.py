"""Headers that every answer carries. The pages load nothing but their own style sheet, and no other site may frame them."""

from __future__ import annotations

from flask import Flask, Response, request

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def init_headers(app: Flask) -> None:
    """Set the headers on every answer, errors included."""

    @app.after_request
    def _secured(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        # Answers tell of persons and of the version active now; only the style sheet may be kept.
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
