"""JSON <-> values. A body that breaks its schema is refused with every fault named by field; strangers are refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apiflask import Schema
from marshmallow import ValidationError, fields, post_load, validates, validates_schema
from marshmallow.validate import Length, OneOf, Range

from model import cells
from model.domain import GAP_KINDS, GAP_SOURCES, Fault, Plan, Profile, Reading, Reason, Weakness
from model.errors import TableError
from model.lexicon import Lexicon, bare
from model.recommender import Answer
from model.tables import Sheet, read_lines

# marshmallow's own messages, in the words of the people who read them.
MESSAGES = {
    "Missing data for required field.": "缺少这一项",
    "Field may not be null.": "不能为 null",
    "Unknown field.": "没有这个字段，请检查拼写",
    "Invalid input type.": "应为 JSON 对象",
    "Not a valid string.": "应为文本（加引号）",
    "Not a valid integer.": "应为整数",
    "Not a valid number.": "应为数字",
    "Special numeric values (nan or infinity) are not permitted.": "应为普通数字",
    "Not a valid list.": "应为列表",
    "Not a valid mapping type.": "应为对象",
    "Not a valid boolean.": "应为 true 或 false",
}

MOST_WEAKNESSES = 50
LONGEST_TEXT = 500


class WeaknessIn(Schema):
    """One stated lack."""

    text = fields.String(required=True, validate=Length(1, LONGEST_TEXT, error="应为 1 到 500 个字"))
    kind = fields.String(
        load_default=None, allow_none=True, validate=OneOf(GAP_KINDS, error="应为 知识空白、经验盲区、能力弱项 之一")
    )
    source = fields.String(
        load_default=None,
        allow_none=True,
        validate=OneOf(GAP_SOURCES, error="应为 本人自评、组织评价、测试、岗位要求、推断 之一"),
    )
    severity = fields.Integer(load_default=2, strict=True, validate=Range(1, 3, error="应为 1（轻）、2 或 3（重）"))

    @validates("text")
    def says_something(self, value: str, data_key: str) -> None:
        """A blank text lacks nothing."""
        if not value.strip():
            raise ValidationError("不能为空白")


class ProfileIn(Schema):
    """One person. Everything but ``id`` may be missing or null."""

    id = fields.String(required=True, validate=Length(1, 100, error="应为 1 到 100 个字符"))
    name = fields.String(load_default=None, allow_none=True, validate=Length(max=100))
    unit = fields.String(load_default=None, allow_none=True, validate=Length(max=LONGEST_TEXT))
    post = fields.String(load_default=None, allow_none=True, validate=Length(max=LONGEST_TEXT))
    level = fields.String(
        load_default=None, allow_none=True, metadata={"description": "层级，如 乡科级正职、四级主任科员"}
    )
    duty = fields.String(load_default=None, allow_none=True, validate=Length(max=2000))
    years_in_post = fields.Float(load_default=None, allow_none=True, validate=Range(0, 60, error="应在 0 到 60 之间"))
    weaknesses = fields.List(
        fields.Nested(WeaknessIn), load_default=list, validate=Length(max=MOST_WEAKNESSES, error="最多 50 条")
    )
    scores = fields.Dict(
        keys=fields.String(validate=Length(1, 100)),
        values=fields.Float(validate=Range(0, 100, error="应在 0 到 100 之间")),
        load_default=dict,
    )
    completed = fields.List(
        fields.String(validate=Length(1, LONGEST_TEXT)), load_default=list, validate=Length(max=2000)
    )
    hours_available = fields.Float(
        load_default=None, allow_none=True, validate=Range(0, 2000, error="应在 0 到 2000 之间")
    )
    restrictions = fields.List(fields.String(validate=Length(1, 200)), load_default=list, validate=Length(max=20))

    def __init__(self, lexicon: Lexicon | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.lexicon = lexicon

    @validates_schema(skip_on_field_errors=False)
    def known_words(self, data: Mapping[str, Any], **_: Any) -> None:
        """Levels and restrictions must be words the product understands; a silent guess would be worse than a refusal."""
        faults: dict[str, list[str]] = {}
        level = data.get("level")
        if level and self.lexicon and self.lexicon.level_of(level) is None:
            faults["level"] = ["不认识的层级；可写 县处级正职、乡科级副职、四级主任科员 等"]
        strange = [text for text in data.get("restrictions", ()) if not cells.restrictions(text)]
        if strange:
            faults["restrictions"] = ["看不出限制；可写 不能脱产、行动不便、只能网络、不能外出"]
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
            for given in data["weaknesses"]
            for text in cells.several(given["text"])
        }
        return Profile(
            **{
                **data,
                "level": self.lexicon.level_of(data["level"]) if data["level"] else None,
                "weaknesses": tuple(weaknesses.values()),
                "scores": tuple(sorted((named.get(bare(name), name), score) for name, score in data["scores"].items())),
                "completed": tuple(data["completed"]),
                "restrictions": frozenset().union(*(cells.restrictions(text) for text in data["restrictions"])),
            }
        )


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


def dump_answer(identity: str | None, answer: Answer, version: str) -> dict[str, Any]:
    """The answer of ``quebu match`` for one text."""
    return {
        "id": identity,
        "text": answer.text,
        "matches": [
            {"course_id": m.course.id, "title": m.course.title, "relevance": round(m.relevance, 4)}
            for m in answer.matches
        ],
        "answerable": answer.answerable,
        "model_version": version,
    }


def json_lines(path: Path) -> list[tuple[int, Any]]:
    """The lines of a .jsonl file with their numbers; TableError names every line that is no JSON."""
    faults, values = [], []
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            try:
                values.append((number, json.loads(line)))
            except ValueError:
                faults.append(Fault(f"{path.name}:{number}", line[:30], "不是 JSON", "每行应为一个完整的 JSON 对象"))
    if faults and not values:
        raise TableError(f"{path.name} 里没有一行是 JSON。", tuple(faults))
    return values + [(-1, fault) for fault in faults]


def read_profiles(path: Path, lexicon: Lexicon) -> Reading[Profile]:
    """Read a roster in .jsonl, one profile a line; faults name line and field."""
    schema = ProfileIn(lexicon)
    people: dict[str, Profile] = {}
    faults: list[Fault] = []
    rejected = 0
    lines = json_lines(path)
    for number, body in lines:
        if isinstance(body, Fault):
            faults.append(body)
            rejected += 1
            continue
        try:
            profile = schema.load(body)
            if profile.id in people:
                raise ValidationError({"id": [f"“{profile.id}”与前面的行重复"]})
            people[profile.id] = profile
        except ValidationError as error:
            rejected += 1
            faults += [
                Fault(f"{path.name}:{number} {field}", "", message, "请按文档中的字段说明修改")
                for field, message in flatten(error.messages)
            ]
    if not people:
        raise TableError(f"{path.name} 里没有一个可用的人员。", tuple(faults))
    total = len(read_lines(path))
    blank = total - len(lines)
    return Reading(tuple(people.values()), total, rejected, {"空行": blank} if blank else {}, tuple(faults))


def flatten(messages: Any, path: str = "") -> list[tuple[str, str]]:
    """Marshmallow's tree of messages as (field path, message) pairs, in order: ``weaknesses.0.severity``."""
    if isinstance(messages, Mapping):
        found = []
        for key, value in messages.items():
            step = "" if key == "_schema" else str(key)
            found += flatten(value, ".".join(filter(None, [path, step])))
        return found
    return [(path, MESSAGES.get(str(message), str(message))) for message in messages]


def read_course_lines(path: Path) -> tuple[Sheet, ...]:
    """A course list in .jsonl as a sheet: the keys are the headers, one course a row."""
    bodies = [(number, body) for number, body in json_lines(path) if isinstance(body, dict)]
    headers = list(dict.fromkeys(key for _, body in bodies for key in body))
    rows = [tuple(headers)]
    rows += [tuple(_as_text(body.get(header)) for header in headers) for _, body in bodies]
    return (Sheet(path.stem, tuple(rows)),)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "、".join(map(str, value))
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
