"""版本: the trained versions, newest first; one of them compared with the active one, activated through the gate, or gone back from."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from model.errors import VersionError
from model.files.sheets import write_workbook
from model.versions.gate import FIRST
from model.versions.gate_quality import METRICS
from model.versions.gate_sheets import BUNDLED, report_sheets
from model.versions.registry import Registry
from service.api.models import ReasonIn, dump_card, dump_cards, dump_origin, versions_here
from service.cohorts import WORKBOOK, in_words_of_the_request
from service.engine import Engine
from service.pages.courses.measures import measured
from service.pages.courses.trainings import under_way
from service.pages.downloads import download
from service.pages.forms import faults_told
from service.store.roles import Role
from service.training import FOREIGN, is_foreign
from service.versions import COMPARING, LONGEST_REASON, GateRefused
from service.wire.access import allows, by
from service.wire.errors import problem
from service.wire.languages import marked

bp = Blueprint("versions", __name__)

UNKNOWN = marked("没有这个版本；现有的版本见“版本”一页。")
MOST_EVENTS = 30  # Activations that are shown.


@bp.get("/versions")
@allows(Role.CURATOR)
def listed() -> str:
    """The versions, which of them answers, which training is under way, and the way back."""
    registry = _registry()
    training, mine = under_way()
    return render_template(
        "versions/listed.html",
        versions=[one | {"measures": measured(one["metrics"])} for one in dump_cards(registry)],
        active=registry.pointer(),
        back=_next_back(registry),
        events=registry.history()[::-1][:MOST_EVENTS],
        training=training,
        mine=mine,
        longest=LONGEST_REASON,
    )


@bp.get("/versions/<version>")
@allows(Role.CURATOR)
def show(version: str) -> Any:
    """One version: what it was made of and how well it did; what would change is asked for by the page itself."""
    return _shown(version) if version in _registry().versions() else problem(404, UNKNOWN)


@bp.get("/versions/<version>/comparison")
@allows(Role.CURATOR, cost=100, slow=True)
def comparison(version: str) -> Any:
    """What would change if it took over from the active version, or from the one asked for: a page, or the part of one."""
    pair = _pair(version)
    if pair is None:
        return problem(404, UNKNOWN)
    told = versions_here().compared(*pair)
    name = "compared" if request.headers.get("HX-Request") else "comparison"
    return render_template(
        f"versions/{name}.html", told=told, version=version, first=FIRST, metrics=METRICS, bundled=BUNDLED
    )


@bp.get("/versions/<version>/comparison.xlsx")
@allows(Role.CURATOR, cost=100, slow=True)
def workbook(version: str) -> Any:
    """The same as the workbook of ``quebu models compare``."""
    pair = _pair(version)
    if pair is None:
        return problem(404, UNKNOWN)
    with COMPARING:
        report = versions_here().report(*pair)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        write_workbook(path, report_sheets(report))
        return download(path.read_bytes(), WORKBOOK, f"版本变更报告-{pair[0]}-{pair[1]}.xlsx")


@bp.post("/versions/<version>/activate")
@allows(Role.CURATOR, cost=100, slow=True)
def activate(version: str) -> Any:
    """Let a version through the gate; one that is held up is shown with what speaks against it, and where to write a reason."""
    if version not in _registry().versions():
        return problem(404, UNKNOWN)
    reason, trouble = _reason()
    if trouble:
        return _shown(version, trouble=trouble), 422
    try:
        done = versions_here().activate(version, by(), reason)
    except GateRefused as refused:
        return _shown(version, findings=refused.findings), 409
    except VersionError as error:
        return _shown(version, trouble=in_words_of_the_request(error)), 409
    before = gettext("（此前是 %(before)s）", before=done.before) if done.before not in {None, version} else ""
    flash(gettext("已启用 %(version)s%(before)s，立即生效。", version=version, before=before) + done.note)
    return redirect(url_for("versions.listed"), 303)


@bp.post("/versions/rollback")
@allows(Role.CURATOR)
def roll_back() -> Any:
    """Go back to what was active before."""
    reason, trouble = _reason()
    try:
        if trouble:
            flash(trouble, "warning")
        else:
            done = versions_here().roll_back(by(), reason)
            flash(
                gettext("已退回 %(version)s（此前是 %(before)s），立即生效。", version=done.version, before=done.before)
            )
    except VersionError as error:
        flash(in_words_of_the_request(error), "warning")
    return redirect(url_for("versions.listed"), 303)


def _shown(version: str, trouble: str = "", findings: Any = ()) -> str:
    registry = _registry()
    active, card = registry.pointer(), registry.card(version)
    told = dump_card(registry, version, active) | dump_origin(registry, version)
    return render_template(
        "versions/show.html",
        told=told,
        measures=measured(told["metrics"]),
        learnt=(told["metrics"] or {}).get("feedback"),
        active=active,
        others=[one for one in reversed(registry.versions()) if one != version],
        events=[one for one in reversed(registry.history()) if version in {one["version"], one.get("from")}],
        foreign=FOREIGN if "familiar" in card and is_foreign(registry, version) else "",
        trouble=trouble,
        findings=findings,
        reason=request.form.get("reason", ""),
        longest=LONGEST_REASON,
    )


def _pair(version: str) -> tuple[str, str] | None:
    """The version to compare with, and the one asked for; None where one of them is unknown."""
    registry = _registry()
    known, other = registry.versions(), request.args.get("with", "") or registry.pointer()
    return (other, version) if version in known and other in known else None


def _reason() -> tuple[str | None, str]:
    """The reason that was given, if any, and what is wrong with it."""
    try:
        given = ReasonIn().load({"reason": request.form.get("reason", "").strip() or None})
    except ValidationError as error:
        return None, gettext("；").join(faults_told(error))
    return given["reason"], ""


def _next_back(registry: Registry) -> str | None:
    try:
        return registry.next_back()
    except VersionError:
        return None


def _registry() -> Registry:
    engine: Engine = current_app.extensions["quebu"]
    return engine.registry
