"""花名册: a roster is given, what was read of it is shown cell by cell, and may be corrected. It lies on the desk, sealed, until it is saved or cleared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext

from model.domain import Profile, Reading
from model.errors import InputError, TableError
from model.files.mapping import names_of
from model.files.rosters import COLUMNS
from model.reports import account_line
from service.cohorts import Roster, in_words_of_the_request
from service.pages import desk, waiting
from service.pages.forms import headers_said, may_be_corrected
from service.pages.help import guide
from service.pages.paging import Page
from service.pages.people import lacking
from service.pages.plans import variants
from service.shapes.files import SUFFIXES, Mended
from service.shapes.people import dump_read
from service.store.roles import Role
from service.wire.access import allows

bp = Blueprint("roster", __name__)

SAMPLE = Path(__file__).parents[3] / "training_data" / "roster_sample.xlsx"
SHOWN = 20  # People on a page of the roster.
SHEETLESS = ".csv"
FAULTS = 200  # Faulty cells on the page.
FOUND = (*lacking.PARTS, "plans")  # What was found by the roster; of another roster it is not true.


@bp.get("/roster")
@allows(Role.PLANNER)
def show() -> str:
    """The roster on the desk and how it was read; without one, where to drop a file."""
    reading = desk.reading()
    if reading is None:
        return render_template("roster/give.html", step=1, trouble=None, suffixes=SUFFIXES)
    given = desk.take("roster")
    lexicon = desk.recommender().lexicon
    headings = may_be_corrected(reading.headings)
    return render_template(
        "roster/read.html",
        step=1,
        reading=reading,
        account=account_line(reading),
        title=given["title"],
        cells=given["cells"],
        shown=FAULTS,
        sheets=given["suffix"] != SHEETLESS,
        cell_of=lambda place: _cell_of(place, given["suffix"]),
        plans=len(variants.listed()),
        headings=headings,
        private=[one.header for one in reading.headings if one.field == ""],
        fields=names_of(COLUMNS),
        table=given["suffix"] != ".jsonl",
        levels=lexicon.level_names,
        people=Page.of(reading.values, request.args.get("page", ""), SHOWN),
    )


@bp.post("/roster")
@allows(Role.PLANNER, cost=10, body="MAX_BATCH_MB")
def give() -> Any:
    """Read the file that was given."""
    file = request.files.get("roster")
    name = PurePosixPath((file.filename if file else None) or "")
    if file is None or not name.name:
        return _refused(gettext("还没有选择文件。请选择或拖入名册。"))
    if name.suffix.lower() not in SUFFIXES:
        return _refused(gettext("名册应为 %(suffixes)s 文件；请另存后再试。", suffixes=" ".join(SUFFIXES)))
    return _read(Roster(name.suffix.lower(), file.read()), name.stem)


@bp.post("/roster/sample")
@allows(Role.PLANNER, cost=10)
def sample() -> Any:
    """Take the roster that comes with the product: invented people."""
    guide.begin()
    return _read(Roster(SAMPLE.suffix, SAMPLE.read_bytes()), gettext("样例名册"), sample=True)


@bp.get("/roster/sample.xlsx")
@allows(Role.PLANNER)
def sample_file() -> Response:
    """The sample as a file, to be filled in as a form."""
    return send_file(SAMPLE, as_attachment=True, download_name="名册样例.xlsx")


@bp.post("/roster/mended")
@allows(Role.PLANNER, cost=10)
def mend() -> Any:
    """Read the roster again, with what the planner says of its headers and cells."""
    given, content = desk.take("roster"), desk.take_bytes("file")
    if given is None or content is None:
        return redirect(url_for("roster.show"), 303)
    told = desk.reading()
    headers = {**given["headers"], **headers_said(told.headings if told else ())}
    said = {name.removeprefix("cell:"): text for name, text in request.form.items() if name.startswith("cell:")}
    # A correction that was emptied, or whose button was clicked, is taken back.
    cells = {cell: text for cell, text in {**given["cells"], **said}.items() if text.strip()}
    cells.pop(request.form.get("undo", ""), None)
    if (headers, cells) == (given["headers"], given["cells"]):
        flash(gettext("没有新的更正，名册和试排的方案都没有动。"))
        return redirect(url_for("roster.show"), 303)
    roster = Roster(given["suffix"], content, Mended(headers, cells))
    try:
        return _laid(roster, given["title"], given["sample"])
    except InputError as error:
        flash(gettext("没有照改，名册还是原来读到的：%(why)s", why=in_words_of_the_request(error)), "warning")
        return redirect(url_for("roster.show"), 303)


@bp.post("/roster/clear")
@allows(Role.PLANNER)
def clear() -> Any:
    """Take everything from the desk at once."""
    waiting.abandon()
    desk.clear()
    flash(gettext("工作台已清空：名册和没有保存的结果都已删除。"))
    return redirect(url_for("roster.show"), 303)


def _read(roster: Roster, title: str, *, sample: bool = False) -> Any:
    """Lay a roster on the desk as it was read, or say why it cannot be."""
    try:
        return _laid(roster, title, sample)
    except InputError as error:
        told = error.faults if isinstance(error, TableError) else ()
        faults = [replace(fault, place=_cell_of(fault.place, roster.suffix)) for fault in told]
        # The file is the planner's, and is called as they called it.
        why = in_words_of_the_request(error).replace(roster.name, f"{title}{roster.suffix}")
        return _refused(why, faults)


def _laid(roster: Roster, title: str, sample: bool) -> Any:
    """Lay a roster on the desk as it was read, in place of the one before and all that was found by that; InputError where it cannot be used."""
    reading: Reading[Profile] = roster.read(desk.recommender().lexicon)
    waiting.abandon()
    desk.drop(*FOUND, *variants.parts())
    desk.lay_bytes("file", roster.content)
    mended = roster.mended
    corrected = {"headers": dict(mended.headers), "cells": dict(mended.cells)}
    desk.lay("roster", {"suffix": roster.suffix, "title": title, "sample": sample, **corrected})
    desk.lay("read", dump_read(reading))
    return redirect(url_for("roster.show"), 303)


def _cell_of(place: str, suffix: str) -> str:
    """The place of a cell as it is shown: a file without sheets has cells alone, for the name of its one sheet is ours."""
    return place.rpartition("!")[2] if suffix == SHEETLESS else place


def _refused(trouble: str, faults: Any = ()) -> tuple[str, int]:
    return render_template("roster/give.html", step=1, trouble=trouble, faults=faults, suffixes=SUFFIXES), 422
