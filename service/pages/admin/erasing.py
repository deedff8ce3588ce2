"""抹去一个人: forget who somebody is, wherever something is kept about them, once it is confirmed that it cannot be undone."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template, request

from service.api.plans import PersonIn
from service.pages.forms import passed
from service.store import erasing
from service.store.roles import Role
from service.wire.access import allows, by, store

bp = Blueprint("erasing", __name__)


@bp.get("/admin/erasure")
@allows(Role.ADMIN)
def ask() -> str:
    """Ask for whom."""
    return _asked({})


@bp.post("/admin/erasure")
@allows(Role.ADMIN)
def confirm() -> Any:
    """Name whom, and say what will be gone. The id travels in forms alone: addresses are remembered by browsers."""
    told, wrong = passed(PersonIn(), {"person": request.form.get("person", "").strip()})
    if told is None:
        return _asked(wrong), 422
    return render_template("admin/erasure_confirm.html", person=told["person"])


@bp.post("/admin/erasure/done")
@allows(Role.ADMIN)
def erase() -> Any:
    """Forget, and tell from how much somebody was taken out."""
    told, wrong = passed(PersonIn(), {"person": request.form.get("person", "").strip()})
    if told is None:
        return _asked(wrong), 422
    found = erasing.erase(store(), by(), told["person"])
    # No redirect: who was erased shall stand in no cookie, and doing it again does no harm.
    return render_template("admin/erasure_done.html", found=found, hours=current_app.config["DESK_HOURS"])


def _asked(wrong: dict[str, str]) -> str:
    return render_template("admin/erasure.html", wrong=wrong)
