"""JSON <-> values. A body that breaks its schema is refused with every fault named by field; strangers are refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from apiflask import Schema
from marshmallow import EXCLUDE, ValidationError, fields, post_load, validates, validates_schema
from marshmallow.validate import Length, OneOf, Range

from model import cells
from model.domain import GAP_KINDS, GAP_SOURCES, LONGEST_TEXT, Plan, Profile, Reason, Weakness
from model.lexicon import Lexicon, bare
from model.recommender import Answer

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

MOST_WEAKNESSES = 50
LONGEST_NAME_SHOWN = 60


class Door(Schema):
    """Refuses a field it does not know, and says which one may have been meant."""

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        """Name strangers last and in the order they came (marshmallow keeps them in a set), with the field each may have meant."""
        messages = error.messages if isinstance(error.messages, dict) else {}
        strangers = [name for name in data if messages.get(name) == [UNKNOWN]] if isinstance(data, Mapping) else []
        for name in strangers:
            near = get_close_matches(str(name)[:LONGEST_NAME_SHOWN], self.fields, n=1)
            del messages[name]
            messages[name] = [f"没有这个字段；是否想写 {near[0]}？" if near else UNKNOWN]


class Number(fields.Float):
    """A JSON number. A number in quotation marks is a text, and more often a mistake than a number."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


def _characters(least: int, most: int) -> list[Any]:
    """Validators of a text: its length, and that a text that must say something does."""

    def says_something(value: str) -> None:
        if least and not value.strip():
            raise ValidationError("不能为空白；请填写")

    length = f"应为 {least} 到 {most} 个字" if least else f"不能超过 {most} 个字"
    return [Length(least, most, error=length), says_something]


def _between(least: float, most: float) -> Range:
    return Range(least, most, error=f"应在 {least} 到 {most} 之间")


def _hours(most: float, description: str = "") -> Number:
    """A number of hours that may be left out or null."""
    metadata = {"description": description} if description else {}
    return Number(load_default=None, allow_none=True, validate=_between(0, most), metadata=metadata)


def _texts(longest: int, most: int) -> fields.List[Any]:
    """A list of texts that may be left out or null."""
    return fields.List(
        fields.String(validate=_characters(1, longest)),
        load_default=None,
        allow_none=True,
        validate=Length(max=most, error=f"最多 {most} 条"),
    )


def _text(most: int, **options: Any) -> fields.String:
    """A text that may be left out or null."""
    return fields.String(load_default=None, allow_none=True, validate=_characters(0, most), **options)


class WeaknessIn(Door):
    """One stated lack."""

    text = fields.String(required=True, validate=_characters(1, LONGEST_TEXT))
    kind = fields.String(
        load_default=None, allow_none=True, validate=OneOf(GAP_KINDS, error=f"应为 {'、'.join(GAP_KINDS)} 之一")
    )
    source = fields.String(
        load_default=None, allow_none=True, validate=OneOf(GAP_SOURCES, error=f"应为 {'、'.join(GAP_SOURCES)} 之一")
    )
    severity = fields.Integer(load_default=2, strict=True, validate=Range(1, 3, error="应为 1（轻）、2 或 3（重）"))


class ProfileIn(Door):
    """One person. Everything but ``id`` may be missing or null."""

    id = fields.String(required=True, validate=_characters(1, 100))
    name = _text(100)
    unit = _text(LONGEST_TEXT)
    post = _text(LONGEST_TEXT)
    level = _text(100, metadata={"description": "层级，如 乡科级正职、四级主任科员"})
    duty = _text(2000)
    years_in_post = Number(load_default=None, allow_none=True, validate=_between(0, 60))
    weaknesses = fields.List(
        fields.Nested(WeaknessIn),
        load_default=None,
        allow_none=True,
        validate=Length(max=MOST_WEAKNESSES, error=f"最多 {MOST_WEAKNESSES} 条"),
    )
    scores = fields.Dict(
        keys=fields.String(validate=_characters(1, 100)),
        values=Number(validate=_between(0, 100)),
        load_default=None,
        allow_none=True,
        validate=Length(max=1000, error="最多 1000 项"),
        metadata={"description": "测试成绩：能力名称 → 0 到 100 分"},
    )
    completed = _texts(LONGEST_TEXT, 2000)
    hours_available = _hours(cells.MOST_HOURS)
    hours_done = _hours(cells.MOST_HOURS, "本年已完成的集中培训学时")
    online_hours_done = _hours(cells.MOST_HOURS, "本年已完成的网络学时")
    five_year_hours_done = _hours(cells.MOST_FIVE_YEAR_HOURS, "五年内已完成的集中培训学时")
    restrictions = _texts(200, 20)

    def __init__(self, lexicon: Lexicon | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.lexicon = lexicon

    @validates_schema(skip_on_field_errors=False)
    def known_words(self, data: Mapping[str, Any], **_: Any) -> None:
        """Levels and restrictions must be words the product understands; a silent guess would be worse than a refusal."""
        faults: dict[str, list[str]] = {}
        level = data.get("level")
        if level and self.lexicon and self.lexicon.level_of(level) is None:
            faults["level"] = ["不认识这个层级；可写 县处级正职、乡科级副职、四级主任科员 等，没有层级就去掉这一项"]
        if not all(cells.restrictions(text) for text in data.get("restrictions") or ()):
            faults["restrictions"] = ["看不出是什么限制；可写 不能脱产、行动不便、只能网络、不能外出"]
        if faults:
            raise ValidationError(faults)

    @post_load
    def profile(self, data: dict[str, Any], **_: Any) -> Profile:
        """Make the value. A text that lists several lacks (1. …；2. …) becomes several."""
        if self.lexicon is None:
            raise TypeError("ProfileIn needs the lexicon of a version to load profiles")
        named = self.lexicon.named
        weaknesses = {
            text: Weakness(text, given["kind"], given["source"], given["severity"])
            for given in data["weaknesses"] or ()
            for text in cells.several(given["text"])
        }
        return Profile(
            **{
                **data,
                "level": self.lexicon.level_of(data["level"]) if data["level"] else None,
                "weaknesses": tuple(weaknesses.values()),
                "scores": tuple(
                    sorted((named.get(bare(name), name), score) for name, score in (data["scores"] or {}).items())
                ),
                "completed": tuple(data["completed"] or ()),
                "restrictions": frozenset().union(*map(cells.restrictions, data["restrictions"] or ())),
            }
        )


class QuestionIn(Schema):
    """One line of ``quebu match --in``: a gap text, and an id that comes back with the answer. Other fields are the caller's own."""

    class Meta:
        """Settings of marshmallow."""

        unknown = EXCLUDE

    id = fields.Raw(load_default=None, allow_none=True)
    text = fields.String(required=True, validate=_characters(1, LONGEST_TEXT))

    @validates("id")
    def is_plain(self, value: Any, data_key: str) -> None:
        """An id is a text or a number."""
        if not isinstance(value, str | int | None):
            raise ValidationError("应为文本或整数")


class GapOut(Schema):
    """A gap: what is to be closed."""

    text = fields.String()
    competency = fields.String(allow_none=True)
    reason = fields.String(
        validate=OneOf([reason.value for reason in Reason]),
        metadata={"description": "duty 干什么学什么；lack 缺什么补什么"},
    )
    source = fields.String()
    weight = fields.Float()


class ReasonOut(Schema):
    """Why a course is recommended; the parts of a course add up to its score."""

    gap = fields.String(allow_none=True)
    part = fields.Float()
    code = fields.String()
    text = fields.String()


class RecommendationOut(Schema):
    """A recommended course."""

    course_id = fields.String()
    title = fields.String()
    score = fields.Float()
    duty_score = fields.Float()
    lack_score = fields.Float()
    hours = fields.Float(allow_none=True)
    required = fields.Boolean()
    reasons = fields.List(fields.Nested(ReasonOut))


class UnmetOut(Schema):
    """A gap that stays open, and why."""

    gap = fields.String()
    cause = fields.String()


class PlanOut(Schema):
    """The answer for one person."""

    id = fields.String()
    gaps = fields.List(fields.Nested(GapOut))
    recommendations = fields.List(fields.Nested(RecommendationOut))
    unmet = fields.List(fields.Nested(UnmetOut))
    model_version = fields.String()


def dump_plan(plan: Plan) -> dict[str, Any]:
    """A plan in the shape of :class:`PlanOut`: required courses first, then the ranked ones, best first."""
    return {
        "id": plan.profile.id,
        "gaps": [
            {
                "text": g.text,
                "competency": g.competency,
                "reason": g.reason.value,
                "source": g.source,
                "weight": g.weight,
            }
            for g in plan.gaps
        ],
        "recommendations": [
            {
                "course_id": r.candidate.course.id,
                "title": r.candidate.course.title,
                "score": r.candidate.score,
                "duty_score": r.candidate.duty_score,
                "lack_score": r.candidate.lack_score,
                "hours": r.candidate.course.hours,
                "required": r.candidate.course.required,
                "reasons": [{"gap": e.gap, "part": e.part, "code": e.code, "text": e.text} for e in r.reasons],
            }
            for r in plan.recommendations
        ],
        "unmet": [{"gap": u.gap.text, "cause": u.cause.value} for u in plan.unmet],
        "model_version": plan.model_version,
    }


def dump_answer(identity: str | None, answer: Answer, version: str, degraded: bool = False) -> dict[str, Any]:
    """The answer of ``quebu match`` for one text; it says so where no sentence encoder could be used."""
    dumped = {
        "id": identity,
        "text": answer.text,
        "matches": [
            {"course_id": m.course.id, "title": m.course.title, "relevance": round(m.relevance, 4)}
            for m in answer.matches
        ],
        "answerable": answer.answerable,
        "model_version": version,
    }
    return dumped | ({"degraded": True} if degraded else {})


def flatten(messages: Any, steps: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Marshmallow's tree of messages as (steps to the field, message) pairs, in order."""
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            # "_schema" is the whole value; "key" and "value" are the two sides of an entry of ``scores``.
            yield from flatten(value, steps if key in {"_schema", "key", "value"} else (*steps, str(key)))
    else:
        for message in messages:
            yield steps, MESSAGES.get(str(message), str(message))


def field_name(steps: tuple[str, ...]) -> str:
    """Write the steps to a field as ``weaknesses.0.severity``. A stranger's name may be anything, so it is cut and made printable."""
    return ".".join(step[:LONGEST_NAME_SHOWN].encode("utf-8", "replace").decode() for step in steps)
