"""What every schema of the service is made of: fields that refuse with a sentence telling what would be right, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from apiflask import Schema
from marshmallow import ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

SEPARATOR = (
    "\u241f"  # Between the two languages of a message; marshmallow formats messages, so they have to be one text.
)


def both(chinese: str, english: str) -> str:
    """A message in two languages, taken apart again by :func:`flatten`."""
    return f"{chinese}{SEPARATOR}{english}"


# marshmallow's own messages, in the words of the people who read them: what is wrong；what would be right (or only the latter).
UNKNOWN = "Unknown field."
MESSAGES = {
    UNKNOWN: "没有这个字段；请检查拼写，或去掉它",
    "Missing data for required field.": "缺少这一项；请补上",
    "Field may not be null.": "不能为 null；请填写，或去掉这一项",
    "Invalid input type.": "不是对象；应为 JSON 对象 {…}",
    "Not a valid string.": "应为文本（加引号）",
    "Not a valid integer.": "应为整数（不加引号）",
    "Not a valid number.": "应为数字（不加引号）",
    "Number too large.": "应为普通大小的数字",
    "Special numeric values (nan or infinity) are not permitted.": "应为普通数字，不能是 NaN 或 Infinity",
    "Not a valid list.": "应为列表 […]",
    "Not a valid mapping type.": "应为对象 {…}",
    "Not a valid boolean.": "应为 true 或 false",
}

LONGEST_NAME_SHOWN = 60
NUL = both("含有不能保存的字符（\\u0000）；请去掉", "Holds a character (\\u0000) that cannot be stored.")
WHOLE = both("应为整数", "Must be an integer.")


class Door(Schema):
    """Refuses a field it does not know, and says which one may have been meant."""

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        """Name strangers last and in the order they came (marshmallow keeps them in a set), with the field each may have meant."""
        messages = error.messages if isinstance(error.messages, dict) else {}
        strangers = [name for name in data if messages.get(name) == [UNKNOWN]] if isinstance(data, Mapping) else []
        for name in strangers:
            near = get_close_matches(str(name)[:LONGEST_NAME_SHOWN], self.fields, n=1)
            del messages[name]
            meant = (
                both(f"没有这个字段；是否想写 {near[0]}？", f"Unknown field; did you mean {near[0]}?")
                if near
                else UNKNOWN
            )
            messages[name] = [meant]


class Number(fields.Float):
    """A JSON number. A number in quotation marks is a text, and more often a mistake than a number."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


def characters(least: int, most: int) -> list[Any]:
    """Validators of a text: its length, and that a text that must say something does."""

    def says_something(value: str) -> None:
        if least and value and not value.strip():
            raise ValidationError(both("不能为空白；请填写", "Must not be blank."))

    length = both(f"应为 {least} 到 {most} 个字", f"Must have {least} to {most} characters.")
    if not least:
        length = both(f"不能超过 {most} 个字", f"Must have at most {most} characters.")
    return [Length(least, most, error=length), says_something]


def stored(most: int) -> list[Any]:
    """Validators of a text that is stored: it says something, and any database can hold it."""

    def storable(value: str) -> None:
        if "\0" in value:
            raise ValidationError(NUL)

    return [*characters(1, most), storable]


def between(least: float, most: float) -> Range:
    """The range of a number."""
    return Range(least, most, error=both(f"应在 {least} 到 {most} 之间", f"Must be between {least} and {most}."))


def hours(most: float, description: str = "") -> Number:
    """A number of hours that may be left out or null."""
    metadata = {"description": description} if description else {}
    return Number(load_default=None, allow_none=True, validate=between(0, most), metadata=metadata)


def texts(longest: int, most: int) -> fields.List[Any]:
    """A list of texts that may be left out or null."""
    return fields.List(
        fields.String(validate=characters(1, longest)),
        load_default=None,
        allow_none=True,
        validate=Length(max=most, error=at_most(most)),
    )


def text(most: int, **options: Any) -> fields.String:
    """A text that may be left out or null."""
    return fields.String(load_default=None, allow_none=True, validate=characters(0, most), **options)


def at_most(most: int, least: int = 0) -> str:
    """The message for a list that is too long, or too short."""
    if least:
        return both(f"应有 {least} 到 {most} 条", f"Must have {least} to {most} entries.")
    return both(f"最多 {most} 条", f"Must have at most {most} entries.")


def one_of(words: Sequence[str]) -> OneOf:
    """One of a closed list of words."""
    return OneOf(words, error=both(f"应为 {'、'.join(words)} 之一", f"Must be one of {', '.join(words)}."))


class Said(NamedTuple):
    """What is wrong with a field: the steps to it, and a sentence in Chinese and in English."""

    steps: tuple[str, ...]
    chinese: str
    english: str


def flatten(messages: Any, steps: tuple[str, ...] = (), *, entry: bool = False) -> Iterator[Said]:
    """Marshmallow's tree of messages, in order. ``entry``: the last step is the name of an entry of a mapping, as of ``scores``."""
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            # "_schema" is the whole value; "key" and "value" are the two sides of an entry, elsewhere names as any other.
            whole = key == "_schema" or (entry and key in {"key", "value"})
            inner = steps if whole else (*steps, str(key))
            yield from flatten(value, inner, entry=bool(steps) and isinstance(key, str))
    else:
        for message in messages:
            chinese, _, english = str(message).partition(SEPARATOR)
            yield Said(steps, MESSAGES.get(chinese, chinese), english or chinese)


def field_name(steps: tuple[str, ...]) -> str:
    """Write the steps to a field as ``weaknesses.0.severity``. A stranger's name may be anything, so it is cut and made printable."""
    return ".".join(step[:LONGEST_NAME_SHOWN].encode("utf-8", "replace").decode() for step in steps)


def pointer(steps: tuple[str, ...]) -> str:
    """Write the steps to a field as a JSON pointer (RFC 6901): ``/weaknesses/0/severity``; empty where the whole is meant."""
    return "".join("/" + field_name((step,)).replace("~", "~0").replace("/", "~1") for step in steps)
