"""What the active version knows: its courses, the competencies, the post families. Read with a tag, page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from threading import Lock
from typing import Any

from apiflask import APIBlueprint
from cachetools import LRUCache, cached
from flask import jsonify, request
from marshmallow import RAISE, fields
from werkzeug.wrappers import Response as BaseResponse

from model.domain import Catalog, Course
from model.lexicon import Lexicon, bare
from service.api.recommendations import VersionIn, recommender_of
from service.shapes.fields import WHOLE, Door, between, characters
from service.store.roles import Role
from service.wire.access import allows
from service.wire.errors import problem

bp = APIBlueprint("catalog", __name__, url_prefix="/api/v1", tag="catalog")


class PageIn(VersionIn):
    """Which page of which courses."""

    q = fields.String(
        load_default="", validate=characters(0, 200), metadata={"description": "名称、简介、类别或提供单位中的字词"}
    )
    cursor = fields.String(
        load_default="", validate=characters(0, 200), metadata={"description": "上一页的 next；不给则从头开始"}
    )
    limit = fields.Integer(load_default=50, error_messages={"invalid": WHOLE}, validate=between(1, 500))


class CourseOut(Door):
    """One course of the catalog. Empty lists of levels or posts mean everybody."""

    id = fields.String()
    title = fields.String()
    summary = fields.String()
    category = fields.String()
    competency = fields.String(allow_none=True, metadata={"description": "主要讲的能力"})
    hours = fields.Float(allow_none=True)
    mode = fields.String()
    levels = fields.List(fields.String())
    posts = fields.List(fields.String())
    required = fields.Boolean()
    provider = fields.String()
    year = fields.Integer(allow_none=True)
    seats = fields.Integer(allow_none=True)
    series = fields.String()
    source = fields.String(metadata={"description": "来自哪一份课程表；只有一份、没有起名时为空"})


class OneCourseOut(CourseOut):
    """A course asked for by its id (the document tells a schema that stands alone from one within a list)."""


class CoursesOut(Door):
    """A page of courses in the order of their ids."""

    courses = fields.List(fields.Nested(CourseOut))
    total = fields.Integer(metadata={"description": "符合条件的课程数"})
    next = fields.String(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})
    model_version = fields.String()


class CompetencyOut(Door):
    """Something a cadre can be trained in."""

    name = fields.String()
    branch = fields.String()
    area = fields.String()
    definition = fields.String()
    aliases = fields.List(fields.String())


class CompetenciesOut(Door):
    """All competencies."""

    competencies = fields.List(fields.Nested(CompetencyOut))


class PostOut(Door):
    """A family of posts with the words that point to it."""

    name = fields.String()
    units = fields.List(fields.String())
    titles = fields.List(fields.String())


class LevelOut(Door):
    """A level and its code."""

    code = fields.Integer()
    name = fields.String()


class PostsOut(Door):
    """The post families and levels the product knows."""

    posts = fields.List(fields.Nested(PostOut))
    levels = fields.List(fields.Nested(LevelOut))


def tagged(body: dict[str, Any]) -> BaseResponse:
    """An answer with an ETag of its content: 304 where the caller has it already."""
    response = jsonify(body)
    response.set_etag(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


def dump_course(course: Course, teaches: str | None, lexicon: Lexicon) -> dict[str, Any]:
    """A course in the shape of :class:`CourseOut`."""
    return {
        "id": course.id,
        "title": course.title,
        "summary": course.summary,
        "category": course.category,
        "competency": teaches,
        "hours": course.hours,
        "mode": course.mode,
        "levels": [lexicon.level_names.get(level, str(level)) for level in sorted(course.levels)],
        "posts": sorted(course.posts),
        "required": course.required,
        "provider": course.provider,
        "year": course.year,
        "seats": course.seats,
        "series": course.series,
        "source": course.source,
    }


@bp.get("/courses")
@allows(Role.READER)
@bp.input(PageIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(CoursesOut)
@bp.doc(summary="课程目录", operation_id="courses", responses=[304, 422, 503])
def courses(query: dict[str, Any]) -> Any:
    """The courses of the catalog, searchable, page by page."""
    recommender = recommender_of(query)
    found = found_by(recommender.catalog, query["q"])
    rest = [course for course in found if course.id > query["cursor"]]
    page = rest[: query["limit"]]
    return tagged(
        {
            "courses": [dump_course(course, recommender.teaches[course.id], recommender.lexicon) for course in page],
            "total": len(found),
            "next": page[-1].id if len(rest) > len(page) else None,
            "model_version": recommender.version,
        }
    )


def found_by(catalog: Catalog, text: str) -> list[Course]:
    """The courses in which every word of a search stands, in the order of their ids."""
    words = [bare(word) for word in text.split()]
    _, texts = searched(catalog)
    return [course for course, text in zip(catalog, texts, strict=True) if all(word in text for word in words)]


@cached(LRUCache(4), key=id, lock=Lock())
def searched(catalog: Catalog) -> tuple[Catalog, tuple[str, ...]]:
    """What is searched of each course, made ready once for a version; the catalog is kept with it, so that its id stays its own."""
    # bare() takes out all blanks; a word is not to be found across the border of two fields.
    return catalog, tuple(
        "\n".join(map(bare, (course.id, course.title, course.summary, course.category, course.provider)))
        for course in catalog
    )


@bp.get("/courses/<path:identity>")  # An id may hold a slash.
@allows(Role.READER)
@bp.input(VersionIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(OneCourseOut)
@bp.doc(summary="一门课程", operation_id="course", responses=[304, 404, 422, 503])
def course(identity: str, query: dict[str, Any]) -> Any:
    """One course by its id."""
    recommender = recommender_of(query)
    row = recommender.catalog.row_of.get(identity)
    if row is None:
        return problem(404, "课程目录里没有这个编号。")
    return tagged(dump_course(recommender.catalog.courses[row], recommender.teaches[identity], recommender.lexicon))


@bp.get("/competencies")
@allows(Role.READER)
@bp.output(CompetenciesOut)
@bp.doc(summary="能力词表", operation_id="competencies", responses=[304, 503])
def competencies() -> Any:
    """The competencies that gaps are named by."""
    lexicon = recommender_of({}).lexicon
    shown: Sequence[str] = ("name", "branch", "area", "definition")
    return tagged(
        {
            "competencies": [
                {name: getattr(one, name) for name in shown} | {"aliases": list(one.aliases)}
                for one in lexicon.competencies
            ]
        }
    )


@bp.get("/posts")
@allows(Role.READER)
@bp.output(PostsOut)
@bp.doc(summary="岗位族和层级", operation_id="posts", responses=[304, 503])
def posts() -> Any:
    """The post families and levels that profiles are understood by."""
    lexicon = recommender_of({}).lexicon
    return tagged(
        {
            "posts": [
                {"name": family.name, "units": list(family.units), "titles": list(family.titles)}
                for family in lexicon.families
            ],
            "levels": [{"code": code, "name": name} for code, name in sorted(lexicon.level_names.items())],
        }
    )
