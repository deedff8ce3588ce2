"""课程目录: the courses of the active version, searched and read; each with what it teaches, what came of it and what was said of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, request

from model.closing import confirmation
from model.enrichment import proposal
from model.errors import NoActiveVersion
from service.api.catalog import dump_course, found_by
from service.pages import desk
from service.pages.courses.sayings import about_course
from service.pages.paging import Page
from service.store import outcomes
from service.store.roles import Role
from service.wire.access import allows, store
from service.wire.errors import problem
from service.wire.languages import marked

bp = Blueprint("courselist", __name__)

SHOWN = 50  # Courses on a page.
LONGEST_SEARCH = 200
UNKNOWN = marked("现在的课程目录里没有这个编号。")


@bp.get("/course-list")
@allows(Role.READER)
def show() -> str:
    """The active catalog, or the way to the first one."""
    try:
        recommender = desk.recommender()
    except NoActiveVersion:
        return render_template("courselist/none.html")
    text = request.args.get("q", "")[:LONGEST_SEARCH]
    found = found_by(recommender.catalog, text)
    page = Page.of(found, request.args.get("page", ""), SHOWN)
    return render_template(
        "courselist/show.html",
        text=text,
        page=page,
        courses=[dump_course(one, recommender.teaches[one.id], recommender.lexicon) for one in page.entries],
        everything=len(recommender.catalog),
        version=recommender.version,
        sourced=any(one.source for one in recommender.catalog),
    )


@bp.get("/course-list/courses/<path:identity>")  # An id may hold a slash.
@allows(Role.READER)
def course(identity: str) -> Any:
    """One course: all that the list says of it, what it teaches, what it closed, and what planners said of it."""
    recommender = desk.recommender()
    row = recommender.catalog.row_of.get(identity)
    if row is None:
        return problem(404, UNKNOWN)
    with store().reading() as connection:
        gaps = outcomes.of_course(connection, identity)
    known = recommender.catalog.courses[row]
    return render_template(
        "courselist/course.html",
        course=dump_course(known, recommender.teaches[identity], recommender.lexicon),
        teacher_kind=known.teacher_kind,
        taught=proposal(recommender, row),
        confirmed=confirmation(identity, gaps),
        said=about_course(identity, recommender.places) if g.principal.role.covers(Role.PLANNER) else None,
        curates=g.principal.role.covers(Role.CURATOR),
        names=[one.name for one in recommender.lexicon.competencies],
        version=recommender.version,
    )
