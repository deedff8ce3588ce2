"""A form goes through the same door as the body of a request: what it says becomes values, or each faulty field is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from service.shapes.fields import Door, flatten
from service.wire.languages import CHINESE, chosen


def passed(door: Door, told: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The values of a form, or None and what is wrong by field, in the language of the page."""
    try:
        values: dict[str, Any] = door.load(told)
    except ValidationError as error:
        chinese = chosen() == CHINESE
        wrong = {said.steps[0]: said.chinese if chinese else said.english for said in flatten(error.messages)}
        return None, wrong
    return values, {}


def whole(text: str) -> int | str:
    """A whole number as a form tells it; the text itself where it is none, so that the door says what is wrong."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else text
