"""The web and command-line face of ``model/``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apiflask import APIFlask

from service.embeddings import encoders
from service.engine import Engine
from service.errors import init_errors
from service.headers import init_headers
from service.openapi import init_openapi
from service.settings import load_settings


def create_app(config: Mapping[str, Any] | None = None) -> APIFlask:
    """Make the application from the settings table, the environment and ``config`` (for tests)."""
    from service.api import batch, catalog, cohorts, health, matches, models, recommendations  # noqa: PLC0415 (views import the application's extensions)
    from service.pages import landing  # noqa: PLC0415

    settings = {**load_settings(), **(config or {})}
    app = APIFlask("service", title="Quebu 缺补", version="0.2.0", docs_path=None, spec_path="/openapi.json")
    app.config.update(settings, MAX_CONTENT_LENGTH=settings["MAX_BODY_MB"] * 2**20)
    # Chinese as it is, keys in the order of the schemas: the same JSON as on the command line.
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False  # An address with a doubled slash is unknown; a redirect would be one more shape.
    app.extensions["quebu"] = Engine(Path(settings["REGISTRY"]), encoders(settings))
    for init in (init_errors, init_headers, init_openapi):
        init(app)
    for module in (health, recommendations, batch, cohorts, matches, catalog, models, landing):
        app.register_blueprint(module.bp)
    return app
