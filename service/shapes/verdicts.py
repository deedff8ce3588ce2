"""What somebody may say of a recommendation: JSON -> what is kept, or every fault by its field."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from model.domain import LONGEST_TEXT
from model.files.cells import several
from service.shapes.fields import Door, Number, between, both, one_of, stored
from service.shapes.schemas import LONGEST_ID
from service.store.feedback import (
    ACCEPT,
    ATTENDED,
    COURSE,
    GAP,
    PERSON,
    REJECTING,
    REPLACE,
    SCOPES,
    TESTED,
    VERDICTS,
    WITHDRAW,
)

LONGEST_COURSE = 200
LASTING = "要用长期不变的编号，如工号；名册里的序号换一份名册就是另一个人"

NO_COURSE = both("课程目录里没有这个编号", "Not in the catalog.")
NO_REASON = both("否决和替换要写明理由", "A rejection needs a reason.")
NO_GAP = both("请写明是哪条短板（答复的 gaps 中的原话）", "Say which gap, in the words of the answer.")
NO_PERSON = both("请写明是谁", "Say who.")
NOBODY = both("请写明是哪条短板（gap）或是谁（person）", "Say which gap or who.")
NO_REPLACEMENT = both("请写明换成哪门课程", "Say which course instead.")
SAME = both("与被替换的是同一门课程", "Is the course that is to be replaced.")
NO_SCORE = both("请写明训后成绩", "Say the score after the training.")
ONLY_REPLACED = both("只用于 replace；请去掉", "Belongs to replace only.")
ONLY_TESTED = both("只用于 tested；请去掉", "Belongs to tested only.")
ONLY_REJECTED = both("只用于 reject 和 replace；请去掉", "Belongs to reject and replace only.")
ONE_GAP = both("一次只写一条短板；请分开提交", "Name one gap at a time.")


def one_gap(value: str) -> None:
    """A validator: the text is not a list of several lacks."""
    if len(several(value)) > 1:
        raise ValidationError(ONE_GAP)


def optional(most: int, *validators: Any, **metadata: Any) -> fields.String:
    """A text to be stored that may be left out or null."""
    return fields.String(load_default=None, allow_none=True, validate=[*stored(most), *validators], metadata=metadata)


def _score(description: str) -> Number:
    metadata = {"description": description}
    return Number(load_default=None, allow_none=True, validate=between(0, 100), metadata=metadata)


class AboutCourses(Door):
    """Something said of the courses of a catalog; ``courses`` are their ids."""

    def __init__(self, courses: Container[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self.courses = courses


class FeedbackIn(AboutCourses):
    """What somebody says of a recommendation."""

    verdict = fields.String(
        required=True,
        validate=one_of(VERDICTS),
        metadata={
            "description": "accept 采纳，withdraw 撤回采纳，reject 否决，replace 换成别的课，attended 已参加，tested 训后测试"
        },
    )
    course_id = fields.String(required=True, validate=stored(LONGEST_COURSE))
    gap = optional(LONGEST_TEXT, one_gap, description="针对哪条短板：答复的 gaps 中的原话")
    person = optional(LONGEST_ID, description=f"人员编号，只以代号保存；{LASTING}")
    replacement = optional(LONGEST_COURSE, description="replace：换成哪门课程的编号")
    reason = optional(LONGEST_TEXT, description="理由；reject 和 replace 必须写明")
    scope = fields.String(
        load_default=None,
        allow_none=True,
        validate=one_of(SCOPES),
        metadata={
            "description": "否决的范围：gap 对所有人的这条短板（写了 gap 时的默认），person 只对这个人，course 对所有人停用这门课"
        },
    )
    score_before = _score("tested：训前成绩，0 到 100")
    score_after = _score("tested：训后成绩，0 到 100")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _makes_sense(self, data: Mapping[str, Any], original: Any, **_: Any) -> None:
        # A verdict that is none is told by itself; nothing follows from it.
        if isinstance(original, Mapping) and data.get("verdict") in VERDICTS:
            # What is there and faulty is not missing besides.
            told = {name for name, value in original.items() if value is not None}
            faults = _faults(data, told, self.courses)
            if faults:
                raise ValidationError(faults)

    @post_load
    def _settled(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["verdict"] in REJECTING and data["scope"] is None:
            data["scope"] = GAP if data["gap"] is not None else PERSON if data["person"] is not None else COURSE
        return {**data, "reason": data["reason"] or ""}


def _faults(data: Mapping[str, Any], told: set[str], courses: Container[str]) -> dict[str, list[str]]:
    """What does not fit together, by the field to be changed. ``data`` holds what is right by itself, ``told`` names all that is there."""
    verdict, scope = data["verdict"], data.get("scope")
    rejects, replaces, somebody = verdict in REJECTING, verdict == REPLACE, verdict in {ATTENDED, TESTED}

    def unknown(name: str) -> bool:
        return data.get(name) is not None and data[name] not in courses

    rules = (
        # What was attended or tested may have left the catalog since.
        ("course_id", NO_COURSE, not somebody and unknown("course_id")),
        ("gap", NOBODY, verdict in {ACCEPT, WITHDRAW} and not told & {"gap", "person"}),
        ("gap", NO_GAP, rejects and scope == GAP and "gap" not in told),
        ("person", NO_PERSON, (somebody or (rejects and scope == PERSON)) and "person" not in told),
        ("reason", NO_REASON, rejects and "reason" not in told),
        ("scope", ONLY_REJECTED, not rejects and "scope" in told),
        ("replacement", ONLY_REPLACED, not replaces and "replacement" in told),
        ("replacement", NO_REPLACEMENT, replaces and "replacement" not in told),
        ("replacement", NO_COURSE, replaces and unknown("replacement")),
        ("replacement", SAME, replaces and data.get("replacement") == data.get("course_id", "")),
        ("score_after", NO_SCORE, verdict == TESTED and "score_after" not in told),
        ("score_before", ONLY_TESTED, verdict != TESTED and data.get("score_before") is not None),
        ("score_after", ONLY_TESTED, verdict != TESTED and data.get("score_after") is not None),
    )
    return {name: [message] for name, message, broken in rules if broken}
