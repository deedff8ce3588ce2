"""The web and command-line face of ``model/``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apiflask import APIFlask


def create_app(config: Mapping[str, Any] | None = None) -> APIFlask:
    """Make the application from the settings table, the environment and ``config`` (for tests)."""
    # Whoever needs no application, as what waits for jobs, is spared what it loads, scikit-learn above all.
    from service.application import create  # noqa: PLC0415

    return create(config)
