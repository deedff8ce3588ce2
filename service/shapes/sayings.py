"""What those who keep the course list may say, whatever version answers: JSON -> what is kept, or every fault by its field."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length

from model.domain import LONGEST_TEXT
from model.lexicon import Lexicon, bare
from service.shapes.fields import at_most, both, one_of, stored
from service.shapes.schemas import LONGEST_ID
from service.shapes.verdicts import LASTING, LONGEST_COURSE, NO_COURSE, AboutCourses, one_gap, optional
from service.store.overrides import KINDS, PIN, REJECT, SYNONYM, TEACHES

SHORTEST_WORD, LONGEST_WORD = 2, 30
MOST_TAUGHT = 3  # A course is understood by the three competencies it teaches most.

NO_COURSE_SAID = both("请写明是哪门课程的编号", "Say which course.")
NO_WORD = both("请写明是哪个词", "Say which word.")
NO_COMPETENCIES = both(
    "请写明所教的能力；不教能力表里的任何一种时写 []", "Say what it teaches; [] for nothing of the list."
)
ONE_COMPETENCY = both("请写明一种能力，只写一种", "Name one competency.")
ONE_OF_THEM = both(
    "gap、person、competencies 最多写一个；请去掉其余的", "Give one of gap, person and competencies at most."
)
ONLY_REJECTED = both("只用于 reject；请去掉", "Belongs to reject only.")
NOT_HERE = both("这一类调整不用这一项；请去掉", "Does not belong to this kind.")
WRONG_LENGTH = both(
    f"应为 {SHORTEST_WORD} 到 {LONGEST_WORD} 个字", f"Must have {SHORTEST_WORD} to {LONGEST_WORD} characters."
)
# What each kind may be told beside the course or the word.
BELONGS = {
    REJECT: {"course_id", "gap", "person"},
    PIN: {"course_id", "gap", "competencies"},
    TEACHES: {"course_id", "competencies"},
    SYNONYM: {"word", "competencies"},
}


class OverrideIn(AboutCourses):
    """A course that is not to be offered, or is to be; what it teaches; or what a word stands for."""

    kind = fields.String(
        load_default=REJECT,
        validate=one_of(KINDS),
        metadata={
            "description": "reject 停用课程（对一条短板、一个人或所有人）；pin 指定课程（对一条短板、一种能力，都不写则为所有人必修）；"
            "teaches 更正课程所教的能力；synonym 本单位的说法指哪种能力"
        },
    )
    course_id = optional(LONGEST_COURSE, description="课程编号；synonym 不用")
    gap = optional(LONGEST_TEXT, one_gap, description="reject、pin：只对这条短板，写答复的 gaps 中的原话")
    person = optional(LONGEST_ID, description=f"reject：只对这个人；人员编号，只以代号保存；{LASTING}")
    word = optional(LONGEST_WORD, description="synonym：本单位的说法，2 到 30 个字")
    competencies = fields.List(
        fields.String(validate=stored(LONGEST_WORD)),
        load_default=None,
        allow_none=True,
        validate=Length(max=MOST_TAUGHT, error=at_most(MOST_TAUGHT)),
        metadata={
            "description": "能力的规范词或别名，见 /api/v1/competencies；teaches 按主次最多三种，pin 和 synonym 一种"
        },
    )
    reason = fields.String(required=True, validate=stored(LONGEST_TEXT), metadata={"example": "教材已经过时"})

    def __init__(self, courses: Container[str] = (), lexicon: Lexicon | None = None, **options: Any) -> None:
        super().__init__(courses, **options)
        self.named: Mapping[str, str] = lexicon.named if lexicon else {}

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _makes_sense(self, data: Mapping[str, Any], original: Any, **_: Any) -> None:
        # A kind that is none is told by itself; nothing follows from it.
        if isinstance(original, Mapping) and data.get("kind") in KINDS:
            told = {
                name for name, value in original.items() if value is not None and name in OverrideIn._declared_fields
            }
            faults = {name: [message] for name, message, broken in self._rules(data, told) if broken}
            faults |= self._strange(data)
            if faults:
                raise ValidationError(faults)

    def _rules(self, data: Mapping[str, Any], told: set[str]) -> list[tuple[str, str, bool]]:
        kind, names = data["kind"], data.get("competencies")
        strangers = [name for name in sorted(told) if name not in BELONGS[kind] | {"kind", "reason"}]
        several = len(told & {"gap", "person", "competencies"}) > 1
        course, word = data.get("course_id"), data.get("word")
        return [
            ("course_id", NO_COURSE_SAID, kind != SYNONYM and "course_id" not in told),
            ("course_id", NO_COURSE, kind != SYNONYM and course is not None and course not in self.courses),
            ("word", NO_WORD, kind == SYNONYM and "word" not in told),
            ("word", WRONG_LENGTH, word is not None and len(bare(word)) < SHORTEST_WORD),
            ("competencies", NO_COMPETENCIES, kind == TEACHES and "competencies" not in told),
            ("competencies", ONE_COMPETENCY, kind == SYNONYM and "competencies" not in told),
            ("competencies", ONE_COMPETENCY, kind in {SYNONYM, PIN} and names is not None and len(names) != 1),
            *((name, ONLY_REJECTED if name == "person" else NOT_HERE, True) for name in strangers),
            ("person", ONE_OF_THEM, kind == REJECT and several),
            ("competencies", ONE_OF_THEM, kind == PIN and several),
        ]

    def _strange(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Competencies nobody knows, and a word that is the standard term or an alias of another competency."""
        names = data.get("competencies") or []
        unknown = {
            place: [both(f"不认识的能力“{name}”；请用能力表里的规范词或别名", f"Not a competency: {name!r}.")]
            for place, name in enumerate(names)
            if isinstance(name, str) and bare(name) not in self.named
        }
        known = self.named.get(bare(data.get("word") or ""))
        taken = known is not None and not unknown and names and self.named.get(bare(names[0])) != known
        message = both(f"能力表里这个词已指“{known}”；请换一个说法", f"Already stands for {known!r}.")
        return ({"competencies": unknown} if unknown else {}) | ({"word": [message]} if taken else {})

    @post_load
    def _settled(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Competencies by their standard terms, each once."""
        names = data["competencies"]
        if names is None:
            return data
        return {**data, "competencies": list(dict.fromkeys(self.named[bare(name)] for name in names))}
