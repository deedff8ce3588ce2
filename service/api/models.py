"""The trained versions: what they were made from and how well they did. Read only."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from apiflask import APIBlueprint
from flask import current_app
from marshmallow import fields

from model.errors import NoActiveVersion, VersionError
from model.registry import Registry
from service.shapes.fields import Door
from service.store.roles import Role
from service.wire.access import allows
from service.wire.errors import problem

bp = APIBlueprint("models", __name__, url_prefix="/api/v1", tag="models")


class ModelOut(Door):
    """One version: ``metrics`` as its card has them."""

    version = fields.String()
    active = fields.Boolean()
    created = fields.String(allow_none=True)
    source = fields.String(allow_none=True, metadata={"description": "课程表的文件名"})
    courses = fields.Integer(allow_none=True)
    catalog_fingerprint = fields.String(allow_none=True)
    encoder = fields.String(allow_none=True)
    degraded = fields.Boolean(allow_none=True)
    metrics = fields.Dict(allow_none=True)


class OneModelOut(ModelOut):
    """A version asked for by its number."""


class ModelsOut(Door):
    """All versions whose card can be read, newest first."""

    models = fields.List(fields.Nested(ModelOut))


def dump_card(registry: Registry, version: str, active: str | None) -> dict[str, Any]:
    """What is told of a version."""
    card = registry.card(version)
    shown = ("created", "source", "courses", "catalog_fingerprint", "encoder", "degraded", "metrics")
    return {"version": version, "active": version == active} | {name: card.get(name) for name in shown}


def _active(registry: Registry) -> str | None:
    try:
        return registry.active()
    except (NoActiveVersion, VersionError):
        return None


@bp.get("/models")
@allows(Role.READER)
@bp.output(ModelsOut)
@bp.doc(summary="各个版本", operation_id="models")
def models() -> Any:
    """The versions in the registry."""
    registry: Registry = current_app.extensions["quebu"].registry
    active = _active(registry)
    found = []
    for version in reversed(registry.versions()):
        with suppress(VersionError):  # A card that cannot be read hides no other version.
            found.append(dump_card(registry, version, active))
    return {"models": found}


@bp.get("/models/<version>")
@allows(Role.READER)
@bp.output(OneModelOut)
@bp.doc(summary="一个版本", operation_id="model", responses=[404, 503])
def model(version: str) -> Any:
    """One version by its number."""
    registry: Registry = current_app.extensions["quebu"].registry
    if version not in registry.versions():
        return problem(404, "没有这个版本；现有版本见 /api/v1/models。")
    return dump_card(registry, version, _active(registry))
