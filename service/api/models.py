"""The trained versions: what they were made from and how well they did; two of them compared; one activated, or gone back from."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from apiflask import APIBlueprint, abort
from flask import current_app, g
from marshmallow import RAISE, fields

from model.errors import VersionError
from model.versions.registry import Registry
from service.api.body import documents_body, read_json
from service.engine import Engine
from service.shapes.fields import Door, both, characters, stored
from service.shapes.gates import ComparisonOut, FindingOut
from service.store.roles import Role
from service.versions import LONGEST_REASON, GateRefused, Versions
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("models", __name__, url_prefix="/api/v1", tag="models")
bp.before_request(read_json)

UNKNOWN = "没有这个版本；现有版本见 /api/v1/models。"
NOT_THERE = both("没有这个版本；现有版本见 /api/v1/models", "Unknown version; /api/v1/models lists those there are.")
NONE_ACTIVE = both("还没有启用的版本；请写明与哪个版本比较", "No version is active; say which one to compare with.")
IN_ENGLISH = {
    "quality": "Quality on the judged texts drops by more than the setting allows.",
    "own": "Agreement with your own judged cases drops by more than the setting allows.",
    "unmet": "More gaps turn from met to unmet than the setting allows.",
    "changed": "The first courses of more people change than the setting allows.",
}


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


class SourceOut(Door):
    """One of the course lists a version was made of."""

    name = fields.String(metadata={"description": "来源名；没有来源名的为空"})
    file = fields.String(metadata={"description": "课程表的文件名"})
    courses = fields.Integer()
    year = fields.Integer(allow_none=True)


class OneModelOut(ModelOut):
    """A version asked for by its number: also what it comes from. What an older card does not say is null."""

    parent = fields.String(allow_none=True, metadata={"description": "在哪个版本的基础上训练"})
    who = fields.String(allow_none=True, metadata={"description": "谁训练的：local 是命令行，key: 开头的是密钥"})
    sources = fields.List(fields.Nested(SourceOut), allow_none=True, metadata={"description": "由哪几份课程表组成"})


class ModelsOut(Door):
    """All versions whose card can be read, newest first."""

    models = fields.List(fields.Nested(ModelOut))


class WithIn(Door):
    """Which version to compare with."""

    other = fields.String(
        data_key="with",
        load_default=None,
        validate=characters(1, 20),
        metadata={"description": "原来的版本；默认为启用的版本"},
    )


class ReasonIn(Door):
    """Why, where somebody says so."""

    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=stored(LONGEST_REASON),
        metadata={"description": "理由，记入审计日志；不要写人名", "example": "新学期课程表"},
    )


class ActivatedOut(Door):
    """The version that is active now, and the one before."""

    version = fields.String()
    before = fields.String(allow_none=True)
    findings = fields.List(fields.Nested(FindingOut), metadata={"description": "写明理由而放行的"})
    note = fields.String(metadata={"description": "没有可比较的版本时，说明原因"})


class RolledBackOut(Door):
    """The version that is active again, and the one that was left."""

    version = fields.String()
    before = fields.String()


def dump_card(registry: Registry, version: str, active: str | None) -> dict[str, Any]:
    """What is told of a version."""
    card = registry.card(version)
    shown = ("created", "source", "courses", "catalog_fingerprint", "encoder", "degraded", "metrics")
    return {"version": version, "active": version == active} | {name: card.get(name) for name in shown}


def dump_cards(registry: Registry) -> list[dict[str, Any]]:
    """What is told of all versions whose card can be read, newest first."""
    active, found = registry.pointer(), []
    for version in reversed(registry.versions()):
        with suppress(VersionError):  # A card that cannot be read hides no other version.
            found.append(dump_card(registry, version, active))
    return found


def dump_origin(registry: Registry, version: str) -> dict[str, Any]:
    """What is told of where a version comes from."""
    card = registry.card(version)
    return {name: card.get(name) for name in ("parent", "who", "sources")}


def _registry() -> Registry:
    engine: Engine = current_app.extensions["quebu"]
    return engine.registry


def versions_here() -> Versions:
    """The versions of this service, loaded as its engine loads them."""
    engine: Engine = current_app.extensions["quebu"]
    return Versions(engine.registry, current_app.config, store(), engine.recommender)


@bp.get("/models")
@allows(Role.READER)
@bp.output(ModelsOut)
@bp.doc(summary="各个版本", operation_id="models")
def models() -> Any:
    """The versions in the registry."""
    return {"models": dump_cards(_registry())}


@bp.get("/models/<version>")
@allows(Role.READER)
@bp.output(OneModelOut)
@bp.doc(summary="一个版本", operation_id="model", responses=[404, 503])
def model(version: str) -> Any:
    """One version by its number."""
    registry = _registry()
    if version not in registry.versions():
        return problem(404, UNKNOWN)
    return dump_card(registry, version, registry.pointer()) | dump_origin(registry, version)


@bp.get("/models/<version>/comparison")
@allows(Role.PLANNER, cost=100, slow=True)
@bp.input(WithIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(ComparisonOut)
@bp.doc(
    summary="换成这个版本会有什么变化",
    description="在评判过的短板和保存的名册（没有则为随附的样例）上与另一个版本比较。首次比较要几秒到几十秒，结果留存。",
    operation_id="compare_models",
    responses=[404, 422, 503],
)
def comparison(version: str, query: dict[str, Any]) -> Any:
    """What would change if this version took over."""
    registry = _registry()
    known = registry.versions()
    if version not in known:
        return problem(404, UNKNOWN)
    other = query["other"] or registry.pointer()
    if other not in known:
        abort(422, detail={"query": {"with": [NOT_THERE if query["other"] else NONE_ACTIVE]}})
    return versions_here().compared(other, version)


@bp.post("/models/<version>/activate")
@allows(Role.CURATOR, cost=100, slow=True)
@documents_body(bp, ReasonIn)
@bp.output(ActivatedOut)
@bp.doc(
    summary="启用一个版本",
    description="先与启用中的版本比较；没有通过检查的答复 409，errors 逐项说明，写明理由（reason）才启用。答复时已经生效，各进程在 2 秒内跟上。",
    operation_id="activate_model",
    responses=[404, 409, 422],
)
def activate(version: str) -> Any:
    """Let a version through the gate and activate it."""
    asked = ReasonIn().load(g.body)
    if version not in _registry().versions():
        return problem(404, UNKNOWN)
    try:
        done = versions_here().activate(version, by(), asked["reason"])
    except GateRefused as refused:
        errors = [
            {"field": one["check"], "pointer": "", "message": one["told"], "message_en": IN_ENGLISH[one["check"]]}
            for one in refused.findings
        ]
        return problem(409, "没有通过启用前的检查，仍使用原来的版本；如确需启用，请写明理由（reason）。", errors)
    except VersionError as error:
        return problem(409, str(error))
    return {
        "version": done.version,
        "before": done.before,
        "findings": done.findings,
        **({"note": done.note} if done.note else {}),
    }


@bp.post("/models/rollback")
@allows(Role.CURATOR)
@documents_body(bp, ReasonIn)
@bp.output(RolledBackOut)
@bp.doc(
    summary="退回上一个版本",
    description="退回上一个启用过的版本；没有可退回的答复 409。",
    operation_id="rollback_model",
    responses=[409, 422],
)
def rollback() -> Any:
    """Go back to what was active before."""
    asked = ReasonIn().load(g.body)
    try:
        done = versions_here().roll_back(by(), asked["reason"])
    except VersionError as error:
        return problem(409, str(error))
    return {"version": done.version, "before": done.before}
