"""How the pages write moments, and what words mean: filters and globals of every template."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from service.pages.help.glossary import meaning
from service.pages.help.guide import hint


def init_shown(app: Flask) -> None:
    """Give every page the filter ``moment`` and the globals ``meaning`` and ``hint``."""
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.globals.update(meaning=meaning, hint=hint)


def moment(at: datetime | str | None) -> str:
    """A moment in the local time of the server, as 2026-11-23 14:05; blank where there is none. A text is one in ISO 8601."""
    if not at:
        return ""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return known.astimezone().strftime("%Y-%m-%d %H:%M")
