"""The form of a plan <-> what is asked for: the same members as ``plan`` has in the interface. What cannot be is told beside its field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask_babel import gettext
from marshmallow import ValidationError

from model.cohort.rival import PARAMETERS
from model.cohort.rules import PARTY, THEORY
from model.errors import InputError
from model.files.categories import BRANCHES
from service.pages.forms import in_the_language
from service.shapes.asked import Asked, AskedIn
from service.shapes.fields import flatten

MENU = "menu"  # In the place of a type of class.
MAIN = "main"  # 理论教育 and 党性教育 together, as rules for 主体班 state them.
SHARES = {**{branch: (branch,) for branch in BRANCHES}, MAIN: (THEORY, PARTY)}
BREAK = re.compile(r"[\s,，、;；]+")


class Number(NamedTuple):
    """A number of the form: whom it is for (class, split, menu or both), and whether it is written in percent."""

    scope: str
    percent: bool = False


NUMBERS = {
    "theory": Number("class"), "practice": Number("class"), "max_courses": Number("class"), "budget": Number("class"),
    "fit": Number("class", percent=True), "classes": Number("class"), "class_size": Number("split"), "class_min": Number("split"),
    "level_span": Number("split"), "seats": Number("menu"), "min_size": Number("menu"), "sessions": Number("menu"), "repeats": Number("menu"),
    "floor": Number("menu", percent=True), "level_floor": Number("menu", percent=True), "level_window": Number("both"), "time_limit": Number("both"),
}  # fmt: skip
LISTS = {"require": "both", "exclude": "both", "offer": "menu", "mode": "both"}
DEFAULTS = {
    "kind": "专题班", "length": "24", "length_in": "hours", "classes": "1", "seats": "50", "min_size": "1", "repeats": "1", "fit": "50",
    "catalog_required": "1", "what_if": "1", "time_limit": "20", "pairs": "units", "level_window": "0",
}  # fmt: skip
FIELDS = (
    "kind", "length", "length_in", "catalog_required", "what_if", "pairs", "deadline", "previous", *NUMBERS, *LISTS, *(f"share-{name}" for name in SHARES),
)  # fmt: skip
ABOVE = {"kind", "length", "length_in"}  # They are always seen; the others lie in the part that is folded.
# What may stand in a number, or behind it.
UNITS = re.compile(r"\s+|[,，]|(?:学时|课时|天|人|门|元|个|级|场|期|[%％])\s*$")
# Where a fault of the request is shown on the form.
SHOWN_AT = {"hours": "length", "days": "length", "type": "kind"}
LONGEST = 20_000  # Characters of a field.

Form = dict[str, str]
Faults = dict[str, str]


def form_of(given: Mapping[str, str]) -> Form:
    """What was entered, as it is kept with a plan so that it can be asked again with a change."""
    form = {name: given[name].strip()[:LONGEST] for name in FIELDS if given.get(name, "").strip()}
    # The unit that was written counts for more than the one that was left as it stood.
    for words, unit in (("天", "days"), ("学时", "hours"), ("课时", "hours")):
        if form.get("length", "").endswith(words):
            form |= {"length": form["length"].removesuffix(words).strip(), "length_in": unit}
    return form


def differing(form: Form) -> bool:
    """Whether something of the folded part is not as it is filled in for a first plan."""
    return any(form.get(name, "") != DEFAULTS.get(name, "") for name in FIELDS if name not in ABOVE)


def asked_in(form: Form) -> tuple[dict[str, Any], Asked | None, Faults]:
    """The request, as the interface takes it, and as a value; what is wrong with it, by field (blank: with the whole), where it cannot be."""
    body, faults = _body_of(form)
    if faults:
        return body, None, faults
    try:
        asked: Asked = AskedIn().load(body)
    except ValidationError as error:
        for said in flatten(error.messages):
            field = said.steps[0] if said.steps else ""
            faults[SHOWN_AT.get(field, field)] = in_the_language(said)
        return body, None, faults
    except InputError as error:
        return body, None, {"": in_words_of_the_form(error)}
    return body, asked, {}


def in_words_of_the_form(error: InputError) -> str:
    """The sentences name options of the command; here they are fields."""
    return re.sub(
        r" ?--([a-z-]+) ?", lambda option: f"“{PARAMETERS.get(option[1].replace('-', '_'), option[1])}”", str(error)
    )


def ids_in(text: str) -> list[str]:
    """The ids of courses, or the words, of a field."""
    return [one for one in BREAK.split(text.strip()) if one]


def without(form: Form, courses: list[str]) -> Form:
    """The same with courses taken out."""
    kept = [one for one in ids_in(form.get("require", "")) if one not in courses]
    out = [one for one in ids_in(form.get("exclude", "")) if one not in courses]
    return {**form, "require": " ".join(kept), "exclude": " ".join([*out, *courses])}


def with_course(form: Form, course: str) -> Form:
    """The same with a course put in."""
    out = [one for one in ids_in(form.get("exclude", "")) if one != course]
    kept = [one for one in ids_in(form.get("require", "")) if one != course]
    return {**form, "exclude": " ".join(out), "require": " ".join([*kept, course])}


def _body_of(form: Form) -> tuple[dict[str, Any], Faults]:
    menu, faults = form.get("kind") == MENU, Faults()
    scopes = {"both", "menu"} if menu else {"both", "class"}
    body: dict[str, Any] = {"menu": True} if menu else {"type": form.get("kind", "")}
    length = _number("length", form, faults)
    if length is None and "length" not in faults:
        faults["length"] = gettext("请填写学时或天数")
    body["days" if form.get("length_in") == "days" else "hours"] = length
    if not menu and (_number("classes", form, faults) or 1) > 1:
        scopes.add("split")
    for name, number in NUMBERS.items():
        told = _number(name, form, faults) if number.scope in scopes else None
        if told is not None:
            body[name] = _part(name, told, faults) if number.percent else told
    for name, scope in LISTS.items():
        if scope in scopes and form.get(name):
            body[name] = ids_in(form[name])
    shares = {} if menu else {name: _number(f"share-{name}", form, faults) for name in SHARES}
    for name, least in shares.items():
        if least is not None:
            _part(f"share-{name}", least, faults)
    told_shares = [f"{'+'.join(SHARES[name])}={least:g}%" for name, least in shares.items() if least is not None]
    if told_shares:
        body["share"] = told_shares
    body |= {
        "catalog_required": form.get("catalog_required") == "1",
        "what_if": form.get("what_if") == "1",
        "pairs": form.get("pairs", DEFAULTS["pairs"]),
    }
    return body, faults


def _part(name: str, percent: float, faults: Faults) -> float:
    """Percent as a part of one; more than all of it is a fault."""
    if not 0 <= percent <= 100:
        faults[name] = gettext("应在 0 到 100 之间")
    return round(percent / 100, 6)


def _number(name: str, form: Form, faults: Faults) -> float | int | None:
    """A number as it was entered, whole where it can be; None where the field is blank or holds none, which is a fault."""
    text = UNITS.sub("", form.get(name, ""))
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        faults[name] = gettext("应为数字，如 %(example)s", example=DEFAULTS.get(name, "20"))
        return None
    return int(value) if value.is_integer() else value
