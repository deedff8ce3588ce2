"""What the catalog at work leaves out: for each competency how many courses would serve it."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE, fields

from model.coverage import Covered, coverage
from service.api.catalog import tagged
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import Door
from service.store.roles import Role
from service.wire.access import allows

bp = APIBlueprint("covered", __name__, url_prefix="/api/v1", tag="catalog")


class NearestOut(Door):
    """The course that comes nearest to a competency."""

    course_id = fields.String()
    title = fields.String()
    relevance = fields.Float(metadata={"description": "匹配度，0 到 1"})


class CoveredOut(Door):
    """A competency and the courses for it."""

    name = fields.String()
    branch = fields.String()
    area = fields.String()
    courses = fields.Integer(metadata={"description": "达到推荐标准的课程数；0 即目录无课"})
    mainly = fields.Integer(metadata={"description": "主要讲它的课程数"})
    nearest = fields.Nested(
        NearestOut, allow_none=True, metadata={"description": "最接近的课程，不论是否达到标准；都被否决时为 null"}
    )


class CoverageOut(Door):
    """How the catalog covers the competencies, in the order of their table."""

    competencies = fields.List(fields.Nested(CoveredOut))
    total = fields.Integer(metadata={"description": "能力的项数"})
    missing = fields.Integer(metadata={"description": "没有课程的项数"})
    model_version = fields.String()


@bp.get("/coverage")
@allows(Role.READER, cost=20, slow=True)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(CoverageOut)
@bp.doc(
    summary="课程目录的覆盖情况",
    description="每一项能力有几门课程达到推荐标准；一门也没有的，就是目录缺的课。不看层级和岗位，但否决过的课程不算。",
    operation_id="coverage",
    responses=[304, 422, 503],
)
def covered(query: dict[str, Any]) -> Any:
    """The competencies with the number of courses for each."""
    recommender = recommender_of(query)
    found = coverage(recommender)
    return tagged(
        {
            "competencies": [dump_covered(one) for one in found],
            "total": len(found),
            "missing": sum(not one.courses for one in found),
            "model_version": recommender.version,
        }
    )


def dump_covered(one: Covered) -> dict[str, Any]:
    """A competency in the shape of :class:`CoveredOut`."""
    nearest = one.nearest
    return {
        "name": one.competency.name,
        "branch": one.competency.branch,
        "area": one.competency.area,
        "courses": one.courses,
        "mainly": one.mainly,
        "nearest": nearest
        and {"course_id": nearest.course.id, "title": nearest.course.title, "relevance": nearest.relevance},
    }
