"""The application: settings, store and engine joined with every route and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from service.api import (
    audit,
    batch,
    catalog,
    cohorts,
    covered,
    feedback,
    health,
    imports,
    jobs,
    keys,
    lacking,
    learning,
    matches,
    metrics,
    models,
    outcomes,
    overrides,
    plans,
    recommendations,
    reviews,
)
from service.engine import Engine
from service.pages import landing, language, login, waiting
from service.pages.admin import keys as admin
from service.pages.courses import courselist, coverage, curating, newlist, trainings, versions
from service.pages.help import docs, manual
from service.pages.menu import init_menu
from service.pages.people import diagnosis, roster
from service.pages.plans import plan, saved, variant
from service.pages.shown import init_shown
from service.pages.troubles import init_troubles
from service.settings import load_settings
from service.store import logins
from service.store.database import database_of
from service.store.layer import Layer
from service.versions import registry_of
from service.wire.access import init_access
from service.wire.compression import init_compression
from service.wire.cookies import init_cookies
from service.wire.errors import init_errors
from service.wire.headers import init_headers
from service.wire.idempotency import init_idempotency
from service.wire.languages import init_languages
from service.wire.logs import log_access
from service.wire.metrics import init_metrics
from service.wire.openapi import init_openapi
from service.wire.queries import init_queries
from service.wire.served import init_served


def create(config: Mapping[str, Any] | None = None) -> APIFlask:
    """See `service.create_app`."""
    # Whoever sits at this machine needs no key only where `quebu serve` says so.
    settings = {**load_settings(), "LOCAL": False, "WORKERS": 1, **(config or {})}
    database = database_of(settings)
    database.prepare()
    if settings["LOCAL"]:
        logins.open_local(database)
    app = APIFlask("service", title="Quebu 缺补", version="0.2.0", docs_path=None, spec_path="/openapi.json")
    app.config.update(settings, MAX_CONTENT_LENGTH=settings["MAX_BODY_MB"] * 2**20)
    # Chinese as it is, keys in the order of the schemas: the same JSON as on the command line.
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False  # An address with a doubled slash is unknown; a redirect would be one more shape.
    app.extensions["quebu"] = Engine(registry_of(settings))
    app.extensions["quebu.overrides"] = Layer(database)
    if settings["TRUSTED_PROXIES"]:
        hops = settings["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    # What is set up first sees an answer last: as it leaves.
    init_served(app, log_access, init_metrics(app, database).served)
    for init in (
        init_compression,
        init_troubles,
        init_errors,
        init_headers,
        init_openapi,
        init_languages,
        init_menu,
        init_shown,
    ):
        init(app)
    init_access(app, database)
    init_queries(app)
    init_idempotency(app, database)
    for module in (
        health,
        metrics,
        recommendations,
        reviews,
        batch,
        cohorts,
        lacking,
        jobs,
        matches,
        catalog,
        covered,
        imports,
        models,
        plans,
        feedback,
        learning,
        outcomes,
        overrides,
        keys,
        audit,
        landing,
        docs,
        login,
        language,
        roster,
        diagnosis,
        waiting,
        plan,
        variant,
        saved,
        courselist,
        newlist,
        trainings,
        coverage,
        curating,
        versions,
        admin,
        manual,
    ):
        app.register_blueprint(module.bp)
    init_cookies(app, database)
    return app
