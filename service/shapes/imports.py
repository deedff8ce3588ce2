"""What may be asked with a course list: the parts of a form -> values, or every fault by its part; and what is told of the list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from model.files.sources import LONGEST_NAME
from service.shapes.courselists import COURSE_SUFFIXES
from service.shapes.fields import Door, at_most, between, both, stored

COURSES = "courses"
MOST_SAID = 200  # Headers or labels of one list that somebody explains.
LONGEST_SAID = 100
LONGEST_FILE_NAME = 80
LONGEST_REASON = 500
STRUCTURED = ("map", "categories", "without")

NO_COURSES = both(
    "缺少课程表文件；请以文件形式提交 courses，只去掉来源时给 without", "Missing; send the course list as a file."
)
WRONG_SUFFIX = both(
    f"文件名的后缀应为 {' '.join(COURSE_SUFFIXES)} 之一",
    f"The file name must end in one of {' '.join(COURSE_SUFFIXES)}.",
)
NO_MAPPING = both('应为 JSON 对象，如 {{"讲什么": "课程名称"}}', "Must be a JSON object of strings.")
NO_LIST = both('应为 JSON 数组，如 ["省网院"]', "Must be a JSON list of strings.")
NO_YEAR = both("应为整数，如 2026", "Must be a whole number.")
NO_FLAG = both("应为 true 或 false", "Must be true or false.")
ONLY_ACTIVATED = both("只在 activate 为 true 时写", "Belongs to activate only.")


def pairs(description: str) -> fields.Dict:
    """A mapping of texts that may be left out."""
    said = fields.String(validate=Length(max=LONGEST_SAID, error=at_most(LONGEST_SAID)))
    return fields.Dict(
        keys=fields.String(validate=stored(LONGEST_SAID)),
        values=said,
        load_default=None,
        allow_none=True,
        validate=Length(max=MOST_SAID, error=at_most(MOST_SAID)),
        error_messages={"invalid": NO_MAPPING},
        metadata={"description": description},
    )


class ImportIn(Door):
    """What is asked with a course list."""

    source = fields.String(
        load_default=None,
        allow_none=True,
        validate=stored(LONGEST_NAME),
        metadata={"description": "这份表的来源名，如 省网院；其他来源的课程保留。不给则这份表就是整个目录"},
    )
    without = fields.List(
        fields.String(validate=stored(LONGEST_NAME)),
        load_default=list,
        validate=Length(max=MOST_SAID, error=at_most(MOST_SAID)),
        error_messages={"invalid": NO_LIST},
        metadata={"description": "去掉哪些来源的课程（JSON 数组）"},
    )
    map = pairs("更正表头的含义（JSON 对象：表头到项目；项目为空则不读这一列），按来源记住")
    categories = pairs("认不出的课程类别归到哪一类（JSON 对象：标签到类别），按来源记住")
    year = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=between(1950, 2100),
        error_messages={"invalid": NO_YEAR},
        metadata={"description": "算哪一年的更新率；默认为表中最近的年度"},
    )


class TrainingIn(ImportIn):
    """The same, and whether the version is to answer at once."""

    activate = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        error_messages={"invalid": NO_FLAG},
        metadata={"description": "true：训练后启用；须通过启用前的检查"},
    )
    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=stored(LONGEST_REASON),
        metadata={"description": "没有通过检查也要启用的理由，记入审计日志；不要写人名"},
    )

    @validates_schema(skip_on_field_errors=True)
    def _makes_sense(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["reason"] is not None and not data["activate"]:
            raise ValidationError({"reason": [ONLY_ACTIVATED]})


def file_name(given: str | None) -> str:
    """The name of a file that was sent, fit to be shown and to be used in a folder of one's own; ValidationError where its suffix is none of ours."""
    name = PurePosixPath((given or "").replace("\\", "/")).name
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in COURSE_SUFFIXES:
        raise ValidationError({COURSES: [WRONG_SUFFIX]})
    stem = re.sub(r"[^\w（）()《》·.-]+", "_", name[: -len(suffix)]).strip("._-")[:LONGEST_FILE_NAME]
    return (stem or "courses") + suffix
