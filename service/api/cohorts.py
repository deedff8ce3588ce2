"""One plan for many people: ``quebu plan`` over HTTP, as JSON or as the workbook a planner files."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, g, request
from marshmallow import RAISE, ValidationError, fields
from marshmallow.validate import Length

from model.cohort.plan_reports import cohort_sheets
from model.cohort.rival import compare
from model.errors import InputError
from model.sheets import write_workbook
from service.api.body import documents_body, read_json
from service.api.recommendations import EXAMPLE, VersionIn, recommender_of
from service.asked import AskedIn, filing_of, make_plan
from service.errors import problem
from service.fields import Door, at_most, characters, one_of
from service.plans import dump_cohort, load_cohort
from service.schemas import ProfileIn

bp = APIBlueprint("cohorts", __name__, url_prefix="/api/v1", tag="cohorts")
bp.before_request(read_json)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SECONDS = 60  # A request that takes longer is better made on the command line.


class CohortIn(Door):
    """A roster and what is asked for it; with ``previous``, a plan that was kept, the new one is compared with it and carries its gaps on."""

    people = fields.List(
        fields.Dict(),
        required=True,
        validate=Length(min=1, error=at_most(1_000_000, 1)),
        metadata={"example": [EXAMPLE]},
    )
    plan = fields.Nested(AskedIn, required=True, metadata={"example": {"hours": 8}})
    previous = fields.Dict(load_default=None, allow_none=True)
    deadline = fields.String(load_default="", validate=characters(0, 100))


class CohortOut(Door):
    """A plan by the contract of plan.json."""

    kind = fields.String()
    status = fields.String(validate=one_of(("optimal", "feasible")))
    objective = fields.Float()
    bound = fields.Float()
    gap = fields.Float()
    seconds = fields.Float()
    classes = fields.List(fields.Dict())
    sessions = fields.List(fields.Dict())
    people = fields.List(fields.Dict())
    assignments = fields.List(fields.Dict())
    closed = fields.List(fields.Dict())
    missed = fields.List(fields.Dict())
    settled = fields.List(fields.Dict())
    missing_courses = fields.List(fields.Dict())
    pairs = fields.List(fields.Dict())
    rules = fields.List(fields.Dict())
    yardsticks = fields.List(fields.Dict())
    what_if = fields.List(fields.Dict())
    model_version = fields.String()
    catalog_hash = fields.String()
    parameters = fields.Dict()
    inputs_hash = fields.String()
    comparison = fields.Dict(allow_none=True, metadata={"description": "与 previous 的比较；没有 previous 时为 null"})


@bp.post("/cohorts/plan")
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@documents_body(bp, CohortIn)
@bp.output(CohortOut)
@bp.doc(
    summary="为一批人排班",
    description="班次方案、分班或菜单选学，附最优性证明。Accept 为 xlsx 的类型时，答复是可以归档的工作簿。人数超过 QUEBU_MAX_COHORT 时请用命令行 quebu plan。",
    operation_id="plan_cohort",
    responses=[422, 503],
)
def plan_cohort(query: dict[str, Any]) -> Any:
    """The plan asked for."""
    recommender, most = recommender_of(query), current_app.config["MAX_COHORT"]
    try:
        asked = CohortIn().load(g.body)
        if asked["plan"].time_limit > MOST_SECONDS:
            return problem(422, f"time_limit 最多 {MOST_SECONDS} 秒；要更久时请用命令行 quebu plan。")
        if len(asked["people"]) > most:
            return problem(422, f"一次最多排 {most} 人；人数更多时请用命令行 quebu plan。")
        with _inside("people"):
            people = ProfileIn(recommender.lexicon).load(asked["people"], many=True)
        with _inside("previous"):
            before = load_cohort(asked["previous"]) if asked["previous"] is not None else None
    except InputError as error:
        return _refused(error)
    twice = len(people) - len({person.id for person in people})
    if twice:
        return problem(422, f"有 {twice} 人的 id 与别人重复；请给每人各自的编号。")
    try:
        plan, demand = make_plan(recommender, people, asked["plan"], current_app.config, time.monotonic)
    except InputError as error:
        return _refused(error)
    filing = filing_of(
        recommender, plan, demand, asked["plan"], current_app.config, time.monotonic, asked["deadline"], before
    )
    if request.accept_mimetypes.best_match(["application/json", WORKBOOK]) == WORKBOOK:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "plan.xlsx"
            write_workbook(path, cohort_sheets(filing))
            return Response(path.read_bytes(), mimetype=WORKBOOK)
    told = dump_cohort(filing)
    return told | {"comparison": None if before is None else asdict(compare(before, load_cohort(told)))}


def _refused(error: InputError) -> Response:
    """The sentences name the options of the command; here they are fields."""
    return problem(422, re.sub(r"--([a-z-]+)", lambda option: option[1].replace("-", "_"), str(error)))


@contextmanager
def _inside(name: str) -> Iterator[None]:
    """What is wrong within a field is named from the root of the body on."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from error
