"""JSON <-> values. A body that breaks its schema is refused with every fault named by field; strangers are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apiflask import Schema
from marshmallow import EXCLUDE, ValidationError, fields, post_load, validates, validates_schema
from marshmallow.validate import Length, OneOf, Range

from model.domain import GAP_KINDS, GAP_SOURCES, LONGEST_TEXT, Explanation, Gap, Plan, Profile, Reason, Weakness
from model.files import cells
from model.lexicon import Lexicon, bare
from model.recommender import Answer
from service.shapes.fields import Door, Number, at_most, between, both, characters, hours, one_of, text, texts

LONGEST_ID = 100
MOST_WEAKNESSES = 50
NO_GAPS = "没有填写短板，岗位和层级也看不出需要什么；请补充短板、岗位或层级。"
UNKNOWN_LEVEL = both(
    "不认识这个层级；可写 县处级正职、乡科级副职、四级主任科员 等，没有层级就去掉这一项",
    "Unknown level; write e.g. 县处级正职, 乡科级副职, 四级主任科员, or leave it out.",
)
UNKNOWN_RESTRICTION = both(
    "看不出是什么限制；可写 不能脱产、行动不便、只能网络、不能外出",
    "Unknown restriction; write 不能脱产, 行动不便, 只能网络 or 不能外出.",
)


class WeaknessIn(Door):
    """One stated lack."""

    text = fields.String(required=True, validate=characters(1, LONGEST_TEXT))
    kind = fields.String(load_default=None, allow_none=True, validate=one_of(GAP_KINDS))
    source = fields.String(load_default=None, allow_none=True, validate=one_of(GAP_SOURCES))
    severity = fields.Integer(
        load_default=2,
        strict=True,
        validate=Range(1, 3, error=both("应为 1（轻）、2 或 3（重）", "Must be 1 (slight), 2 or 3 (severe).")),
    )


class ProfileIn(Door):
    """One person. Everything but ``id`` may be missing or null."""

    id = fields.String(required=True, validate=characters(1, LONGEST_ID))
    name = text(100)
    unit = text(LONGEST_TEXT)
    post = text(LONGEST_TEXT)
    level = text(100, metadata={"description": "层级，如 乡科级正职、四级主任科员"})
    duty = text(2000)
    years_in_post = Number(load_default=None, allow_none=True, validate=between(0, 60))
    weaknesses = fields.List(
        fields.Nested(WeaknessIn),
        load_default=None,
        allow_none=True,
        validate=Length(max=MOST_WEAKNESSES, error=at_most(MOST_WEAKNESSES)),
    )
    scores = fields.Dict(
        keys=fields.String(validate=characters(1, 100)),
        values=Number(validate=between(0, 100)),
        load_default=None,
        allow_none=True,
        validate=Length(max=1000, error=at_most(1000)),
        metadata={"description": "测试成绩：能力名称 → 0 到 100 分"},
    )
    completed = texts(LONGEST_TEXT, 2000)
    hours_available = hours(cells.MOST_HOURS)
    hours_done = hours(cells.MOST_HOURS, "本年已完成的集中培训学时")
    online_hours_done = hours(cells.MOST_HOURS, "本年已完成的网络学时")
    five_year_hours_done = hours(cells.MOST_FIVE_YEAR_HOURS, "五年内已完成的集中培训学时")
    restrictions = texts(200, 20)

    def __init__(self, lexicon: Lexicon | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.lexicon = lexicon

    @validates_schema(skip_on_field_errors=False)
    def known_words(self, data: Mapping[str, Any], **_: Any) -> None:
        """Levels and restrictions must be words the product understands; a silent guess would be worse than a refusal."""
        faults: dict[str, list[str]] = {}
        level = data.get("level")
        if level and self.lexicon and self.lexicon.level_of(level) is None:
            faults["level"] = [UNKNOWN_LEVEL]
        if not all(cells.restrictions(text) for text in data.get("restrictions") or ()):
            faults["restrictions"] = [UNKNOWN_RESTRICTION]
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

    id = fields.Raw(load_default=None, allow_none=True, metadata={"type": ["string", "integer"]})
    text = fields.String(required=True, validate=characters(1, LONGEST_TEXT))

    @validates("id")
    def is_plain(self, value: Any, data_key: str) -> None:
        """An id is a text or a number."""
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise ValidationError(both("应为文本或整数", "Must be a text or an integer."))


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
    text = fields.String(allow_none=True, metadata={"description": "explain=codes 时为 null"})


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


def overridden() -> fields.List[Any]:
    """The numbers of the rejections that took part in an answer, where there are any."""
    description = "起了作用的人工调整的编号，见 /api/v1/overrides；没有时不出现"
    return fields.List(fields.Integer(), metadata={"description": description})


class PlanOut(Schema):
    """The answer for one person."""

    id = fields.String()
    gaps = fields.List(fields.Nested(GapOut))
    recommendations = fields.List(fields.Nested(RecommendationOut))
    unmet = fields.List(fields.Nested(UnmetOut))
    model_version = fields.String()
    overridden = overridden()
    note = fields.String(metadata={"description": "只在没有短板和岗位需要时出现，说明原因"})


def dump_gap(gap: Gap) -> dict[str, Any]:
    """A gap in the shape of :class:`GapOut`."""
    return {
        "text": gap.text,
        "competency": gap.competency,
        "reason": gap.reason.value,
        "source": gap.source,
        "weight": gap.weight,
    }


def dump_plan(plan: Plan, explain: str = "full") -> dict[str, Any]:
    """A plan in the shape of :class:`PlanOut`: required courses first, then the ranked ones, best first. ``explain`` is how much is
    said of the reasons: full, codes (without sentences) or none."""

    def told(reason: Explanation) -> dict[str, Any]:
        text = reason.text if explain == "full" else None
        return {"gap": reason.gap, "part": reason.part, "code": reason.code, "text": text}

    return {
        "id": plan.profile.id,
        "gaps": [dump_gap(gap) for gap in plan.gaps],
        "recommendations": [
            {
                "course_id": r.candidate.course.id,
                "title": r.candidate.course.title,
                "score": r.candidate.score,
                "duty_score": r.candidate.duty_score,
                "lack_score": r.candidate.lack_score,
                "hours": r.candidate.course.hours,
                "required": r.candidate.course.required,
                "reasons": [told(reason) for reason in r.reasons] if explain != "none" else [],
            }
            for r in plan.recommendations
        ],
        "unmet": [{"gap": u.gap.text, "cause": u.cause.value} for u in plan.unmet],
        "model_version": plan.model_version,
        **({"overridden": sorted(plan.overridden)} if plan.overridden else {}),
        **({} if plan.gaps else {"note": NO_GAPS}),
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
        **({"overridden": sorted(answer.overridden)} if answer.overridden else {}),
    }
    return dumped | ({"degraded": True} if degraded else {})
