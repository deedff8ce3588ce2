"""上传新课程表: a list is given, checked by cell, compared with the active catalog, corrected, and made a version by a job. Until then it lies on the desk,
sealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from model.domain import Heading
from model.errors import HeadersUnknown, InputError, TableError, VersionError
from model.files.annotated import meaning
from model.files.categories import BRANCHES
from model.files.courserows import COLUMNS
from model.files.mapping import names_of
from model.files.sources import UNNAMED
from model.reports import account_line
from service.catalogs import Draft
from service.cohorts import WORKBOOK, in_words_of_the_request
from service.engine import Engine
from service.jobs.training import drafted_from
from service.pages import desk
from service.pages.downloads import download
from service.pages.forms import faults_told, headers_said, may_be_corrected
from service.shapes.courselists import COURSE_SUFFIXES, annotated_list
from service.shapes.imports import COURSES, ImportIn, file_name
from service.store.roles import Role
from service.wire.access import allows

bp = Blueprint("newlist", __name__)

ASKED, CHECKED = "courselist", "checked"  # Parts of the desk, beside the file itself: what was asked, what was found.
PARTS = (COURSES, ASKED, CHECKED)
SHOWN = 200  # Faults, and courses of each kind of change, on the page; all of them stand in the workbook.
SAID = 3  # Headers that can be explained where none was recognised.


@bp.get("/course-list/new")
@allows(Role.CURATOR)
def show() -> Any:
    """The list on the desk and what was found in it; without one, where to drop a file."""
    asked, told = desk.take(ASKED), desk.take(CHECKED)
    if asked is None or told is None:
        return _give()
    registry = _engine().registry
    return render_template(
        "newlist/read.html",
        asked=asked,
        told=told,
        changes=told["changes"],
        moved=told["base"] != registry.pointer() and registry.pointer() is not None,
        headings=list(enumerate(may_be_corrected(_headings(told)))),
        private=[one.header for one in _headings(told) if one.field == ""],
        fields=names_of(COLUMNS),
        branches=BRANCHES,
        answered=list((asked["categories"] or {}).items()),
        shown=SHOWN,
        meaning_of=meaning,
    )


@bp.post("/course-list/new")
@allows(Role.CURATOR, cost=100, body="MAX_BATCH_MB", slow=True)
def give() -> Any:
    """Check the file that was given."""
    file = request.files.get(COURSES)
    given: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("source", "year")}
    given = {name: text for name, text in given.items() if text} | {"without": request.form.getlist("without")}
    try:
        asked = ImportIn().load(given)
        name = file_name(file.filename) if file and file.filename else ""
    except ValidationError as error:
        return _give(gettext("；").join(faults_told(error)))
    desk.drop(*PARTS)
    if file and name:
        desk.lay_bytes(COURSES, file.read())
    return _checked({**asked, "file": name})


@bp.post("/course-list/new/mended")
@allows(Role.CURATOR, cost=100, slow=True)
def mend() -> Any:
    """Check the list again, with what the planner says of its headers and categories."""
    asked = desk.take(ASKED)
    if asked is None:
        return redirect(url_for("newlist.show"), 303)
    told = desk.take(CHECKED)
    headers = dict(asked["map"] or {}) | headers_said(_headings(told) if told else ()) | dict(_headers_told())
    labels = dict(asked["categories"] or {}) | dict(_labels_said(asked, told))
    said = {"map": headers, "categories": {label: branch for label, branch in labels.items() if branch}}
    try:
        ImportIn().load(said)
    except ValidationError as error:
        flash(gettext("；").join(faults_told(error)), "warning")
        return redirect(url_for("newlist.show"), 303)
    return _checked({**asked, **said})


@bp.get("/course-list/new/check.xlsx")
@allows(Role.CURATOR, cost=100, slow=True)
def workbook() -> Any:
    """The list as it was read, its faulty cells coloured and commented."""
    asked = desk.take(ASKED)
    if asked is None or not asked["file"]:
        return redirect(url_for("newlist.show"), 303)
    drafted = _draft(asked)
    assert drafted.read
    content = annotated_list(drafted.read, drafted.changes, drafted.asked)
    return download(content, WORKBOOK, "课程表核对.xlsx")


@bp.post("/course-list/new/clear")
@allows(Role.CURATOR)
def clear() -> Any:
    """Take the list from the desk."""
    desk.drop(*PARTS)
    return redirect(url_for("newlist.show"), 303)


def _engine() -> Engine:
    engine: Engine = current_app.extensions["quebu"]
    return engine


def _draft(asked: dict[str, Any]) -> Draft:
    return drafted_from(asked, desk.take_bytes(COURSES) or b"", _engine().registry)


def _checked(asked: dict[str, Any]) -> Any:
    """Lay on the desk what was found in a list, or say why it cannot be used; its file stays there, to be explained."""
    desk.lay(ASKED, asked)
    try:
        drafted = _draft(asked)
    except InputError as error:
        if desk.there(CHECKED):  # What was said just now does not fit; what was found before still stands.
            flash(_in_words_of_the_page(error)[0], "warning")
            desk.lay(ASKED, {**asked, **desk.take(CHECKED)["said"]})
            return redirect(url_for("newlist.show"), 303)
        trouble, likely = _in_words_of_the_page(error)
        return _give(trouble, error.faults if isinstance(error, TableError) else (), likely)
    desk.lay(CHECKED, _told(drafted) | {"said": {name: asked[name] for name in ("map", "categories")}})
    return redirect(url_for("newlist.show"), 303)


def _in_words_of_the_page(error: InputError) -> tuple[str, str]:
    """The sentence, and the header that may be meant, where none was recognised and the page asks for it."""
    if not isinstance(error, HeadersUnknown) or not error.how:
        return in_words_of_the_request(error), ""
    here = str(error).replace(error.how, gettext("请在下面说明。"))
    return in_words_of_the_request(error.saying(here)), error.likely


def _told(drafted: Draft) -> dict[str, Any]:
    """What is found before a training, and what the page shows of the file besides: its cells, its headers."""
    reading = drafted.read.reading if drafted.read else None
    return drafted.told() | {
        "faults": [asdict(fault) for fault in reading.faults] if reading else [],
        "headings": [list(one) for one in reading.headings] if reading else [],
        "account": account_line(reading) if reading else "",
    }


def _headings(told: dict[str, Any]) -> list[Heading]:
    return [Heading(*one) for one in told["headings"]]


def _headers_told() -> Iterator[tuple[str, str]]:
    """Headers in the planner's own words, where none was recognised."""
    for number in range(SAID):
        header = request.form.get(f"said-header-{number}", "").strip()
        if header:
            yield header, request.form.get(f"said-field-{number}", "")


def _labels_said(asked: dict[str, Any], told: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Category labels with the branch that was chosen for each, blank where an answer is taken back."""
    for number, label in enumerate(asked["categories"] or {}):
        yield label, request.form.get(f"answered-{number}", asked["categories"][label])
    for number, one in enumerate(told["categories"] if told else ()):
        if branch := request.form.get(f"label-{number}"):
            yield one["label"], branch


def _give(trouble: str = "", faults: Any = (), likely: str = "") -> Any:
    """Where to drop a file; with ``trouble`` why the one given cannot be used, and the header that may be meant as the title."""
    page = render_template(
        "newlist/give.html",
        trouble=trouble,
        faults=faults,
        likely=likely,
        suffixes=COURSE_SUFFIXES,
        sources=_sources(),
        given=request.form,
        there=desk.there(COURSES),
        fields=names_of(COLUMNS),
        rows=range(SAID),
    )
    return (page, 422) if trouble else page


def _sources() -> list[str]:
    """The lists the active version was made of, by name; a card that cannot be read names none."""
    registry = _engine().registry
    active = registry.pointer()
    with suppress(VersionError):
        told = registry.card(active).get("sources") if active else None
        return [one.get("name") or UNNAMED for one in told or ()]
    return []
