"""Answers for many people: ``quebu plan`` and ``quebu recommend`` over HTTP, for people in JSON or on a roster. What is large becomes a job."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

from apiflask import APIBlueprint
from flask import Response, current_app, g, request
from marshmallow import RAISE, ValidationError, fields
from marshmallow.validate import Length

from model.domain import Profile, Reading
from model.errors import InputError, TableError
from model.lexicon import Lexicon
from service.api.body import documents_body
from service.api.jobs import ACCEPTED, PreferIn, later, prefers_later
from service.api.recommendations import EXAMPLE, LimitsIn, VersionIn, limits_of, recommender_of
from service.api.uploads import is_form, read_body, sent_parts, sent_roster
from service.cohorts import (
    JSON,
    LISTED,
    WORKBOOK,
    Month,
    Roster,
    asked_of,
    in_words_of_the_request,
    lists_as_json,
    lists_as_workbook,
    plan_as_json,
    plan_as_workbook,
    plan_for,
    reading_of,
)
from service.shapes.asked import TAKING_PART, AskedIn
from service.shapes.fields import Door, at_most, both, characters, one_of
from service.shapes.plans import load_cohort
from service.shapes.schemas import PlanOut, overridden
from service.store.jobs import sliced
from service.store.roles import Role
from service.wire.access import allows
from service.wire.errors import problem
from service.wire.metrics import metrics_now

bp = APIBlueprint("cohorts", __name__, url_prefix="/api/v1", tag="cohorts")
bp.before_request(read_body)

AT_ONCE = 60  # Seconds of search that a request waits for; more are for a job.
MOST_SECONDS = 600
WITHOUT_PEOPLE = ("people",)  # They are on the roster of a form.
UPLOADED = (
    "也可用 multipart/form-data 上传名册：`roster` 为 .xlsx .xls .csv .jsonl 文件{others}；读不懂的行跳过，逐格列在 `reading` 中。"
    "Accept 为 xlsx 的类型时，答复是与命令行相同的工作簿。人数超过 QUEBU_MAX_COHORT{more}，或带 Prefer: respond-async 时，"
    "成为任务（202），人数最多 QUEBU_MAX_BATCH。名册不留存。"
)


class PeopleIn(Door):
    """The people asked for."""

    people = fields.List(
        fields.Dict(),
        required=True,
        validate=Length(min=1, error=at_most(1_000_000, 1)),
        metadata={"example": [EXAMPLE]},
    )


class CohortIn(PeopleIn):
    """A roster and what is asked for it; with ``previous``, a plan that was kept, the new one is compared with it and carries its gaps on."""

    plan = fields.Nested(AskedIn, required=True, metadata={"example": {"hours": 8}})
    previous = fields.Dict(load_default=None, allow_none=True)
    deadline = fields.String(load_default="", validate=characters(0, 100))


class ListsIn(LimitsIn):
    """Query parameters of recommendations for a roster."""

    as_of = fields.Date(
        load_default=None,
        error_messages={"invalid": both("应为日期，如 2026-11-01", "Must be a date.")},
        metadata={"description": "名册中任职年限算到何时；默认取名册的填报日期"},
    )


class FaultOut(Door):
    """What is wrong with one cell."""

    place = fields.String(metadata={"example": "Sheet1!B7"})
    problem = fields.String()
    remedy = fields.String()


class ReadingOut(Door):
    """How the rows of a file add up: read + rejected + skipped = rows."""

    rows = fields.Integer()
    read = fields.Integer()
    rejected = fields.Integer()
    skipped = fields.Dict(keys=fields.String(), values=fields.Integer())
    notes = fields.List(fields.String())
    faults = fields.List(fields.Nested(FaultOut))


def reading_out() -> fields.Nested:
    """How a file was read, in an answer."""
    return fields.Nested(
        ReadingOut, allow_none=True, metadata={"description": "上传的名册读得如何；人员以 JSON 给出时为 null"}
    )


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
    timetable = fields.List(
        fields.Dict(),
        metadata={"description": "课表草案：第几天（day）、当天前已用学时（start）、学时；菜单选学没有"},
    )
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
    overridden = overridden()
    comparison = fields.Dict(allow_none=True, metadata={"description": "与 previous 的比较；没有 previous 时为 null"})
    reading = reading_out()


class ListsOut(Door):
    """The recommendations for everybody, in the order given."""

    model_version = fields.String()
    reading = reading_out()
    results = fields.List(fields.Nested(PlanOut))


class Sent(NamedTuple):
    """The people of a request: as they were sent, and as they were read."""

    roster: Roster | None
    reading: Reading[Profile]

    @property
    def from_file(self) -> bool:
        """Whether they came as a file."""
        return self.roster is not None

    def kept(self) -> Roster:
        """What a job is given to read them from."""
        return self.roster or Roster(LISTED, json.dumps(g.body["people"], ensure_ascii=False).encode())


@bp.post("/cohorts/plan")
@allows(Role.PLANNER, cost=100, body="MAX_BATCH_MB", slow=True)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@bp.input(PreferIn, location="headers", arg_name="headers")
@documents_body(bp, CohortIn)
@bp.output(CohortOut)
@bp.doc(
    summary="为一批人排班",
    description="班次方案、分班或菜单选学，附最优性证明。"
    + UPLOADED.format(
        others="，`plan` 为 JSON 文本，另可有 `previous`、`deadline`", more=f"、time_limit 超过 {AT_ONCE} 秒"
    ),
    operation_id="plan_cohort",
    responses={202: ACCEPTED, 422: {}, 503: {}},
)
def plan_cohort(query: dict[str, Any], headers: dict[str, Any]) -> Any:
    """The plan asked for."""
    recommender, config = recommender_of(query), current_app.config
    try:
        body = sent_parts(("plan", "previous")) if is_form() else g.body
        given = CohortIn(exclude=WITHOUT_PEOPLE if is_form() else ()).load(body)
        asked = given["plan"]
        if asked.time_limit > MOST_SECONDS:
            return problem(422, f"time_limit 最多 {MOST_SECONDS} 秒。")
        try:
            before = load_cohort(given["previous"]) if given["previous"] is not None else None
        except ValidationError as error:
            raise ValidationError({"previous": error.messages}) from error
        sent = people_sent(recommender.lexicon, asked.month)
        if is_large(sent) or asked.time_limit > AT_ONCE:
            request_of = {
                "plan": body["plan"],
                "deadline": given["deadline"],
                "settings": {name: config[name] for name in TAKING_PART},
            }
            previous = b"" if before is None else json.dumps(given["previous"], ensure_ascii=False).encode()
            return as_job("plan", request_of, recommender.version, sent, previous)
        results = plan_for(recommender, sent.reading, asked, config, given["deadline"], before)
        metrics_now().count(len(sent.reading.values))
    except InputError as error:
        return refused(error)
    if _answer() == WORKBOOK:
        return Response(plan_as_workbook(results), mimetype=WORKBOOK)
    return Response(plan_as_json(results, from_file=sent.from_file), mimetype=JSON)


@bp.post("/cohorts/recommendations")
@allows(Role.PLANNER, cost=100, body="MAX_BATCH_MB", slow=True)
@bp.input(ListsIn, location="query", arg_name="query", unknown=RAISE)
@bp.input(PreferIn, location="headers", arg_name="headers")
@documents_body(bp, PeopleIn)
@bp.output(ListsOut)
@bp.doc(
    summary="为一批人推荐课程",
    description="全体人员的个人推荐；任何一人读不懂时整个请求被拒绝（要逐条失败，请用 /recommendations/batch）。"
    + UPLOADED.format(others="", more=""),
    operation_id="recommend_cohort",
    responses={202: ACCEPTED, 422: {}, 503: {}},
)
def recommend_cohort(query: dict[str, Any], headers: dict[str, Any]) -> Any:
    """The recommendations for all."""
    recommender, limits = recommender_of(query), limits_of(query)
    try:
        sent, month = people_alone(recommender.lexicon, query["as_of"])
    except InputError as error:
        return refused(error)
    if is_large(sent):
        asked = asked_of(limits) | {"explain": query["explain"], "month": month}
        return as_job("recommendations", asked, recommender.version, sent)
    metrics_now().count(len(sent.reading.values))
    if _answer() == WORKBOOK:
        return Response(lists_as_workbook(recommender, sent.reading, limits), mimetype=WORKBOOK)
    parts = lists_as_json(recommender, sent.reading, limits, query["explain"], from_file=sent.from_file)
    return Response(b"".join(part for part, _ in parts), mimetype=JSON)


def people_sent(lexicon: Lexicon, month: Month | None) -> Sent:
    """The people of the request; InputError or ValidationError where they are too many or cannot be used."""
    most = current_app.config["MAX_BATCH"]
    too_many = "一次最多 {most} 人，现为 {found} 人；请分几次提交。"
    if not is_form() and len(g.body["people"]) > most:  # Told before they are read.
        raise InputError(too_many.format(most=most, found=len(g.body["people"])))
    roster = sent_roster() if is_form() else None
    reading = roster.read(lexicon, month) if roster else reading_of(g.body["people"], lexicon)
    if len(reading.values) > most:
        raise InputError(too_many.format(most=most, found=len(reading.values)))
    return Sent(roster, reading)


def people_alone(lexicon: Lexicon, day: date | None) -> tuple[Sent, Month | None]:
    """The people of a request that brings nothing else, and the month it is asked for; raises what :func:`people_sent` does."""
    PeopleIn(exclude=WITHOUT_PEOPLE if is_form() else ()).load(sent_parts(()) if is_form() else g.body)
    month = (day.year, day.month) if day else None
    return people_sent(lexicon, month), month


def is_large(sent: Sent) -> bool:
    """Whether a request is for a job: by its people, or because the caller would rather have one."""
    return prefers_later() or len(sent.reading.values) > current_app.config["MAX_COHORT"]


def as_job(kind: str, asked: dict[str, Any], version: str, sent: Sent, previous: bytes = b"") -> Response:
    """A job of the request; its people go with it."""
    roster = sent.kept()
    given = {"people": sliced(roster.content), "previous": sliced(previous)}
    asked |= {"suffix": roster.suffix, "answer": _answer()}
    return later(kind, asked, version, len(sent.reading.values), given)


def _answer() -> str:
    return request.accept_mimetypes.best_match([JSON, WORKBOOK]) or JSON


def refused(error: InputError) -> Response:
    """A table without one usable row names its faults by cell, without what stands there."""
    cells = error.faults if isinstance(error, TableError) else ()
    errors = [
        {
            "field": fault.place,
            "pointer": "",
            "message": f"{fault.problem}；{fault.remedy}",
            "message_en": "This cell cannot be used as it stands.",
        }
        for fault in cells
    ]
    return problem(422, in_words_of_the_request(error), errors)
