"""Plans that are kept: the analysis under pseudonyms, who it is about apart from it, and either can be erased with one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from apiflask import APIBlueprint, abort
from flask import current_app, g, url_for
from marshmallow import RAISE, ValidationError, fields, validates_schema

from service.api.body import documents_body, read_json
from service.api.cohorts import CohortOut
from service.api.jobs import NO_CURSOR
from service.shapes.fields import NUL, WHOLE, Door, between, both, characters, stored
from service.shapes.plans import load_cohort
from service.store import erasing, people, plans
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("plans", __name__, url_prefix="/api/v1", tag="plans")
bp.before_request(read_json)

UNKNOWN = "没有这个方案，或它已经到期删除；保存的方案见 /api/v1/plans。"
NO_PLAN = both("不是 /cohorts/plan 给出的方案", "Not a plan as /cohorts/plan gives it.")
STRANGER = both("其中有方案里没有的人员编号", "Holds an id that nobody in the plan has.")
UNLISTED = both(
    "方案的 people 中没有这个编号；请原样给出 /cohorts/plan 的答复", "Nobody among the people of the plan has this id."
)
TWICE = both("与前面的编号重复；每人只列一次", "Has the id of one before.")


class NameIn(Door):
    """What somebody is called."""

    id = fields.String(required=True, validate=stored(200))
    name = fields.String(required=True, validate=stored(100))


class NameOut(Door):
    """What somebody is called."""

    id = fields.String()
    name = fields.String()


class PlanIn(Door):
    """A plan as ``/cohorts/plan`` gave it, and the names to be kept beside it."""

    title = fields.String(required=True, validate=stored(100), metadata={"example": "2026年秋季专题班"})
    plan = fields.Dict(required=True, metadata={"description": "/cohorts/plan 的答复，或 quebu plan 写出的 .json"})
    names = fields.List(
        fields.Nested(NameIn), load_default=list, metadata={"description": "要一并保存的姓名；可以不给"}
    )

    @validates_schema(skip_on_field_errors=True)
    def _is_one(self, data: dict[str, Any], **_: Any) -> None:
        try:
            load_cohort(data["plan"])
        except ValidationError as error:
            raise ValidationError({"plan": error.messages}) from error
        if set(data["plan"]) - set(CohortOut().fields):
            raise ValidationError({"plan": [NO_PLAN]})
        ids = [one["id"] for one in data["plan"]["people"]]
        if any("\0" in identity for identity in ids):
            raise ValidationError({"plan": {"people": [NUL]}})
        # Where is said, which one is not: it is an id of somebody.
        wrong = [(("plan", *steps), UNLISTED) for steps in people.strangers(data["plan"])]
        wrong += [(("plan", "people", place, "id"), TWICE) for place in _again(ids)]
        named = [one["id"] for one in data["names"]]
        wrong += [(("names", place, "id"), TWICE) for place in _again(named)]
        if set(named) - set(ids):
            wrong.append((("names", "_schema"), STRANGER))
        if wrong:
            raise ValidationError(_tree(wrong))


def _again(ids: Sequence[str]) -> list[int]:
    """The places of those that stood before."""
    first = {identity: place for place, identity in reversed([*enumerate(ids)])}
    return [place for place, identity in enumerate(ids) if first[identity] < place]


def _tree(wrong: Iterable[tuple[people.Steps, str]]) -> dict[str | int, Any]:
    """What is wrong, by the steps to it, as marshmallow tells it."""
    tree: dict[str | int, Any] = {}
    for (*steps, last), message in wrong:
        inner = tree
        for step in steps:
            inner = inner.setdefault(step, {})
        inner[last] = [message]
    return tree


class PlansIn(Door):
    """Which page of the saved plans."""

    cursor = fields.String(
        load_default="", validate=characters(0, 100), metadata={"description": "上一页的 next；不给则从最新的开始"}
    )
    limit = fields.Integer(load_default=50, error_messages={"invalid": WHOLE}, validate=between(1, 200))


class SavedOut(Door):
    """What is told of a saved plan."""

    id = fields.String()
    title = fields.String()
    owner = fields.String()
    created_at = fields.DateTime()
    expires_at = fields.DateTime(allow_none=True, metadata={"description": "到期自动删除；null 为不自动删除"})
    model_version = fields.String()
    people = fields.Integer(metadata={"description": "涉及的人数"})


class SavedPlansOut(Door):
    """A page of saved plans, newest first."""

    plans = fields.List(fields.Nested(SavedOut))
    next = fields.String(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})


class OneSavedOut(SavedOut):
    """A saved plan that was just kept."""


class OpenedOut(SavedOut):
    """A saved plan with its content; where names were erased, pseudonyms (p_…) stand for the persons."""

    plan = fields.Dict()
    names = fields.List(fields.Nested(NameOut))


class ErasedOut(Door):
    """How much was forgotten."""

    people = fields.Integer(metadata={"description": "不再能查知身份的人数"})


class PersonIn(Door):
    """Whom to forget."""

    person = fields.String(required=True, validate=stored(200), metadata={"description": "人员编号"})


class ForgottenOut(Door):
    """From how much somebody was taken out."""

    plans = fields.Integer(metadata={"description": "涉及的方案数"})
    feedback = fields.Integer(metadata={"description": "涉及的反馈条数"})
    results = fields.Integer(
        metadata={
            "description": "尚未到期的任务结果数；其中可能有这个人，到期自动删除，也可用 DELETE /jobs/{job_id} 删除"
        }
    )
    answers = fields.Integer(
        metadata={"description": "为 Idempotency-Key 保存、尚未到期的答复数；其中可能有这个人，到期自动删除"}
    )
    gone_by = fields.DateTime(allow_none=True, metadata={"description": "最迟到这时，上两项都已删除；没有则为 null"})


@bp.post("/plans")
@allows(Role.PLANNER)
@documents_body(bp, PlanIn)
@bp.output(OneSavedOut, status_code=201)
@bp.doc(
    summary="保存一个方案",
    description="名册不会自动留存；保存时，人员编号和姓名与分析分开存放，分析中只有代号。期限由 QUEBU_PLAN_DAYS 决定。",
    operation_id="save_plan",
    responses=[422],
)
def save_plan() -> Any:
    """Keep a plan."""
    asked = PlanIn().load(g.body)
    names = {one["id"]: one["name"] for one in asked["names"]}
    saved = plans.save(store(), by(), asked["title"], asked["plan"], names, current_app.config["PLAN_DAYS"])
    return saved._asdict(), 201, {"Location": url_for("plans.saved_plan", plan_id=saved.id)}


@bp.get("/plans")
@allows(Role.PLANNER)
@bp.input(PlansIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(SavedPlansOut)
@bp.doc(
    summary="保存的方案",
    description="自己保存的方案，新的在前；管理角色可见全部。",
    operation_id="saved_plans",
    responses=[422],
)
def saved_plans(query: dict[str, Any]) -> Any:
    """A page of the plans somebody kept."""
    try:
        found, following = plans.page(store(), g.principal, query["cursor"], query["limit"])
    except (ValueError, OverflowError):
        abort(422, detail={"query": {"cursor": [NO_CURSOR]}})
    return {"plans": [one._asdict() for one in found], "next": following}


@bp.get("/plans/<plan_id>")
@allows(Role.PLANNER)
@bp.output(OpenedOut)
@bp.doc(summary="打开保存的方案", operation_id="saved_plan", responses=[404])
def saved_plan(plan_id: str) -> Any:
    """A plan with its content."""
    saved = plans.find(store(), g.principal, plan_id)
    if saved is None:
        return problem(404, UNKNOWN)
    plan, names = plans.opened(store(), by(), plan_id)
    return saved._asdict() | {
        "plan": plan,
        "names": [{"id": identity, "name": name} for identity, name in names.items()],
    }


@bp.delete("/plans/<plan_id>")
@allows(Role.PLANNER)
@bp.output({}, status_code=204)
@bp.doc(summary="删除保存的方案", operation_id="delete_plan", responses=[404])
def delete_plan(plan_id: str) -> Any:
    """Forget a plan and who it is about."""
    if plans.find(store(), g.principal, plan_id) is None:
        return problem(404, UNKNOWN)
    plans.remove(store(), by(), plan_id)
    return "", 204


@bp.delete("/plans/<plan_id>/names")
@allows(Role.PLANNER)
@bp.output(ErasedOut)
@bp.doc(
    summary="抹去方案中的人员身份",
    description="保留分析，删除代号与人员编号、姓名的对应关系；不可恢复。",
    operation_id="erase_names",
    responses=[404],
)
def erase_names(plan_id: str) -> Any:
    """Keep the analysis, forget the persons."""
    if plans.find(store(), g.principal, plan_id) is None:
        return problem(404, UNKNOWN)
    return {"people": plans.erase_names(store(), by(), plan_id)}


@bp.post("/erasures")
@allows(Role.ADMIN)
@documents_body(bp, PersonIn)
@bp.output(ForgottenOut)
@bp.doc(
    summary="抹去一个人",
    description="在所有保存的方案和反馈中删除这个人的编号、姓名与代号的对应关系，以及只针对这个人的调整；不可恢复。"
    "任务结果和为重复请求保存的答复不逐一查找，到期自动删除；答复中告知还有多少、何时删完。",
    operation_id="erase_person",
    responses=[422],
)
def erase_person() -> Any:
    """Forget who somebody is, wherever something is kept about them."""
    return erasing.erase(store(), by(), PersonIn().load(g.body)["person"])
