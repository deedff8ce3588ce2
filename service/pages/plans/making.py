"""A form becomes a plan on the desk: at once, or by a job where it takes long; what cannot be is told beside what was entered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, flash, g, redirect, render_template, url_for
from flask_babel import gettext

from model.cohort.rules import CLASS_TYPES
from model.domain import Profile, Reading
from model.errors import InputError
from model.files.categories import BRANCHES
from service.api.cohorts import AT_ONCE
from service.cohorts import ON_THE_DESK, READ, plan_for, plan_with_sheets
from service.pages import desk, waiting
from service.pages.plans import variants
from service.pages.plans.asking import FIELDS, MAIN, MENU, Faults, Form, asked_in, differing, in_words_of_the_form
from service.pages.plans.changes import Change, changes_told
from service.shapes.asked import TAKING_PART, Asked
from service.shapes.people import dump_read
from service.shapes.plans import load_cohort
from service.store import plans
from service.wire.access import busy, by, store, take_place
from service.wire.errors import problem
from service.wire.languages import marked
from service.wire.metrics import metrics_now

GONE = marked("工作台上没有这个方案：它可能已经清除，或名册换过了。请重新排一次。")
SAVED = "saved:"  # Before the id of a plan that was saved, where plans are compared.
LONGEST = 100  # Characters of 时限.


def made(form: Form, changes: Sequence[Change] = (), base: int | None = None) -> Any:
    """A plan of what the form asks for, laid on the desk; ``base`` is the plan that was changed by it, ``changes`` tell how."""
    reading = desk.reading()
    if reading is None:
        return redirect(url_for("roster.show"), 303)
    body, asked, faults = asked_in(form)
    if asked is None:
        return form_page(form, faults)
    kept = form.get("previous", "")
    if kept and plans.find(store(), g.principal, kept) is None:
        return form_page(form, {"previous": gettext("这个方案已经删除或到期，请另选一个，或不选。")})
    previous = plans.opened(store(), by(), kept)[0] if kept else None
    variant = {"form": form, "changes": changes, "base": base}
    deadline = form.get("deadline", "")[:LONGEST]
    if is_long(asked, reading):
        request_of = {
            "plan": body,
            "deadline": deadline,
            "settings": {name: current_app.config[name] for name in TAKING_PART},
            "suffix": READ,
            "answer": ON_THE_DESK,
            "variant": variant,
        }
        content = json.dumps(previous, ensure_ascii=False).encode() if previous else b""
        people = dump_read(reading)
        return waiting.begin("plan", asked=request_of, total=len(reading.values), people=people, previous=content)
    before = load_cohort(previous) if previous else None
    if not take_place():
        return _not_now(form, base)
    try:
        results = plan_for(desk.recommender(), reading, asked, current_app.config, deadline, before)
    except InputError as error:
        why = in_words_of_the_form(error)
        if base is None:
            return form_page(form, {"": why})
        flash(gettext("“%(change)s”排不成：%(why)s", change=changes_told(changes), why=why), "warning")
        return redirect(url_for("variant.show", number=base), 303)
    metrics_now().count(len(reading.values))
    return laid(plan_with_sheets(results), variant)


def laid(told: Any, variant: Any) -> Any:
    """Lay a plan on the desk and show it."""
    number = variants.add(told, variant)
    if number is None:
        flash(gettext("工作台上的名册已经换过，刚才的方案没有保留；请重新排一次。"), "warning")
        return redirect(url_for("plan.show"), 303)
    return redirect(url_for("variant.show", number=number), 303)


def is_long(asked: Asked, reading: Reading[Profile]) -> bool:
    """Whether a plan is for a job, as it is in the interface."""
    return len(reading.values) > current_app.config["MAX_COHORT"] or asked.time_limit > AT_ONCE


def _not_now(form: Form, base: int | None) -> Any:
    """Too much is worked on: what was entered stays where it was entered."""
    if base is None:
        return form_page(form, {"": busy()}, 503)
    flash(busy(), "warning")
    return redirect(url_for("variant.show", number=base), 303)


def form_page(form: Form, faults: Faults, refused: int = 422, *, of: int | None = None) -> Any:
    """The form with what was entered, what is wrong with it (then it is ``refused``), and the plans that are tried; ``of`` is the plan whose
    conditions it shows."""
    page = render_template(
        "plan/form.html",
        step=3,
        form=form,
        faults=faults,
        of=of,
        more=differing(form),
        fields=FIELDS,
        types={name: gettext(words) for name, words in CLASS_TYPES.items()},
        branches=BRANCHES,
        menu_kind=MENU,
        main=MAIN,
        hours_per_day=current_app.config["HOURS_PER_DAY"],
        variants=variants.listed(),
        kept=plans.page(store(), g.principal, "", 50)[0],
        saved=SAVED,
        courses=[],
        total=0,
        q="",
        number=None,
    )
    return (page, refused) if faults else page


def gone() -> Response:
    """Said of a plan that is not on the desk."""
    return problem(404, GONE)
