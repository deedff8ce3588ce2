"""A form goes through the same door as the body of a request: what it says becomes values, or each faulty field is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request
from marshmallow import ValidationError

from model.domain import Heading
from service.shapes.fields import Door, Said, flatten
from service.wire.languages import CHINESE, chosen


def passed(door: Door, told: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The values of a form, or None and what is wrong by field, in the language of the page."""
    try:
        values: dict[str, Any] = door.load(told)
    except ValidationError as error:
        return None, {said.steps[0]: in_the_language(said) for said in flatten(error.messages)}
    return values, {}


def faults_told(error: ValidationError) -> list[str]:
    """What is wrong with a form, where it is told above the whole of it."""
    return list(dict.fromkeys(in_the_language(said) for said in flatten(error.messages)))


def in_the_language(said: Said) -> str:
    """What is wrong with a field, in the language of the page; without the stop at its end, for it may become part of a sentence."""
    return said.chinese if chosen() == CHINESE else said.english.rstrip(".")


def whole(text: str) -> int | str:
    """A whole number as a form tells it; the text itself where it is none, so that the door says what is wrong."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else text


def may_be_corrected(headings: Iterable[Heading]) -> list[Heading]:
    """The headers of a file whose meaning a planner may choose anew: private columns are not read, whatever anybody says."""
    return [one for one in headings if one.field != ""]


def headers_said(headings: Iterable[Heading]) -> dict[str, str]:
    """The headers whose meaning was chosen anew. A header is told by its number on the page, so that its words need not travel twice."""
    said = ((one, request.form.get(f"header-{number}")) for number, one in enumerate(may_be_corrected(headings)))
    return {one.header: field for one, field in said if field is not None and field != (one.field or "")}
