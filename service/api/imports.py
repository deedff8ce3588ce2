"""A new course list: checked and compared with the catalog at work, or made into a version by a job."""

from __future__ import annotations

from typing import Any, NamedTuple

from apiflask import APIBlueprint
from apiflask.fields import File
from flask import Response, current_app, request
from marshmallow import ValidationError, fields

from model.errors import InputError
from service.api.body import documents_form
from service.api.cohorts import ReadingOut, refused
from service.api.jobs import ACCEPTED, OneJobOut, later
from service.api.uploads import FORM, is_form, sent_parts
from service.cohorts import WORKBOOK
from service.engine import Engine
from service.jobs.training import KIND, drafted_from
from service.shapes.courselists import annotated_list
from service.shapes.fields import Door, both
from service.shapes.imports import COURSES, NO_COURSES, STRUCTURED, ImportIn, TrainingIn, file_name
from service.store.jobs import sliced
from service.store.roles import Role
from service.training import STAGES
from service.wire.access import allows
from service.wire.errors import problem

bp = APIBlueprint("imports", __name__, url_prefix="/api/v1", tag="models")

HOW = (
    "以 multipart/form-data 上传：`courses` 为课程表文件（.xlsx .xls .csv .jsonl，schema.org 课程 .json .jsonld，Moodle 导出 .csv），"
    "其余各部分见下；`map`、`categories`、`without` 为 JSON 文本。"
)


WHOLE_CATALOG = both(
    "没有给 source 时，这份表就是整个目录，不需要 without",
    "Without source the file is the whole catalog; nothing is left to drop.",
)
NOT_A_FORM = f"请用 Content-Type: {FORM} 提交，课程表放在 courses 部分。"


class _WithFile(Door):
    courses = File(metadata={"description": "课程表文件；只去掉来源时不给"})  # type: ignore[no-untyped-call]


class CheckForm(_WithFile, ImportIn):
    """The parts of the form."""


class TrainingForm(_WithFile, TrainingIn):
    """The parts of the form."""


class HeadingOut(Door):
    """A header and what it was read as."""

    sheet = fields.String()
    header = fields.String()
    field = fields.String(allow_none=True, metadata={"description": "读作哪一项；这一列不读时为 null"})
    meaning = fields.String()


class LabelOut(Door):
    """A category label nobody knows."""

    label = fields.String()
    courses = fields.Integer()
    proposed = fields.String(allow_none=True, metadata={"description": "按所教内容看像是哪一类；看不出时为 null"})


class CheckOut(Door):
    """What was found of a list before it is trained on."""

    source = fields.String(metadata={"description": "文件名"})
    courses = fields.Integer(metadata={"description": "这份表里可用的课程数"})
    reading = fields.Nested(ReadingOut, allow_none=True)
    headers = fields.List(fields.Nested(HeadingOut))
    categories = fields.List(fields.Nested(LabelOut))
    sources = fields.List(fields.Dict(), metadata={"description": "新目录由哪几份课程表组成"})
    base = fields.String(allow_none=True, metadata={"description": "与哪个版本比较"})
    changes = fields.Dict(metadata={"description": "新增、删除、改名、改类别、学时变化、近似重复、合并的系列、更新率"})
    notes = fields.List(fields.String())


class Sent(NamedTuple):
    """What was sent: what is asked for, the name and the content of the file (blank: none)."""

    asked: dict[str, Any]
    file: str
    content: bytes


@bp.post("/course-lists/check")
@allows(Role.PLANNER, cost=100, body="MAX_BATCH_MB", slow=True)
@documents_form(bp, CheckForm)
@bp.output(CheckOut)
@bp.doc(
    summary="核对一份课程表，并与现用目录比较",
    description=HOW + "不训练，什么都不保存。请求头 Accept 要工作簿时，答复是逐格加批注的工作簿。",
    operation_id="check_courses",
    responses=[422, 503],
)
def check() -> Any:
    """Everything that is found before a training."""
    if not is_form():
        return problem(415, NOT_A_FORM)
    try:
        sent = _sent(ImportIn())
        engine: Engine = current_app.extensions["quebu"]
        drafted = drafted_from({**sent.asked, "file": sent.file}, sent.content, engine.registry)
        if request.accept_mimetypes.best_match(["application/json", WORKBOOK]) == WORKBOOK and drafted.read:
            return Response(annotated_list(drafted.read, drafted.changes, drafted.asked), mimetype=WORKBOOK)
        return drafted.told()
    except InputError as error:
        return refused(error)


@bp.post("/models")
@allows(Role.CURATOR, cost=100, body="MAX_BATCH_MB")
@documents_form(bp, TrainingForm)
@bp.output(OneJobOut, status_code=202)
@bp.doc(
    summary="用一份课程表训练出新版本",
    description=HOW
    + "总是作为任务处理，进展见 /jobs/{job_id}；同时只有一个训练。训练出的版本不会自动启用，除非 activate 为 true 并通过启用前的检查。",
    operation_id="train_model",
    responses={202: ACCEPTED, 409: {}, 422: {}, 429: {}},
)
def train() -> Any:
    """Make a job of it."""
    if not is_form():
        return problem(415, NOT_A_FORM)
    try:
        sent = _sent(TrainingIn())
    except InputError as error:
        return refused(error)
    engine: Engine = current_app.extensions["quebu"]
    given = {COURSES: sliced(sent.content)} if sent.content else {}
    asked = {**sent.asked, "file": sent.file}
    return later(KIND, asked, engine.registry.pointer() or "", len(STAGES), given, alone=True)


def _sent(schema: ImportIn) -> Sent:
    """The parts of the form; InputError or ValidationError where they are none."""
    asked = schema.load(sent_parts(STRUCTURED, besides=COURSES))
    file = request.files.get(COURSES)
    if file is None:
        if not asked["without"]:
            raise ValidationError({COURSES: [NO_COURSES]})
        return Sent(asked, "", b"")
    if asked["without"] and asked["source"] is None:
        raise ValidationError({"without": [WHOLE_CATALOG]})
    return Sent(asked, file_name(file.filename), file.read())
