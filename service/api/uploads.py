"""The bodies of requests about many people: JSON, or the parts of a form with a roster as a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any

from flask import Response, current_app, request
from marshmallow import ValidationError

from service.api.body import read_json
from service.cohorts import Roster
from service.shapes.fields import both
from service.shapes.files import SUFFIXES
from service.shapes.jsonl import parse

FORM = "multipart/form-data"
ROSTER = "roster"
NO_ROSTER = both("缺少名册文件；请以文件形式提交 roster", "Missing; send the roster as a file.")
WRONG_SUFFIX = both(
    f"文件名的后缀应为 {' '.join(SUFFIXES)} 之一", f"The file name must end in one of {' '.join(SUFFIXES)}."
)
TWICE = both("这一部分只能有一个；请去掉多余的", "Must be sent only once.")


def read_body() -> Response | None:
    """Let a form be, and put the JSON of any other body into ``g.body``; a problem where it is none."""
    request.max_form_memory_size = current_app.config["MAX_BODY_MB"] * 2**20
    return None if is_form() else read_json()


def is_form() -> bool:
    """Whether the request is a form, with its roster as a file."""
    return request.mimetype == FORM


def sent_parts(structured: Collection[str], besides: str = ROSTER) -> dict[str, Any]:
    """The parts of a form but its file (``besides``), as the members of a body; those that are ``structured`` are JSON. Raises ValidationError, also
    where a part comes twice, be it the file: the second would be dropped without a word."""
    sent = Counter(name for parts in (request.form, request.files) for name, _ in parts.items(multi=True))
    faults = {name: [TWICE] for name, count in sent.items() if count > 1}
    given: dict[str, Any] = {name: value for name, value in request.form.items() if name != besides}
    for name, file in request.files.items():
        if name != besides:
            given[name] = file.read().decode("utf-8-sig", "replace")
    for name in sorted(set(structured) & set(given) - set(faults)):
        try:
            given[name] = parse(given[name])
        except ValueError as error:
            faults[name] = [both(str(error), "Must be JSON.")]
    if faults:
        raise ValidationError(faults)
    return given


def sent_roster() -> Roster:
    """The roster of a form. Of the name its file was given only the suffix counts. Raises ValidationError."""
    file = request.files.get(ROSTER)
    if file is None:
        raise ValidationError({ROSTER: [NO_ROSTER]})
    suffix = PurePosixPath(file.filename or "").suffix.lower()
    if suffix not in SUFFIXES:
        raise ValidationError({ROSTER: [WRONG_SUFFIX]})
    return Roster(suffix, file.read())
