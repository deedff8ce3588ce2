"""Gap texts in, ranked courses out: ``quebu match`` over HTTP."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import g
from marshmallow import RAISE, fields
from marshmallow.validate import Length

from service.api.body import documents_body, read_json
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import WHOLE, Door, at_most, between
from service.shapes.schemas import QuestionIn, dump_answer, overridden
from service.store.roles import Role
from service.wire.access import allows
from service.wire.metrics import metrics_now

bp = APIBlueprint("matches", __name__, url_prefix="/api/v1", tag="matches")
bp.before_request(read_json)

MOST_QUERIES = 1000


class QuestionsIn(Door):
    """Gap texts to be matched."""

    queries = fields.List(
        fields.Nested(QuestionIn),
        required=True,
        validate=Length(1, MOST_QUERIES, error=at_most(MOST_QUERIES, 1)),
        metadata={"example": [{"id": "1", "text": "一上台讲话就冒汗"}]},
    )
    top = fields.Integer(load_default=10, strict=True, error_messages={"invalid": WHOLE}, validate=between(1, 100))


class MatchOut(Door):
    """A course for a gap text."""

    course_id = fields.String()
    title = fields.String()
    relevance = fields.Float(metadata={"description": "0 到 1，对口的把握"})


class AnswerOut(Door):
    """The courses for one gap text, best first."""

    id = fields.Raw(allow_none=True, metadata={"type": ["string", "integer"]})
    text = fields.String()
    matches = fields.List(fields.Nested(MatchOut))
    answerable = fields.Boolean(metadata={"description": "目录里是否有课可答"})
    model_version = fields.String()
    overridden = overridden()


class AnswersOut(Door):
    """An answer for each gap text, in the order given."""

    results = fields.List(fields.Nested(AnswerOut))


@bp.post("/matches")
@allows(Role.READER)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@documents_body(bp, QuestionsIn)
@bp.output(AnswersOut)
@bp.doc(summary="按短板原话找课", operation_id="match", responses=[422, 503])
def match(query: dict[str, Any]) -> Any:
    """Ranked courses with calibrated relevance for each text."""
    recommender = recommender_of(query)
    asked = QuestionsIn().load(g.body)
    metrics_now().count(texts=len(asked["queries"]))
    answers = recommender.answer([one["text"] for one in asked["queries"]], asked["top"])
    return {
        "results": [
            dump_answer(one["id"], answer, recommender.version)
            for one, answer in zip(asked["queries"], answers, strict=True)
        ]
    }
