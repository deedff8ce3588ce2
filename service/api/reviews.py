"""The courses whose competencies were not surely read, for somebody to look at: the least sure first. A correction is a saying (``POST /overrides``)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE, ValidationError, fields

from model.enrichment import STATES, Proposal, proposals, to_review
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import WHOLE, Door, between, both, characters
from service.store.roles import Role
from service.wire.access import allows

bp = APIBlueprint("reviews", __name__, url_prefix="/api/v1", tag="catalog")

BAD_CURSOR = both("应为上一页答复的 next", "Must be the next of the page before.")


def after(cursor: str) -> tuple[float, str] | None:
    """Where a page begins: behind this course; None for the first page. Raises ValidationError."""
    surely, _, identity = cursor.partition(":")
    try:
        return (float(surely), identity) if cursor else None
    except ValueError:
        raise ValidationError(BAD_CURSOR) from None


class ReviewsIn(VersionIn):
    """Which page."""

    cursor = fields.String(
        load_default="",
        validate=[*characters(0, 300), after],
        metadata={"description": "上一页的 next；不给则从头开始"},
    )
    limit = fields.Integer(load_default=50, error_messages={"invalid": WHOLE}, validate=between(1, 500))


class ProposedOut(Door):
    """A competency a course was read to teach."""

    name = fields.String()
    probability = fields.Float(metadata={"description": "把握，0 到 1"})


class ReviewOut(Door):
    """A course to look at."""

    course_id = fields.String()
    title = fields.String()
    category = fields.String()
    provider = fields.String()
    state = fields.String(metadata={"description": "unsure 把握不大，unrecognised 没有认出能力"})
    competencies = fields.List(fields.Nested(ProposedOut))


class KnownOut(Door):
    """How the competencies of all courses are known."""

    stated = fields.Integer(metadata={"description": "课程表已写明"})
    said = fields.Integer(metadata={"description": "已由人工更正"})
    sure = fields.Integer(metadata={"description": "读出，把握较大"})
    unsure = fields.Integer(metadata={"description": "读出，把握不大：待复核"})
    unrecognised = fields.Integer(metadata={"description": "没有认出：待复核"})


class ReviewsOut(Door):
    """A page of the courses to look at."""

    reviews = fields.List(fields.Nested(ReviewOut))
    total = fields.Integer(metadata={"description": "待复核的课程数"})
    known = fields.Nested(KnownOut)
    next = fields.String(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})
    model_version = fields.String()


@bp.get("/course-reviews")
@allows(Role.PLANNER)
@bp.input(ReviewsIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(ReviewsOut)
@bp.doc(
    summary="待复核的课程",
    description="课程表没有写明所教能力、系统又读得没有把握的课程，把握最小的在前。更正用 POST /overrides（kind 为 teaches），立即生效。",
    operation_id="course_reviews",
    responses=[422, 503],
)
def reviews(query: dict[str, Any]) -> Any:
    """The courses to look at, page by page."""
    recommender = recommender_of(query)
    every = proposals(recommender)
    asked, behind = to_review(every), after(query["cursor"])
    rest = [one for one in asked if behind is None or (one.surely, one.course.id) > behind]
    page = rest[: query["limit"]]
    known = Counter(one.state for one in every)
    return {
        "reviews": [_dumped(one) for one in page],
        "total": len(asked),
        "known": {state: known[state] for state in STATES},
        "next": f"{page[-1].surely}:{page[-1].course.id}" if len(rest) > len(page) else None,
        "model_version": recommender.version,
    }


def _dumped(one: Proposal) -> dict[str, Any]:
    course = one.course
    return {
        "course_id": course.id,
        "title": course.title,
        "category": course.category,
        "provider": course.provider,
        "state": one.state,
        "competencies": [{"name": name, "probability": surely} for name, surely in one.competencies],
    }
