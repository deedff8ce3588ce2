"""What became of gaps after the training: of persons whom the caller names, and of courses over all persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from apiflask import APIBlueprint
from flask import g
from marshmallow import RAISE, ValidationError, fields, validates_schema
from marshmallow.validate import Length

from model.closing import LEAST_PEOPLE, Event, State, confirmation, state_of
from model.cohort.nouns import Status
from model.domain import LONGEST_TEXT
from model.lexicon import bare
from service.api.body import documents_body, read_json
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import Door, at_most, both, one_of, stored
from service.shapes.schemas import LONGEST_ID
from service.store import audit, outcomes
from service.store.people import pseudonym
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("outcomes", __name__, url_prefix="/api/v1", tag="feedback")
bp.before_request(read_json)

MOST_PEOPLE, MOST_GAPS = 1000, 100
NO_DATE = both("应为日期，如 2026-03-01", "Must be a date, such as 2026-03-01.")
TWICE = both("同一个人写了两次；请合并", "Names a person twice.")
FEW = {"description": f"不足 {LEAST_PEOPLE} 人时为 null"}
EXAMPLE = {"people": [{"id": "P1", "gaps": ["一上台讲话就冒汗"]}], "assessed": "2026-06-01"}


class WhoseIn(Door):
    """A person and their gaps."""

    id = fields.String(required=True, validate=stored(LONGEST_ID), metadata={"description": "人员编号"})
    gaps = fields.List(
        fields.String(validate=stored(LONGEST_TEXT)),
        load_default=None,
        allow_none=True,
        validate=Length(1, MOST_GAPS, error=at_most(MOST_GAPS, 1)),
        metadata={"description": "短板（答复的 gaps 中的原话）；不写则为反馈中提到的全部短板"},
    )


class GapStatesIn(Door):
    """Whose gaps are asked for."""

    people = fields.List(
        fields.Nested(WhoseIn), required=True, validate=Length(1, MOST_PEOPLE, error=at_most(MOST_PEOPLE, 1))
    )
    assessed = fields.Date(
        load_default=None,
        allow_none=True,
        error_messages={"invalid": NO_DATE, "format": NO_DATE},
        metadata={"description": "这些短板是哪一天的评价中提出的；在此之前销号的算作重开。只对写明的 gaps 起作用"},
    )

    @validates_schema
    def _each_once(self, data: Mapping[str, Any], **_: Any) -> None:
        ids = [one["id"] for one in data["people"]]
        again = {place: {"id": [TWICE]} for place, one in enumerate(ids) if one in ids[:place]}
        if again:
            raise ValidationError({"people": again})


class EventOut(Door):
    """Something that happened to a gap."""

    at = fields.DateTime()
    course_id = fields.String()
    deed = fields.String(metadata={"description": "arranged 选用，dropped 否决或替换，attended 参加，tested 测试"})
    score_before = fields.Float(allow_none=True)
    score_after = fields.Float(allow_none=True)


class GapStateOut(Door):
    """How far a gap has come."""

    gap = fields.String()
    status = fields.String(validate=one_of([str(status) for status in Status]))
    course_id = fields.String(allow_none=True, metadata={"description": "由哪门课程到这一步"})
    note = fields.String()
    evidence = fields.List(fields.Nested(EventOut), metadata={"description": "依据，从早到晚；没有则为空"})


class WhoseOut(Door):
    """A person's gaps."""

    id = fields.String()
    gaps = fields.List(fields.Nested(GapStateOut))


class GapStatesOut(Door):
    """An entry for each person, in the order asked."""

    results = fields.List(fields.Nested(WhoseOut))


class ConfirmedOut(Door):
    """How far a course closed the gaps it was taken for."""

    course_id = fields.String()
    promised = fields.Integer(allow_none=True, metadata={"description": f"为多少条短板选用过；{FEW['description']}"})
    attended = fields.Integer(allow_none=True, metadata=FEW)
    tested = fields.Integer(allow_none=True, metadata=FEW)
    closed = fields.Integer(allow_none=True, metadata={"description": "测试确认销号的条数"})
    reopened = fields.Integer(allow_none=True)
    share = fields.Float(allow_none=True, metadata={"description": "销号的占选用的比例"})
    sentence = fields.String(metadata={"description": "没有证据时如实说明"})


@bp.get("/courses/<path:identity>/outcomes")
@allows(Role.READER)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(ConfirmedOut)
@bp.doc(
    summary="一门课程补上了多少短板",
    description="只按课程汇总，不涉及个人。",
    operation_id="course_outcomes",
    responses=[404, 422, 503],
)
def course_outcomes(identity: str, query: dict[str, Any]) -> Any:
    """What came of one course, as far as anybody told."""
    if identity not in recommender_of(query).catalog.row_of:
        return problem(404, "课程目录里没有这个编号。")
    with store().reading() as connection:
        gaps = outcomes.of_course(connection, identity)
    found = confirmation(identity, gaps)
    return {"course_id": identity, **{name: getattr(found, name) for name in found.__slots__}}


@bp.post("/gap-states")
@allows(Role.PLANNER)
@documents_body(bp, GapStatesIn, EXAMPLE)
@bp.output(GapStatesOut)
@bp.doc(
    summary="短板销号情况",
    description="所写的人的短板各到哪一步（待补、已安排、已学、已销号、重开），以及依据。依据来自写明了 person 和 gap 的反馈；每次查询都记入审计日志。",
    operation_id="gap_states",
    responses=[422],
)
def gap_states() -> Any:
    """How far the gaps of those have come who are named."""
    asked = GapStatesIn().load(g.body)
    assessed = asked["assessed"] and datetime.combine(asked["assessed"], time.min, UTC)
    database = store()
    names = {one["id"]: pseudonym(database, one["id"]) for one in asked["people"]}
    with database.writing() as connection:
        known = outcomes.of_people(connection, list(names.values()))
        audit.record(database, connection, by(), "gap_state.export", "gap_states", people=len(names))
    return {
        "results": [
            {"id": one["id"], "gaps": _states(one["gaps"], known.get(names[one["id"]], {}), assessed)}
            for one in asked["people"]
        ]
    }


def _states(
    asked: list[str] | None, known: Mapping[str, list[Event]], assessed: datetime | None
) -> list[dict[str, Any]]:
    if asked is None:
        return [_dumped(gap, state_of(events)) for gap, events in known.items()]
    by_words = {bare(gap): events for gap, events in known.items()}
    return [_dumped(gap, state_of(by_words.get(bare(gap), []), assessed)) for gap in dict.fromkeys(asked)]


def _dumped(gap: str, state: State) -> dict[str, Any]:
    return {
        "gap": gap,
        "status": str(state.status),
        "course_id": state.course or None,
        "note": state.note,
        "evidence": [
            {
                "at": one.at,
                "course_id": one.course,
                "deed": str(one.deed),
                "score_before": one.before,
                "score_after": one.after,
            }
            for one in state.events
        ],
    }
