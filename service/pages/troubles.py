"""A problem on a page is a page: the same sentence, with the way on, in place of JSON."""

from __future__ import annotations

from flask import Flask, Response, render_template, request

PROBLEM = "application/problem+json"


def init_troubles(app: Flask) -> None:
    """Answer who asked for a page with one. What asks for JSON, and every address of the interface, gets the problem as it is."""

    @app.after_request
    def _as_page(response: Response) -> Response:
        wants = request.accept_mimetypes.best_match([PROBLEM, "text/html"], default=PROBLEM)
        if response.mimetype != PROBLEM or request.path.startswith("/api/") or wants != "text/html":
            return response
        told = response.get_json()
        response.set_data(render_template("trouble.html", told=told))
        response.mimetype = "text/html"
        return response
